"""An ISO 8583 session: decodes, answers network management, matches responses, hands requests to whoever decides.

A request belongs to the institution of the link whatever it says of itself. The order of checks on what comes in:
it decodes (else DE39=30 where it can be addressed) · a response goes to the request that waits for it · network
management is answered here, a cutover excepted · the peer is signed on where it must be (91) · DE32 is one of the
institution's (58).
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from ...codecs.faults import DecodeFault, EncodeFault
from ...codecs.framing import Frame
from ...codecs.iso8583 import Message, Spec, decode, decode_partial, encode, find_response_mti, respond
from ...config.settings import InstitutionSettings, Protocol, SignOn
from .asks import Asks
from .contract import Answer, IsoLink, Reply, Silent, Unsent
from .endings import Ending
from .inflight import request_key, response_key
from .network import (
    ACCEPTED,
    ECHO,
    FORMAT_ERROR,
    NOT_ITS_ACQUIRER,
    NOT_SIGNED_ON,
    SIGN_OFF,
    SIGN_ON,
    meaning_of,
    network_request,
)
from .session import LinkSession
from .signon import FIRST, HEARING, SETTLED, Event, State, step
from .surroundings import Surroundings
from .wire import Wire

log = Logger()

_NETWORK: Final = "8"
_ANSWERS: Final = frozenset("1357")
"""Function digits of what only ever answers."""
_KINDS: Final = frozenset(
    f"0{class_}{function}{origin}" for class_ in "12345678" for function in "01234" for origin in "01"
)
"""The types that are told apart in metrics."""
_FLIGHTS_MOST: Final = 500_000
"""Well below the number of STANs, so that a free one is found soon."""


def kind_of(mti: str) -> str:
    """Give the type as metrics tell it: the MTI, or `other` when it is not of the 1987 standard."""
    return mti if mti in _KINDS else "other"


class IsoIncoming:
    """A request of the peer: it ends by one `answer` or one `drop`, and holds a place in hand until then."""

    __slots__ = ("_header", "_is_open", "link", "message", "received_s")

    def __init__(self, link: IsoSession, message: Message, received_s: float, header: bytes) -> None:
        self.link = link
        self.message = message
        self.received_s = received_s
        self._header = header
        self._is_open = True

    @property
    def is_open(self) -> bool:
        return self._is_open

    def answer(self, response: bytes) -> None:
        assert self._is_open, "a request is answered once"
        self._is_open = False
        self.link.write_answer(response, self._header, kind_of(find_response_mti(self.message.mti) or ""))

    def drop(self) -> None:
        assert self._is_open, "a request ends once"
        self._is_open = False
        self.link.free_hand()


class IsoSession(LinkSession):
    """An `IsoLink` over one connection; `begin` sets it going once it is admitted.

    `must_prove`: requests wait for a first echo, where the policy knows no sign-on (see `signon.FIRST`).
    `echo_interval_s`: how often the peer must answer an echo; 0 is never.
    """

    protocol = Protocol.ISO8583

    def __init__(
        self,
        name: str,
        institution: InstitutionSettings,
        wire: Wire,
        direction: str,
        surroundings: Surroundings,
        spec: Spec,
        policy: SignOn,
        must_prove: bool = False,
        echo_interval_s: float = 0.0,
    ) -> None:
        super().__init__(name, institution, wire, direction, surroundings)
        self.spec = spec
        self._policy = policy
        self._must_prove = must_prove
        self._echo_interval_s = echo_interval_s
        self._acquirer_ids = frozenset(each.lstrip("0") for each in institution.acquirer_ids)
        self._stans = surroundings.stans
        self._stans_in_flight: set[object] = set()
        self._asks: Asks[Reply] = Asks(
            self._clock,
            min(self._limits.in_flight_max, _FLIGHTS_MOST),
            self._tally,
            Silent,
            self._timed_out,
            self._free_stan,
        )
        self._is_echoing = False
        self._echo_timer: IDelayedCall | None = None

    @property
    def iso(self) -> IsoLink | None:
        return self

    @property
    def is_signed_on(self) -> bool:
        return self.is_live

    @property
    def in_flight(self) -> int:
        return len(self._asks)

    @property
    def flights(self) -> int:
        return len(self._asks)

    # ------------------------------------------------------------ what we ask

    def next_stan(self) -> str:
        while (stan := self._stans.next()) in self._stans_in_flight:
            pass
        return stan

    def ask(self, message: Message, timeout_s: float) -> Deferred[Reply]:
        if self.state is not State.UP:
            return succeed(Unsent("the link is not signed on"))
        return self._ask(message, timeout_s)

    def _ask(self, message: Message, timeout_s: float) -> Deferred[Reply]:
        wire, asks = self.wire, self._asks
        if not wire.is_open:
            return succeed(Unsent("the link is down"))
        if wire.is_choked:
            return succeed(Unsent("the peer does not read"))
        if asks.is_full:
            return succeed(Unsent("as many requests are in flight as may be"))
        try:
            raw = encode(self.spec, message)
        except EncodeFault as fault:
            return succeed(Unsent(f"it cannot be written: {fault}"))
        if find_response_mti(message.mti) is None:
            return succeed(Unsent("nothing answers such a message"))
        key = request_key(message)
        if key in asks:
            return succeed(Unsent("a request with the same key is in flight"))
        waiter = asks.begin(key, timeout_s)
        self._stans_in_flight.add(key[2])
        try:
            wire.send(raw)
        except EncodeFault as fault:
            asks.withdraw(key)
            return succeed(Unsent(f"it cannot be framed: {fault}"))
        self._meter.sent(self.institution, kind_of(message.mti), len(raw))
        return waiter

    def _timed_out(self) -> None:
        self._meter.peer_timeout(self.institution)

    def _free_stan(self, key: Hashable) -> None:
        assert isinstance(key, tuple)
        self._stans_in_flight.discard(key[2])

    def _end_flights(self, why: str) -> None:
        if self._echo_timer is not None:
            self._echo_timer.cancel()
            self._echo_timer = None
        self._asks.end_all(f"the link was lost: {why}")

    # ------------------------------------------------------------ what we hear

    def hear(self, frame: Frame, now_s: float) -> None:
        body = frame.body
        if not body:
            return
        try:
            message = decode(self.spec, body)
        except DecodeFault as fault:
            self._mishear(frame, fault)
            return
        self._faults_in_row = 0
        mti = message.mti
        self._meter.heard(self.institution, kind_of(mti), len(body))
        if mti[2] in _ANSWERS:
            self._hear_response(message, now_s)
        elif mti[1] == _NETWORK and not meaning_of(message).is_for_the_books:
            self._hear_network(message, frame.header)
        elif self._is_refusing:
            self._refuse(message, frame.header, NOT_SIGNED_ON, "draining")
        elif self.state not in HEARING:
            self._refuse(message, frame.header, NOT_SIGNED_ON, "not signed on")
        elif self._acquirer_ids and not self._is_of_institution(message):
            self._refuse(message, frame.header, NOT_ITS_ACQUIRER, "acquirer")
        else:
            self._hear_request(message, frame.header, now_s)

    def _hear_request(self, message: Message, header: bytes, now_s: float) -> None:
        incoming = IsoIncoming(self, message, now_s, header)
        self.take_in_hand()
        try:
            self._hearer.hear_request(incoming)
        except Exception:
            # A bug in deciding about one request must not cost the institution its link.
            log.failure("while a request of {institution} was heard", institution=self.institution)
            if incoming.is_open:
                incoming.drop()

    def _is_of_institution(self, message: Message) -> bool:
        acquirer = message.get(32)
        return not isinstance(acquirer, str) or acquirer.lstrip("0") in self._acquirer_ids

    def _hear_response(self, message: Message, now_s: float) -> None:
        flight = self._asks.take(response_key(message))
        if flight is not None:
            elapsed_s = now_s - flight.sent_s
            self._meter.peer_seconds(self.institution, kind_of(message.mti), elapsed_s)
            flight.waiter.callback(Answer(message, elapsed_s))
            return
        self._meter.late_response(self.institution)
        if message.mti[1] != _NETWORK:
            self._hearer.hear_late(self, message)

    def _mishear(self, frame: Frame, fault: DecodeFault) -> None:
        """Answer a request that cannot be read with a format error, when it can be told which one it was."""
        self.count_fault(fault)
        partial, _ = decode_partial(self.spec, frame.body)
        if partial.mti and partial.mti[2] not in _ANSWERS and partial.get(11) is not None and self.wire.is_open:
            self._respond(partial, frame.header, FORMAT_ERROR)

    def _refuse(self, message: Message, header: bytes, code: str, reason: str) -> None:
        self._meter.rejected(self.institution, reason)
        self.complain(
            "link {link} of {institution} sent {mti} that is not served: {reason}",
            link=self.name,
            institution=self.institution,
            mti=message.mti,
            reason=reason,
        )
        self._respond(message, header, code)

    def _respond(self, message: Message, header: bytes, code: str) -> None:
        """Answer by ourselves; what expects no answer gets none."""
        mti = find_response_mti(message.mti)
        if mti is None:
            return
        try:
            response = encode(self.spec, respond(message, code))
            is_sent = self.wire.send(response, header)
        except EncodeFault as fault:
            self.complain("link {link}: {mti} was not sent: {fault}", link=self.name, mti=mti, fault=str(fault))
            return
        if is_sent:
            self._meter.sent(self.institution, kind_of(mti), len(response))

    # ------------------------------------------------------------ network management

    def begin(self) -> None:
        """Set the session going: sign on, await a sign-on, or be up, as the policy says."""
        first = FIRST[self._policy, self._must_prove]
        if first in (State.SIGNING_ON, State.SIGNING_ON_BOTH):
            self._ask_network(SIGN_ON).addCallback(self._signed_on)
        elif first is State.PROVING:
            self._ask_network(ECHO).addCallback(self._proven)
        self.move(first)

    def move(self, state: State) -> None:
        super().move(state)
        if state in SETTLED:
            self.wire.settle()
            if self._echo_interval_s and not self._is_echoing:
                self._is_echoing = True
                self._echo_timer = self._clock.callLater(self._echo_interval_s, self._echo)

    def _on(self, event: Event) -> None:
        if self.state is not State.DOWN:
            self.move(step(self.state, event))

    def _ask_network(self, function: str) -> Deferred[Reply]:
        message = network_request(function, self.next_stan(), self._utcnow())
        return self._ask(message, self._limits.handshake_s)

    def _signed_on(self, reply: Reply) -> None:
        if isinstance(reply, Answer) and reply.message.get(39) == ACCEPTED:
            self._on(Event.WE_SIGNED_ON)
        else:
            self.wire.abort(Ending.SIGN_ON)

    def _proven(self, reply: Reply) -> None:
        if isinstance(reply, Answer):
            self._on(Event.PROVEN)
        else:
            self.wire.abort(Ending.ECHO)

    def _echo(self) -> None:
        self._echo_timer = None
        self._ask_network(ECHO).addCallback(self._echoed)

    def _echoed(self, reply: Reply) -> None:
        # Unsent means that the link is busy or closing: that has limits of its own.
        if isinstance(reply, Silent):
            self.wire.abort(Ending.ECHO)
        elif self.wire.is_open:
            self._echo_timer = self._clock.callLater(self._echo_interval_s, self._echo)

    def _hear_network(self, message: Message, header: bytes) -> None:
        meaning = meaning_of(message)
        if meaning.code != ACCEPTED:
            self._refuse(message, header, meaning.code, "network management")
            return
        self._respond(message, header, meaning.code)
        if meaning.event is not None:
            self._on(meaning.event)

    def leave(self) -> Deferred[None]:
        """Sign off if we signed on, and close; fires when the connection is gone, after twice `close_s` at most."""
        was, lost = self.state, self.when_lost()
        if was in (State.DOWN, State.SIGNING_OFF):
            return lost
        self._on(Event.WE_LEAVE)
        if was is State.UP and self._policy in (SignOn.WE, SignOn.BOTH):
            message = network_request(SIGN_OFF, self.next_stan(), self._utcnow())
            signing_off = self._ask(message, self._limits.close_s)
            signing_off.addCallback(lambda _: self.wire.close(Ending.SIGNED_OFF))
        else:
            self.wire.close(Ending.CLOSED)
        return lost
