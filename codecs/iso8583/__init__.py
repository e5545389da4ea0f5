"""ISO 8583 messages: specs as data, bytes to message and back, responses, and the flat form for people."""

from __future__ import annotations

from .codec import decode, decode_partial, encode, peek_mti
from .flat import from_flat, to_flat
from .loader import Finding, SpecError, load_spec, parse_spec, spec_names
from .message import Fields, Message, Value
from .mti import (
    describe_mti,
    find_response_mti,
    is_advice,
    is_repeat,
    is_request,
    is_response,
    repeat_mti,
    response_mti,
)
from .response import respond
from .spec import Element, Sensitivity, Spec
from .tlv import Tlv, TlvEntry

__all__ = [
    "Element",
    "Fields",
    "Finding",
    "Message",
    "Sensitivity",
    "Spec",
    "SpecError",
    "Tlv",
    "TlvEntry",
    "Value",
    "decode",
    "decode_partial",
    "describe_mti",
    "encode",
    "find_response_mti",
    "from_flat",
    "is_advice",
    "is_repeat",
    "is_request",
    "is_response",
    "load_spec",
    "parse_spec",
    "peek_mti",
    "repeat_mti",
    "respond",
    "response_mti",
    "spec_names",
    "to_flat",
]
