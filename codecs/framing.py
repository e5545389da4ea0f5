"""Cut a byte stream into frames, and wrap messages into frames.

A framer holds the unfinished tail of one direction of one connection and nothing else. What it buffers is
bounded by the frame it waits for, and the cost of a stream is linear in its bytes however they are split.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Protocol

import attrs

from .faults import EncodeFault, FramingFault
from .values import often


def _show_size(content: bytes) -> str:
    return f"<{len(content)} bytes>"


@often
class Frame:
    """One frame: the TPDU that led it, or b"", and the message it carried; a keep-alive carries b"".

    Its repr shows sizes only, since a body holds card data.
    """

    header: bytes = attrs.field(repr=_show_size)
    body: bytes = attrs.field(repr=_show_size)

    @property
    def is_keep_alive(self) -> bool:
        return not self.header and not self.body


class Framer(Protocol):
    """What a link asks of its framing, one object for each connection."""

    @property
    def fault(self) -> FramingFault | None:
        """Why the stream cannot be cut further, or None while it can."""

    @property
    def is_mid_frame(self) -> bool:
        """Tell whether bytes of an unfinished frame are buffered."""

    def feed(self, data: bytes) -> list[Frame]:
        """Take the next bytes and give the frames that they complete, those before a fault included.

        After a fault every further byte is dropped.
        """

    def wrap(self, body: bytes, reply_to: bytes = b"") -> bytes:
        """Give the frame that carries `body`; `reply_to` is the header of the frame that is answered.

        Raises EncodeFault when the framing cannot carry that many bytes.
        """


def _parse_big_endian(prefix: bytes) -> int:
    return int.from_bytes(prefix, "big")


def _parse_ascii(prefix: bytes) -> int:
    if not prefix.isdigit():  # bytes.isdigit knows ASCII digits only, and no signs or blanks
        raise FramingFault("length prefix is not ASCII digits")
    return int(prefix)


def _parse_bcd(prefix: bytes) -> int:
    digits = prefix.hex()
    if not digits.isdecimal():
        raise FramingFault("length prefix has a nibble above 9")
    return int(digits)


@attrs.frozen
class Layout:
    """One row of the framing table: how long the length prefix is, how it counts, and what follows it.

    `length_max` is the largest number that the prefix can say. The length counts header and body.
    """

    kind: str
    prefix_bytes: int
    header_bytes: int
    length_max: int
    parse: Callable[[bytes], int]
    write: Callable[[int], bytes]


def _layout(
    kind: str,
    prefix_bytes: int,
    length_max: int,
    parse: Callable[[bytes], int],
    write: Callable[[int], bytes],
    header_bytes: int = 0,
) -> tuple[str, Layout]:
    return kind, Layout(kind, prefix_bytes, header_bytes, length_max, parse, write)


TPDU_BYTES: Final = 5
_TPDU_UNADDRESSED: Final = b"\x60\x00\x00\x00\x00"

LAYOUTS: Final[Mapping[str, Layout]] = MappingProxyType(
    dict(
        [
            _layout("length2", 2, 0xFFFF, _parse_big_endian, lambda length: length.to_bytes(2, "big")),
            _layout("length4", 4, 0xFFFFFFFF, _parse_big_endian, lambda length: length.to_bytes(4, "big")),
            _layout("ascii4", 4, 9999, _parse_ascii, lambda length: b"%04d" % length),
            _layout("bcd2-tpdu", 2, 9999, _parse_bcd, lambda length: bytes.fromhex(f"{length:04d}"), TPDU_BYTES),
        ]
    )
)
FRAMINGS: Final[tuple[str, ...]] = (*LAYOUTS, "fin")
"""Every kind that `make_framer` knows, for the configuration to check against."""


def swap_tpdu(tpdu: bytes) -> bytes:
    """Exchange the destination and source addresses of a 5-byte TPDU: identifier, 2 bytes to, 2 bytes from."""
    assert len(tpdu) == TPDU_BYTES
    return tpdu[:1] + tpdu[3:5] + tpdu[1:3]


class LengthFramer:
    """Frames that a length prefix leads, with or without a TPDU after it."""

    __slots__ = ("_buffer", "_fault", "_frame_bytes_max", "_layout")

    def __init__(self, layout: Layout, frame_bytes_max: int) -> None:
        self._layout = layout
        self._frame_bytes_max = min(frame_bytes_max, layout.length_max)
        self._buffer = bytearray()
        self._fault: FramingFault | None = None

    @property
    def fault(self) -> FramingFault | None:
        return self._fault

    @property
    def is_mid_frame(self) -> bool:
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[Frame]:
        if self._fault is not None:
            return []
        buffer = self._buffer
        buffer += data
        frames: list[Frame] = []
        start = 0
        try:
            with memoryview(buffer) as view:
                while (end := self._find_end(view, start)) is not None:
                    frames.append(self._cut(view, start, end))
                    start = end
        except FramingFault as fault:
            self._fault = fault
            self._buffer = bytearray()
            return frames
        del buffer[:start]
        return frames

    def _find_end(self, view: memoryview, start: int) -> int | None:
        """Find where the frame at `start` ends; None while bytes of it are missing."""
        body_start = start + self._layout.prefix_bytes
        if len(view) < body_start:
            return None
        length = self._layout.parse(bytes(view[start:body_start]))
        if length > self._frame_bytes_max:
            raise FramingFault(f"frame length exceeds the limit of {self._frame_bytes_max} bytes")
        if 0 < length < self._layout.header_bytes:
            raise FramingFault("frame is shorter than its TPDU")
        end = body_start + length
        return end if len(view) >= end else None

    def _cut(self, view: memoryview, start: int, end: int) -> Frame:
        header_start = start + self._layout.prefix_bytes
        body_start = min(header_start + self._layout.header_bytes, end)
        return Frame(bytes(view[header_start:body_start]), bytes(view[body_start:end]))

    def wrap(self, body: bytes, reply_to: bytes = b"") -> bytes:
        header = b""
        if self._layout.header_bytes and (body or reply_to):
            header = swap_tpdu(reply_to) if reply_to else _TPDU_UNADDRESSED
        length = len(header) + len(body)
        if length > self._frame_bytes_max:
            raise EncodeFault("frame", f"{length} bytes exceed the limit of {self._frame_bytes_max}")
        return self._layout.write(length) + header + body


def make_framer(kind: str, frame_bytes_max: int) -> Framer:
    """Make the framer of one connection.

    kind: one of `FRAMINGS`; frame_bytes_max: the largest frame that is taken or sent, in bytes after the length
    prefix, TPDU included.
    """
    if kind == "fin":
        from .swift.framing import FinFramer  # here, since only FIN links need that room

        return FinFramer(frame_bytes_max)
    return LengthFramer(LAYOUTS[kind], frame_bytes_max)
