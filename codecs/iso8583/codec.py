"""Bytes to message and back, by the spec that the caller names."""

from __future__ import annotations

from ..faults import DecodeFault
from .compiler import compile_reader, compile_writer
from .message import Message, make_message
from .spec import Spec
from .table_codec import read_message, read_mti, write_message


def decode(spec: Spec, raw: bytes) -> Message:
    """Read one whole message; DecodeFault (path, offset, why) at the first thing that is wrong with it."""
    key = spec.bitmap_of(raw)
    read = spec.readers.young.get(key) or spec.readers.find(key)
    if read is not None:
        message = read(raw)
        if message is not None:
            return message
    mti, fields, fault = read_message(spec, raw)
    if fault is not None:
        raise fault
    if read is None and spec.readers.is_due(key):
        spec.readers.add(key, compile_reader(spec, list(fields)))
    return make_message(mti, fields)


def encode(spec: Spec, message: Message) -> bytes:
    """Write a message; EncodeFault (path, why) at the first thing that the spec cannot carry."""
    try:
        key = bytes(message._fields)
    except (ValueError, TypeError):  # a number beyond any spec: the table says so
        return write_message(spec, message)
    write = spec.writers.young.get(key) or spec.writers.find(key)
    if write is not None:
        raw = write(message)
        if raw is not None:
            return raw
    raw = write_message(spec, message)
    if write is None and spec.writers.is_due(key):
        spec.writers.add(key, compile_writer(spec, [*key]))
    return raw


def decode_partial(spec: Spec, raw: bytes) -> tuple[Message, DecodeFault]:
    """Read what stands before the fault of a message that does not decode.

    The message has the type "" when that is what is broken. To ask it for a message that decodes is a bug.
    """
    mti, fields, fault = read_message(spec, raw)
    assert fault is not None, "a message that decodes has no part"
    return make_message(mti, fields), fault


def peek_mti(spec: Spec, raw: bytes) -> str | None:
    """Find the type indicator of a message that may be broken anywhere; None when that is broken too."""
    try:
        return read_mti(spec, raw)
    except DecodeFault:
        return None
