"""What ISO 8583 and FIN sessions have in common: name, state, requests in hand, and how they end."""

from __future__ import annotations

from typing import Final

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from ...codecs.faults import DecodeFault, EncodeFault
from ...codecs.framing import Frame
from ...config.settings import InstitutionSettings, Protocol
from .contract import FinLink, IsoLink
from .directory import LinkView
from .endings import Ending
from .signon import State
from .surroundings import Surroundings
from .wire import Wire

log = Logger()

COMPLAINTS_PER_MINUTE_MAX: Final = 20
_MINUTE_S: Final = 60.0
LISTENS = "listens"
DIALS = "dials"


class LinkSession:
    """One session over one wire. Subclasses say what frames mean, and what is to be asked when it begins."""

    protocol: Protocol

    def __init__(
        self,
        name: str,
        institution: InstitutionSettings,
        wire: Wire,
        direction: str,
        surroundings: Surroundings,
    ) -> None:
        self.name = name
        self.institution = institution.id
        self.wire = wire
        self.state = State.CONNECTING
        self.has_been_up = False
        self._direction = direction
        self._clock = surroundings.clock
        self._limits = surroundings.limits
        self._hearer = surroundings.hearer
        self._meter = surroundings.meter
        self._directory = surroundings.directory
        self._utcnow = surroundings.utcnow
        self._since = surroundings.utcnow()
        self._tally = surroundings.directory.tally(institution.id)
        self._in_hand = 0
        self._in_hand_max = surroundings.limits.in_hand_max
        self._in_hand_low = surroundings.limits.in_hand_max * 3 // 4
        self._is_holding = False
        self._is_refusing = False
        self._faults_in_row = 0
        self._complaints_since_s = 0.0
        self._complaints = 0
        self._unsaid = 0
        self._lost_waiters: list[Deferred[None]] = []

    def begin(self) -> None:
        """Start; the wire calls it once it is this session's."""
        raise NotImplementedError

    def hear(self, frame: Frame, now_s: float) -> None:
        """Take a frame of the peer, complete at `now_s`."""
        raise NotImplementedError

    # ------------------------------------------------------------ what the directory reads

    @property
    def iso(self) -> IsoLink | None:
        return None

    @property
    def fin(self) -> FinLink | None:
        return None

    @property
    def is_live(self) -> bool:
        """True while the peer may be asked."""
        return self.state is State.UP and self.wire.is_open

    def view(self) -> LinkView:
        return LinkView(
            name=self.name,
            institution=self.institution,
            protocol=self.protocol.value,
            direction=self._direction,
            state=self.state.value,
            since=self._since,
            in_flight=self.flights,
            in_hand=self._in_hand,
            peer=self.wire.address,
            tls_version=self.wire.tls_version,
            tls_cipher=self.wire.tls_cipher,
            last_in_s=self.wire.last_in_s,
            last_out_s=self.wire.last_out_s,
        )

    @property
    def flights(self) -> int:
        """Requests of ours that wait for the peer."""
        raise NotImplementedError

    def refuse_requests(self) -> None:
        """Pass no new request on: we are about to leave."""
        self._is_refusing = True

    def leave(self) -> Deferred[None]:
        """Close the connection in good order; fires when it is gone."""
        if self.state is not State.DOWN:
            self.move(State.SIGNING_OFF)
            self.wire.close(Ending.CLOSED)
        return self.when_lost()

    # ------------------------------------------------------------ life

    def move(self, state: State) -> None:
        """Go to a state, and tell everybody whom it concerns; nothing happens when it is there already."""
        if state is self.state:
            return
        self.state = state
        self.has_been_up = self.has_been_up or state is State.UP
        self._since = self._utcnow()
        log.info(
            "link {link} of {institution} is {state}",
            link=self.name,
            institution=self.institution,
            state=state.value,
            peer=self.wire.address,
            tls=self.wire.tls_version,
        )
        self._directory.changed(self)
        self._tell()

    def _tell(self) -> None:
        link = self.iso or self.fin
        assert link is not None
        self._hearer.link_changed(link)

    def wire_lost(self, ending: Ending) -> None:
        """End with the connection: what is in flight is silent, what is in hand stays unanswered."""
        self.state = State.DOWN
        self._since = self._utcnow()
        log.info(
            "link {link} of {institution} is down: {ending}",
            link=self.name,
            institution=self.institution,
            ending=ending.value,
            peer=self.wire.address,
        )
        self._directory.dismiss(self)
        self._meter.disconnected(self.institution, ending.value)
        self._end_flights(ending.value)
        self._tell()
        waiters, self._lost_waiters = self._lost_waiters, []
        for waiter in waiters:
            waiter.callback(None)

    def _end_flights(self, why: str) -> None:
        raise NotImplementedError

    def when_lost(self) -> Deferred[None]:
        """Fire when the connection is gone; at once when it is."""
        if self.wire.is_lost:
            return succeed(None)
        self._lost_waiters.append(Deferred())
        return self._lost_waiters[-1]

    # ------------------------------------------------------------ requests in hand

    def take_in_hand(self) -> None:
        """Count a request of the peer; with as many as may be, the wire is not heard any more."""
        self._in_hand += 1
        if self._in_hand >= self._in_hand_max:
            self._is_holding = True
            self.wire.hold()

    def write_answer(self, response: bytes, header: bytes, kind: str) -> None:
        """Write the answer to a request in hand, and free its place."""
        self.free_hand()
        try:
            is_sent = self.wire.send(response, header)
        except EncodeFault as fault:
            self.complain("link {link}: an answer was not sent: {fault}", link=self.name, fault=str(fault))
            return
        if is_sent:
            self._meter.sent(self.institution, kind, len(response))

    def free_hand(self) -> None:
        """Free the place of a request; well below the most, the wire is heard again."""
        self._in_hand -= 1
        if self._is_holding and self._in_hand <= self._in_hand_low:
            self._is_holding = False
            self.wire.release()

    # ------------------------------------------------------------ what the peer does wrong

    def complain(self, words: str, **fields: object) -> None:
        """Log what the peer does wrong, so often a minute and no more: a peer must not fill our disk.

        `unsaid` is how many complaints the minute before has swallowed; all of them are counted by the meter.
        """
        now_s = self._clock.seconds()
        if now_s - self._complaints_since_s >= _MINUTE_S:
            self._unsaid = max(0, self._complaints - COMPLAINTS_PER_MINUTE_MAX)
            self._complaints_since_s, self._complaints = now_s, 0
        self._complaints += 1
        if self._complaints <= COMPLAINTS_PER_MINUTE_MAX:
            log.warn(words, unsaid=self._unsaid, **fields)

    def count_fault(self, fault: DecodeFault) -> None:
        """Count and log a message that cannot be read; too many in a row end the connection."""
        place = fault.path.partition(".")[0]
        self._meter.parse_error(self.institution, place if place in ("mti", "bitmap") else "field")
        self.complain(
            "link {link} of {institution} sent a message that cannot be read: {path} at byte {offset}: {why}",
            link=self.name,
            institution=self.institution,
            path=fault.path,
            offset=fault.offset,
            why=fault.why,
        )
        self._faults_in_row += 1
        if self._faults_in_row > self._limits.faults_in_row_max:
            self.wire.abort(Ending.FAULTS)
