"""Every limit of a connection, reached."""

from __future__ import annotations

from pathlib import Path

import pytest_twisted
from junctor.codecs.iso8583 import encode
from junctor.config.settings import InstitutionSettings, LinkLimits, ListenerSettings, TlsSettings
from junctor.switch.links.contract import Reply, Silent, Unsent
from junctor.switch.links.listener import make_listener
from junctor.switch.links.signon import State
from link_fakes import (
    SPEC,
    Counts,
    Ears,
    Stage,
    Transport,
    approve,
    fresh_authority,
    make_surroundings,
    purchase,
    until,
)
from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater
from twisted.internet.testing import MemoryReactorClock


def ending(stage: Stage) -> str:
    """Let the connection end, and tell how it was counted."""
    stage.clock.advance(0)
    ((institution, reason),) = stage.meter.of("disconnected")
    assert institution == "acme"
    assert stage.link.state is State.DOWN
    assert stage.clock.getDelayedCalls() == []
    return str(reason)


# ------------------------------------------------------------ frames and time


def test_a_frame_longer_than_may_be_ends_the_connection_before_it_is_read() -> None:
    stage = Stage(limits=LinkLimits(frame_bytes_max=1_000))
    stage.wire.dataReceived(b"\x03\xe9")
    assert ending(stage) == "framing"


def test_what_came_before_a_broken_frame_is_still_heard() -> None:
    stage = Stage(limits=LinkLimits(frame_bytes_max=1_000))
    stage.wire.dataReceived(stage.framer.wrap(encode(SPEC, purchase())) + b"\xff\xff")
    assert len(stage.ears.requests) == 1
    assert ending(stage) == "framing"


def test_a_frame_must_be_complete_within_its_time_however_its_bytes_trickle() -> None:
    stage = Stage(limits=LinkLimits(frame_s=10.0))
    raw = stage.framer.wrap(encode(SPEC, purchase()))
    for index in range(10):
        stage.wire.dataReceived(raw[index : index + 1])
        stage.clock.advance(1.0)
    assert ending(stage) == "frame time"


def test_the_time_of_a_frame_begins_with_its_own_first_byte() -> None:
    stage = Stage(limits=LinkLimits(frame_s=10.0), decide=approve)
    raw = stage.framer.wrap(encode(SPEC, purchase()))
    stream = raw * 4
    for start in range(0, len(stream) - 40, 40):
        stage.wire.dataReceived(stream[start : start + 40])
        stage.clock.advance(2.0)
    assert not stage.transport.is_aborted
    assert len(stage.ears.requests) == 3


def test_a_peer_that_says_nothing_is_idle_after_its_time() -> None:
    stage = Stage(limits=LinkLimits(idle_s=600.0))
    stage.clock.advance(599.0)
    stage.hear(purchase())
    stage.clock.advance(599.0)
    assert not stage.transport.is_aborted
    stage.clock.advance(1.0)
    assert ending(stage) == "idle time"


def test_a_keep_alive_keeps_a_connection_from_being_idle() -> None:
    stage = Stage(limits=LinkLimits(idle_s=600.0))
    for _ in range(5):
        stage.clock.advance(500.0)
        stage.wire.dataReceived(b"\x00\x00")
    assert not stage.transport.is_aborted


def test_messages_do_not_cost_timers() -> None:
    stage = Stage(decide=approve)
    before = stage.clock.getDelayedCalls()
    for stan in range(1, 100):
        stage.hear(purchase(f"{stan:06d}"))
    assert stage.clock.getDelayedCalls() == before


# ------------------------------------------------------------ requests in hand


def test_with_as_much_in_hand_as_may_be_the_socket_is_not_read() -> None:
    stage = Stage(limits=LinkLimits(in_hand_max=4))
    stage.hear(*(purchase(f"{stan:06d}") for stan in range(1, 4)))
    assert stage.transport.producerState == "producing"
    stage.hear(purchase("000004"))
    assert stage.transport.producerState == "paused"


def test_what_was_read_with_the_last_request_waits_and_is_heard_in_order() -> None:
    stage = Stage(limits=LinkLimits(in_hand_max=4))
    stage.hear(*(purchase(f"{stan:06d}") for stan in range(1, 11)))
    assert len(stage.ears.requests) == 4
    for index in range(10):
        approve(stage.ears.requests[index])
        stage.clock.advance(0)
        assert len(stage.ears.requests) - (index + 1) <= 4
    assert [incoming.message[11] for incoming in stage.ears.requests] == [f"{stan:06d}" for stan in range(1, 11)]
    assert stage.transport.producerState == "producing"


