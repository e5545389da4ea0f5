"""Links that we dial: real sockets and TLS where certificates decide, a clock where time does."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest_twisted
from junctor.config.settings import (
    DiallerSettings,
    InstitutionSettings,
    LinkLimits,
    ListenerSettings,
    Protocol,
    SignOn,
    TlsSettings,
)
from junctor.simulators.authority import Authority
from junctor.switch.links.contract import Answer, Silent, Unsent
from junctor.switch.links.dialler import Dialler, make_dialler
from junctor.switch.links.listener import Listener, make_listener
from junctor.switch.links.speech import Speech
from junctor.switch.links.wire import Wire
from link_fakes import SPEC, Counts, Ears, Transport, approve, fresh_authority, make_surroundings, purchase, until
from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.task import Clock
from twisted.python.failure import Failure

ISSUER = InstitutionSettings(id="issuer", subjects=("issuer",))
SWITCH = InstitutionSettings(id="switch", subjects=("switch",))
OTHER_SIDE = {SignOn.WE: SignOn.THEY, SignOn.THEY: SignOn.WE, SignOn.BOTH: SignOn.BOTH, SignOn.NONE: SignOn.NONE}


class Pair:
    """A switch that dials, and an issuer that listens, over mutual TLS on the loopback."""

    def __init__(self, authority: Authority, sign_on: SignOn = SignOn.WE) -> None:
        self.authority = authority
        self.sign_on = sign_on
        self.ears, self.meter = Ears(), Counts()
        self.surroundings = make_surroundings(reactor, self.ears, self.meter)  # type: ignore[arg-type]
        self.issuer_ears, self.issuer_meter = Ears(approve), Counts()
        self.issuer = make_surroundings(reactor, self.issuer_ears, self.issuer_meter)  # type: ignore[arg-type]
        self.listener: Listener | None = None
        self.dialler: Dialler | None = None

    def tls(self, name: str) -> TlsSettings:
        issued = self.authority.issue(name)
        return TlsSettings(issued.certificate_file, issued.key_file, self.authority.ca_file)

    async def listen(self, port: int = 0, institution: InstitutionSettings = SWITCH) -> int:
        settings = ListenerSettings(
            name="door", listen=f"tcp:{port}:interface=127.0.0.1", tls="issuer", sign_on=OTHER_SIDE[self.sign_on]
        )
        self.listener = make_listener(reactor, settings, [institution], {"issuer": self.tls("issuer")}, self.issuer)  # type: ignore[arg-type]
        await self.listener.start()
        address = self.listener.address
        assert isinstance(address, IPv4Address)
        return address.port

    async def dial(self, port: int, server_name: str = "localhost", echo_interval_s: float = 60.0) -> None:
        settings = DiallerSettings(
            name="issuer-1",
            institution="issuer",
            host="127.0.0.1",
            port=port,
            tls="switch",
            server_name=server_name,
            sign_on=self.sign_on,
            echo_interval_s=echo_interval_s,
            reconnect_initial_s=0.02,
            reconnect_max_s=0.05,
        )
        self.dialler = make_dialler(reactor, settings, [ISSUER], {"switch": self.tls("switch")}, self.surroundings)  # type: ignore[arg-type]
        await self.dialler.start()

    @property
    def is_live(self) -> bool:
        return bool(self.surroundings.directory.live("issuer"))

    async def close(self) -> None:
        if self.dialler is not None:
            await self.dialler.stop()
        await self.surroundings.directory.leave_all()
        await self.issuer.directory.leave_all()
        if self.listener is not None:
            await self.listener.close()


@pytest_twisted.ensureDeferred
async def test_a_dialled_link_signs_on_and_carries_a_request_to_its_answer(tmp_path: Path) -> None:
    pair = Pair(fresh_authority(tmp_path))
    await pair.dial(await pair.listen())
    await until(lambda: pair.is_live)
    (link,) = pair.surroundings.directory.live("issuer")
    reply = await link.ask(purchase(link.next_stan()), 5.0)
    assert isinstance(reply, Answer)
    assert reply.message[39] == "00"
    assert [incoming.link.institution for incoming in pair.issuer_ears.requests] == ["switch"]
    (view,) = pair.surroundings.directory.snapshot()
    assert (view.name, view.direction, view.state, view.tls_version) == ("issuer-1", "dials", "up", "TLSv1.3")
    await pair.close()
    assert pair.issuer_meter.of("disconnected") == [("switch", "peer closed")]
    assert pair.meter.of("disconnected") == [("issuer", "signed off")]


@pytest_twisted.ensureDeferred
async def test_the_listening_side_may_ask_over_a_link_that_the_peer_dialled(tmp_path: Path) -> None:
    pair = Pair(fresh_authority(tmp_path), SignOn.BOTH)
    pair.ears.decide = approve
    await pair.dial(await pair.listen())
    await until(lambda: pair.issuer.directory.live("switch"))
    (link,) = pair.issuer.directory.live("switch")
    reply = await link.ask(purchase(link.next_stan()), 5.0)
    assert isinstance(reply, Answer)
    await pair.close()


@pytest_twisted.ensureDeferred
async def test_a_link_without_sign_on_is_live_only_after_the_peer_has_spoken(tmp_path: Path) -> None:
    pair = Pair(fresh_authority(tmp_path), SignOn.NONE)
    await pair.dial(await pair.listen())
    await until(lambda: pair.is_live)
    assert [kind for _, kind, _ in pair.meter.of("heard")] == ["0810"]
    await pair.close()


@pytest_twisted.ensureDeferred
async def test_a_peer_of_another_name_is_not_spoken_to(tmp_path: Path) -> None:
    pair = Pair(fresh_authority(tmp_path))
    await pair.dial(await pair.listen(), server_name="issuer.example.com")
    await until(lambda: pair.meter.of("connected"))
    assert set(pair.meter.of("connected")) == {("issuer", "other name")}
    assert pair.meter.of("sent") == []
    await pair.close()


@pytest_twisted.ensureDeferred
async def test_a_peer_of_another_authority_is_not_spoken_to(tmp_path: Path) -> None:
    pair = Pair(fresh_authority(tmp_path / "one"))
    port = await pair.listen()
    pair.authority = fresh_authority(tmp_path / "two")
    await pair.dial(port)
    await until(lambda: pair.meter.of("connected"))
    assert set(pair.meter.of("connected")) == {("issuer", "certificate refused")}
    assert pair.meter.of("sent") == []
    await pair.close()


@pytest_twisted.ensureDeferred
async def test_a_peer_that_refuses_our_certificate_never_makes_the_link_live(tmp_path: Path) -> None:
    pair = Pair(fresh_authority(tmp_path), SignOn.NONE)
    await pair.dial(await pair.listen(institution=InstitutionSettings(id="other", subjects=("other",))))
    await until(lambda: len(pair.meter.of("connected")) >= 3)
    assert not any(is_live for _, is_live in pair.ears.changes)
    await pair.close()


@pytest_twisted.ensureDeferred
async def test_a_link_that_is_lost_is_dialled_again_and_what_was_in_flight_is_silent(tmp_path: Path) -> None:
    pair = Pair(fresh_authority(tmp_path))
    pair.issuer_ears.decide = None
    await pair.dial(await pair.listen())
    await until(lambda: pair.is_live)
    (link,) = pair.surroundings.directory.live("issuer")
    asked = link.ask(purchase(link.next_stan()), 30.0)
    await until(lambda: pair.issuer_ears.requests)
    await pair.issuer.directory.leave_all()
    reply = await asked
    assert isinstance(reply, Silent)
    await until(lambda: pair.is_live)
    (again,) = pair.surroundings.directory.live("issuer")
    assert again.name == link.name
    assert isinstance(await link.ask(purchase(), 1.0), Unsent)
    await pair.close()


@pytest_twisted.ensureDeferred
async def test_a_peer_that_is_not_there_yet_is_found_when_it_comes(tmp_path: Path) -> None:
    pair = Pair(fresh_authority(tmp_path))
    port = await pair.listen()
    assert pair.listener is not None
    await pair.listener.close()
    await pair.dial(port)
    await until(lambda: len(pair.meter.of("connected")) >= 2)
    assert set(pair.meter.of("connected")) == {("issuer", "not connected")}
    await pair.listen(port)
    await until(lambda: pair.is_live)
    await pair.close()


# ------------------------------------------------------------ on a clock


class Phone:
    """An endpoint that connects, or refuses, when the test says so."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.calls: list[float] = []
        self.refuses = True
        self.hangs = False
        self.transport: Transport | None = None

    def connect(self, factory: IProtocolFactory) -> Deferred[Wire]:
        self.calls.append(self.clock.seconds())
        connecting: Deferred[Wire] = Deferred()
        if self.hangs:
            return connecting
        if self.refuses:
            connecting.errback(Failure(ConnectError()))
            return connecting
        wire = factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 8583))
        assert isinstance(wire, Wire)
        self.transport = Transport(self.clock)
        self.transport.wire = wire
        wire.makeConnection(self.transport)
        connecting.callback(wire)
        return connecting


