"""A FIN message as a frozen value: its original bytes, and what they say.

Reading raises DecodeFault for broken structure only; what the content of a field should be is a matter of checks.
The bytes are the truth: an untouched message is written as it was read.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from ..faults import DecodeFault
from ..masking import scrub
from .blocks import Block, SubBlock, scan_blocks, skip_separators
from .headers import (
    ApplicationHeader,
    BasicHeader,
    InputHeader,
    bic_of,
    parse_application_header,
    parse_basic_header,
)
from .text import Field, parse_text

SERVICE_ACKNOWLEDGEMENT = "21"
"""The service of block 1 in an ACK or a NAK (and in a user's acknowledgement of an output message)."""

_POSSIBLE_DUPLICATE = frozenset({"PDE", "PDM"})


@attrs.frozen(repr=False)
class FinMessage:
    """One FIN message.

    `text` holds the fields of a user message, `service` the tags of a system or service message: one of them is
    empty. Two messages are equal when their bytes are. The repr shows headers and reference, never values.
    """

    raw: bytes
    basic: BasicHeader = attrs.field(eq=False)
    application: ApplicationHeader | None = attrs.field(eq=False)
    user_header: tuple[SubBlock, ...] = attrs.field(eq=False)
    text: tuple[Field, ...] = attrs.field(eq=False)
    service: tuple[SubBlock, ...] = attrs.field(eq=False)
    trailers: tuple[SubBlock, ...] = attrs.field(eq=False)
    system: tuple[SubBlock, ...] = attrs.field(eq=False)
    blocks: tuple[Block, ...] = attrs.field(eq=False)

    @property
    def message_type(self) -> str | None:
        """Three digits (`"103"`), None without an application header, as in an acknowledgement."""
        return None if self.application is None else self.application.message_type

    @property
    def variant(self) -> str | None:
        """The validation flag (tag 119): `"STP"`, `"REMIT"`, `"COV"`; None for the core message."""
        return self.find_header("119")

    @property
    def is_ack_or_nak(self) -> bool:
        return self.basic.service == SERVICE_ACKNOWLEDGEMENT

    @property
    def lt(self) -> str:
        """The logical terminal of block 1: the sender's in an input message, the receiver's in an output one."""
        return self.basic.lt

    @property
    def session(self) -> str:
        return self.basic.session

    @property
    def sequence(self) -> str:
        return self.basic.sequence

    @property
    def sender_lt(self) -> str | None:
        """Whoever wrote the message: block 1 of an input message, the MIR of an output message.

        None when it is the network itself that speaks: an acknowledgement names in block 1 whom it is for.
        """
        if isinstance(self.application, InputHeader):
            return self.basic.lt
        return None if self.application is None else self.application.mir.lt

    @property
    def receiver_lt(self) -> str:
        """Whom the message is for: block 2 of an input message, else block 1."""
        return self.application.receiver_lt if isinstance(self.application, InputHeader) else self.basic.lt

    @property
    def sender_bic(self) -> str | None:
        """The sender's BIC, eleven characters."""
        return None if self.sender_lt is None else bic_of(self.sender_lt)

    @property
    def receiver_bic(self) -> str:
        """The receiver's BIC, eleven characters."""
        return bic_of(self.receiver_lt)

    @property
    def uetr(self) -> str | None:
        """The unique end-to-end transaction reference (tag 121), as it came."""
        return self.find_header("121")

    @property
    def mur(self) -> str | None:
        """The message user reference (tag 108)."""
        return self.find_header("108")

    @property
    def reference(self) -> str | None:
        """The sender's reference: field 20."""
        field = self.find("20")
        return None if field is None else field.value

    @property
    def is_possible_duplicate(self) -> bool:
        """Tell whether a trailer says that the message may have been sent (PDE) or delivered (PDM) before."""
        return any(tag in _POSSIBLE_DUPLICATE for tag, _ in self.trailers)

    def find(self, tag: str) -> Field | None:
        """Find the first field of a tag: `"59"` with any option or none, `"32A"` that one."""
        return next((field for field in self.text if field.matches(tag)), None)

    def all(self, tag: str) -> tuple[Field, ...]:
        """Give every field of a tag, in order; the tag as in `find`."""
        return tuple(field for field in self.text if field.matches(tag))

    def find_header(self, tag: str) -> str | None:
        """Find the value of a tag of the user header (block 3)."""
        return _find(self.user_header, tag)

    def find_service(self, tag: str) -> str | None:
        """Find the value of a tag in the text of a service message."""
        return _find(self.service, tag)

    def find_trailer(self, tag: str) -> str | None:
        """Find the value of the first trailer of that name (block 5); many trailers are empty."""
        return _find(self.trailers, tag)

    def find_block(self, block_id: str) -> bytes | None:
        """Find the bytes of one block, braces included: `"1"` to `"5"` or `"S"`."""
        for block in self.blocks:
            if block.id == block_id:
                return self.raw[block.start : block.end]
        return None

    def __repr__(self) -> str:
        if self.application is None:
            return f"FinMessage({scrub(str(self.basic))}, {len(self.service)} tags)"
        reference = "none" if self.reference is None else scrub(self.reference[:16])
        return (
            f"FinMessage({self.message_type}, reference {reference!r}, {scrub(str(self.basic))},"
            f" {scrub(str(self.application))}, {len(self.text)} fields)"
        )


def parse_fin(raw: bytes) -> FinMessage:
    """Read exactly one FIN message; DecodeFault for broken structure, or for bytes before or after it."""
    message, end = _parse_one(raw, 0)
    if end < len(raw):
        raise DecodeFault("message", end, "bytes follow the last block")
    return message


def parse_fins(raw: bytes) -> list[FinMessage]:
    """Read a run of FIN messages, as an acknowledgement followed by its original; separators may stand between.

    DecodeFault when one of them is broken; its offset is from the start of the run.
    """
    found: list[FinMessage] = []
    offset = skip_separators(raw, 0)
    while offset < len(raw):
        message, offset = _parse_one(raw, offset)
        found.append(message)
        offset = skip_separators(raw, offset)
    return found


def encode_fin(message: FinMessage) -> bytes:
    """Give the bytes of a message: those it was read from, or built as."""
    return message.raw


def find_basic_header(raw: bytes) -> BasicHeader | None:
    """Find block 1 of a message whose rest may be broken, so that its sender can still be answered."""
    start = skip_separators(raw, 0)
    if not raw.startswith(b"{1:", start) or raw[start + 28 : start + 29] != b"}":
        return None
    try:
        return parse_basic_header(raw[start + 3 : start + 28].decode("latin-1"))
    except DecodeFault:
        return None


def _parse_one(raw: bytes, start: int) -> tuple[FinMessage, int]:
    blocks, end = scan_blocks(raw, start)
    basic: BasicHeader | None = None
    application: ApplicationHeader | None = None
    text: tuple[Field, ...] = ()
    nested: dict[str, tuple[SubBlock, ...]] = {}
    for block in blocks:
        if block.sub_blocks is not None:
            nested[block.id] = block.sub_blocks
            continue
        inside = block.content_start
        if block.id == "4":
            is_system = application is not None and application.message_type.startswith("0")
            text = parse_text(raw[inside : block.end - 2].decode("latin-1"), inside, is_system)
        elif block.id == "1":
            basic = parse_basic_header(raw[inside : block.end - 1].decode("latin-1"), inside)
        else:
            application = parse_application_header(raw[inside : block.end - 1].decode("latin-1"), inside)
    assert basic is not None  # scan_blocks begins with block 1
    if start:
        blocks = tuple(block._replace(start=block.start - start, end=block.end - start) for block in blocks)
    message = FinMessage(
        raw=raw[start:end],
        basic=basic,
        application=application,
        user_header=nested.get("3", ()),
        text=text,
        service=nested.get("4", ()),
        trailers=nested.get("5", ()),
        system=nested.get("S", ()),
        blocks=blocks,
    )
    return message, end


def _find(sub_blocks: Iterable[SubBlock], tag: str) -> str | None:
    return next((value for name, value in sub_blocks if name == tag), None)
