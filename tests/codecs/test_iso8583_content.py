from __future__ import annotations

import re
import string
from datetime import datetime

import pytest
from junctor.codecs.iso8583.content import CONTENTS, FORMATS, find_content_problem, value_pattern

DIGITS = set(string.digits)
LETTERS = set(string.ascii_letters) | {" "}
SPECIAL = {chr(code) for code in range(0x20, 0x7F)} - set(string.digits + string.ascii_letters)
ALLOWED = {
    "n": DIGITS,
    "a": LETTERS,
    "s": SPECIAL,
    "an": DIGITS | LETTERS,
    "as": LETTERS | SPECIAL,
    "ns": DIGITS | SPECIAL,
    "ans": DIGITS | LETTERS | SPECIAL,
    "a/n": DIGITS | set(string.ascii_letters),
    "z": DIGITS | {"=", "D"},
}


@pytest.mark.parametrize("name", ALLOWED)
def test_class_allows_its_characters_and_no_others(name: str) -> None:
    content = CONTENTS[name]
    pattern = re.compile(value_pattern(content, None, 1, 1, is_packed=False))
    for character in [*map(chr, range(0x180)), "\u0661", "\u00b2", "\U0001d7ce", "\ud800"]:
        is_allowed = character in ALLOWED[name]
        assert (find_content_problem(content, None, character, is_packed=False) is None) == is_allowed
        assert (pattern.fullmatch(character) is not None) == is_allowed


def test_letters_and_digits_do_not_mix_where_the_class_is_either() -> None:
    assert find_content_problem(CONTENTS["a/n"], None, "84U", is_packed=False) == (2, "content is not a/n")
    assert find_content_problem(CONTENTS["a/n"], None, "US1", is_packed=False) == (2, "content is not a/n")


def test_every_class_but_binary_and_signed_is_looked_at_here() -> None:
    assert set(CONTENTS) == set(ALLOWED) | {"b", "x+n"}


def is_real(calendar: str, digits: str) -> bool:
    """Ask the calendar of the standard library; a date without a year may be of a leap year."""
    text, code = {
        "MMDD": (f"2024{digits}", "%Y%m%d"),
        "YYMM": (f"20{digits}", "%Y%m"),
        "YYMMDD": (f"20{digits}", "%Y%m%d"),
        "hhmmss": (digits, "%H%M%S"),
        "MMDDhhmmss": (f"2024{digits}", "%Y%m%d%H%M%S"),
    }[calendar]
    try:
        datetime.strptime(text, code)
    except ValueError:
        return False
    return "ss" not in calendar or digits[-2:] < "60"  # strptime takes leap seconds


def check(calendar: str, digits: str) -> None:
    problem = find_content_problem(CONTENTS["n"], calendar, digits, is_packed=False)
    assert (problem is None) == is_real(calendar, digits), digits


@pytest.mark.parametrize("calendar", ["MMDD", "YYMM"])
def test_four_digits_are_a_date_exactly_when_the_calendar_has_it(calendar: str) -> None:
    for number in range(10_000):
        check(calendar, f"{number:04d}")


def test_six_digits_are_a_date_exactly_when_the_calendar_has_it() -> None:
    for year in ("00", "01", "23", "24", "28", "99"):
        for month_day in range(1400):
            check("YYMMDD", f"{year}{month_day:04d}")


def test_six_digits_are_a_time_exactly_when_the_clock_has_it() -> None:
    for hour_minute in range(2500):
        for second in ("00", "59", "60", "61", "99"):
            check("hhmmss", f"{hour_minute:04d}{second}")


@pytest.mark.parametrize("digits", ["0229235959", "0101000000", "0230000000", "1301000000", "0811240000"])
def test_ten_digits_are_a_date_and_a_time(digits: str) -> None:
    check("MMDDhhmmss", digits)


def test_every_format_is_looked_at_here() -> None:
    assert set(FORMATS) == {"MMDD", "YYMM", "YYMMDD", "hhmmss", "MMDDhhmmss"}
