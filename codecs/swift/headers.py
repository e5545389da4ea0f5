"""Blocks 1 and 2 of a FIN message: who speaks to whom, in which session, about which message type.

Numbers stay as the digits on the wire: a session is `"0057"`, never 57.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

import attrs

from ..faults import DecodeFault, EncodeFault

LT_CODE_ANY: Final = "X"
"""The logical terminal code of every receiver, and of a sender that leaves the choice to its interface."""

_BASIC: Final = re.compile(r"([A-Z])([0-9]{2})([A-Z0-9]{12})([0-9]{4})([0-9]{6})")
_INPUT: Final = re.compile(r"I([0-9]{3})([A-Z0-9]{12})(?:([A-Z])(?:([0-9])([0-9]{3})?)?)?")
_OUTPUT: Final = re.compile(r"O([0-9]{3})([0-9]{4})([0-9]{6}[A-Z0-9]{12}[0-9]{10})([0-9]{6})([0-9]{4})([A-Z])?")
_MIR: Final = re.compile(r"([0-9]{6})([A-Z0-9]{12})([0-9]{4})([0-9]{6})")
_BIC: Final = re.compile(r"[A-Z0-9]{8}(?:[A-Z0-9]{3})?")


@attrs.frozen
class BasicHeader:
    """Block 1: application (`"F"`), service (`"01"` message, `"21"` acknowledgement), LT, session, sequence.

    In an acknowledgement the session and the sequence are those of the message that is acknowledged.
    """

    application: str
    service: str
    lt: str
    session: str
    sequence: str

    def __str__(self) -> str:
        return f"{self.application}{self.service}{self.lt}{self.session}{self.sequence}"


@attrs.frozen
class Mir:
    """A message input reference: date YYMMDD, LT, session and sequence of one message, 28 characters in all.

    The message output reference (MOR) has the same shape and is held by the same type.
    """

    date: str
    lt: str
    session: str
    sequence: str

    def __str__(self) -> str:
        return f"{self.date}{self.lt}{self.session}{self.sequence}"


@attrs.frozen
class InputHeader:
    """Block 2 from a user to the network: message type, receiver's LT, and how to deliver."""

    message_type: str
    receiver_lt: str
    priority: str | None = None
    monitoring: str | None = None
    obsolescence: str | None = None

    def __str__(self) -> str:
        return "".join(
            (
                "I",
                self.message_type,
                self.receiver_lt,
                self.priority or "",
                self.monitoring or "",
                self.obsolescence or "",
            )
        )


@attrs.frozen
class OutputHeader:
    """Block 2 from the network to a user: message type, when and as what it came in, when it went out.

    Times are HHMM, dates YYMMDD, each local to its own end.
    """

    message_type: str
    input_time: str
    mir: Mir
    output_date: str
    output_time: str
    priority: str | None = None

    def __str__(self) -> str:
        return (
            f"O{self.message_type}{self.input_time}{self.mir}{self.output_date}{self.output_time}"
            f"{self.priority or ''}"
        )


ApplicationHeader: TypeAlias = InputHeader | OutputHeader


def parse_basic_header(text: str, offset: int = 0) -> BasicHeader:
    """Read the 25 characters of block 1; DecodeFault names the block, `offset` is where its content begins."""
    match = _BASIC.fullmatch(text)
    if match is None:
        raise DecodeFault("1", offset, "the basic header is not application, service, LT, session and sequence")
    return BasicHeader(*match.groups())


def parse_application_header(text: str, offset: int = 0) -> ApplicationHeader:
    """Read the content of block 2, input (`I`) or output (`O`) form."""
    match = _INPUT.fullmatch(text)
    if match is not None:
        return InputHeader(*match.groups())
    match = _OUTPUT.fullmatch(text)
    if match is not None:
        message_type, input_time, mir, output_date, output_time, priority = match.groups()
        return OutputHeader(message_type, input_time, parse_mir(mir), output_date, output_time, priority)
    raise DecodeFault("2", offset, "the application header has neither the input nor the output form")


def parse_mir(text: str, path: str = "mir", offset: int = 0) -> Mir:
    """Read the 28 characters of a message input (or output) reference."""
    match = _MIR.fullmatch(text)
    if match is None:
        raise DecodeFault(path, offset, "a message reference is date, LT, session and sequence, 28 characters")
    return Mir(*match.groups())


def bic_of(lt: str) -> str:
    """Give the eleven-character BIC of a logical terminal: its address without the terminal code."""
    return lt[:8] + lt[9:]


def lt_of(bic: str, code: str = LT_CODE_ANY) -> str:
    """Give the logical terminal of a BIC of 8 (branch XXX) or 11 characters; EncodeFault for another length."""
    if _BIC.fullmatch(bic) is None:
        raise EncodeFault("bic", "a BIC has 8 or 11 capital letters and digits")
    return f"{bic[:8]}{code}{bic[8:] or 'XXX'}"
