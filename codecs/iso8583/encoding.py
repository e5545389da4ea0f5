"""Encodings and length prefixes: how a value and its length lie on the wire, one element at a time.

`Misfit` is how the parts of this package tell each other what is wrong; the reader and the writer of a whole
message turn it into the fault that a caller sees.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Literal

import attrs


class Misfit(Exception):
    """Wire bytes or a value that an element cannot hold.

    index: wire bytes from the start of what was looked at; why: the rule, never the content; tag: dotted path
    within a composite, or "".
    """

    def __init__(self, index: int, why: str, tag: str = "") -> None:
        super().__init__(index, why, tag)
        self.index = index
        self.why = why
        self.tag = tag


@attrs.frozen
class Pad:
    """Where a character fills a value up, and which: the odd nibble of packed digits, the room of fixed text."""

    side: Literal["left", "right"]
    character: str


PADS: Final[Mapping[str, Pad]] = MappingProxyType(
    {
        "left 0": Pad("left", "0"),
        "right 0": Pad("right", "0"),
        "right F": Pad("right", "F"),
        "right space": Pad("right", " "),
    }
)


@attrs.frozen
class Encoding:
    """One way to lay a value on the wire.

    holds: what a value is in a message. is_packed: two characters a byte. wire_bytes: bytes on the wire for a
    length in characters (text) or bytes (binary), without a leading letter.
    """

    name: str
    holds: Literal["text", "bytes"]
    is_packed: bool
    wire_bytes: Callable[[int], int]


ENCODINGS: Final[Mapping[str, Encoding]] = MappingProxyType(
    {
        row.name: row
        for row in (
            Encoding("ascii", "text", False, lambda length: length),
            Encoding("bcd", "text", True, lambda length: (length + 1) // 2),
            Encoding("hex", "bytes", False, lambda length: 2 * length),
            Encoding("raw", "bytes", False, lambda length: length),
        )
    }
)

_UPPER_HEX: Final = re.compile(rb"[0-9A-F]*")
_SEPARATOR_NIBBLE: Final = "d"


def unpack_hex(chunk: bytes) -> bytes:
    """Read upper-case hexadecimal text; a lower-case digit is refused, since it could not be written back."""
    run = _UPPER_HEX.match(chunk)
    good = run.end() if run is not None else 0
    if good < len(chunk):
        raise Misfit(good, "not upper-case hexadecimal")
    if len(chunk) % 2:
        raise Misfit(len(chunk) - 1, "odd number of hexadecimal digits")
    return bytes.fromhex(chunk.decode("ascii"))


def unpack_nibbles(chunk: bytes, length: int, pad: Pad | None) -> str:
    """Read packed characters: digits as they are, nibble D as the track separator `=`, the pad checked and cut.

    A nibble that is neither becomes a character that no content class allows.
    """
    nibbles = chunk.hex()
    if len(nibbles) > length:
        assert pad is not None, "a spec names a pad where a length can be odd"
        filler, nibbles = (nibbles[0], nibbles[1:]) if pad.side == "left" else (nibbles[-1], nibbles[:-1])
        if filler != pad.character.lower():
            raise Misfit(0 if pad.side == "left" else len(chunk) - 1, "pad nibble is wrong")
    return nibbles.replace(_SEPARATOR_NIBBLE, "=")


def pack_nibbles(value: str, pad: Pad | None) -> bytes:
    """Pack characters that the content class has allowed: digits and the track separator."""
    nibbles = value.replace("=", _SEPARATOR_NIBBLE)
    if len(nibbles) % 2:
        assert pad is not None, "a spec names a pad where a length can be odd"
        nibbles = pad.character + nibbles if pad.side == "left" else nibbles + pad.character
    return bytes.fromhex(nibbles)


@attrs.frozen
class Prefix:
    """One way to write a length: decimal digits, in ASCII or packed (an odd number of them after a zero)."""

    name: str
    digits: int
    is_packed: bool

    @property
    def wire_bytes(self) -> int:
        return (self.digits + 1) // 2 if self.is_packed else self.digits

    @property
    def count_max(self) -> int:
        """The largest count that the digits can say."""
        return int("9" * self.digits)

    def write(self, count: int) -> bytes:
        text = f"{count:0{self.digits}d}"
        return bytes.fromhex(text.zfill(2 * self.wire_bytes)) if self.is_packed else text.encode("ascii")

    def read(self, chunk: bytes) -> int:
        """Read a count; anything but decimal digits is a misfit, signs and blanks included."""
        text = chunk.hex().encode("ascii") if self.is_packed else chunk
        if not text.isdigit():
            raise Misfit(0, "length prefix is not digits")
        return int(text)


PREFIXES: Final[Mapping[str, Prefix]] = MappingProxyType(
    {
        row.name: row
        for row in (
            Prefix("ascii L", 1, is_packed=False),
            Prefix("ascii LL", 2, is_packed=False),
            Prefix("ascii LLL", 3, is_packed=False),
            Prefix("ascii LLLL", 4, is_packed=False),
            Prefix("bcd LL", 2, is_packed=True),
            Prefix("bcd LLL", 3, is_packed=True),
            Prefix("bcd LLLL", 4, is_packed=True),
        )
    }
)
