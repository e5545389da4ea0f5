from __future__ import annotations

import datetime

from junctor.codecs.framing import make_framer
from junctor.codecs.iso8583 import encode, respond
from junctor.config.settings import InstitutionSettings, Protocol, SignOn
from junctor.switch.links.directory import LinkView
from junctor.switch.links.session import LinkSession
from junctor.switch.links.speech import Speech
from junctor.switch.links.wire import Wire
from link_fakes import NOW, SPEC, Counts, Ears, Transport, make_surroundings, network, purchase
from twisted.internet.task import Clock


class Town:
    """A directory, and links that a test opens and closes as it likes."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.meter = Counts()
        self.surroundings = make_surroundings(self.clock, Ears(), self.meter)
        self.directory = self.surroundings.directory

    def open(
        self, name: str, institution: str, protocol: Protocol = Protocol.ISO8583, sign_on: SignOn = SignOn.NONE
    ) -> LinkSession:
        sessions: list[LinkSession] = []

        def ready(wire: Wire) -> LinkSession:
            speech = Speech(protocol, SPEC, sign_on, self.surroundings)
            sessions.append(speech.make_session(name, InstitutionSettings(id=institution), wire, "listens"))
            assert self.directory.admit(sessions[0])
            return sessions[0]

        wire = Wire(
            make_framer("length2", 9_999), self.surroundings.limits, self.clock, False, ready, lambda *lost: None
        )
        transport = Transport(self.clock)
        transport.wire = wire
        wire.makeConnection(transport)
        return sessions[0]


class Expecting:
    """A dialler that has no link."""

    def __init__(self, name: str) -> None:
        self.name = name

    def view(self) -> LinkView:
        return LinkView(self.name, "bank", "iso8583", "dials", "connecting", NOW)


def test_live_links_are_named_by_institution() -> None:
    town = Town()
    town.open("a-1", "a")
    town.open("a-2", "a")
    town.open("b-1", "b")
    assert town.directory.live_names() == {"a": ("a-1", "a-2"), "b": ("b-1",)}


def test_a_link_that_is_not_signed_on_is_not_named_until_it_is() -> None:
    town = Town()
    link = town.open("a-1", "a", sign_on=SignOn.THEY)
    assert town.directory.live_names().get("a", ()) == ()
    link.wire.dataReceived(make_framer("length2", 9_999).wrap(encode(SPEC, network("001"))))
    assert town.directory.live_names() == {"a": ("a-1",)}
    link.wire.connectionLost()
    assert town.directory.live_names() == {"a": ()}
    assert town.directory.find_link("a-1") is None


def test_names_are_made_anew_only_after_a_change() -> None:
    town = Town()
    town.open("a-1", "a")
    first = town.directory.live_names()["a"]
    assert town.directory.live_names()["a"] is first


def test_dialled_links_are_named_first_and_as_configured() -> None:
    town = Town()
    for name in ("first", "second"):
        town.directory.expect(Expecting(name))
    for name in ("door-1", "second", "first"):
        town.open(name, "bank")
    assert town.directory.live_names() == {"bank": ("first", "second", "door-1")}
    assert [view.name for view in town.directory.snapshot()] == ["first", "second", "door-1"]


def test_the_link_with_the_least_in_flight_comes_first() -> None:
    town = Town()
    town.open("a-1", "a")
    town.open("a-2", "a")
    busy, idle = town.directory.live("a")
    busy.ask(purchase(), 20.0)
    assert [link.name for link in town.directory.live("a")] == [idle.name, busy.name]


def test_a_dialler_without_a_link_is_shown_as_what_it_is_doing() -> None:
    town = Town()
    town.directory.expect(Expecting("bank-1"))
    assert [(view.name, view.state) for view in town.directory.snapshot()] == [("bank-1", "connecting")]


def test_a_link_shows_what_it_is_doing() -> None:
    town = Town()
    town.clock.advance(50.0)
    town.open("a-1", "a")
    (link,) = town.directory.live("a")
    link.ask(purchase(), 20.0)
    (view,) = town.directory.snapshot()
    assert view == LinkView(
        name="a-1",
        institution="a",
        protocol="iso8583",
        direction="listens",
        state="up",
        since=datetime.datetime(2026, 11, 20, 12, 30, 15, tzinfo=datetime.UTC),
        in_flight=1,
        in_hand=0,
        peer="192.168.1.1:54321",
        last_in_s=50.0,
        last_out_s=50.0,
    )


def test_how_an_institution_stands_is_told_on_change_and_when_asked() -> None:
    town = Town()
    first = town.open("a-1", "a")
    town.open("a-2", "a", Protocol.FIN)
    assert town.meter.of("link_state")[-1] == ("a", 2, 2, 0)
    (link,) = town.directory.live("a")
    link.ask(purchase("000001"), 20.0)
    link.ask(purchase("000002"), 20.0)
    town.directory.measure()
    assert town.meter.of("link_state")[-1] == ("a", 2, 2, 2)
    first.wire.dataReceived(make_framer("length2", 9_999).wrap(encode(SPEC, respond(purchase("000001"), "00"))))
    town.directory.measure()
    assert town.meter.of("link_state")[-1] == ("a", 2, 2, 1)
    first.wire.connectionLost()
    town.directory.measure()
    assert town.meter.of("link_state")[-1] == ("a", 1, 1, 0)


def test_leaving_closes_every_link_and_says_when_they_are_gone() -> None:
    town = Town()
    for number in range(3):
        town.open(f"a-{number}", "a")
    gone: list[None] = []
    town.directory.leave_all().addCallback(gone.append)
    assert town.directory.live_names() == {"a": ()}
    assert gone == []
    town.clock.advance(0)
    assert gone == [None]
    assert town.directory.snapshot() == ()
    assert town.clock.getDelayedCalls() == []


def test_leaving_when_nobody_is_there_is_done_at_once() -> None:
    gone: list[None] = []
    Town().directory.leave_all().addCallback(gone.append)
    assert gone == [None]
