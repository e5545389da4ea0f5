"""What a spec is: the elements of one dialect of ISO 8583, each as content and length, encoding, prefix and pad."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal

import attrs

from .cache import CompiledCache
from .content import Content
from .encoding import PADS, Encoding, Pad, Prefix
from .mti import valid_mtis

if TYPE_CHECKING:
    from .message import Message

COMPILED_MAX: Final = 512
"""How many bitmaps of a spec are compiled, for each direction, unless the caller says otherwise."""


class Sensitivity(Enum):
    """What may be shown of an element."""

    OPEN = "open"
    """Everything: it names no card and no person."""
    PAN = "pan"
    """A card or account number: the first six and last four characters."""
    TRACK = "track"
    """Magnetic stripe content: nothing, and it never leaves memory."""
    PIN = "pin"
    """An encrypted PIN block: nothing, and it never leaves memory."""
    PRIVATE = "private"
    """Free or private content that may hide card data: nothing."""
    EMV = "emv"
    """Chip data: the tags that are known to be harmless."""


@attrs.frozen
class Element:
    """One data element of a spec.

    Lengths are in characters of the value for text (a leading letter not counted) and in bytes for binary.
    `counts` says what the prefix counts: the value in those units, or its bytes on the wire. `pad` fills the odd
    nibble of packed digits, or the room of fixed text. `calendar` names a row of `content.FORMATS`. `parts` says
    how the content divides further.
    """

    de: int
    name: str
    content: Content
    length_min: int
    length_max: int
    encoding: Encoding
    prefix: Prefix | None
    counts: Literal["value", "wire"]
    pad: Pad | None
    calendar: str | None
    parts: Literal["ber-tlv"] | None
    sensitivity: Sensitivity

    @property
    def lead_bytes(self) -> int:
        """1 for a class that starts with a letter (x+n), else 0."""
        return 1 if self.content.lead else 0

    def wire_bytes(self, length: int) -> int:
        """Bytes on the wire of a value of a length, its prefix left out."""
        return self.lead_bytes + self.encoding.wire_bytes(length)

    def count_of(self, length: int) -> int:
        """What the prefix says for a value of a length."""
        return length if self.counts == "value" else self.wire_bytes(length)

    def fit(self, value: str) -> str:
        """Give a shorter or differently punctuated text the form that the element writes.

        Fixed text is filled as its pad says, packed digits with zeros from the left; a track separator becomes
        `=`. What does not fit then is left to the encoder to refuse.
        """
        if self.content.name == "z":
            return value.replace("D", "=")
        if self.prefix is not None or self.encoding.holds != "text":
            return value
        if self.encoding.is_packed:
            pad = PADS["left 0"]
        elif self.pad is None:
            return value
        else:
            pad = self.pad
        room = pad.character * (self.lead_bytes + self.length_max - len(value))
        cut = self.lead_bytes if pad.side == "left" else len(value)
        return value[:cut] + room + value[cut:]


@attrs.frozen(eq=False, slots=False, repr=False)
class Spec:
    """A dialect: how the MTI and the bitmap lie on the wire, and the elements 2 to 128.

    versions: the MTI version digits that the dialect takes. The compiled functions that a spec has earned are
    kept with it, at most `compiled_max` for each direction.
    """

    name: str
    title: str
    mti_encoding: Literal["ascii", "bcd"]
    versions: str
    bitmap_encoding: Literal["hex", "raw"]
    elements: Mapping[int, Element]
    compiled_max: int = COMPILED_MAX
    readers: CompiledCache[Callable[[bytes], Message | None]] = attrs.field(init=False)
    writers: CompiledCache[Callable[[Message], bytes | None]] = attrs.field(init=False)

    @readers.default
    def _make_readers(self) -> CompiledCache[Callable[[bytes], Message | None]]:
        return CompiledCache(self.compiled_max)

    @writers.default
    def _make_writers(self) -> CompiledCache[Callable[[Message], bytes | None]]:
        return CompiledCache(self.compiled_max)

    @cached_property
    def mtis(self) -> frozenset[str]:
        """Every message type indicator of the dialect."""
        return valid_mtis(self.versions)

    @cached_property
    def mti_bytes(self) -> int:
        return 4 if self.mti_encoding == "ascii" else 2

    @cached_property
    def bitmap_bytes(self) -> int:
        """Wire bytes of one bitmap of 64 bits."""
        return 16 if self.bitmap_encoding == "hex" else 8

    @cached_property
    def _bitmap_ends(self) -> tuple[int, ...]:
        """Where the bitmap ends, by the byte that it starts with: further on when that byte has bit 1 set."""
        announcing = range(ord("8"), 256) if self.bitmap_encoding == "hex" else range(0x80, 256)
        one = self.mti_bytes + self.bitmap_bytes
        return tuple(one + self.bitmap_bytes if first in announcing else one for first in range(256))

    def bitmap_of(self, raw: bytes) -> bytes:
        """Give the wire bytes of a message's bitmap; of a broken one, any bytes that no good bitmap equals."""
        start = self.mti_bytes
        return raw[start : self._bitmap_ends[raw[start]]] if len(raw) > start else b""

    def get_element(self, de: int) -> Element:
        """Give the element of a number; KeyError when the spec has none."""
        return self.elements[de]

    def __repr__(self) -> str:
        return f"Spec({self.name}, {len(self.elements)} elements)"
