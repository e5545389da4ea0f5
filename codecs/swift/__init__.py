"""SWIFT FIN: messages to values and back, what is wrong with them, and what the network answers.

`parse_fin` and `encode_fin` read and write; `new_message` and `replace_headers` compose; `check` finds mistakes;
`ack`, `nak` and `read_ack` are the network's answers; `FIELDS`, `find_message_format` and `RULES` are the tables.
"""

from __future__ import annotations

from .acks import Ack, ack, code_of_fault, nak, nak_basic, read_ack
from .amounts import read_money, write_amount
from .blocks import SubBlock
from .checks import check
from .compose import build_fin, new_message, possible_duplicate, replace_headers
from .fields import FIELDS, FieldFormat, find_parts, write_field
from .findings import Finding
from .flat import to_flat
from .framing import FinFramer
from .headers import ApplicationHeader, BasicHeader, InputHeader, Mir, OutputHeader, bic_of, lt_of, parse_mir
from .message import FinMessage, encode_fin, find_basic_header, parse_fin, parse_fins
from .messages import MessageFormat, Slot, find_message_format
from .notation import Notation, Part, Parts, compile_notation
from .rules import RULES, Rule
from .text import Field

__all__ = [
    "FIELDS",
    "RULES",
    "Ack",
    "ApplicationHeader",
    "BasicHeader",
    "Field",
    "FieldFormat",
    "FinFramer",
    "FinMessage",
    "Finding",
    "InputHeader",
    "MessageFormat",
    "Mir",
    "Notation",
    "OutputHeader",
    "Part",
    "Parts",
    "Rule",
    "Slot",
    "SubBlock",
    "ack",
    "bic_of",
    "build_fin",
    "check",
    "code_of_fault",
    "compile_notation",
    "encode_fin",
    "find_basic_header",
    "find_message_format",
    "find_parts",
    "lt_of",
    "nak",
    "nak_basic",
    "new_message",
    "parse_fin",
    "parse_fins",
    "parse_mir",
    "possible_duplicate",
    "read_ack",
    "read_money",
    "replace_headers",
    "to_flat",
    "write_amount",
    "write_field",
]
