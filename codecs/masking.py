"""Card numbers that do not print, and a scrubber for text that might hold one.

Truncation follows PCI DSS 4.0.1 requirement 3.4.1: at most the first six and the last four digits show.
"""

from __future__ import annotations

import re
from typing import Final

_DIGIT_RUN: Final = re.compile(r"(?<![0-9])[0-9](?:[ -]?[0-9]){11,18}(?![0-9])")


def mask_pan(digits: str) -> str:
    """Show the first six and last four digits of a card number of 13 or more, else only its length in stars."""
    if len(digits) < 13:
        return "*" * len(digits)
    return f"{digits[:6]}{'*' * (len(digits) - 10)}{digits[-4:]}"


def is_luhn(digits: str) -> bool:
    """Tell whether a run of ASCII digits carries a valid Luhn check digit (ISO/IEC 7812-1 annex B)."""
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = ord(digit) - 48
        if index % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def scrub(text: str) -> str:
    """Replace every run of 12 to 19 digits (spaces and dashes within allowed) that passes Luhn by its mask.

    For text of unknown origin on its way to people: log lines, operators' notes, error texts of libraries.
    """

    def cover(match: re.Match[str]) -> str:
        digits = re.sub("[ -]", "", match[0])
        return mask_pan(digits) if is_luhn(digits) else match[0]

    return _DIGIT_RUN.sub(cover, text)


class Pan:
    """A primary account number that prints masked; `reveal()` is the only way to its digits."""

    __slots__ = ("_digits",)

    def __init__(self, digits: str) -> None:
        self._digits = digits

    def reveal(self) -> str:
        """Give the digits, to be hashed, encrypted, routed on or sent, never shown."""
        return self._digits

    @property
    def masked(self) -> str:
        return mask_pan(self._digits)

    def __str__(self) -> str:
        return self.masked

    def __repr__(self) -> str:
        return f"Pan({self.masked})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pan) and self._digits == other._digits

    def __hash__(self) -> int:
        return hash((Pan, self._digits))

    def __reduce__(self) -> str:
        raise TypeError("a card number is not pickled")
