"""All checks of a message, in the order in which the standard makes them.

1. the length of the message (M50), and no further when it is too long: what a check costs is bounded by it;
2. blocks 1, 2 and 3, block by block (H and U codes);
3. the text from its first line to its last: on each line its characters (M60), the order of fields (T13, T10),
   and the field's own format and content (the other T codes, C03);
4. the network validated rules, by number.

A NAK states the first finding; people and logs are shown all.
"""

from __future__ import annotations

from collections.abc import Iterator

from .contents import check_field
from .findings import CODE_OF_USER_HEADER, Finding
from .header_checks import check_headers
from .message import FinMessage
from .messages import BYTES_MAX, MessageFormat, find_message_format, is_known_type
from .rules import Reading, rules_of
from .structure import check_characters, check_slots


def check(message: FinMessage) -> tuple[Finding, ...]:
    """Give everything that is wrong with a user message, in the standard's order; nothing for a good one.

    A message type without a format is held to length, headers, characters and the formats of the fields it
    shares; acknowledgements and other service messages are not checked.
    """
    if message.basic.service != "01" and message.application is None:
        return ()
    return tuple(_check(message))


def _check(message: FinMessage) -> Iterator[Finding]:
    message_type = message.message_type or ""
    form = find_message_format(message_type, message.variant)
    too_long = list(_check_length(message, BYTES_MAX if form is None else form.bytes_max))
    if too_long:
        yield from too_long
        return
    yield from check_headers(message, form is not None and form.is_uetr_mandatory)
    if form is None and is_known_type(message_type):
        yield Finding(CODE_OF_USER_HEADER, None, "119", "flag", "the message type has no such variant")
    yield from _check_text(message, form)
    reading = Reading(message)
    for row in rules_of(message_type):
        yield from row.check(reading)


def _check_length(message: FinMessage, bytes_max: int) -> Iterator[Finding]:
    """Count every byte of blocks 1 to 5; block S is not FIN's."""
    length = sum(block.end - block.start for block in message.blocks if block.id != "S")
    if length > bytes_max:
        yield Finding("M50", None, None, None, f"the message is longer than {bytes_max} bytes")


def _check_text(message: FinMessage, form: MessageFormat | None) -> list[Finding]:
    found = list(check_characters(message))
    strange = {finding.line for finding in found}
    if form is not None:
        found.extend(check_slots(message, form))
    for field in message.text:
        if strange.isdisjoint(range(field.line, field.line + len(field.lines))):
            found.extend(check_field(field))
    return sorted(found, key=lambda finding: finding.line or 0)
