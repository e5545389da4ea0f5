"""What links offer to the desk, and what they expect of it: the border between transport and decisions.

A link is one session with an institution, whichever side dialled. It decodes and frames, answers network management
by itself, matches responses to requests, and hands everything else to whoever decides.
"""

from __future__ import annotations

from typing import Protocol

import attrs
from twisted.internet.defer import Deferred

from ...codecs.iso8583 import Message, Spec
from ...codecs.swift import FinMessage


@attrs.frozen
class Answer:
    """The peer's response to a request of ours."""

    message: Message = attrs.field(repr=False)
    elapsed_s: float


@attrs.frozen
class Silent:
    """Written to the socket, and then nothing: time passed, or the link was lost."""

    why: str


@attrs.frozen
class Unsent:
    """Refused before a byte was written: the request may go over another link."""

    why: str


Reply = Answer | Silent | Unsent


@attrs.frozen
class Acknowledged:
    """The peer's ACK (F21, 451:0) of a FIN message of ours."""

    elapsed_s: float


@attrs.frozen
class Refused:
    """The peer's NAK (F21, 451:1): `code` and line as in field 405."""

    code: str


FinReply = Acknowledged | Refused | Silent | Unsent


class IsoLink(Protocol):
    """An ISO 8583 session."""

    @property
    def name(self) -> str: ...
    @property
    def institution(self) -> str: ...
    @property
    def spec(self) -> Spec: ...
    @property
    def is_signed_on(self) -> bool:
        """True while requests may be sent to the peer."""
        ...

    @property
    def in_flight(self) -> int: ...

    def next_stan(self) -> str:
        """Give a STAN (six digits) that no request in flight on this link carries."""
        ...

    def ask(self, message: Message, timeout_s: float) -> Deferred[Reply]:
        """Send a request and wait for its response, matched by MTI class, DE7, DE11 and DE32 or DE41.

        Never fails: every end is a Reply. A key already in flight, a full table, an unwritable message or a link
        that is down is Unsent. The message is written as given: its DE11 must come from `next_stan`.
        """
        ...


class Incoming(Protocol):
    """A request that a peer made: it ends by exactly one `answer` or `drop`."""

    @property
    def link(self) -> IsoLink: ...
    @property
    def message(self) -> Message: ...
    @property
    def received_s(self) -> float:
        """The reactor's clock when its last byte came."""
        ...

    def answer(self, response: bytes) -> None:
        """Write an encoded response; if the socket is gone nothing happens (the repeat gets the stored one)."""
        ...

    def drop(self) -> None:
        """Stay silent, and free its place among the requests in hand."""
        ...


class FinLink(Protocol):
    """A FIN session."""

    @property
    def name(self) -> str: ...
    @property
    def institution(self) -> str: ...
    @property
    def is_up(self) -> bool: ...

    def ask(self, message: FinMessage, timeout_s: float) -> Deferred[FinReply]:
        """Send a user message and wait for the F21 that carries its LT, session and sequence. Never fails."""
        ...


class FinIncoming(Protocol):
    """A FIN user message from a peer; it ends by exactly one `answer` (an F21) or `drop`."""

    @property
    def link(self) -> FinLink: ...
    @property
    def message(self) -> FinMessage: ...
    @property
    def received_s(self) -> float: ...
    def answer(self, response: bytes) -> None: ...
    def drop(self) -> None: ...


class Hearer(Protocol):
    """Who decides about what links hear; implemented by the desk (ISO 8583) and the mailroom (FIN)."""

    def hear_request(self, incoming: Incoming) -> None: ...
    def hear_late(self, link: IsoLink, message: Message) -> None:
        """A response that no request waits for."""
        ...

    def hear_fin(self, incoming: FinIncoming) -> None: ...
    def link_changed(self, link: IsoLink | FinLink) -> None:
        """A link went up, signed on or off, or down: read its state."""
        ...


class LinkMeter(Protocol):
    """What links count; implemented by the metrics, and by a fake in tests. Labels come from bounded sets.

    kind: an MTI of the standard or MT number, or `other`; size: bytes of the message without its framing.
    """

    def connected(self, institution: str, result: str) -> None: ...
    def disconnected(self, institution: str, reason: str) -> None: ...
    def handshake_failed(self, listener: str, reason: str) -> None: ...
    def heard(self, institution: str, kind: str, size: int) -> None: ...
    def sent(self, institution: str, kind: str, size: int) -> None: ...
    def parse_error(self, institution: str, reason: str) -> None: ...
    def rejected(self, institution: str, reason: str) -> None: ...
    def peer_seconds(self, institution: str, kind: str, seconds: float) -> None: ...
    def peer_timeout(self, institution: str) -> None: ...
    def late_response(self, institution: str) -> None: ...
    def link_state(self, institution: str, up: int, signed_on: int, in_flight: int) -> None: ...
    def certificate_expiry(self, name: str, timestamp_s: float) -> None: ...