def test_reading_begins_again_well_below_the_most() -> None:
    stage = Stage(limits=LinkLimits(in_hand_max=4))
    stage.hear(*(purchase(f"{stan:06d}") for stan in range(1, 5)))
    assert stage.transport.producerState == "paused"
    stage.ears.requests[0].drop()
    assert stage.transport.producerState == "producing"


def test_a_place_in_hand_is_freed_by_a_drop_as_by_an_answer() -> None:
    stage = Stage(limits=LinkLimits(in_hand_max=1))
    stage.hear(purchase("000001"), purchase("000002"))
    stage.ears.requests[0].drop()
    stage.clock.advance(0)
    assert [incoming.message[11] for incoming in stage.ears.requests] == ["000001", "000002"]


def test_a_peer_that_is_not_read_is_not_blamed_for_being_silent() -> None:
    stage = Stage(limits=LinkLimits(in_hand_max=1, idle_s=60.0))
    stage.hear(purchase("000001"))
    stage.clock.advance(1_000.0)
    assert not stage.transport.is_aborted
    approve(stage.ears.requests[0])
    stage.clock.advance(59.0)
    assert not stage.transport.is_aborted
    stage.clock.advance(1.0)
    assert ending(stage) == "idle time"


def test_an_answer_given_at_once_never_stops_the_reading() -> None:
    stage = Stage(limits=LinkLimits(in_hand_max=1), decide=approve)
    stage.hear(*(purchase(f"{stan:06d}") for stan in range(1, 20)))
    for _ in range(20):
        stage.clock.advance(0)
    assert len(stage.said()) == 19


# ------------------------------------------------------------ a peer that does not read


def test_a_choked_link_is_not_read_and_not_asked() -> None:
    stage = Stage()
    stage.wire.pauseProducing()
    assert stage.transport.producerState == "paused"
    replies: list[Reply] = []
    stage.link.ask(purchase(), 20.0).addCallback(replies.append)
    assert replies == [Unsent("the peer does not read")]
    stage.wire.resumeProducing()
    assert stage.transport.producerState == "producing"
    stage.link.ask(purchase(), 20.0).addCallback(replies.append)
    assert len(stage.said()) == 1


def test_no_more_waits_to_be_written_than_may() -> None:
    answer = b"x" * 998
    stage = Stage(limits=LinkLimits(write_bytes_max=2_000))
    stage.hear(*(purchase(f"{stan:06d}") for stan in range(1, 4)))
    stage.wire.pauseProducing()
    stage.ears.requests[0].answer(answer)
    stage.ears.requests[1].answer(answer)
    assert not stage.transport.is_aborted
    stage.ears.requests[2].answer(answer)
    assert ending(stage) == "peer does not read"


def test_a_peer_that_goes_on_not_reading_is_dropped_and_its_requests_are_silent() -> None:
    stage = Stage(limits=LinkLimits(write_stall_s=30.0))
    replies: list[Reply] = []
    stage.link.ask(purchase(), 120.0).addCallback(replies.append)
    stage.wire.pauseProducing()
    stage.clock.advance(30.0)
    assert ending(stage) == "peer does not read"
    assert replies == [Silent("the link was lost: peer does not read")]


def test_a_deadline_holds_while_the_peer_does_not_read() -> None:
    stage = Stage(limits=LinkLimits(write_stall_s=30.0))
    replies: list[Reply] = []
    stage.link.ask(purchase(), 0.2).addCallback(replies.append)
    stage.wire.pauseProducing()
    stage.clock.advance(0.2)
    assert replies == [Silent("no response in time")]


def test_a_connection_that_does_not_close_is_cut() -> None:
    stage = Stage(limits=LinkLimits(close_s=5.0))
    stage.transport.is_stubborn = True
    stage.link.leave()
    assert stage.transport.disconnecting
    stage.clock.advance(4.9)
    assert not stage.transport.is_aborted
    stage.clock.advance(0.1)
    assert ending(stage) == "closed by us"


class NeverReads(Protocol):
    """A peer that stops reading as soon as it is connected."""

    def connectionMade(self) -> None:  # noqa: N802
        self.transport.pauseProducing()  # type: ignore[union-attr]


