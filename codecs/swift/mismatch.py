"""Where and how a value leaves its format: for the reason and the component that a NAK or an operator is told.

Only values that a notation refuses come here. Each way of taking its optional components is tried, and the one that
accepts the longest beginning of the value says what stopped it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from functools import lru_cache

import attrs

from .notation import CHARACTER_SETS, Chars, Guard, Item, Lines, Literal, Maybe, Notation, Row, named_pattern


class Deviation(Enum):
    """How a value leaves its format."""

    MISSING = "a component is missing"
    CHARACTER = "a character is not of the component's set"
    TOO_SHORT = "a component is too short"
    TOO_LONG = "a component is too long"
    SEPARATOR = "a separator is missing or another one"
    TOO_MANY_LINES = "there are too many lines"
    COMMA = "a number has not exactly one decimal comma"
    NO_DIGIT = "a number has no digit before its comma"
    CONTENT = "the content has another format"


@attrs.frozen
class Mismatch:
    """The first place where a value leaves its format: part, offset in the value, line in the value from 0."""

    deviation: Deviation
    part: str | None
    offset: int
    line: int


@attrs.frozen
class _Way:
    """One way through a notation: its components, and a pattern for each beginning of them."""

    items: Row
    beginnings: tuple[re.Pattern[str], ...]


def find_mismatch(notation: Notation, text: str) -> Mismatch | None:
    """Find where a value leaves the notation; None when it follows it."""
    if notation.find_parts(text) is not None:
        return None
    if not text:
        return Mismatch(Deviation.MISSING, None, 0, 0)
    return max((_mismatch_on(way, text) for way in _ways(notation)), key=lambda mismatch: mismatch.offset)


@lru_cache(maxsize=512)
def _ways(notation: Notation) -> tuple[_Way, ...]:
    ways: list[_Way] = []
    for variant in notation.variants:
        for items in _choices(variant):
            patterns = [named_pattern(item) for item in items]
            beginnings = tuple(re.compile("".join(patterns[: count + 1])) for count in range(len(items)))
            ways.append(_Way(items, beginnings))
    return tuple(ways)


def _choices(items: Row) -> Iterator[Row]:
    """Give the items with their optional ones there or not, in every combination, the fullest first."""
    if not items:
        yield ()
        return
    first, rest = items[0], items[1:]
    heads = [*_choices(first.items), ()] if isinstance(first, Maybe) else [(first,)]
    tails = list(_choices(rest))
    for head in heads:
        for tail in tails:
            yield (*head, *tail)


def _mismatch_on(way: _Way, text: str) -> Mismatch:
    accepted = 0
    match: re.Match[str] | None = None
    for beginning in way.beginnings:
        further = beginning.match(text)
        if further is None:
            break
        match = further
        accepted += 1
    offset = 0 if match is None else match.end()
    if isinstance(way.items[accepted] if accepted < len(way.items) else None, Guard):
        return Mismatch(Deviation.CONTENT, None, offset, text.count("\n", 0, offset))
    before = next((item for item in reversed(way.items[:accepted]) if not isinstance(item, Guard)), None)
    after = next((item for item in way.items[accepted:] if not isinstance(item, Guard)), None)
    taken = "" if match is None or before is None or before.name is None else match[before.name]
    deviation, part, step = _judge(before, taken, after, text[offset:])
    if part is None:
        part = next((item.name for item in way.items[accepted:] if item.name is not None), None)
    return Mismatch(deviation, part, offset + step, text.count("\n", 0, offset + step))


def _judge(before: Item | None, taken: str, after: Item | None, rest: str) -> tuple[Deviation, str | None, int]:
    """Say what is wrong between what was accepted and what should follow: deviation, part, steps into the rest."""
    if before is not None and _goes_on(before, taken, rest[:1]):
        return Deviation.TOO_LONG, before.name, 0
    if isinstance(before, Chars) and before.charset == "d" and rest.startswith(","):
        return Deviation.COMMA, before.name, 0
    if isinstance(after, Literal):
        return Deviation.SEPARATOR, None if before is None else before.name, 0
    if isinstance(after, Chars):
        return _judge_chars(after, after.name, rest)
    if isinstance(after, Lines) and isinstance(after.item, Chars):
        return _judge_chars(after.item, after.name, rest)
    if after is not None:
        return Deviation.CONTENT if rest else Deviation.MISSING, after.name, 0
    if isinstance(before, Lines):
        return _judge_further_line(before, rest)
    name = None if before is None else before.name
    if rest.startswith("\n"):
        return Deviation.TOO_MANY_LINES, name, 1
    return Deviation.CHARACTER if isinstance(before, Chars) else Deviation.CONTENT, name, 0


def _judge_chars(chars: Chars, name: str | None, rest: str) -> tuple[Deviation, str | None, int]:
    run = _run(chars, rest)
    if chars.charset == "d" and run:
        number = rest[:run]
        if number.count(",") != 1:
            return Deviation.COMMA, name, 0
        return Deviation.NO_DIGIT if number.startswith(",") else Deviation.TOO_LONG, name, 0
    if rest[run : run + 1] not in ("", "\n", "/"):
        return Deviation.CHARACTER, name, run
    return Deviation.TOO_SHORT if run else Deviation.MISSING, name, run


def _judge_further_line(lines: Lines, rest: str) -> tuple[Deviation, str | None, int]:
    if not rest.startswith("\n"):
        return Deviation.CHARACTER if isinstance(lines.item, Chars) else Deviation.CONTENT, lines.name, 0
    if re.match(f"\n{lines.item.pattern}", rest):
        return Deviation.TOO_MANY_LINES, lines.name, 1
    if isinstance(lines.item, Chars):
        deviation, name, step = _judge_chars(lines.item, lines.name, rest[1:])
        return deviation, name, step + 1
    return Deviation.CONTENT, lines.name, 1


def _goes_on(before: Item, taken: str, character: str) -> bool:
    """Tell whether what was accepted has its full length and the next character would belong to it."""
    chars = before.item if isinstance(before, Lines) else before
    if not isinstance(chars, Chars) or chars.charset == "d":
        return False
    return len(taken.rpartition("\n")[2]) == chars.length_max and _run(chars, character) == 1


def _run(chars: Chars, text: str) -> int:
    match = re.match(f"[{CHARACTER_SETS[chars.charset]}]*", text)
    assert match is not None
    return match.end()
