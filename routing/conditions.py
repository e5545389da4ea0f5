"""The conditions of a row, one by one: what each says of a question.

This is the plain reading of a table. The compiled table answers the same faster; this one can also say why.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs

from .rows import Question, Row

END: Final = "~"
"""Sorts after every character of a card number or BIC."""

DIGITS_MAX: Final = 19


@attrs.frozen
class Condition:
    """One kind of condition: its name in a row, and whether a question meets it."""

    name: str
    holds: Callable[[Row, Question], bool]


def bin_span(listed: str) -> tuple[str, str]:
    """Give first and end (not included) of the card numbers in a prefix, or in a range `first-last`.

    Digits are compared from the left as if zeros followed, so that zeros at the end of a bound say nothing.
    """
    first, dash, last = listed.partition("-")
    last = last if dash else first
    end = END if last.strip("9") == "" else str(int(last) + 1).zfill(len(last)).rstrip("0")
    return first.rstrip("0"), end


def bic_span(prefix: str) -> tuple[str, str]:
    """Give first and end (not included) of the BICs that begin with a prefix."""
    return prefix, prefix + END


def classes(value: str, is_class: Callable[[str], bool]) -> tuple[str, str]:
    """Give the exact value and the class that a listed value stands for; one of them is empty."""
    return ("", value[:2]) if is_class(value) else (value, "")


def is_mti_class(value: str) -> bool:
    """Tell whether a listed type names a whole MTI class: four digits that end in 00."""
    return len(value) == 4 and value.endswith("00")


def is_code_class(value: str) -> bool:
    """Tell whether a listed processing code names its first two digits only."""
    return len(value) == 2


def _bins(row: Row, question: Question) -> bool:
    if question.pan is None:
        return False
    digits = question.pan.ljust(DIGITS_MAX, "0")
    for listed in row.bins:
        first, dash, last = listed.partition("-")
        if first.ljust(DIGITS_MAX, "0") <= digits <= (last if dash else first).ljust(DIGITS_MAX, "9"):
            return True
    return False


def _bics(row: Row, question: Question) -> bool:
    return question.bic is not None and any(eleven(question.bic).startswith(prefix) for prefix in row.bics)


def _types(row: Row, question: Question) -> bool:
    return any(
        question.type[:-2] == listed[:2] if is_mti_class(listed) else question.type == listed for listed in row.types
    )


def _processing_codes(row: Row, question: Question) -> bool:
    return any(
        question.processing_code[:2] == listed if is_code_class(listed) else question.processing_code == listed
        for listed in row.processing_codes
    )


def eleven(bic: str) -> str:
    """Give a BIC with its branch: XXX is the head office (ISO 9362)."""
    return bic + "XXX" if len(bic) == 8 else bic


CONDITIONS: Final = (
    Condition("bins", _bins),
    Condition("bics", _bics),
    Condition("institutions", lambda row, question: question.institution in row.institutions),
    Condition("types", _types),
    Condition("processing_codes", _processing_codes),
    Condition("currencies", lambda row, question: question.currency in row.currencies),
    Condition("amount_minor_min", lambda row, question: question.amount_minor >= (row.amount_minor_min or 0)),
    Condition("amount_minor_max", lambda row, question: question.amount_minor <= (row.amount_minor_max or 0)),
)


def is_given(row: Row, condition: Condition) -> bool:
    """Tell whether a row has this condition at all."""
    return getattr(row, condition.name) not in ((), None)


def find_unmet(row: Row, question: Question) -> str | None:
    """Find the first condition of a row that a question does not meet; None: the row matches."""
    for condition in CONDITIONS:
        if is_given(row, condition) and not condition.holds(row, question):
            return condition.name
    return None
