"""Fees: what a payment costs besides its amount, by a table, as movements of their own in the same decision.

Pure: a payment and its movements in, the movements with their fees out. The first movement stays the principal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..codecs.payment import Payment
from ..config.settings import FeePayer, FeeSettings
from ..ledger.operations import LEDGER, AccountRef, Movement
from .movements import settlement

_MILLE: Final = 1_000


def fee_account(row: FeeSettings) -> str:
    """Give the code of the account that a fee goes to."""
    return row.account or f"fees.{row.currency}"


def fee_minor(row: FeeSettings, amount_minor: int) -> int:
    """Work out a fee: the fixed part and the share, rounded half up, within the least and the most."""
    fee = row.fixed_minor + (amount_minor * row.per_mille * 2 + _MILLE) // (2 * _MILLE)
    fee = max(fee, row.minimum_minor)
    return fee if row.maximum_minor is None else min(fee, row.maximum_minor)


class FeeTable:
    """Every row that matches a payment adds its fee."""

    def __init__(self, rows: Sequence[FeeSettings]) -> None:
        self._rows = tuple(rows)

    def charge(self, payment: Payment, destination: str, movements: tuple[Movement, ...]) -> tuple[Movement, ...]:
        """Give the movements of a payment with those of its fees after them; a payment that moves nothing is free.

        A peer's cardholder is charged by the peer: of a payment that goes to one, only fees that its sender pays.
        """
        if not self._rows or not movements:
            return movements
        fees = []
        for row in self._rows:
            if _matches(row, payment) and (row.payer is FeePayer.INSTITUTION or destination == LEDGER):
                fee = fee_minor(row, payment.amount.amount_minor)
                if fee:
                    payer = _payer(row, payment, movements[0])
                    fees.append(Movement(payer, fee_account(row), fee, payment.amount.currency.numeric, kind="fee"))
        return (*movements, *fees)


def _matches(row: FeeSettings, payment: Payment) -> bool:
    return (
        payment.amount.currency.alpha == row.currency
        and (not row.institutions or payment.source in row.institutions)
        and (not row.processing_codes or payment.processing_code.startswith(row.processing_codes))
    )


def _payer(row: FeeSettings, payment: Payment, principal: Movement) -> AccountRef:
    if row.payer is FeePayer.INSTITUTION:
        return settlement(payment.source, row.currency)
    return principal.credit if payment.purpose.is_credit else principal.debit
