"""Exchange rates: what a payment costs an account in another currency, in integers throughout."""

from __future__ import annotations

from collections.abc import Sequence

from ..codecs.money import get_currency
from ..codecs.payment import Payment
from ..config.settings import RateSettings
from ..ledger.exchange_items import Quote
from ..ledger.operations import Movement

_MILLE = 1_000


def exchange_accounts(alpha: str) -> tuple[str, str, str]:
    """Give the codes of a currency's accounts for exchange: position, spread, rounding."""
    return f"fx.position.{alpha}", f"fx.spread.{alpha}", f"fx.rounding.{alpha}"


class RateTable:
    """Quotes payments in the currencies for which it has a rate."""

    def __init__(self, rows: Sequence[RateSettings]) -> None:
        self._rows = tuple(rows)

    def quotes(self, payment: Payment, movements: Sequence[Movement]) -> tuple[Quote, ...]:
        """Quote a payment, with the fees that its holder pays, in every currency that an account of his may have."""
        alpha = payment.amount.currency.alpha
        rows = [row for row in self._rows if row.payment == alpha]
        if not rows or not movements:
            return ()
        first = movements[0]
        holder = first.credit if payment.purpose.is_credit else first.debit
        fees = sum(fee.amount_minor for fee in movements[1:] if fee.debit == holder)
        gains = payment.purpose.is_credit
        quoted = (quote(row, first.amount_minor + (-fees if gains else fees), gains=gains) for row in rows)
        return tuple(it for it in quoted if it.customer_minor > 0)


def quote(row: RateSettings, amount_minor: int, *, gains: bool) -> Quote:
    """Work out what an amount of the payment's currency is in the account's; every part is rounded half up."""
    paid, held = get_currency(row.payment), get_currency(row.account)
    whole, _, decimals = row.rate.partition(".")
    above = amount_minor * int(whole + decimals) * 10**held.exponent
    below = 10 ** (len(decimals) + paid.exponent)
    position, spread_account, rounding_account = exchange_accounts(row.account)
    margin = -row.spread_per_mille if gains else row.spread_per_mille
    return Quote(
        currency=held.numeric,
        customer_minor=_round(above * (_MILLE + margin), below * _MILLE),
        mid_minor=_round(above, below),
        spread_minor=_round(above * row.spread_per_mille, below * _MILLE),
        rate=row.rate,
        payment_position=exchange_accounts(row.payment)[0],
        position=position,
        spread_account=spread_account,
        rounding_account=rounding_account,
    )


def _round(above: int, below: int) -> int:
    return (2 * above + below) // (2 * below)
