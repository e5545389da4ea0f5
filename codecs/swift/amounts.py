"""SWIFT amounts (`1108492,50`, `1000,`) to minor units and back, exactly: no number is ever a float.

The comma is mandatory, at least one digit stands before it, and there are no more digits after it than the currency
has decimals (ISO 4217).
"""

from __future__ import annotations

import re
from typing import Final

from ..faults import DecodeFault, EncodeFault
from ..money import Currency, Money, find_currency

AMOUNT_CHARACTERS_MAX: Final = 15
"""The length of `15d`: digits and comma."""

_AMOUNT: Final = re.compile(r"([0-9]+),([0-9]*)")


def read_money(currency: str, amount: str, path: str = "amount", offset: int = 0) -> Money:
    """Read an amount of a currency (`"EUR"`) into minor units; DecodeFault at `path` when it has none.

    Missing decimals are zeros: `7,5` EUR is 750 minor units.
    """
    found = find_currency(currency) if currency.isalpha() else None
    if found is None:
        raise DecodeFault(path, offset, "the currency is not in ISO 4217")
    match = _AMOUNT.fullmatch(amount)
    if match is None or len(amount) > AMOUNT_CHARACTERS_MAX:
        raise DecodeFault(path, offset, "an amount has a digit, one comma, and at most 15 characters")
    whole, fraction = match.groups()
    if len(fraction) > found.exponent:
        raise DecodeFault(path, offset, f"the amount has more than {found.exponent} decimals")
    return Money(int(whole + fraction.ljust(found.exponent, "0")), found)


def write_amount(money: Money, path: str = "amount") -> str:
    """Write minor units as SWIFT writes them, with all decimals of the currency: 110849250 EUR is `1108492,50`.

    EncodeFault for a negative amount, or one of more than 15 characters.
    """
    if money.amount_minor < 0:
        raise EncodeFault(path, "an amount is not negative")
    exponent = money.currency.exponent
    digits = str(money.amount_minor).rjust(exponent + 1, "0")
    cut = len(digits) - exponent
    amount = f"{digits[:cut]},{digits[cut:]}"
    if len(amount) > AMOUNT_CHARACTERS_MAX:
        raise EncodeFault(path, f"an amount has at most {AMOUNT_CHARACTERS_MAX} characters")
    return amount


def has_decimals_for(currency: Currency, amount: str) -> bool:
    """Tell whether an amount has no more digits after its comma than the currency has decimals."""
    return len(amount.partition(",")[2]) <= currency.exponent
