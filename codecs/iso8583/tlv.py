"""Tag, length, value (BER-TLV as EMV uses it): the content of DE55, kept exactly as it was written.

Source: EMV 4.3 Book 3, annex B; ISO/IEC 8825-1. Tags of up to four bytes, lengths in one byte or in the long form
of up to four (also where the short form would do), repeated and unknown tags, and zero bytes between objects are
all kept. Templates are not opened: their value is the bytes within.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import attrs

from ..faults import DecodeFault
from .emv import SHOWN_TAGS
from .encoding import Misfit

TAG_BYTES_MAX: Final = 4
LENGTH_BYTES_MAX: Final = 4
FILLER_TAG: Final = "00"
"""The tag under which a zero byte between objects is listed (EMV Book 3, annex B1)."""


def _short_object() -> bytes:
    """A regular expression of one object with a length in one byte."""
    tag = (
        rb"(?:[\x1f\x3f\x5f\x7f\x9f\xbf\xdf\xff][\x80-\xff]{0,2}[\x00-\x7f]|[^\x1f\x3f\x5f\x7f\x9f\xbf\xdf\xff\x00])"
    )
    values = b"|".join(re.escape(bytes([length])) + b".{%d}" % length for length in range(0x80))
    return tag + b"(?:" + values + b")"


is_plain: Final = re.compile(b"(?:\x00|" + _short_object() + b")*", re.DOTALL).fullmatch
"""Matches a run of objects whose lengths are in one byte: the usual case, in one step.

Not possessive, though nothing is gained by going back: Python before 3.11.5 matches possessive groups wrongly.
"""


@attrs.frozen(repr=False)
class TlvEntry:
    """One object: tag in upper-case hexadecimal, length octets as written (b"" for a filler), value."""

    tag: str
    length_octets: bytes
    value: bytes

    @property
    def octets(self) -> bytes:
        return bytes.fromhex(self.tag) + self.length_octets + self.value

    def __repr__(self) -> str:
        shown = self.value.hex().upper() if self.tag in SHOWN_TAGS else f"<{len(self.value)} bytes>"
        return f"{self.tag}={shown}"


def length_octets(length: int) -> bytes:
    """Write a length in its shortest form."""
    if length < 0x80:
        return bytes([length])
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def is_tag(tag: str) -> bool:
    """Tell whether a text is one tag in upper-case hexadecimal, the filler included."""
    try:
        octets = bytes.fromhex(tag)
        return octets.hex().upper() == tag and tag != "" and _find_tag_end(octets, 0) == len(octets)
    except (ValueError, Misfit):
        return False


def _find_tag_end(raw: bytes, start: int) -> int:
    if raw[start] & 0x1F != 0x1F:
        return start + 1
    for end in range(start + 1, min(len(raw), start + TAG_BYTES_MAX)):
        if not raw[end] & 0x80:
            return end + 1
    if len(raw) < start + TAG_BYTES_MAX:
        raise Misfit(start, "tag is cut short")
    raise Misfit(start, f"tag is longer than {TAG_BYTES_MAX} bytes")


def _read_length(raw: bytes, start: int, tag: str) -> tuple[int, int]:
    """Read the length at `start`: the length, and where its octets end."""
    if start >= len(raw):
        raise Misfit(start, "length is missing", tag)
    first = raw[start]
    if first < 0x80:
        return first, start + 1
    size = first & 0x7F
    if not 1 <= size <= LENGTH_BYTES_MAX:
        raise Misfit(start, "form of the length is not allowed", tag)
    end = start + 1 + size
    if end > len(raw):
        raise Misfit(start, "length is cut short", tag)
    return int.from_bytes(raw[start + 1 : end], "big"), end


def read_entries(raw: bytes) -> Iterator[TlvEntry]:
    """Give the objects of a field in order; Misfit at the first that is broken."""
    start = 0
    while start < len(raw):
        if raw[start] == 0:
            yield TlvEntry(FILLER_TAG, b"", b"")
            start += 1
            continue
        tag_end = _find_tag_end(raw, start)
        tag = raw[start:tag_end].hex().upper()
        length, value_start = _read_length(raw, tag_end, tag)
        end = value_start + length
        if end > len(raw):
            raise Misfit(tag_end, f"length {length} exceeds the field", tag)
        yield TlvEntry(tag, raw[tag_end:value_start], raw[value_start:end])
        start = end


def check_tlv(raw: bytes) -> None:
    """Raise Misfit where bytes are not a run of objects."""
    if is_plain(raw) is None:
        for _ in read_entries(raw):
            pass


class Tlv:
    """A run of BER-TLV objects: `raw` is its bytes, which are written back exactly.

    Its repr shows values of harmless tags only.
    """

    __slots__ = ("_entries", "raw")
    raw: bytes
    _entries: tuple[TlvEntry, ...]

    def __init__(self, raw: bytes) -> None:
        """Take the bytes of a field; DecodeFault (path: the tag, or "") when they are no run of objects."""
        try:
            check_tlv(raw)
        except Misfit as misfit:
            raise DecodeFault(misfit.tag, misfit.index, misfit.why) from None
        set_raw(self, raw)

    @classmethod
    def of(cls, objects: Iterable[tuple[str, bytes]]) -> Tlv:
        """Make a field of tags (hexadecimal) and values, in order, with lengths in their shortest form."""
        return cls.of_entries(TlvEntry(tag.upper(), length_octets(len(value)), value) for tag, value in objects)

    @classmethod
    def of_entries(cls, entries: Iterable[TlvEntry]) -> Tlv:
        return cls(b"".join(entry.octets for entry in entries))

    @property
    def entries(self) -> tuple[TlvEntry, ...]:
        """Every object in order, repeats and fillers included."""
        try:
            return self._entries
        except AttributeError:  # read when first asked for: most fields pass through unopened
            entries = tuple(read_entries(self.raw))
            _set_entries(self, entries)
            return entries

    def find(self, tag: str) -> bytes | None:
        """Find the value of a tag; `9F26#2` is the second object of that tag."""
        name, _, ordinal = tag.partition("#")
        values = [entry.value for entry in self.entries if entry.tag == name]
        nth = int(ordinal) if ordinal.isascii() and ordinal.isdigit() else 1 if not ordinal else 0
        return values[nth - 1] if 1 <= nth <= len(values) else None

    def find_all(self, tag: str) -> list[bytes]:
        """Give the values of every object of a tag, in order."""
        return [entry.value for entry in self.entries if entry.tag == tag]

    def __contains__(self, tag: object) -> bool:
        return isinstance(tag, str) and self.find(tag) is not None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tlv) and self.raw == other.raw

    def __hash__(self) -> int:
        return hash((Tlv, self.raw))

    def __repr__(self) -> str:
        return f"Tlv({', '.join(map(repr, self.entries))})"

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a Tlv is frozen: {name}")

    def __reduce__(self) -> str:
        raise TypeError("chip data is not pickled")


set_raw: Final = Tlv.__dict__["raw"].__set__
_set_entries: Final = Tlv.__dict__["_entries"].__set__


def checked_tlv(raw: bytes) -> Tlv:
    """Make a field of bytes that `check_tlv` has accepted."""
    tlv = object.__new__(Tlv)
    set_raw(tlv, raw)
    return tlv
