"""SWIFT FIN: messages to values and back, acknowledgements, checks."""

from __future__ import annotations

from .acks import Ack, ack, code_of_fault, nak, nak_basic, read_ack
from .blocks import SubBlock
from .compose import build_fin, new_message, possible_duplicate, replace_headers
from .headers import ApplicationHeader, BasicHeader, InputHeader, Mir, OutputHeader, bic_of, lt_of, parse_mir
from .message import FinMessage, encode_fin, find_basic_header, parse_fin, parse_fins
from .text import Field

__all__ = [
    "Ack",
    "ApplicationHeader",
    "BasicHeader",
    "Field",
    "FinMessage",
    "InputHeader",
    "Mir",
    "OutputHeader",
    "SubBlock",
    "ack",
    "bic_of",
    "build_fin",
    "code_of_fault",
    "encode_fin",
    "find_basic_header",
    "lt_of",
    "nak",
    "nak_basic",
    "new_message",
    "parse_fin",
    "parse_fins",
    "parse_mir",
    "possible_duplicate",
    "read_ack",
    "replace_headers",
]
