"""Small fakes at the edge of the links, and a way to stand a session on a transport that is a list of bytes."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

from junctor.codecs.framing import make_framer
from junctor.codecs.iso8583 import Message, decode, encode, load_spec, respond
from junctor.config.settings import InstitutionSettings, LinkLimits, Protocol, SignOn
from junctor.simulators.authority import Authority, make_authority
from junctor.switch.links.contract import FinIncoming, FinLink, Incoming, IsoLink
from junctor.switch.links.directory import Directory
from junctor.switch.links.fin import FinSession
from junctor.switch.links.iso import IsoSession
from junctor.switch.links.speech import Speech
from junctor.switch.links.surroundings import Stans, Surroundings
from junctor.switch.links.wire import Wire
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.internet.task import Clock, deferLater
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

NOW = datetime.datetime(2026, 11, 20, 12, 30, 15, tzinfo=datetime.UTC)
SPEC = load_spec("iso1987-ascii")


class Ears:
    """A hearer that remembers what it heard, and does with requests what `decide` says."""

    def __init__(self, decide: Callable[[Incoming], None] | None = None) -> None:
        self.requests: list[Incoming] = []
        self.late: list[Message] = []
        self.fin: list[FinIncoming] = []
        self.changes: list[tuple[str, bool]] = []
        self.decide = decide

    def hear_request(self, incoming: Incoming) -> None:
        self.requests.append(incoming)
        if self.decide is not None:
            self.decide(incoming)

    def hear_late(self, link: IsoLink, message: Message) -> None:
        self.late.append(message)

    def hear_fin(self, incoming: FinIncoming) -> None:
        self.fin.append(incoming)

    def link_changed(self, link: IsoLink | FinLink) -> None:
        self.changes.append((link.name, link.is_signed_on if hasattr(link, "is_signed_on") else link.is_up))


class Counts:
    """A meter that keeps every call, by name."""

    def __init__(self) -> None:
        self.calls: dict[str, list[tuple[object, ...]]] = {}

    def of(self, name: str) -> list[tuple[object, ...]]:
        return self.calls.get(name, [])

    def _count(self, name: str, *labels: object) -> None:
        self.calls.setdefault(name, []).append(labels)

    def connected(self, institution: str, result: str) -> None:
        self._count("connected", institution, result)

    def disconnected(self, institution: str, reason: str) -> None:
        self._count("disconnected", institution, reason)

    def handshake_failed(self, listener: str, reason: str) -> None:
        self._count("handshake_failed", listener, reason)

    def heard(self, institution: str, kind: str, size: int) -> None:
        self._count("heard", institution, kind, size)

    def sent(self, institution: str, kind: str, size: int) -> None:
        self._count("sent", institution, kind, size)

    def parse_error(self, institution: str, reason: str) -> None:
        self._count("parse_error", institution, reason)

    def rejected(self, institution: str, reason: str) -> None:
        self._count("rejected", institution, reason)

    def peer_seconds(self, institution: str, kind: str, seconds: float) -> None:
        self._count("peer_seconds", institution, kind, seconds)

    def peer_timeout(self, institution: str) -> None:
        self._count("peer_timeout", institution)

    def late_response(self, institution: str) -> None:
        self._count("late_response", institution)

    def link_state(self, institution: str, up: int, signed_on: int, in_flight: int) -> None:
        self._count("link_state", institution, up, signed_on, in_flight)

    def certificate_expiry(self, name: str, timestamp_s: float) -> None:
        self._count("certificate_expiry", name, timestamp_s)


def make_surroundings(
    clock: IReactorTime,
    ears: Ears | None = None,
    meter: Counts | None = None,
    limits: LinkLimits = LinkLimits(),  # noqa: B008  (frozen)
    chance: Callable[[], float] = lambda: 0.0,
) -> Surroundings:
    counts = meter or Counts()
    return Surroundings(
        clock=clock,
        limits=limits,
        hearer=ears or Ears(),
        meter=counts,
        directory=Directory(counts, limits.links_per_institution_max),
        stans=Stans(0),
        utcnow=lambda: NOW,
        chance=chance,
    )


class Transport(StringTransport):
    """A transport in memory that ends a connection as TCP does: by `connectionLost`, in the next turn."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self.wire: TwistedProtocol | None = None
        """Who is told when the connection ends."""
        self.is_aborted = False
        self._is_over = False
        self.is_stubborn = False
        """True when the peer never agrees to close."""

    def setTcpNoDelay(self, enabled: bool) -> None:  # noqa: N802
        """Nothing is delayed in memory."""

    def abortConnection(self) -> None:  # noqa: N802
        self.is_aborted = True
        self._end()

    def loseConnection(self) -> None:  # noqa: N802
        super().loseConnection()
        if self.producer is None and not self.is_stubborn:
            self._end()

    def _end(self) -> None:
        if self._is_over:
            return
        self._is_over = True
        assert self.wire is not None
        why = ConnectionAborted() if self.is_aborted else ConnectionDone()
        self._clock.callLater(0, self.wire.connectionLost, Failure(why))


