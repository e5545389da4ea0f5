"""Many terminals at once, against an issuer that answers for the switch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from random import Random

import pytest
import pytest_twisted
from answering import Answering, Replies, reactor
from junctor.codecs.iso8583 import Message, Spec, respond
from junctor.codecs.masking import Pan
from junctor.simulators.fleet import Fleet
from junctor.simulators.scenarios import make_mix
from junctor.simulators.slips import Card, Stans, TerminalProfile
from junctor.simulators.tally import Tally
from junctor.simulators.terminal import Terminal, TerminalSettings
from junctor.simulators.wire import Address

AT = datetime(2026, 11, 20, 15, 4, 21, tzinfo=UTC)
OWN = [Card(Pan(f"5500000000000{number}"), "978", "own", f"account-{number}") for number in (104, 112)]
THEIRS = Card(Pan("4761739001010119"), "978", "issuer")
MIX = make_mix([("purchase", 4), ("transfer", 2), ("reversal", 2), ("repeat", 1), ("declined for funds", 1)])


def decide(message: Message) -> list[Message]:
    return [respond(message, "51" if str(message[4]).endswith("51") else "00", {38: "123456"})]


def make_terminals(address: Address, spec: Spec, tally: Tally, count: int) -> list[Terminal]:
    settings = TerminalSettings(address, spec, patience_s=5.0)
    return [
        Terminal(
            reactor,
            settings,
            TerminalProfile(f"TERM{number:04d}", "MERCHANT0000001", "12345678901"),
            tally,
            lambda: AT,
            Stans(),
        )
        for number in range(count)
    ]


@pytest_twisted.ensureDeferred
async def test_terminals_work_at_once_at_about_their_rate_and_end_their_scenarios(
    make_peer: Callable[[Replies], Awaitable[tuple[Answering, Address]]], ascii_spec: Spec
) -> None:
    peer, address = await make_peer(decide)
    tally = Tally()
    terminals = make_terminals(address, ascii_spec, tally, 8)
    fleet = Fleet(reactor, terminals, [*OWN, THEIRS], MIX, 200.0, Random(3))
    await fleet.work(1.0)
    counts = tally.counts()
    assert counts.is_clean, counts.problems
    assert 120 < counts.scenarios < 280
    assert peer.connections == 8
    assert {str(message[41]) for message in peer.heard} == {f"TERM{number:04d}" for number in range(8)}
    transfers = [message for message in peer.heard if str(message[3]).startswith("40")]
    assert transfers
    assert all(message[102] != message[103] for message in transfers)
    assert all(str(message[2]).startswith("5500") for message in transfers)
    assert {str(message[2])[:4] for message in peer.heard if str(message[4]).endswith("51")} == {"4761"}


@pytest_twisted.ensureDeferred
async def test_a_fleet_that_is_stopped_begins_nothing_more(
    make_peer: Callable[[Replies], Awaitable[tuple[Answering, Address]]], ascii_spec: Spec
) -> None:
    _, address = await make_peer(decide)
    tally = Tally()
    fleet = Fleet(reactor, make_terminals(address, ascii_spec, tally, 2), [*OWN, THEIRS], MIX, 100.0, Random(3))
    reactor.callLater(0.1, fleet.stop)
    await fleet.work(60.0)
    assert tally.counts().is_clean


def test_a_mix_that_asks_for_cards_which_are_not_there_is_a_mistake_of_ours() -> None:
    with pytest.raises(AssertionError, match="no card for transfer"):
        Fleet(reactor, [], [THEIRS], MIX, 1.0, Random(1))
