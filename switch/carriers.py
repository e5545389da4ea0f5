"""How a delivery travels: as an ISO 8583 advice over a signed-on link, or as a FIN message under our own header."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from twisted.internet.defer import Deferred

from ..codecs.iso8583 import Spec, decode
from ..codecs.iso8583.mti import repeat_mti
from ..codecs.swift import BasicHeader, InputHeader, lt_of, parse_fin, possible_duplicate, replace_headers
from ..config.settings import DeliverySettings
from ..ledger.operations import Done, Item, NextSession, Outcome
from .books import Unavailable
from .couriers import Attempted, Head, Verdict
from .links.contract import Acknowledged, Answer, FinLink, IsoLink, Refused, Unsent

_SEQUENCE_MAX = 999_999


class IsoCarrier:
    """Sends advices, completions and reversals to one institution and reads the response code of its answer."""

    def __init__(
        self,
        spec: Spec,
        live: Callable[[], Sequence[IsoLink]],
        settings: DeliverySettings,
    ) -> None:
        self._spec = spec
        self._live = live
        self._settings = settings

    def is_ready(self) -> bool:
        return bool(self._live())

    async def carry(self, head: Head, attempt: int) -> Attempted:
        links = self._live()
        if not links:
            return Attempted(Verdict.NO_LINK, "no link is signed on")
        message = decode(self._spec, head.body)
        if attempt > 1:
            message = message.with_fields({}, mti=repeat_mti(message.mti))
        reply = await links[0].ask(message, self._settings.ack_timeout_s)
        if isinstance(reply, Unsent):
            return Attempted(Verdict.NO_LINK, reply.why)
        if not isinstance(reply, Answer):
            return Attempted(Verdict.RETRY, f"no answer: {reply.why}")
        code = str(reply.message.get(39) or "")
        if code in self._settings.accept_codes:
            return Attempted(Verdict.DELIVERED)
        if code in self._settings.retry_codes:
            return Attempted(Verdict.RETRY, f"answered {code}")
        return Attempted(Verdict.REFUSED, f"refused with response code {code or 'missing'}")


class Door(Protocol):
    def submit(self, item: Item) -> Deferred[Outcome | Unavailable]: ...


class FinCarrier:
    """Sends FIN messages to one bank under our logical terminal, session and input sequence numbers.

    The session number is counted up (and kept) once per link session; the sequence starts at one in each. A resend
    takes a new sequence number and carries PDE; text and user header stay byte for byte (swift.md 1.8).
    """

    def __init__(
        self,
        lane: str,
        our_lt: str,
        live: Callable[[], Sequence[FinLink]],
        books: Door,
        settings: DeliverySettings,
        meter: Callable[[str, str], None],
    ) -> None:
        self._lane = lane
        self._our_lt = our_lt
        self._live = live
        self._books = books
        self._settings = settings
        self._meter = meter
        self._session: tuple[FinLink, int] | None = None
        self._sequence = 0

    def is_ready(self) -> bool:
        return bool(self._live())

    async def carry(self, head: Head, attempt: int) -> Attempted:
        links = self._live()
        if not links:
            return Attempted(Verdict.NO_LINK, "no link is up")
        link = links[0]
        if self._session is None or self._session[0] is not link or self._sequence >= _SEQUENCE_MAX:
            counted = await self._books.submit(NextSession(self._lane))
            if not isinstance(counted, Done):
                return Attempted(Verdict.NO_LINK, "the session number cannot be kept")
            self._session, self._sequence = (link, counted.number), 0
        self._sequence += 1
        message = parse_fin(head.body)
        basic = BasicHeader("F", "01", self._our_lt, f"{self._session[1]:04d}", f"{self._sequence:06d}")
        assert message.message_type is not None
        application = InputHeader(message.message_type, lt_of(message.receiver_bic, "X"), "N")
        trailers = possible_duplicate(message.trailers) if attempt > 1 else None
        reply = await link.ask(replace_headers(message, basic, application, trailers), self._settings.ack_timeout_s)
        match reply:
            case Acknowledged():
                self._meter(self._lane, "ack")
                return Attempted(Verdict.DELIVERED)
            case Refused(code=code):
                self._meter(self._lane, "nak")
                return Attempted(Verdict.REFUSED, f"NAK {code}")
            case Unsent(why=why):
                return Attempted(Verdict.NO_LINK, why)
            case _:
                return Attempted(Verdict.RETRY, f"no acknowledgement: {reply.why}")
