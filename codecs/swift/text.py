"""Block 4 of a user message: lines into fields, and fields into lines.

A field begins at a line start with `:NN:` or `:NNa:`; any other line continues the value above it, also one that
begins with a colon. System messages (category 0) use `:NNN:`. Lines are counted from the one of `{4:`, as the
line number of a NAK (tag 405) counts them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from ..faults import DecodeFault

LINE_OF_BLOCK_4: Final = 1
"""The number of the line that holds `{4:`; the first field is on the next. The base is not confirmed by SWIFT."""

_USER_FIELD: Final = re.compile(r"\n:([0-9]{2}[A-Z]?):")
_SYSTEM_FIELD: Final = re.compile(r"\n:([0-9]{3}|[0-9]{2}[A-Z]?):")


class Field(NamedTuple):
    """One field of the text: tag with its option letter, value, number of its first line.

    The lines of `value` are joined by `"\\n"`, whatever ended them in the message. The value never prints.
    """

    tag: str
    value: str
    line: int

    def __repr__(self) -> str:
        return f"Field({self.tag}, line {self.line}, {len(self.value)} characters)"

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(self.value.split("\n"))

    def matches(self, tag: str) -> bool:
        """Tell whether this is the tag asked for: `"32A"` itself, or for `"59"` any option of 59."""
        return self.tag == tag or (len(tag) == 2 and len(self.tag) == 3 and self.tag[:2] == tag and self.tag[2] > "9")


def parse_text(text: str, offset: int, is_system: bool) -> tuple[Field, ...]:
    """Split what lies between `{4:` and `-}` into fields; `offset` is where it begins in the message.

    The text begins with a line end and ends after the last one. DecodeFault when its first line is no field.
    """
    starts = list((_SYSTEM_FIELD if is_system else _USER_FIELD).finditer(text))
    body_start = text.index("\n")
    if text[:body_start] not in ("", "\r"):
        raise DecodeFault("4", offset, "the text does not begin with a line end")
    if not starts:
        if body_start + 1 < len(text):
            raise DecodeFault("4", offset + body_start + 1, "the text does not begin with a field")
        return ()
    if starts[0].start() != body_start:
        raise DecodeFault("4", offset + body_start + 1, "the text does not begin with a field")
    fields: list[Field] = []
    line = LINE_OF_BLOCK_4 + 1
    ends = [match.start() for match in starts[1:]]
    ends.append(len(text) - 1)
    for match, end in zip(starts, ends, strict=True):
        value = text[match.end() : end]
        if "\r" in value:
            value = value.removesuffix("\r").replace("\r\n", "\n")
        fields.append(Field(match[1], value, line))
        line += value.count("\n") + 1
    return tuple(fields)


def write_text(fields: Iterable[tuple[str, str]]) -> str:
    """Write fields as the content of block 4: CRLF, one `:tag:value` CRLF each, and the closing hyphen."""
    lines = [f":{tag}:{value}" for tag, value in fields]
    return "\r\n".join(("", *(line.replace("\n", "\r\n") for line in lines), "-"))
