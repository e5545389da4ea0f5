"""Content classes and calendar formats: what the characters of an element may be (ISO 8583:1987, 4.4).

Each is a row. The table-driven reader asks `find_content_problem`, the compiler takes `value_pattern`; both see
the same rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import attrs


@attrs.frozen
class Content:
    """One content class.

    sets: character sets as a regular expression writes them between brackets; all characters of a value are of
    one set. packed: the set of a value that is packed two characters a byte, "" when the class cannot be packed.
    lead: letters, one of which precedes the value and is not counted in its length. is_binary: values are bytes.
    """

    name: str
    sets: tuple[str, ...]
    packed: str = ""
    lead: str = ""
    is_binary: bool = False

    def sets_for(self, is_packed: bool) -> tuple[str, ...]:
        return (self.packed,) if is_packed else self.sets


# Blanks belong to letters and alphanumerics, since text shorter than its element is filled with blanks.
CONTENTS: Final[Mapping[str, Content]] = MappingProxyType(
    {
        row.name: row
        for row in (
            Content("n", ("0-9",), packed="0-9"),
            Content("a", ("A-Za-z ",)),
            Content("s", (r" !-/:-@\[-`{-~",)),
            Content("an", ("0-9A-Za-z ",)),
            Content("as", (r" !-/:-@A-Z\[-`a-z{-~",)),
            Content("ns", (r" !-/0-9:-@\[-`{-~",)),
            Content("ans", (" -~",)),
            Content("a/n", ("A-Za-z", "0-9"), packed="0-9"),
            Content("x+n", ("0-9",), packed="0-9", lead="CD"),
            Content("z", ("0-9=D",), packed="0-9="),
            Content("b", (), is_binary=True),
        )
    }
)

_DAY_OF_MONTH: Final = (
    "(?:(?:0[13578]|1[02])(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)(?:0[1-9]|[12][0-9]|30)|02(?:0[1-9]|[12][0-9]))"
)
_NOT_29_FEBRUARY: Final = "(?![0-9]{2}0229)"
_LEAP_YEAR: Final = "(?=(?:[02468][048]|[13579][26]))"
_TIME: Final = "(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]"
_MONTH: Final = "(?:0[1-9]|1[0-2])"

FORMATS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "MMDD": _DAY_OF_MONTH,
        "YYMM": f"[0-9]{{2}}{_MONTH}",
        "YYMMDD": f"(?:{_LEAP_YEAR}|{_NOT_29_FEBRUARY})[0-9]{{2}}{_DAY_OF_MONTH}",
        "hhmmss": _TIME,
        "MMDDhhmmss": _DAY_OF_MONTH + _TIME,
    }
)
"""Regular expressions of real dates and times. A date without a year may be 29 February; two-digit years are
those from 2000 to 2099."""


def value_pattern(content: Content, calendar: str | None, length_min: int, length_max: int, is_packed: bool) -> str:
    """Give the regular expression, without groups, of a text value in its element's length limits."""
    if calendar is not None:
        return FORMATS[calendar]
    times = f"{{{length_min}}}" if length_min == length_max else f"{{{length_min},{length_max}}}"
    lead = f"[{content.lead}]" if content.lead else ""
    sets = [f"{lead}[{chars}]{times}" for chars in content.sets_for(is_packed)]
    return sets[0] if len(sets) == 1 else f"(?:{'|'.join(sets)})"


@lru_cache(maxsize=256)
def _run_of(chars: str) -> re.Pattern[str]:
    return re.compile(f"[{chars}]*")


@lru_cache(maxsize=64)
def _calendar_of(calendar: str) -> re.Pattern[str]:
    return re.compile(FORMATS[calendar])


def find_content_problem(
    content: Content, calendar: str | None, value: str, is_packed: bool
) -> tuple[int, str] | None:
    """Find the first character of a text value that its class forbids: its index and the rule, or None.

    The length is not looked at.
    """
    start = 1 if content.lead else 0
    if start and value[:1] not in tuple(content.lead):
        return 0, f"content is not {content.name}"
    good = 0
    for chars in content.sets_for(is_packed):
        run = _run_of(chars).match(value, start)
        good = max(good, run.end() if run is not None else start)
    if good < len(value):
        return good, f"content is not {content.name}"
    if calendar is not None and not _calendar_of(calendar).fullmatch(value):
        return 0, f"not a real {calendar}"
    return None
