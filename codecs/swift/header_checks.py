"""Checks of blocks 1, 2 and 3: what must hold before the text is looked at.

A sender's logical terminal code of X passes: towards an interface it means that the interface chooses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from .fields import HEADER_FIELDS
from .findings import CODE_OF_USER_HEADER, Finding
from .headers import LT_CODE_ANY, ApplicationHeader, BasicHeader, InputHeader
from .message import FinMessage

UETR: Final = re.compile(r"[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12}")
"""A UUID of version 4 in small letters."""

MONITORING: Final[Mapping[str, frozenset[str | None]]] = {
    "U": frozenset({None, "1", "3"}),
    "N": frozenset({None, "2"}),
}
"""The delivery monitoring that each priority of a user message may ask for."""

OBSOLESCENCE: Final[Mapping[str, frozenset[str | None]]] = {
    "U": frozenset({None, "003"}),
    "N": frozenset({None, "020"}),
}
"""The obsolescence period that each priority may state, in units of five minutes."""

_LT: Final = re.compile(r"[A-Z]{6}[A-Z0-9]{6}")


def check_headers(message: FinMessage, is_uetr_mandatory: bool) -> Iterator[Finding]:
    """Find what is wrong in blocks 1 to 3, block by block."""
    yield from _check_basic(message.basic)
    yield from _check_application(message.application)
    yield from _check_user_header(message, is_uetr_mandatory)


def _check_basic(basic: BasicHeader) -> Iterator[Finding]:
    if basic.application != "F":
        yield _header("H02", "1", "application", "the application is F")
    if basic.service != "01":
        yield _header("H03", "1", "service", "the service of a message is 01")
    if _LT.fullmatch(basic.lt) is None:
        yield _header("H10", "1", "lt", "a logical terminal begins with a BIC")


def _check_application(application: ApplicationHeader | None) -> Iterator[Finding]:
    if application is None:
        yield _header("H25", "2", None, "a message has an application header")
        return
    priority = application.priority
    if priority is not None and priority not in MONITORING:
        yield _header("H40", "2", "priority", "the priority of a user message is U or N")
    if not isinstance(application, InputHeader):
        if _LT.fullmatch(application.mir.lt) is None:
            yield _header("H98", "2", "mir", "a logical terminal begins with a BIC")
        return
    if _LT.fullmatch(application.receiver_lt) is None or application.receiver_lt[8] != LT_CODE_ANY:
        yield _header("H50", "2", "receiver_lt", "the receiver is a BIC with the terminal code X")
    if priority is None or priority not in MONITORING:
        return
    if application.monitoring not in MONITORING[priority]:
        yield _header("H80", "2", "monitoring", "the priority allows no such delivery monitoring")
    if application.obsolescence not in OBSOLESCENCE[priority]:
        yield _header("H81", "2", "obsolescence", "the priority allows no such obsolescence period")


def _check_user_header(message: FinMessage, is_uetr_mandatory: bool) -> Iterator[Finding]:
    order = list(HEADER_FIELDS)
    latest = -1
    for tag, value in message.user_header:
        row = HEADER_FIELDS.get(tag)
        if row is None:
            yield _user(tag, None, "the user header has no such tag")
            continue
        place = order.index(tag)
        if place == latest:
            yield _user(tag, None, "a tag of the user header is repeated")
        elif place < latest:
            yield _user(tag, None, "a tag of the user header is out of order")
        latest = max(latest, place)
        mismatch = row.find_mismatch(value)
        if mismatch is not None:
            yield _user(tag, mismatch.part, mismatch.deviation.value)
        elif tag == "121" and UETR.fullmatch(value) is None:
            yield _user(tag, "uetr", "a UETR is a UUID of version 4 in small letters")
    if message.uetr is None:
        if is_uetr_mandatory:
            yield _user("121", None, "the message type must carry a UETR")
        if message.find_header("111") is not None:
            yield _user("111", None, "a service type needs a UETR beside it")


def _header(code: str, block: str, component: str | None, text: str) -> Finding:
    return Finding(code, None, f"block {block}", component, text)


def _user(tag: str, component: str | None, text: str) -> Finding:
    return Finding(CODE_OF_USER_HEADER, None, tag, component, text)
