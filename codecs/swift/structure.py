"""Checks of the text as a whole: its characters, and its fields against the slots of the message type."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from .findings import Finding
from .message import FinMessage
from .messages import MessageFormat
from .notation import CHARACTER_SETS
from .text import LINE_OF_BLOCK_4

_NOT_X: Final = re.compile(f"[^{CHARACTER_SETS['x']}\n]")
_BARE_LINE_FEED: Final = re.compile(rb"(?<!\r)\n")


def check_characters(message: FinMessage) -> Iterator[Finding]:
    """Find what is not of character set X, once for each field, and line ends that are not the pair CR LF.

    A further line of a value that begins with a colon or a hyphen is one that the network reads as something else.
    """
    text = message.find_block("4") or b""
    bare = _BARE_LINE_FEED.search(text)
    if bare is not None:
        line = LINE_OF_BLOCK_4 + text.count(b"\n", 0, bare.start())
        yield Finding("M60", line, None, None, "a line ends with CR and LF together")
    for field in message.text:
        strange = _NOT_X.search(field.value)
        if strange is not None:
            line = field.line + field.value.count("\n", 0, strange.start())
            yield Finding("M60", line, field.tag, None, "a character is not of character set X")
        for number, value in enumerate(field.lines[1:], field.line + 1):
            if value.startswith((":", "-")):
                yield Finding("T13", number, field.tag, None, "a line begins with a colon or a hyphen")


def check_slots(message: FinMessage, form: MessageFormat) -> Iterator[Finding]:
    """Find fields that are unknown, out of order, too many or missing, at the line where the order breaks."""
    places = [form.find_slot(field.tag) for field in message.text]
    there = frozenset(places)
    reached = -1
    counts = [0] * len(form.slots)
    for field, place in zip(message.text, places, strict=True):
        if place is None:
            yield Finding("T13", field.line, field.tag, None, "the message type has no such field")
            continue
        slot = form.slots[place]
        counts[place] += 1
        if place < reached:
            yield Finding("T13", field.line, field.tag, None, "the field is out of order")
            continue
        for label in _missing(form, there, reached + 1, place):
            yield Finding("T13", field.line, label, None, "a mandatory field is missing before this line")
        reached = place
        if counts[place] > slot.count_max:
            yield Finding("T10", field.line, field.tag, None, f"the field may be there {slot.count_max} time(s)")
    end = LINE_OF_BLOCK_4 + 1 + sum(len(field.lines) for field in message.text)
    for label in _missing(form, there, reached + 1, len(form.slots)):
        yield Finding("T13", end, label, None, "a mandatory field is missing")


def _missing(form: MessageFormat, there: frozenset[int | None], start: int, end: int) -> Iterator[str]:
    for place in range(start, end):
        if form.slots[place].is_mandatory and place not in there:
            yield form.slots[place].label
