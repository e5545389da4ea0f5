"""Who has cards and accounts in the demonstration."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from ..codecs.masking import Pan, is_luhn
from ..codecs.money import get_currency
from .slips import Card

OWN_BIN: Final = "550011"
"""No route of the example names it: these cards are decided in the switch's own books."""
ISSUER_BINS: Final = ("476173", "541333")
"""The example routes these to the issuer."""

_OWN: Final = (("EUR", 40), ("USD", 12), ("JPY", 8))
_THEIRS: Final = (("EUR", 30), ("USD", 10), ("JPY", 6))
_OPENING: Final = {"EUR": "250000.00", "USD": "250000.00", "JPY": "25000000"}


def make_pan(bin_digits: str, number: int) -> Pan:
    """Make the card number of 16 digits with a check digit (Luhn) that begins so."""
    stem = f"{bin_digits}{number:0{15 - len(bin_digits)}d}"
    return Pan(next(stem + digit for digit in "0123456789" if is_luhn(stem + digit)))


def make_cards() -> list[Card]:
    """Make the cards: of group "own" with an account here, of group "issuer" with theirs at the issuer."""
    cards = []
    for alpha, count in _OWN:
        digits = get_currency(alpha).digits
        for number in range(count):
            pan = make_pan(OWN_BIN, int(digits) * 1_000 + number)
            cards.append(Card(pan, digits, "own", f"holder-{alpha.lower()}-{number:03d}"))
    for alpha, count in _THEIRS:
        digits = get_currency(alpha).digits
        for number in range(count):
            pan = make_pan(ISSUER_BINS[number % len(ISSUER_BINS)], int(digits) * 1_000 + number)
            cards.append(Card(pan, digits, "issuer"))
    return cards


def account_lines(cards: Sequence[Card]) -> str:
    """Write the accounts behind own cards as `junctor account create --batch` reads them, one JSON object a line."""
    lines = []
    for card in cards:
        if card.account is not None:
            alpha = get_currency(card.currency).alpha
            line = {
                "code": card.account,
                "kind": "cardholder",
                "currency": alpha,
                "name": f"Cardholder {card.account[-3:]}",
                "opening": _OPENING[alpha],
                "cards": [card.pan.reveal()],
            }
            lines.append(json.dumps(line))
    return "\n".join(lines) + "\n"
