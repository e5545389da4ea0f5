"""The load generator against a peer that answers, over real TCP and TLS."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any

import attrs
import pytest
import pytest_twisted
from answering import Answering, Replies, reactor
from junctor.codecs.iso8583 import Message, Spec, encode, respond
from junctor.codecs.masking import Pan
from junctor.simulators.load import LoadPlan, run_load
from junctor.simulators.load_report import LoadReport, LoadSecond
from junctor.simulators.load_tally import LoadTally
from junctor.simulators.prepared import Requests
from junctor.simulators.scenarios import Leg
from junctor.simulators.schedule import Arrivals
from junctor.simulators.slips import Card, TerminalProfile, request
from junctor.simulators.wire import Address, Unreachable

AT = datetime(2026, 11, 20, 15, 4, 21, tzinfo=UTC)
MakePeer = Callable[[Replies], Awaitable[tuple[Answering, Address]]]


def approve(message: Message) -> list[Message]:
    return [respond(message, "00", {38: "123456"})]


@pytest.fixture
def requests(ascii_spec: Spec) -> Requests:
    profile = TerminalProfile("TERM0001", "MERCHANT0000001", "12345678901")
    template = request(profile, Card(Pan("4761739001010119"), "978"), Leg("0200"), 1_250, "000001", AT)
    return Requests(ascii_spec, "length2", [template], AT, first_rrn=1, chunk=10)


async def run(plan: LoadPlan, requests: Requests, **changes: Any) -> LoadReport:
    return await run_load(reactor, plan, requests, Random(1), **changes)


@pytest_twisted.ensureDeferred
async def test_a_closed_loop_sends_the_planned_number_and_each_is_answered(
    make_peer: MakePeer, requests: Requests
) -> None:
    peer, address = await make_peer(approve)
    plan = LoadPlan(address, connections=4, in_flight=3, seconds=10.0, count_max=100, prepared=50)
    report = await run(plan, requests)
    assert report.is_clean
    assert (report.sent, report.answered, report.codes, report.measured) == (100, 100, {"00": 100}, 100)
    assert peer.connections == 4
    assert sorted(str(message[37]) for message in peer.heard) == [f"{number:012d}" for number in range(1, 101)]
    assert 0 < report.latency.p50_ms <= report.latency.max_ms


@pytest_twisted.ensureDeferred
async def test_no_connection_has_more_in_flight_than_planned(make_peer: MakePeer, requests: Requests) -> None:
    peer, address = await make_peer(lambda message: [])
    plan = LoadPlan(address, connections=2, in_flight=5, seconds=0.2, timeout_s=0.05)
    report = await run(plan, requests)
    assert len(peer.heard) == 10
    assert (report.sent, report.answered, report.timeouts) == (10, 0, 10)
    assert not report.is_clean


@pytest_twisted.ensureDeferred
async def test_an_open_loop_sends_at_its_rate_whatever_the_answers(make_peer: MakePeer, requests: Requests) -> None:
    _, address = await make_peer(approve)
    plan = LoadPlan(
        address, connections=4, in_flight=10, per_second=500.0, arrivals=Arrivals.FIXED, seconds=0.4, warmup_s=0.1
    )
    report = await run(plan, requests)
    assert 440 <= report.per_second <= 560
    assert report.is_clean
    assert report.mode == "open fixed"
    assert report.measured < report.sent


@pytest_twisted.ensureDeferred
async def test_a_latency_of_the_open_loop_counts_from_when_it_was_due(
    make_peer: MakePeer, requests: Requests
) -> None:
    """One place in flight and answers that take 20 ms: at 100 a second the queue grows, and each wait is told."""
    peer: Answering

    def later(message: Message) -> list[Message]:
        reactor.callLater(0.02, answer, message)
        return []

    def answer(message: Message) -> None:
        peer.wires[0].send(encode(peer.spec, approve(message)[0]))

    peer, address = await make_peer(later)
    plan = LoadPlan(
        address, connections=1, in_flight=1, per_second=100.0, arrivals=Arrivals.FIXED, seconds=0.6, waiting_max=8
    )
    report = await run(plan, requests)
    assert report.latency.max_ms > 80  # eight others were waiting before it, 20 ms each
    assert report.latency.p50_ms > 40
    assert report.unsent > 0  # beyond eight waiting nothing more is taken
    assert report.answered == report.sent


@pytest_twisted.ensureDeferred
async def test_codes_strays_second_answers_and_garbage_are_counted_apart(
    make_peer: MakePeer, requests: Requests
) -> None:
    def confused(message: Message) -> Sequence[Message | bytes]:
        match int(str(message[11])) % 4:
            case 0:
                return [respond(message, "51")]
            case 1:
                return [*approve(message), *approve(message)]
            case 2:
                return [b"garbage", *approve(message)]
            case _:
                return approve(message)

    _, address = await make_peer(confused)
    plan = LoadPlan(address, connections=1, in_flight=1, seconds=10.0, count_max=40, prepared=0)
    report = await run(plan, requests)
    assert report.codes == {"00": 30, "51": 10}
    assert report.undecodable == 10
    assert 9 <= report.unmatched <= 10  # the last second answer may come after the end
    assert not report.is_clean


@pytest_twisted.ensureDeferred
async def test_a_lost_connection_is_told_with_what_was_in_flight_and_ends_a_run_that_has_no_other(
    make_peer: MakePeer, requests: Requests
) -> None:
    peer: Answering

    def hang_up(message: Message) -> list[Message]:
        if message[37] == "000000000003":
            peer.wires[0].cut()
            return []
        return approve(message)

    peer, address = await make_peer(hang_up)
    report = await run(LoadPlan(address, connections=1, in_flight=1, seconds=10.0), requests)
    assert (report.sent, report.answered, report.lost, report.lost_connections) == (3, 2, 1, 1)
    assert report.seconds < 5


@pytest_twisted.ensureDeferred
async def test_frames_that_come_in_pieces_and_many_at_once_are_cut_alike(
    make_peer: MakePeer, requests: Requests
) -> None:
    peer: Answering
    frames: list[bytes] = []

    def in_pieces(message: Message) -> list[Message]:
        body = encode(peer.spec, approve(message)[0])
        frames.append(len(body).to_bytes(2, "big") + body)
        if len(frames) == 4:
            stream = b"\0\0" + b"".join(frames)
            for start in range(0, len(stream), 7):
                reactor.callLater(start / 50_000, peer.push, stream[start : start + 7])
            frames.clear()
        return []

    peer, address = await make_peer(in_pieces)
    report = await run(LoadPlan(address, connections=1, in_flight=4, seconds=10.0, count_max=40), requests)
    assert report.codes == {"00": 40}
    assert report.is_clean


@pytest_twisted.ensureDeferred
async def test_load_runs_over_mutual_tls_and_trusts_only_its_authority(
    ascii_spec: Spec, requests: Requests, identities: Any
) -> None:
    peer = Answering(ascii_spec, approve)
    plain = await peer.listen(identities.server)
    address = Address(plain.host, plain.port, identities.client, "localhost")
    plan = LoadPlan(address, connections=3, in_flight=8, seconds=10.0, count_max=200)
    report = await run(plan, requests)
    assert report.codes == {"00": 200}
    assert report.is_clean
    for wrong in (attrs.evolve(address, server_name="bank.example"), attrs.evolve(address, tls=identities.stranger)):
        with pytest.raises(Unreachable):
            await run(attrs.evolve(plan, address=wrong), requests)
    await peer.close()


@pytest_twisted.ensureDeferred
async def test_a_closed_door_is_unreachable(ascii_spec: Spec, requests: Requests) -> None:
    peer = Answering(ascii_spec, approve)
    address = await peer.listen()
    await peer.close()
    with pytest.raises(Unreachable):
        await run(LoadPlan(address, connections=2), requests)


@pytest_twisted.ensureDeferred
async def test_progress_is_told_every_second_and_the_report_is_json(make_peer: MakePeer, requests: Requests) -> None:
    _, address = await make_peer(lambda message: [])
    seconds: list[LoadSecond] = []
    plan = LoadPlan(address, connections=1, in_flight=2, seconds=1.05, timeout_s=0.01)
    report = await run(plan, requests, progress=seconds.append)
    assert [second.second for second in seconds] == [1]
    assert report.by_second == tuple(seconds)
    values = json.loads(report.to_json())
    assert values["sent"] == report.sent
    assert values["latency"]["p99_ms"] == 0.0
    assert values["is_clean"] is False


def test_only_the_window_is_measured_and_everything_is_counted() -> None:
    tally = LoadTally()
    tally.sent = 5
    tally.hear("00", 9.0)
    tally.begin_window(now_s=100.0, cpu_s=1.0)
    tally.hear("00", 0.010)
    assert tally.end_second(in_flight=3, waiting=0).answered == 2
    tally.hear("51", 0.030)
    tally.end_window(now_s=102.0, cpu_s=1.0001)
    tally.hear("00", 9.0)
    report = tally.report("closed", 1, 1, None, 0)
    assert (report.sent, report.answered, report.codes) == (5, 4, {"00": 3, "51": 1})
    assert (report.seconds, report.measured, report.per_second, report.approved_per_second) == (2.0, 2, 1.0, 0.5)
    assert report.latency.max_ms == 30.0
    assert report.cpu_us_per_transaction == 50.0
