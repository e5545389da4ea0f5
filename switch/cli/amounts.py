"""Amounts as people write them: decimal numbers in a currency's own decimals."""

from __future__ import annotations

import re
from typing import Final

from ...codecs.money import AMOUNT_MINOR_MAX, Currency, find_currency, format_minor
from .complaints import Complaint

_AMOUNT: Final = re.compile(r"([0-9]{1,19})(?:\.([0-9]{1,6}))?")


def read_currency(code: str) -> Currency:
    """Find a currency by its letters or its digits; a Complaint when ISO 4217 has none."""
    found = find_currency(code.upper())
    if found is None:
        raise Complaint(f"ISO 4217 has no currency {code!r}")
    return found


def read_amount(text: str, currency: Currency) -> int:
    """Read "12.50" as minor units; a Complaint when it is no amount, too precise for the currency, or too large."""
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise Complaint(f"{text!r} is not an amount: write digits, with a point before the decimals")
    whole, decimals = match[1], match[2] or ""
    if len(decimals) > currency.exponent:
        raise Complaint(f"{text} is too precise: {currency.alpha} has {currency.exponent} decimals")
    amount_minor = int(whole + decimals.ljust(currency.exponent, "0"))
    if amount_minor > AMOUNT_MINOR_MAX:
        raise Complaint(f"{text} {currency.alpha} is more than an account can hold")
    return amount_minor


def exponent_of(letters: str) -> int:
    """Give the decimals of a currency of the books; none for one that ISO 4217 does not have."""
    found = find_currency(letters)
    return 0 if found is None else found.exponent


def write_amount(amount_minor: int, currency: Currency) -> str:
    """Write minor units with the currency's letters: 1250 -> "12.50 EUR"."""
    return f"{format_minor(amount_minor, currency.exponent)} {currency.alpha}"