class Caller:
    """A dialler of a plain link, on a clock."""

    def __init__(self, sign_on: SignOn = SignOn.NONE, limits: LinkLimits = LinkLimits()) -> None:  # noqa: B008
        self.clock = Clock()
        self.meter = Counts()
        self.chance = 1.0
        self.surroundings = make_surroundings(self.clock, Ears(), self.meter, limits, lambda: self.chance)
        self.phone = Phone(self.clock)
        self.dialler = Dialler(
            DiallerSettings(
                name="issuer-1",
                institution="issuer",
                host="192.0.2.1",
                port=8583,
                plain=True,
                reconnect_initial_s=1.0,
                reconnect_max_s=10.0,
            ),
            ISSUER,
            self.phone,  # type: ignore[arg-type]
            Speech(Protocol.ISO8583, SPEC, sign_on, self.surroundings),
            self.surroundings,
            None,
        )
        self.started = Deferred.fromCoroutine(self.dialler.start())

    def waits(self) -> list[float]:
        calls = self.phone.calls
        return [later - sooner for sooner, later in itertools.pairwise(calls)]

    def live_for(self, seconds: float) -> None:
        """Let the link be dialled, be up for a while, and be lost."""
        self.phone.refuses = False
        while self.phone.transport is None:
            self.clock.advance(0.5)
        self.clock.advance(seconds)
        transport, self.phone.transport = self.phone.transport, None
        transport.abortConnection()
        self.clock.advance(0)
        self.phone.refuses = True


