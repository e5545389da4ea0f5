"""Card numbers on their way in: typed without echo, piped in, or in a file; never on the command line.

What stands on a command line is seen by every process of the machine, and stays in the shell's history.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import click

from ...codecs.masking import Pan
from .complaints import Complaint

TEST_CARD: Final = "4761739001010010"
"""A card number that card schemes publish for tests."""

CARDS_MAX: Final = 1_000_000
_DIGITS_MIN: Final = 12
_DIGITS_MAX: Final = 19


def read_card_number(text: object, where: str) -> Pan:
    """Read a card number of 12 to 19 digits, spaces allowed; a Complaint tells `where`, and never the number."""
    digits = text.replace(" ", "").strip() if isinstance(text, str) else ""
    if not (digits.isascii() and digits.isdigit() and _DIGITS_MIN <= len(digits) <= _DIGITS_MAX):
        raise Complaint(f"{where}: a card number has {_DIGITS_MIN} to {_DIGITS_MAX} digits")
    return Pan(digits)


def ask_for_card() -> Pan:
    """Ask for a card number without echo, or read the first line of the standard input when nobody sits there."""
    if sys.stdin.isatty():
        return read_card_number(click.prompt("Card number", hide_input=True, err=True), "what was typed")
    return read_card_number(sys.stdin.readline(64), "standard input")


def read_cards_file(path: Path) -> list[Pan]:
    """Read one card number a line; empty lines and lines that begin with # are passed over."""
    try:
        with path.open(encoding="ascii") as lines:
            return _read_lines(lines, path)
    except UnicodeDecodeError:
        raise Complaint(f"{path} is not a text of digits") from None


def _read_lines(lines: Iterable[str], path: Path) -> list[Pan]:
    cards: list[Pan] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        if len(cards) == CARDS_MAX:
            raise Complaint(f"{path} holds more than {CARDS_MAX} card numbers")
        cards.append(read_card_number(line, f"{path} line {number}"))
    return cards
