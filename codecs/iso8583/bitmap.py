"""The bitmap: which elements follow (ISO 8583:1987, 4.2). Bit 1 announces the second 64, bit 65 would a third."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from .encoding import Misfit, unpack_hex

SECOND_BITMAP: Final = 1
THIRD_BITMAP: Final = 65
_BITS: Final = 64
_HIGHEST: Final = 1 << (_BITS - 1)


def _read_one(chunk: bytes, is_hex: bool) -> int:
    return int.from_bytes(unpack_hex(chunk) if is_hex else chunk, "big")


def read_bitmap(raw: bytes, start: int, is_hex: bool) -> tuple[list[int], int]:
    """Read the bitmap at `start`: the elements it names, ascending, without DE1; and where it ends.

    Raises Misfit, its index counted from the start of `raw`.
    """
    size = _BITS // 4 if is_hex else _BITS // 8
    bits = 0
    position = start
    count = 1
    while position < start + count * size:
        chunk = raw[position : position + size]
        if len(chunk) < size:
            raise Misfit(position, f"needs {size} bytes, {len(chunk)} are left")
        try:
            one = _read_one(chunk, is_hex)
        except Misfit as misfit:
            raise Misfit(position + misfit.index, misfit.why) from None
        bits = bits << _BITS | one
        if position == start and one & _HIGHEST:
            count = 2
        position += size
    total = count * _BITS
    names = [de for de in range(1, total + 1) if bits >> (total - de) & 1]
    if count == 2 and names[-1] <= _BITS:
        raise Misfit(start + size, "second bitmap names no element")
    return names[1:] if count == 2 else names, position


def write_bitmap(elements: Iterable[int], is_hex: bool) -> bytes:
    """Write the bitmap of elements 2 to 128, with DE1 where any of them is beyond 64."""
    numbers = [*elements]
    total = _BITS
    if any(de > _BITS for de in numbers):
        numbers.append(SECOND_BITMAP)
        total = 2 * _BITS
    bits = sum(1 << (total - de) for de in numbers)
    octets = bits.to_bytes(total // 8, "big")
    return octets.hex().upper().encode("ascii") if is_hex else octets