def test_waits_double_up_to_the_most() -> None:
    caller = Caller()
    for _ in range(120):
        caller.clock.advance(0.5)
    assert caller.waits()[:6] == [2.0, 4.0, 8.0, 10.0, 10.0, 10.0]


def test_chance_shortens_a_wait_by_up_to_half() -> None:
    caller = Caller()
    caller.chance = 0.0
    for _ in range(120):
        caller.clock.advance(0.25)
    assert caller.waits()[:3] == [2.0, 2.0, 4.0]


def test_a_link_that_was_good_is_dialled_again_soon() -> None:
    caller = Caller()
    for _ in range(60):
        caller.clock.advance(0.5)
    caller.live_for(30.0)
    lost_s = caller.clock.seconds()
    caller.clock.advance(1.0)
    assert caller.phone.calls[-1] == lost_s + 1.0


def test_a_link_that_never_spoke_counts_as_a_failure() -> None:
    caller = Caller()
    for _ in range(4):
        caller.live_for(0.0)
    assert [round(wait, 3) for wait in caller.waits()] == [2.0, 4.0, 8.0, 10.0]


def test_a_connection_attempt_that_hangs_is_given_up_in_time() -> None:
    caller = Caller(limits=LinkLimits(handshake_s=10.0))
    caller.phone.hangs = True
    caller.clock.advance(2.0)
    assert [view.state for view in caller.surroundings.directory.snapshot()] == ["connecting"]
    caller.clock.advance(10.0)
    assert caller.meter.of("connected") == [("issuer", "not connected")] * len(caller.meter.of("connected"))
    assert [view.state for view in caller.surroundings.directory.snapshot()] == ["down"]


def test_a_sign_on_that_is_not_answered_ends_the_attempt_and_it_is_tried_again() -> None:
    caller = Caller(SignOn.WE, LinkLimits(handshake_s=10.0))
    caller.phone.refuses = False
    while caller.phone.transport is None:
        caller.clock.advance(0.5)
    first = caller.phone.transport
    caller.clock.advance(10.0)
    caller.clock.advance(0)
    assert first.is_aborted
    calls = len(caller.phone.calls)
    caller.clock.advance(10.0)
    assert len(caller.phone.calls) == calls + 1


def test_after_a_stop_nothing_is_dialled_and_nothing_is_left_to_wait_for() -> None:
    caller = Caller()
    caller.clock.advance(1.0)
    caller.dialler.stop()
    assert caller.clock.getDelayedCalls() == []
    calls = len(caller.phone.calls)
    caller.clock.advance(100.0)
    assert len(caller.phone.calls) == calls


def test_a_stop_leaves_the_link_that_is_there() -> None:
    caller = Caller()
    caller.phone.refuses = False
    while caller.phone.transport is None:
        caller.clock.advance(0.5)
    caller.dialler.stop()
    assert [link.name for link in caller.surroundings.directory.live("issuer")] == ["issuer-1"]
    left: list[None] = []
    caller.surroundings.directory.leave_all().addCallback(left.append)
    caller.clock.advance(0)
    assert left == [None]
    caller.clock.advance(100.0)
    assert caller.clock.getDelayedCalls() == []


def test_a_stop_while_connecting_gives_the_attempt_up() -> None:
    caller = Caller()
    caller.phone.hangs = True
    caller.clock.advance(2.0)
    caller.dialler.stop()
    assert caller.clock.getDelayedCalls() == []
    assert [view.state for view in caller.surroundings.directory.snapshot()] == ["down"]