@pytest_twisted.ensureDeferred
async def test_every_ask_ends_in_time_with_a_real_peer_that_accepts_and_never_reads() -> None:
    meter = Counts()
    surroundings = make_surroundings(reactor, Ears(), meter, LinkLimits(in_flight_max=50_000, write_stall_s=0.4))  # type: ignore[arg-type]
    listener = make_listener(reactor, PLAIN, [ACME], {}, surroundings)  # type: ignore[arg-type]
    await listener.start()
    address = listener.address
    assert isinstance(address, IPv4Address)
    peer = await TCP4ClientEndpoint(reactor, "127.0.0.1", address.port).connect(Factory.forProtocol(NeverReads))
    await until(lambda: surroundings.directory.live("acme"))
    (link,) = surroundings.directory.live("acme")
    message = purchase().with_fields({48: "x" * 999, 60: "x" * 999, 62: "x" * 999, 63: "x" * 999})
    replies: list[Reply] = []
    asked = 0
    while not meter.of("disconnected"):
        for _ in range(100):
            asked += 1
            link.ask(message.with_fields({11: link.next_stan()}), 0.2).addCallback(replies.append)
        await deferLater(reactor, 0.01)  # type: ignore[arg-type]
    assert len(replies) == asked
    assert {type(reply) for reply in replies} == {Silent, Unsent}
    assert link.in_flight == 0
    assert meter.of("disconnected") == [("acme", "peer does not read")]
    assert isinstance(peer, NeverReads)
    peer.transport.abortConnection()  # type: ignore[union-attr]
    await listener.close()


# ------------------------------------------------------------ connections

ACME = InstitutionSettings(id="acme")
PLAIN = ListenerSettings(name="front", listen="tcp:0:interface=127.0.0.1", institution="acme")


class Street:
    """A listener on a reactor in memory, and the peers that come to it."""

    def __init__(self, limits: LinkLimits, tls: TlsSettings | None = None) -> None:
        self.clock = MemoryReactorClock()
        self.meter = Counts()
        self.surroundings = make_surroundings(self.clock, Ears(), self.meter, limits)
        settings = ListenerSettings(
            name="front", listen="tcp:8583", institution="acme", tls=None if tls is None else "server"
        )
        named = {} if tls is None else {"server": tls}
        self.listener = make_listener(self.clock, settings, [ACME], named, self.surroundings)
        Deferred.fromCoroutine(self.listener.start())

    def come(self) -> Transport:
        """Let a peer connect; its transport shows what becomes of it."""
        ((_, factory, *_),) = self.clock.tcpServers
        protocol = factory.buildProtocol(IPv4Address("TCP", "192.0.2.7", 40_000))
        assert isinstance(protocol, Protocol)
        transport = Transport(self.clock)
        transport.wire = protocol
        protocol.makeConnection(transport)
        self.clock.advance(0)
        return transport


def test_an_institution_has_no_more_links_than_it_may() -> None:
    street = Street(LinkLimits(links_per_institution_max=2))
    assert [street.come().is_aborted for _ in range(3)] == [False, False, True]
    assert street.meter.of("connected") == [("acme", "ok"), ("acme", "ok"), ("acme", "too many links")]
    assert len(street.surroundings.directory.snapshot()) == 2
    assert street.meter.of("handshake_failed") == []


def test_a_place_among_the_links_is_free_again_when_one_goes() -> None:
    street = Street(LinkLimits(links_per_institution_max=1, idle_s=60.0))
    first = street.come()
    street.clock.advance(60.0)
    street.clock.advance(0)
    assert first.is_aborted
    assert not street.come().is_aborted


def test_a_peer_that_does_not_finish_its_handshake_is_dropped_in_time(tmp_path: Path) -> None:
    street = Street(LinkLimits(handshake_s=10.0), server_tls(tmp_path))
    silent = street.come()
    street.clock.advance(9.9)
    assert not silent.is_aborted
    street.clock.advance(0.1)
    assert silent.is_aborted
    street.clock.advance(0)
    assert street.meter.of("handshake_failed") == [("front", "handshake time")]


def test_no_more_handshakes_are_under_way_than_may_and_places_come_free(tmp_path: Path) -> None:
    street = Street(LinkLimits(handshakes_max=2, handshake_s=10.0), server_tls(tmp_path))
    assert [street.come().is_aborted for _ in range(3)] == [False, False, True]
    assert street.meter.of("handshake_failed") == [("front", "too many handshakes")]
    street.clock.advance(10.0)
    street.clock.advance(0)
    assert not street.come().is_aborted


def server_tls(folder: Path) -> TlsSettings:
    authority = fresh_authority(folder)
    server = authority.issue("server")
    return TlsSettings(server.certificate_file, server.key_file, authority.ca_file)
