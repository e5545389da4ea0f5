"""Network management in ISO 8583:1987: what we answer to a peer's 0800, and the ones that we send.

The table says which DE70 codes are known, what is answered in DE39, and what the message means for the link.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import attrs

from ...codecs.iso8583 import Message
from .signon import Event

SIGN_ON: Final = "001"
SIGN_OFF: Final = "002"
CUTOVER: Final = "201"
ECHO: Final = "301"

ACCEPTED: Final = "00"
FORMAT_ERROR: Final = "30"
NOT_SUPPORTED: Final = "40"
"""DE39: requested function not supported."""
NOT_SIGNED_ON: Final = "91"
"""DE39 for a request before the peer's sign-on: what a host that is not in session answers, and worth a retry."""
NOT_ITS_ACQUIRER: Final = "58"
"""DE39 for a request whose DE32 is not one of the institution's: not permitted to this sender, a retry is in vain."""


@attrs.frozen
class Meaning:
    """What is answered to a network management request, and what it does to the link."""

    code: str
    event: Event | None = None
    is_for_the_books: bool = False
    """The answer is not the link's: whoever decides about requests gives it."""


MEANINGS: Final[Mapping[str, Meaning]] = MappingProxyType(
    {
        SIGN_ON: Meaning(ACCEPTED, Event.THEY_SIGNED_ON),
        SIGN_OFF: Meaning(ACCEPTED, Event.THEY_SIGNED_OFF),
        CUTOVER: Meaning(ACCEPTED, is_for_the_books=True),
        ECHO: Meaning(ACCEPTED),
    }
)
UNKNOWN: Final = Meaning(NOT_SUPPORTED)
NAMELESS: Final = Meaning(FORMAT_ERROR)


def meaning_of(message: Message) -> Meaning:
    """Tell what a network management request means; one without DE70 is a format error."""
    function = message.get(70)
    if not isinstance(function, str):
        return NAMELESS
    return MEANINGS.get(function, UNKNOWN)


def network_request(function: str, stan: str, now: datetime.datetime) -> Message:
    """Make a 0800: transmission date and time (DE7, UTC), STAN (DE11) and network management code (DE70)."""
    transmitted = now.astimezone(datetime.UTC).strftime("%m%d%H%M%S")
    return Message("0800", {7: transmitted, 11: stan, 70: function})
