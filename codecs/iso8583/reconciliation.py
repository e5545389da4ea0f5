"""Reconciliation messages: an institution's totals of a day, and our answer to them.

Source: ISO 8583:1987, message types 0500, 0501, 0520, 0521 from acquirers and 0502, 0503, 0522, 0523 from issuers;
data elements 15, 50, 66, 74 to 81, 86 to 89 and 97. The fee amounts (82 to 85) are not compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

from ..money import Currency, find_currency
from ..payment import digest
from .message import Message
from .payments import Unacceptable, read_identity
from .response import respond

COUNTS: Final = tuple(range(74, 82))
AMOUNTS: Final = tuple(range(86, 90))
NET: Final = 97
COMPARED: Final = (*COUNTS, *AMOUNTS, NET)

IN_BALANCE: Final = "1"
OUT_OF_BALANCE: Final = "2"
IN_ERROR: Final = "3"
"""Settlement codes (DE66)."""

RECONCILE_ERROR: Final = "95"
INVALID: Final = "12"
"""Response codes (DE39) of a day out of balance, and of one that is not there."""


@attrs.frozen
class Claim:
    """What an institution says of a day; `key` and `fingerprint` identify the message as those of a payment do.

    month_day: the settlement date as it stands in DE15 (MMDD), or None. figures: by element, DE97 with its sign.
    """

    key: bytes
    fingerprint: bytes
    is_issuer: bool
    currency: Currency
    month_day: int | None
    figures: tuple[tuple[int, int], ...]


def read_claim(
    message: Message, institution: str, identity: Sequence[int], currencies: Sequence[str]
) -> Claim | Unacceptable:
    """Read a reconciliation request or advice; without DE50 the institution's only currency is meant."""
    identified = read_identity(message, institution, identity)
    if isinstance(identified, Unacceptable):
        return identified
    is_issuer = message.mti[3] in "23"
    figures = tuple(
        (element, _number(str(message[element]))) for element in COMPARED if message.get(element) is not None
    )
    told = str(message.get(50) or "") or (currencies[0] if len(currencies) == 1 else "")
    month_day = str(message.get(15) or "")
    print_ = digest(
        [
            message.mti[:3],
            "issuer" if is_issuer else "acquirer",
            told,
            month_day,
            *(f"{element}={value}" for element, value in figures),
        ]
    )
    currency = find_currency(told) if told else None
    if message.mti[2] not in "02":
        return Unacceptable(INVALID, "the message type is not served", identified, print_)
    if currency is None or currency.alpha not in currencies:
        return Unacceptable("30" if not told else INVALID, "DE50 is missing or not its currency", identified, print_)
    if not figures:
        return Unacceptable("30", "no totals are given", identified, print_)
    return Claim(identified, print_, is_issuer, currency, int(month_day) if month_day else None, figures)


def answer_claim(claim: Message, is_known: bool, is_balanced: bool, figures: Sequence[tuple[int, int]]) -> Message:
    """Make the response: DE66, our own figures, and DE39 95 to a request that is out of balance.

    is_known: whether there is such a day; without it nothing was compared. An advice is acknowledged (00) either way.
    """
    if not is_known:
        return respond(claim, INVALID, {66: IN_ERROR})
    fields: dict[int, str] = {element: write_figure(element, value) for element, value in figures}
    fields[66] = IN_BALANCE if is_balanced else OUT_OF_BALANCE
    is_error = not is_balanced and claim.mti[2] == "0"
    return respond(claim, RECONCILE_ERROR if is_error else "00", fields)


def write_figure(element: int, value: int) -> str:
    """Write a figure as its element has it: ten digits a count, sixteen an amount, the net amount after C or D."""
    if element == NET:
        return f"{'D' if value < 0 else 'C'}{abs(value):016d}"
    return f"{value:010d}" if element in COUNTS else f"{value:016d}"


def _number(text: str) -> int:
    return int(text) if text.isdigit() else (-1 if text[0] == "D" else 1) * int(text[1:])
