"""A terminal against a peer that answers, forgets, answers twice or answers wrongly."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
import pytest_twisted
from answering import Answering, Replies, reactor
from junctor.codecs.iso8583 import Message, Spec, respond
from junctor.codecs.masking import Pan
from junctor.config.settings import TlsSettings
from junctor.simulators.scenarios import get_scenario
from junctor.simulators.slips import Card, Stans, TerminalProfile
from junctor.simulators.tally import Counts, Tally
from junctor.simulators.terminal import Terminal, TerminalSettings
from junctor.simulators.wire import Address

AT = datetime(2026, 11, 20, 15, 4, 21, tzinfo=UTC)
PROFILE = TerminalProfile("TERM0001", "MERCHANT0000001", "12345678901")
CARD = Card(Pan("4761739001010119"), "978", account="anna")


def approve(message: Message) -> list[Message]:
    return [respond(message, "00", {38: "123456"})]


MakePeer = Callable[[Replies], Awaitable[tuple[Answering, Address]]]


@attrs.frozen
class Played:
    """What came of a scenario: the tally, and what the peer heard."""

    counts: Counts
    heard: list[Message]
    connections: int


Play = Callable[..., Awaitable[Played]]


@pytest.fixture
def play(make_peer: MakePeer, ascii_spec: Spec) -> Play:
    """Play one scenario against a peer that answers as told."""

    async def play(name: str, replies: Replies, patience_s: float = 5.0) -> Played:
        peer, address = await make_peer(replies)
        tally = Tally()
        settings = TerminalSettings(
            address, ascii_spec, patience_s=patience_s, reversal_interval_s=0.01, attempts_max=3
        )
        terminal = Terminal(reactor, settings, PROFILE, tally, lambda: AT, Stans())
        await terminal.play(get_scenario(name), CARD, 1_200, to="bert")
        terminal.close()
        return Played(tally.counts(), peer.heard, peer.connections)

    return play


@pytest.mark.parametrize(
    ("name", "mtis"),
    [
        ("purchase", ["0200"]),
        ("withdrawal", ["0200"]),
        ("deposit", ["0200"]),
        ("transfer", ["0200"]),
        ("payment", ["0200"]),
        ("pre-authorisation and completion", ["0100", "0220"]),
        ("refund", ["0200"]),
        ("reversal", ["0200", "0400"]),
        ("partial reversal", ["0200", "0420"]),
        ("pre-authorisation reversed", ["0100", "0420"]),
        ("repeat", ["0200", "0201"]),
        ("advice", ["0220"]),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_scenario_sends_its_legs_and_counts_one_answer_to_each(
    play: Play, name: str, mtis: list[str]
) -> None:
    played = await play(name, approve)
    assert [message.mti for message in played.heard] == mtis
    assert played.counts.is_clean, played.counts.problems
    assert played.counts.once == len(mtis)
    assert played.counts.codes == {"00": len(mtis)}


@pytest_twisted.ensureDeferred
async def test_nothing_follows_a_first_leg_that_was_declined(play: Play) -> None:
    played = await play("reversal", lambda message: [respond(message, "51")])
    assert [message.mti for message in played.heard] == ["0200"]
    assert played.counts.is_clean
    assert played.counts.outcomes == {("reversal", "51"): 1}


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_hangs_up_reverses_over_a_new_connection(play: Play) -> None:
    played = await play("reversal after no answer", approve)
    assert sorted(message.mti for message in played.heard) == ["0200", "0420"]
    assert played.connections == 2
    assert (played.counts.sent, played.counts.cut, played.counts.once) == (2, 1, 1)
    assert played.counts.is_clean, played.counts.problems


@pytest_twisted.ensureDeferred
async def test_a_reversal_is_repeated_until_it_is_answered(play: Play) -> None:
    def forgetful(message: Message) -> list[Message]:
        return [] if message.mti == "0420" else approve(message)

    played = await play("partial reversal", forgetful, patience_s=0.05)
    assert [message.mti for message in played.heard] == ["0200", "0420", "0421"]
    assert played.heard[2].fields == played.heard[1].fields
    assert (played.counts.never, played.counts.once) == (1, 2)


@pytest_twisted.ensureDeferred
async def test_a_reversal_that_nobody_answers_is_given_up_after_its_attempts(play: Play) -> None:
    def deaf(message: Message) -> list[Message]:
        return approve(message) if message.mti == "0200" else []

    played = await play("reversal", deaf, patience_s=0.03)
    assert [message.mti for message in played.heard] == ["0200", "0400", "0401", "0401"]
    assert played.counts.never == 3


@pytest_twisted.ensureDeferred
async def test_a_request_without_an_answer_is_counted_and_reversed(play: Play) -> None:
    def silent(message: Message) -> list[Message]:
        return [] if message.mti == "0200" else approve(message)

    played = await play("purchase", silent, patience_s=0.05)
    assert [message.mti for message in played.heard] == ["0200", "0420"]
    assert played.heard[1][90] == "0200" + "000001" + "1120150421" + "12345678901" + "0" * 11
    assert played.counts.never == 1
    assert not played.counts.is_clean


@pytest_twisted.ensureDeferred
async def test_a_second_answer_is_noticed(play: Play) -> None:
    def eager(message: Message) -> list[Message]:
        return approve(message) * 2 if message.mti == "0100" else approve(message)

    played = await play("pre-authorisation reversed", eager)
    assert (played.counts.once, played.counts.twice) == (1, 1)
    assert not played.counts.is_clean


@pytest_twisted.ensureDeferred
async def test_an_answer_to_somebody_else_is_unexpected_and_answers_nothing(play: Play) -> None:
    def confused(message: Message) -> list[Message]:
        return [respond(message, "00", {11: "999999"}), *approve(message)]

    played = await play("purchase", confused)
    assert (played.counts.once, played.counts.unexpected) == (1, 1)
    assert not played.counts.is_clean


@pytest.mark.parametrize(
    ("name", "change", "problem"),
    [
        ("purchase", {39: "05"}, "purchase: 0200 was answered 05, expected 00 or 51"),
        ("purchase", {41: "TERM0002"}, "purchase: DE41 is not the one asked with"),
        ("balance", {}, "balance: an approval without DE54"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_wrong_answer_is_told(play: Play, name: str, change: dict[int, str], problem: str) -> None:
    played = await play(name, lambda message: [respond(message, "00", change)])
    assert played.counts.problems == (problem,)
    assert (played.counts.once, played.counts.wrong) == (1, 1)


@pytest_twisted.ensureDeferred
async def test_a_repeat_must_be_answered_by_the_same_bytes(play: Play) -> None:
    def other(message: Message) -> list[Message]:
        return [respond(message, "00", {38: "123456" if message.mti == "0200" else "123457"})]

    played = await play("repeat", other)
    assert played.counts.problems == ("repeat: the repeat was answered by other bytes",)


@pytest_twisted.ensureDeferred
async def test_garbage_is_counted_and_told_without_its_content(play: Play) -> None:
    def garbling(message: Message) -> list[Message | bytes]:
        return [b"0210" + b"4761739001010119" * 3, *approve(message)]

    played = await play("purchase", garbling)
    assert (played.counts.once, played.counts.unexpected) == (1, 1)
    assert "4761739001010119" not in played.counts.problems[0]


@pytest_twisted.ensureDeferred
async def test_a_door_that_stays_closed_is_tried_only_so_often(ascii_spec: Spec) -> None:
    closed = Answering(ascii_spec, approve)
    address = await closed.listen()
    await closed.close()
    tally = Tally()
    settings = TerminalSettings(address, ascii_spec, reversal_interval_s=0.01, attempts_max=3)
    terminal = Terminal(reactor, settings, PROFILE, tally, lambda: AT, Stans())
    await terminal.play(get_scenario("advice"), CARD, 1_200)
    assert (tally.sent, tally.unreachable) == (0, 3)
    assert not tally.counts().is_clean


@pytest_twisted.ensureDeferred
async def test_a_terminal_speaks_mutual_tls_and_trusts_only_its_authority(ascii_spec: Spec, identities: Any) -> None:
    peer = Answering(ascii_spec, approve)
    plain = await peer.listen(identities.server)

    async def counts_with(tls: TlsSettings, server_name: str) -> Counts:
        tally = Tally()
        address = Address(plain.host, plain.port, tls, server_name)
        settings = TerminalSettings(address, ascii_spec, reversal_interval_s=0.01, attempts_max=1)
        terminal = Terminal(reactor, settings, PROFILE, tally, lambda: AT, Stans())
        await terminal.play(get_scenario("advice"), CARD, 1_200)
        terminal.close()
        return tally.counts()

    assert (await counts_with(identities.client, "localhost")).is_clean
    assert (await counts_with(identities.client, "bank.example")).unreachable == 1
    assert (await counts_with(identities.stranger, "localhost")).unreachable == 1
    await peer.close()
