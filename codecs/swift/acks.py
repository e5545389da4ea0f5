"""Acknowledgements: what the network answers to a message, written and read.

`{1:F21…}{4:{177:time}{451:0 or 1}[{405:reason and line}][{108:MUR}]}`. Block 1 repeats the LT, session and
sequence of the message that is answered.

FIN has no word for "accepted, and I had it already". Junctor says it with a possible duplicate delivery trailer on
the ACK, `{5:{PDM:}}`: block 5 is legal in any FIN message, so a peer that does not look for it sees a plain ACK.
The time of such an ACK is when the first copy was stored.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

import attrs

from ..faults import DecodeFault
from .compose import build_fin
from .fields import SERVICE_FIELDS
from .headers import BasicHeader
from .message import SERVICE_ACKNOWLEDGEMENT, FinMessage

ACCEPTED: Final = "0"
REJECTED: Final = "1"

_LINE_MAX: Final = 999
_TIME: Final = re.compile(r"[0-9]{10}")
_REASON: Final = re.compile(r"([A-Z0-9]{3})([0-9]{3})?")

_CODE_OF_BROKEN_BLOCK: Final = {"1": "H01", "2": "H25", "4": "T13"}
_CODE_OF_OTHER_BREAKS: Final = "H98"


@attrs.frozen
class Ack:
    """What an acknowledgement says about the message of that LT, session and sequence.

    `code` is the reason of a rejection (405), `line` the text line it names; `time` is YYMMDDHHMM as it came, in
    the peer's time; `is_duplicate` as written by Junctor.
    """

    accepted: bool
    code: str | None
    line: int | None
    lt: str
    session: str
    sequence: str
    mur: str | None
    time: str
    is_duplicate: bool


def ack(message: FinMessage, at: datetime, is_duplicate: bool = False) -> bytes:
    """Write the ACK of a message that is stored since `at` (an aware datetime, written in UTC)."""
    return _write(message.basic, at, [("451", ACCEPTED)], message.mur, is_duplicate)


def nak(message: FinMessage, at: datetime, code: str, line: int | None = None) -> bytes:
    """Write the NAK of a message: three-character reason, and the line of the text it is about.

    A line that three digits cannot name is left out.
    """
    return nak_basic(message.basic, at, code, line, message.mur)


def nak_basic(basic: BasicHeader, at: datetime, code: str, line: int | None = None, mur: str | None = None) -> bytes:
    """Write the NAK of a message of which only block 1 could be read."""
    place = "" if line is None or not 0 < line <= _LINE_MAX else f"{line:03d}"
    assert len(code) == 3, "a reason has three characters"
    return _write(basic, at, [("451", REJECTED), ("405", code + place)], mur, False)


def code_of_fault(fault: DecodeFault) -> str:
    """Give the reason that a NAK states for bytes that are not a FIN message, by the block that is broken."""
    return _CODE_OF_BROKEN_BLOCK.get(fault.path.partition(".")[0], _CODE_OF_OTHER_BREAKS)


def read_ack(message: FinMessage) -> Ack:
    """Read an ACK or a NAK; DecodeFault when the message is neither, or says it wrongly."""
    if not message.is_ack_or_nak:
        raise DecodeFault("1", 3, "the message is no acknowledgement")
    offset = next((block.start for block in message.blocks if block.id == "4"), len(message.raw))
    time, status = message.find_service("177"), message.find_service("451")
    if time is None or _TIME.fullmatch(time) is None:
        raise DecodeFault("4.177", offset, "an acknowledgement states date and time in ten digits")
    if status not in (ACCEPTED, REJECTED):
        raise DecodeFault("4.451", offset, "an acknowledgement says 0 or 1")
    code: str | None = None
    line: int | None = None
    reason = message.find_service("405")
    if status == REJECTED or reason is not None:
        match = _REASON.fullmatch(reason or "")
        if match is None:
            raise DecodeFault("4.405", offset, "a rejection has a three-character reason and at most a line")
        code = match[1]
        line = None if match[2] is None else int(match[2])
    return Ack(
        accepted=status == ACCEPTED,
        code=code,
        line=line,
        lt=message.lt,
        session=message.session,
        sequence=message.sequence,
        mur=message.find_service("108"),
        time=time,
        is_duplicate=message.is_possible_duplicate,
    )


def _write(
    answered: BasicHeader, at: datetime, verdict: list[tuple[str, str]], mur: str | None, is_duplicate: bool
) -> bytes:
    assert at.tzinfo is not None, "times are aware"
    service = [("177", at.astimezone(UTC).strftime("%y%m%d%H%M")), *verdict]
    # A malformed reference must not shape the answer.
    if mur is not None and SERVICE_FIELDS["108"].find_parts(mur) is not None:
        service.append(("108", mur))
    basic = attrs.evolve(answered, service=SERVICE_ACKNOWLEDGEMENT)
    return build_fin(basic, service=service, trailers=[("PDM", "")] if is_duplicate else ()).raw
