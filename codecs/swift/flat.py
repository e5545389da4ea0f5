"""A FIN message as JSON: headers, fields with their parts, and what is wrong with it.

Personal content is starred unless asked for: of a field, the parts that its format lists as shown are legible and
the others are stars; a value that does not follow its format, or has none, is stars altogether. A reference is
legible, and loses what could be a card number all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

import attrs

from ..masking import scrub
from .blocks import SubBlock
from .checks import check
from .fields import FIELDS, HEADER_FIELDS, SERVICE_FIELDS, TRAILER_FIELDS, FieldFormat
from .headers import ApplicationHeader, InputHeader
from .message import FinMessage
from .notation import Part

Json: TypeAlias = dict[str, Any]

STARS: Final = "****"
"""What stands for a masked value, whatever its length."""
_FREE: Final = "reference"
"""The part that is shown though its sender may write what he likes."""


def to_flat(message: FinMessage, unmask: bool = False) -> Json:
    """Give a message as JSON values: `blocks`, `fields` and `findings`.

    A field is its tag, line, value, and parts by name (none when it cannot be read). With `unmask` values are as
    they came; without it accounts, names, texts and unknown fields are stars.
    """
    blocks: Json = {"1": attrs.asdict(message.basic)}
    if message.application is not None:
        blocks["2"] = _application(message.application)
    for block_id, sub_blocks, rows in (
        ("3", message.user_header, HEADER_FIELDS),
        ("4", message.service, SERVICE_FIELDS),
        ("5", message.trailers, TRAILER_FIELDS),
        ("S", message.system, {}),
    ):
        if sub_blocks:
            blocks[block_id] = _tags(sub_blocks, rows, unmask)
    return {
        "message_type": message.message_type,
        "blocks": blocks,
        "fields": [
            {"tag": field.tag, "line": field.line, **_value(field.value, FIELDS.get(field.tag), unmask)}
            for field in message.text
        ],
        "findings": [attrs.asdict(finding) for finding in check(message)],
    }


def _application(header: ApplicationHeader) -> Json:
    direction = "input" if isinstance(header, InputHeader) else "output"
    return {"direction": direction, **attrs.asdict(header)}


def _tags(sub_blocks: Iterable[SubBlock], rows: Mapping[str, FieldFormat], unmask: bool) -> list[Json]:
    return [{"tag": tag, **_value(value, rows.get(tag), unmask)} for tag, value in sub_blocks]


def _value(value: str, row: FieldFormat | None, unmask: bool) -> Json:
    parts = None if row is None else row.find_parts(value)
    if unmask:
        flat: Json = {"value": value}
        if parts:
            flat["parts"] = {name: _plain(part) for name, part in parts.items()}
        return flat
    if row is None or parts is None:
        return {"value": STARS}
    legible = {name: _plain(part) if name in row.shown else STARS for name, part in parts.items()}
    if _FREE in parts:
        legible[_FREE] = value = scrub(value)  # a reference is the whole of its value
    flat = {"value": value if set(parts) <= row.shown else STARS}
    if parts:
        flat["parts"] = legible
    return flat


def _plain(part: Part) -> str | list[str]:
    return part if isinstance(part, str) else list(part)
