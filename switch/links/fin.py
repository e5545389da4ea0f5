"""A FIN session: user messages go to whoever decides, acknowledgements to the message that waits for them.

No login: a link may be asked as soon as it is known whose it is. A message that cannot be read is answered with a NAK
when its basic header can be.
"""

from __future__ import annotations

from typing import Final

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from ...codecs.faults import DecodeFault, EncodeFault
from ...codecs.framing import Frame
from ...codecs.swift import (
    FinMessage,
    code_of_fault,
    encode_fin,
    find_basic_header,
    nak_basic,
    parse_fins,
    read_ack,
)
from ...config.settings import InstitutionSettings, Protocol
from .asks import Asks
from .contract import Acknowledged, FinLink, FinReply, Refused, Silent, Unsent
from .session import LinkSession
from .signon import State
from .surroundings import Surroundings
from .wire import Wire

log = Logger()

ACKNOWLEDGEMENT: Final = "F21"
_USER: Final = "01"
_NUMBERS: Final = (
    *(10, 11, 12, 15, 19, 20, 21, 101, 102, 103, 104, 107, *range(190, 200), *range(200, 206), 210),
    *(*range(290, 300), 900, 910, 920, 935, 940, 941, 942, 950, *range(970, 974), 985, 986, *range(990, 1000)),
)
_KINDS: Final = frozenset(f"{number:03d}" for number in _NUMBERS)
"""The message types that are told apart in metrics."""


def kind_of(message: FinMessage) -> str:
    """Give the type as metrics tell it: the MT number, `F21` for an acknowledgement, `other` for what is rare."""
    if message.is_ack_or_nak:
        return ACKNOWLEDGEMENT
    return message.message_type if message.message_type in _KINDS else "other"


class FinReceived:
    """A user message of the peer: it ends by one `answer` or one `drop`, and holds a place in hand until then."""

    __slots__ = ("_is_open", "link", "message", "received_s")

    def __init__(self, link: FinSession, message: FinMessage, received_s: float) -> None:
        self.link = link
        self.message = message
        self.received_s = received_s
        self._is_open = True

    @property
    def is_open(self) -> bool:
        return self._is_open

    def answer(self, response: bytes) -> None:
        assert self._is_open, "a message is acknowledged once"
        self._is_open = False
        self.link.write_answer(response, b"", ACKNOWLEDGEMENT)

    def drop(self) -> None:
        assert self._is_open, "a message ends once"
        self._is_open = False
        self.link.free_hand()


class FinSession(LinkSession):
    """A `FinLink` over one connection."""

    protocol = Protocol.FIN

    def __init__(
        self,
        name: str,
        institution: InstitutionSettings,
        wire: Wire,
        direction: str,
        surroundings: Surroundings,
    ) -> None:
        super().__init__(name, institution, wire, direction, surroundings)
        self._asks: Asks[FinReply] = Asks(
            self._clock, self._limits.in_flight_max, self._tally, Silent, self._timed_out
        )

    @property
    def fin(self) -> FinLink | None:
        return self

    @property
    def is_up(self) -> bool:
        return self.is_live

    @property
    def flights(self) -> int:
        return len(self._asks)

    def begin(self) -> None:
        """Be up: there is no login."""
        self.wire.settle()
        self.move(State.UP)

    # ------------------------------------------------------------ what we ask

    def ask(self, message: FinMessage, timeout_s: float) -> Deferred[FinReply]:
        if not self.is_live:
            return succeed(Unsent("the link is down"))
        if self.wire.is_choked:
            return succeed(Unsent("the peer does not read"))
        if self._asks.is_full:
            return succeed(Unsent("as many messages wait for their acknowledgement as may"))
        key = (message.lt, message.session, message.sequence)
        if key in self._asks:
            return succeed(Unsent("a message of that LT, session and sequence waits for its acknowledgement"))
        raw = encode_fin(message)
        waiter = self._asks.begin(key, timeout_s)
        try:
            self.wire.send(raw)
        except EncodeFault as fault:
            self._asks.withdraw(key)
            return succeed(Unsent(f"it cannot be framed: {fault}"))
        self._meter.sent(self.institution, kind_of(message), len(raw))
        return waiter

    def _timed_out(self) -> None:
        self._meter.peer_timeout(self.institution)

    def _end_flights(self, why: str) -> None:
        self._asks.end_all(f"the link was lost: {why}")

    # ------------------------------------------------------------ what we hear

    def hear(self, frame: Frame, now_s: float) -> None:
        """Take a frame: one message, or an acknowledgement with the message that it acknowledges behind it."""
        body = frame.body
        if not body:
            return
        try:
            for message in parse_fins(body):
                if message.is_ack_or_nak:
                    self._hear_acknowledgement(message, now_s)
                    return
                self._hear_user(message, now_s)
        except DecodeFault as fault:
            self._mishear(body, fault)

    def _hear_acknowledgement(self, message: FinMessage, now_s: float) -> None:
        verdict = read_ack(message)
        self._faults_in_row = 0
        self._meter.heard(self.institution, ACKNOWLEDGEMENT, len(message.raw))
        flight = self._asks.take((verdict.lt, verdict.session, verdict.sequence))
        if flight is None:
            self._meter.late_response(self.institution)
            return
        elapsed_s = now_s - flight.sent_s
        self._meter.peer_seconds(self.institution, ACKNOWLEDGEMENT, elapsed_s)
        if verdict.accepted:
            flight.waiter.callback(Acknowledged(elapsed_s))
        else:
            line = "" if verdict.line is None else f"{verdict.line:03d}"
            flight.waiter.callback(Refused(f"{verdict.code}{line}"))

    def _hear_user(self, message: FinMessage, now_s: float) -> None:
        self._faults_in_row = 0
        self._meter.heard(self.institution, kind_of(message), len(message.raw))
        if self._is_refusing:
            self._meter.rejected(self.institution, "draining")
            return
        incoming = FinReceived(self, message, now_s)
        self.take_in_hand()
        try:
            self._hearer.hear_fin(incoming)
        except Exception:
            # A bug in deciding about one message must not cost the institution its link.
            log.failure("while a FIN message of {institution} was heard", institution=self.institution)
            if incoming.is_open:
                incoming.drop()

    def _mishear(self, body: bytes, fault: DecodeFault) -> None:
        self.count_fault(fault)
        basic = find_basic_header(body)
        if basic is None or basic.service != _USER or not self.wire.is_open:
            return
        refusal = nak_basic(basic, self._utcnow(), code_of_fault(fault))
        try:
            is_sent = self.wire.send(refusal)
        except EncodeFault as unsendable:
            self.complain("link {link}: a NAK was not sent: {fault}", link=self.name, fault=str(unsendable))
            return
        if is_sent:
            self._meter.sent(self.institution, ACKNOWLEDGEMENT, len(refusal))