class Stage:
    """One session over a wire on a transport in memory, with its clock, ears and meter."""

    def __init__(
        self,
        policy: SignOn = SignOn.NONE,
        limits: LinkLimits = LinkLimits(),  # noqa: B008  (frozen)
        institution: InstitutionSettings = InstitutionSettings(id="acme"),  # noqa: B008  (frozen)
        framing: str = "length2",
        protocol: Protocol = Protocol.ISO8583,
        decide: Callable[[Incoming], None] | None = None,
        must_prove: bool = False,
        echo_interval_s: float = 0.0,
    ) -> None:
        self.clock = Clock()
        self.clock.advance(1_000.0)
        self.ears = Ears(decide)
        self.meter = Counts()
        self.surroundings = make_surroundings(self.clock, self.ears, self.meter, limits)
        self.directory = self.surroundings.directory
        self.institution = institution
        self.framer = make_framer(framing, limits.frame_bytes_max)
        self.failures: list[tuple[str, str]] = []
        self._speech = Speech(protocol, SPEC, policy, self.surroundings, must_prove, echo_interval_s)
        self._session: IsoSession | FinSession | None = None
        self.transport = Transport(self.clock)
        self.wire = Wire(
            make_framer(framing, limits.frame_bytes_max), limits, self.clock, False, self._ready, self._failed
        )
        self.transport.wire = self.wire
        self.wire.makeConnection(self.transport)

    def _ready(self, wire: Wire) -> IsoSession | FinSession:
        session = self._speech.make_session("link", self.institution, wire, "listens")
        assert isinstance(session, IsoSession | FinSession)
        assert self.directory.admit(session)
        self._session = session
        return session

    def _failed(self, wire: Wire, ending: object, why: str) -> None:
        self.failures.append((str(ending), why))

    @property
    def link(self) -> IsoSession:
        assert isinstance(self._session, IsoSession)
        return self._session

    @property
    def fin(self) -> FinSession:
        assert isinstance(self._session, FinSession)
        return self._session

    def hear(self, *messages: Message) -> None:
        """Let the peer send messages, in one piece."""
        self.hear_raw(*(encode(SPEC, message) for message in messages))

    def hear_raw(self, *bodies: bytes) -> None:
        """Let the peer send frames, in one piece."""
        self.wire.dataReceived(b"".join(self.framer.wrap(body) for body in bodies))

    def said(self) -> list[Message]:
        """Take what was written to the peer since the last time."""
        return [decode(SPEC, body) for body in self.said_raw()]

    def said_raw(self) -> list[bytes]:
        written = self.transport.value()
        self.transport.clear()
        return [frame.body for frame in self.framer.feed(written)]

    def lose(self) -> None:
        """Let the peer close the connection."""
        self.wire.connectionLost()


def purchase(stan: str = "000001", acquirer: str = "12345", transmitted: str = "1120123015") -> Message:
    """Make a 0200 for a purchase of 10.00 with a test card number."""
    return Message(
        "0200",
        {
            2: "4761739001010119",
            3: "000000",
            4: "000000001000",
            7: transmitted,
            11: stan,
            12: "123015",
            13: "1120",
            32: acquirer,
            37: "632512000001",
            41: "TERM0001",
            42: "MERCHANT0000001",
            49: "978",
        },
    )


def approve(incoming: Incoming) -> None:
    """Answer a request with 00."""
    incoming.answer(encode(incoming.link.spec, respond(incoming.message, "00")))


def network(function: str, stan: str = "000900") -> Message:
    """Make a 0800."""
    return Message("0800", {7: "1120123015", 11: stan, 70: function})


def fresh_authority(folder: Path) -> Authority:
    """Make an authority whose certificates are good today."""
    return make_authority(folder, datetime.datetime.now(datetime.UTC))


async def until(holds: Callable[[], object], patience_s: float = 10.0) -> None:
    """Let the real reactor run until something holds; fails when it does not come to be."""
    from twisted.internet import reactor

    ends_s = reactor.seconds() + patience_s  # type: ignore[attr-defined]
    while not holds():
        assert reactor.seconds() < ends_s, "it did not come to be"  # type: ignore[attr-defined]
        await deferLater(reactor, 0.002)  # type: ignore[arg-type]
