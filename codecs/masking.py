"""Card numbers that do not print, and a scrubber for text that might hold one.

Truncation follows PCI DSS 4.0.1 requirement 3.4.1: at most the first six and the last four digits show.
"""

from __future__ import annotations

import re
from typing import Final

_DIGIT_GROUPS: Final = re.compile(r"[0-9]+(?:[ -][0-9]+)*")
_CARD_DIGITS_MIN: Final = 12
_CARD_DIGITS_MAX: Final = 19


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
    """Replace what may be a card number by its mask: 12 to 19 digits that pass Luhn, spaces and dashes within.

    For text of unknown origin on its way to people: log lines, operators' notes, error texts of libraries. Other
    numbers may stand beside the card number: `4761730000000011 51` hides it no less.
    """
    return _DIGIT_GROUPS.sub(_cover, text)


def _cover(match: re.Match[str]) -> str:
    parts = re.split("([ -])", match[0])  # groups of digits, and at the odd places what separates them
    shown, index = [], 0
    while index < len(parts):
        end = 0 if index % 2 else _find_card_end(parts, index)
        if end:
            shown.append(mask_pan("".join(parts[index:end:2])))
        else:
            shown.append(parts[index])
        index = end or index + 1
    return "".join(shown)


def _find_card_end(parts: list[str], start: int) -> int:
    """Find where the longest card number that starts with a group ends; 0 when none does."""
    digits, end = "", 0
    for index in range(start, len(parts), 2):
        digits += parts[index]
        if len(digits) > _CARD_DIGITS_MAX:
            break
        if len(digits) >= _CARD_DIGITS_MIN and is_luhn(digits):
            end = index + 1
    return end


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
