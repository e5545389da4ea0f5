"""Read and write a message element by element from the spec's tables.

This is what the compiled functions must equal, and what says where and why a message is wrong. The order of
checks is the order of the wire: MTI, bitmap, then for each element its prefix, its length, its pad, its content;
last, that nothing trails.
"""

from __future__ import annotations

from ..faults import DecodeFault, EncodeFault
from .bitmap import THIRD_BITMAP, read_bitmap, write_bitmap
from .content import find_content_problem
from .encoding import Misfit, pack_nibbles, unpack_hex, unpack_nibbles
from .message import Message, Value
from .mti import find_mti_problem
from .spec import Element, Spec
from .tlv import Tlv, check_tlv, checked_tlv


def read_mti(spec: Spec, raw: bytes) -> str:
    """Read the type indicator that a message starts with; DecodeFault when it is none."""
    chunk = raw[: spec.mti_bytes]
    if len(chunk) < spec.mti_bytes:
        raise DecodeFault("mti", 0, f"needs {spec.mti_bytes} bytes, {len(chunk)} are left")
    mti = chunk.decode("latin-1") if spec.mti_encoding == "ascii" else chunk.hex()
    problem = find_mti_problem(mti, spec.versions)
    if problem is not None:
        raise DecodeFault("mti", 0, problem)
    return mti


def read_message(spec: Spec, raw: bytes) -> tuple[str, dict[int, Value], DecodeFault | None]:
    """Read what can be read: the type ("" when broken), the elements before the first fault, and that fault."""
    fields: dict[int, Value] = {}
    mti = ""
    try:
        mti = read_mti(spec, raw)
        _read_elements(spec, raw, fields)
    except DecodeFault as fault:
        return mti, fields, fault
    return mti, fields, None


def _read_elements(spec: Spec, raw: bytes, fields: dict[int, Value]) -> None:
    try:
        named, position = read_bitmap(raw, spec.mti_bytes, spec.bitmap_encoding == "hex")
    except Misfit as misfit:
        raise DecodeFault("bitmap", misfit.index, misfit.why) from None
    undefined = next((de for de in named if de not in spec.elements), None)
    for de in named:
        if de == undefined:
            break
        try:
            fields[de], position = read_element(spec.elements[de], raw, position)
        except Misfit as misfit:
            if undefined is not None:
                break  # the bitmap comes first on the wire, so its fault is the one to tell
            path = f"{de}.{misfit.tag}" if misfit.tag else str(de)
            raise DecodeFault(path, misfit.index, misfit.why) from None
    if undefined is not None:
        why = "announces a third bitmap" if undefined == THIRD_BITMAP else "is not defined by the spec"
        raise DecodeFault("bitmap", spec.mti_bytes, f"bit {undefined} {why}")
    if position < len(raw):
        raise DecodeFault("end", position, f"{len(raw) - position} bytes trail")


def read_element(element: Element, raw: bytes, start: int) -> tuple[Value, int]:
    """Read one element at `start`: its value and where it ends; a Misfit counts from the start of `raw`."""
    length, start = _read_length(element, raw, start)
    size = element.wire_bytes(length)
    chunk = raw[start : start + size]
    if len(chunk) < size:
        raise Misfit(start, f"needs {size} bytes, {len(chunk)} are left")
    try:
        return _read_value(element, chunk, length), start + size
    except Misfit as misfit:
        raise Misfit(start + misfit.index, misfit.why, misfit.tag) from None


def _read_length(element: Element, raw: bytes, start: int) -> tuple[int, int]:
    """Read the length that the prefix says, in the units of the element, and where the prefix ends."""
    prefix = element.prefix
    if prefix is None:
        return element.length_max, start
    end = start + prefix.wire_bytes
    chunk = raw[start:end]
    if len(chunk) < prefix.wire_bytes:
        raise Misfit(start, f"needs {prefix.wire_bytes} bytes, {len(chunk)} are left")
    try:
        count = prefix.read(chunk)
    except Misfit as misfit:
        raise Misfit(start, misfit.why) from None
    shortest, longest = element.count_of(element.length_min), element.count_of(element.length_max)
    if not shortest <= count <= longest:
        raise Misfit(start, f"length {count} is not from {shortest} to {longest}")
    length = count if element.counts == "value" else _length_of_wire(element, count)
    if element.count_of(length) != count:
        raise Misfit(start, f"length {count} splits a byte")
    return length, end


