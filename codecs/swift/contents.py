"""Checks of one field at a time, beyond its format: real dates, known currencies, code words, references.

A table says which checks a tag has; a check gets the field's parts and tells code, component, line and sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from itertools import pairwise
from typing import Final, TypeAlias

from ..money import find_currency
from .amounts import has_decimals_for
from .countries import COUNTRIES
from .fields import FIELDS
from .findings import Finding, code_for
from .notation import Parts
from .text import Field

YEAR_PIVOT: Final = 80
"""Two digits from here on are of the last century, below of this one; editions of the manual differ by a year."""

BANK_OPERATIONS: Final = frozenset({"CRED", "CRTS", "SPAY", "SPRI", "SSTD"})
CHARGES: Final = frozenset({"BEN", "OUR", "SHA"})
INSTRUCTIONS: Final = frozenset(
    {"SDVA", "INTC", "REPA", "CORT", "HOLD", "CHQB", "PHOB", "TELB", "PHON", "TELE", "PHOI", "TELI"}
)
PARTY_CODES: Final = frozenset({"ARNU", "CCPT", "CUST", "DRLC", "EMPL", "NIDN", "SOSE", "TXID"})

_LT: Final = re.compile(r"[A-Z]{6}[A-Z0-9]{6}")
"""A logical terminal where a BIC should be: the commonest way to get a BIC wrong has a code of its own."""

Problem: TypeAlias = tuple[str, str | None, int, str]
"""Code, component, line within the field from 0, sentence."""
Check: TypeAlias = Callable[[Parts], Iterator[Problem]]


def check_field(field: Field) -> Iterator[Finding]:
    """Find what is wrong with one field of the text: its format first, and its content when the format holds."""
    row = FIELDS.get(field.tag)
    if row is None:
        return
    parts = row.find_parts(field.value) if field.value else None
    if parts is None:
        mismatch = row.find_mismatch(field.value)
        if mismatch is None:
            yield Finding("T12", field.line, field.tag, None, "the field is empty")
            return
        code = code_for(field.tag, mismatch.part, mismatch.deviation)
        if mismatch.part == "bic" and _LT.fullmatch(field.lines[-1]):
            code = "T28"
        line = field.line + mismatch.line
        yield Finding(code, line, field.tag, mismatch.part, mismatch.deviation.value)
        return
    for check in CHECKS.get(field.tag, ()):
        for code, component, line, text in check(parts):
            yield Finding(code, field.line + line, field.tag, component, text)


def is_date(digits: str) -> bool:
    """Tell whether six digits YYMMDD, or eight YYYYMMDD, name a day of the calendar."""
    if len(digits) == 6:
        digits = ("19" if int(digits[:2]) >= YEAR_PIVOT else "20") + digits
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True


def _text(parts: Parts, name: str) -> str:
    part = parts[name]
    assert isinstance(part, str), "the part is a single line"
    return part


def _lines(parts: Parts) -> tuple[str, ...]:
    part = parts["lines"]
    assert not isinstance(part, str), "the part is a run of lines"
    return part


def _reference(parts: Parts) -> Iterator[Problem]:
    reference = _text(parts, "reference")
    if reference.startswith("/") or reference.endswith("/") or "//" in reference:
        yield "T26", "reference", 0, "a reference has no slash at either end and no two in a row"


def _time_indication(parts: Parts) -> Iterator[Problem]:
    hours, minutes = divmod(int(_text(parts, "time")), 100)
    if hours > 23 or minutes > 59:
        yield "T38", "time", 0, "a time is between 0000 and 2359"
    if _text(parts, "sign") not in "+-":
        yield "T15", "sign", 0, "a sign is + or -"
    hours, minutes = divmod(int(_text(parts, "offset")), 100)
    if hours > 13 or minutes > 59:
        yield "T16", "offset", 0, "an offset has at most 13 hours and 59 minutes"


def _value_date(parts: Parts) -> Iterator[Problem]:
    if not is_date(_text(parts, "date")):
        yield "T50", "date", 0, "the date is not in the calendar"


def _money(parts: Parts) -> Iterator[Problem]:
    currency = find_currency(_text(parts, "currency"))
    if currency is None:
        yield "T52", "currency", 0, "the currency is not in ISO 4217"
    elif not has_decimals_for(currency, _text(parts, "amount")):
        yield "C03", "amount", 0, "the amount has more decimals than its currency"


def _bic(parts: Parts) -> Iterator[Problem]:
    if _text(parts, "bic")[4:6] not in COUNTRIES:
        line = 1 if "side" in parts or "account" in parts else 0
        yield "T27", "bic", line, "no BIC is registered in that country"


def _code(allowed: frozenset[str], code: str) -> Check:
    def check(parts: Parts) -> Iterator[Problem]:
        if _text(parts, "code") not in allowed:
            yield code, "code", 0, f"the code is one of {' '.join(sorted(allowed))}"

    return check


def _party_identifier(parts: Parts) -> Iterator[Problem]:
    if "code" not in parts:
        return
    if _text(parts, "code") not in PARTY_CODES:
        yield "T55", "code", 0, f"the code is one of {' '.join(sorted(PARTY_CODES))}"
    if _text(parts, "country") not in COUNTRIES:
        yield "T73", "country", 0, "the country is not in ISO 3166"


def _numbered_lines(numbers: str, with_country: str, once: str) -> Check:
    """Check lines `1!n/33x`: which numbers, which of them begin with a country, which may be there only once."""

    def check(parts: Parts) -> Iterator[Problem]:
        lines = _lines(parts)
        above = 0 if parts.keys().isdisjoint({"account", "code"}) else 1
        seen = "".join(line[0] for line in lines)
        for at, number in enumerate(seen, above):
            if number not in numbers:
                yield "T56", "lines", at, f"the line numbers are {numbers[0]} to {numbers[-1]}"
        if not seen.startswith("1"):
            yield "T56", "lines", above, "the first line is number 1"
        for at, (first, second) in enumerate(pairwise(seen), above + 1):
            if second < first:
                yield "T56", "lines", at, "the line numbers ascend"
            elif second == first and second in once:
                yield "T56", "lines", at, "the line number may be there once"
        yield from _countries(lines, seen, above, with_country)

    return check


def _countries(lines: tuple[str, ...], seen: str, above: int, with_country: str) -> Iterator[Problem]:
    for at, line in enumerate(lines):
        number = line[0]
        if number not in with_country or number in seen[:at]:
            continue
        country, _, rest = line[2:].partition("/")
        if country not in COUNTRIES:
            yield "T73", "lines", above + at, "the line begins with a country of ISO 3166"
        elif number != "3" and not rest:
            yield "T56", "lines", above + at, "something follows the country"


def _ordering_customer(parts: Parts) -> Iterator[Problem]:
    lines = _lines(parts)
    seen = {line[0]: at for at, line in enumerate(lines, 1)}
    if "2" in seen and "3" not in seen:
        yield "T56", "lines", seen["2"], "an address line needs a line of country and town"
    for one, other in (("4", "5"), ("5", "4")):
        if one in seen and other not in seen:
            yield "T56", "lines", seen[one], "date and place of birth are there together"
    if "4" in seen:
        birth = lines[seen["4"] - 1][2:]
        if len(birth) != 8 or not (birth.isascii() and birth.isdigit()) or not is_date(birth):
            yield "T50", "lines", seen["4"], "a date of birth is a day YYYYMMDD of the calendar"


CHECKS: Final[Mapping[str, tuple[Check, ...]]] = {
    "20": (_reference,),
    "13C": (_time_indication,),
    "23B": (_code(BANK_OPERATIONS, "T36"),),
    "23E": (_code(INSTRUCTIONS, "T47"),),
    "32A": (_value_date, _money),
    "33B": (_money,),
    "50A": (_bic,),
    "50F": (_party_identifier, _numbered_lines("12345678", "3567", "45678"), _ordering_customer),
    **{f"{number}A": (_bic,) for number in range(51, 58)},
    "59A": (_bic,),
    "59F": (_numbered_lines("123", "3", ""),),
    "71A": (_code(CHARGES, "T08"),),
    "71F": (_money,),
    "71G": (_money,),
}
"""The checks of each tag, in order."""