def _length_of_wire(element: Element, count: int) -> int:
    return (count - element.lead_bytes) // (element.encoding.wire_bytes(1))


def _read_value(element: Element, chunk: bytes, length: int) -> Value:
    if element.encoding.holds == "text":
        return _read_text(element, chunk, length)
    content = unpack_hex(chunk) if element.encoding.name == "hex" else chunk
    if element.parts is None:
        return content
    try:
        check_tlv(content)
    except Misfit as misfit:
        raise Misfit(element.encoding.wire_bytes(misfit.index), misfit.why, misfit.tag) from None
    return checked_tlv(content)


def _read_text(element: Element, chunk: bytes, length: int) -> str:
    lead = element.lead_bytes
    is_packed = element.encoding.is_packed
    try:
        text = unpack_nibbles(chunk[lead:], length, element.pad) if is_packed else chunk[lead:].decode("latin-1")
    except Misfit as misfit:
        raise Misfit(lead + misfit.index, misfit.why) from None
    value = chunk[:lead].decode("latin-1") + text
    problem = find_content_problem(element.content, element.calendar, value, is_packed)
    if problem is None:
        return value
    index, why = problem
    if is_packed and index >= lead:
        skipped = 1 if length % 2 and element.pad is not None and element.pad.side == "left" else 0
        index = lead + (index - lead + skipped) // 2
    raise Misfit(index, why)


def write_message(spec: Spec, message: Message) -> bytes:
    """Write a message; EncodeFault at the first thing that the spec cannot carry."""
    problem = find_mti_problem(message.mti, spec.versions)
    if problem is not None:
        raise EncodeFault("mti", problem)
    for de in message:
        if de not in spec.elements:
            raise EncodeFault(str(de), "the spec has no such element")
    pieces = [message.mti.encode("ascii") if spec.mti_encoding == "ascii" else bytes.fromhex(message.mti)]
    pieces.append(write_bitmap(message, spec.bitmap_encoding == "hex"))
    for de, value in message.fields.items():
        pieces.append(write_element(spec.elements[de], value))
    return b"".join(pieces)


def write_element(element: Element, value: Value) -> bytes:
    """Write one element with its prefix; EncodeFault when it does not fit."""
    path = str(element.de)
    if element.encoding.holds == "text":
        if not isinstance(value, str):
            raise EncodeFault(path, "is not text")
        length = max(0, len(value) - element.lead_bytes)
        wire = _write_text(element, value, length, path)
    else:
        if not isinstance(value, bytes if element.parts is None else Tlv):
            raise EncodeFault(path, "is not bytes" if element.parts is None else "is not chip data (Tlv)")
        content = value.raw if isinstance(value, Tlv) else value
        assert isinstance(content, bytes)
        length = len(content)
        _check_length(element, length, path)
        wire = content.hex().upper().encode("ascii") if element.encoding.name == "hex" else content
    if element.prefix is None:
        return wire
    return element.prefix.write(element.count_of(length)) + wire


def _write_text(element: Element, value: str, length: int, path: str) -> bytes:
    _check_length(element, length, path)
    is_packed = element.encoding.is_packed
    problem = find_content_problem(element.content, element.calendar, value, is_packed)
    if problem is not None:
        raise EncodeFault(path, problem[1])
    if not is_packed:
        return value.encode("ascii")
    lead = element.lead_bytes
    return value[:lead].encode("ascii") + pack_nibbles(value[lead:], element.pad)


def _check_length(element: Element, length: int, path: str) -> None:
    if not element.length_min <= length <= element.length_max:
        limits = (
            f"{element.length_max}"
            if element.prefix is None
            else f"from {element.length_min} to {element.length_max}"
        )
        raise EncodeFault(path, f"length {length} is not {limits}")
