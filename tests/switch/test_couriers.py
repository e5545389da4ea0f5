from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from junctor.config.settings import DeliverySettings
from junctor.ledger.operations import Attempt, Bury, Delivered, Done, Gone, Item, Outcome, Postpone
from junctor.switch.books import Unavailable
from junctor.switch.couriers import Attempted, Courier, Head, Verdict
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

SETTINGS = DeliverySettings(
    ack_timeout_s=20,
    backoff_initial_s=1,
    backoff_factor=2,
    backoff_max_s=6,
    backoff_jitter=0.5,
    attempts_max=4,
    poll_s=5,
)


class Lane:
    """A lane in memory that obeys the ledger's words."""

    def __init__(self, clock: Clock, *seqs: int) -> None:
        self.clock = clock
        self.waiting = [self.head(seq) for seq in seqs]
        self.items: list[Item] = []
        self.is_available = True

    def head(self, seq: int, attempts: int = 0, not_before_us: int = 0, expires_us: int | None = None) -> Head:
        return Head("bank", seq, "reversal", b"", attempts, not_before_us, 0, expires_us)

    def find_head(self, lane: str) -> Deferred[Head | None]:
        assert lane == "bank"
        return succeed(self.waiting[0] if self.waiting else None)

    def submit(self, item: Item) -> Deferred[Outcome | Unavailable]:
        self.items.append(item)
        return succeed(self._carry_out(item) if self.is_available else Unavailable())

    def _carry_out(self, item: Item) -> Outcome:
        assert isinstance(item, Attempt | Delivered | Postpone | Bury)
        if not self.waiting or self.waiting[0].seq != item.seq:
            return Gone()
        head = self.waiting[0]
        match item:
            case Attempt():
                self.waiting[0] = self.head(head.seq, head.attempts + 1, head.not_before_us, head.expires_us)
                return Done(head.attempts + 1)
            case Postpone(not_before_us=not_before_us):
                self.waiting[0] = self.head(head.seq, head.attempts, not_before_us, head.expires_us)
            case _:
                self.waiting.pop(0)
        return Done()

    def named(self, kind: type) -> list[Item]:
        return [item for item in self.items if isinstance(item, kind)]


class Peer:
    """A carrier whose verdicts are given by the test, one per attempt."""

    def __init__(self, *verdicts: Attempted) -> None:
        self.verdicts = list(verdicts)
        self.carried: list[tuple[int, int]] = []
        self.ready = True

    def is_ready(self) -> bool:
        return self.ready

    async def carry(self, head: Head, attempt: int) -> Attempted:
        self.carried.append((head.seq, attempt))
        return self.verdicts.pop(0) if self.verdicts else Attempted(Verdict.DELIVERED)


class Counter:
    def __init__(self) -> None:
        self.attempts: list[str] = []
        self.delivered_kinds: list[str] = []

    def delivery_attempt(self, lane: str, result: str) -> None:
        self.attempts.append(result)

    def delivered(self, lane: str, kind: str) -> None:
        self.delivered_kinds.append(kind)


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.advance(1_000)
    return clock


def courier(clock: Clock, lane: Lane, peer: Peer, random: Callable[[], float] = lambda: 0.0) -> Courier:
    return Courier("bank", clock, lane, lane.find_head, peer, SETTINGS, random, Counter())


RETRY = Attempted(Verdict.RETRY, "no answer")


def test_a_lane_is_delivered_in_order(clock: Clock) -> None:
    lane, peer = Lane(clock, 1, 2, 3), Peer()
    courier(clock, lane, peer).wake()
    assert peer.carried == [(1, 1), (2, 1), (3, 1)]
    assert lane.waiting == []


def test_an_attempt_is_written_down_before_it_is_made(clock: Clock) -> None:
    lane = Lane(clock, 1)

    class Witness(Peer):
        async def carry(self, head: Head, attempt: int) -> Attempted:
            assert lane.items == [Attempt("bank", 1, 1_020_000_000)]
            return await super().carry(head, attempt)

    peer = Witness()
    courier(clock, lane, peer).wake()
    assert peer.carried == [(1, 1)]


def test_after_silence_the_same_head_is_tried_again_and_nothing_overtakes_it(clock: Clock) -> None:
    lane, peer = Lane(clock, 1, 2), Peer(RETRY, RETRY)
    courier(clock, lane, peer).wake()
    assert peer.carried == [(1, 1)]
    clock.advance(1)
    assert peer.carried == [(1, 1), (1, 2)]
    clock.advance(1.9)
    assert len(peer.carried) == 2
    clock.advance(0.2)
    assert peer.carried[2:] == [(1, 3), (2, 1)]


def test_waits_grow_to_their_maximum(clock: Clock) -> None:
    lane, peer = Lane(clock, 1), Peer(RETRY, RETRY, RETRY)
    courier(clock, lane, peer).wake()
    for _ in range(200):
        clock.advance(0.1)
    postponed = [item.not_before_us for item in lane.named(Postpone) if isinstance(item, Postpone)]
    assert postponed[0] == 1_001_000_000
    assert [round((after - before) / 1e6) for before, after in pairwise(postponed)] == [2, 4]


def test_jitter_shortens_a_wait_by_at_most_its_share(clock: Clock) -> None:
    lane, peer = Lane(clock, 1), Peer(RETRY)
    courier(clock, lane, peer, random=lambda: 1.0).wake()
    assert lane.named(Postpone) == [Postpone("bank", 1, 1_000_500_000, "no answer")]


def test_the_attempts_have_an_end_and_what_was_sent_stays_set_aside(clock: Clock) -> None:
    lane, peer = Lane(clock, 1, 2), Peer(RETRY, RETRY, RETRY, RETRY)
    courier(clock, lane, peer).wake()
    for _ in range(300):
        clock.advance(0.1)
    assert lane.named(Bury) == [Bury("bank", 1, "no acknowledgement within the limits", releases=False)]
    assert peer.carried[-1] == (2, 1), "the next one goes on"


def test_age_has_an_end_even_when_nothing_was_ever_sent(clock: Clock) -> None:
    lane, peer = Lane(clock), Peer()
    lane.waiting = [lane.head(1, expires_us=999_000_000)]
    courier(clock, lane, peer).wake()
    assert peer.carried == []
    assert lane.named(Bury) == [Bury("bank", 1, "no acknowledgement within the limits", releases=True)]


def test_a_refused_delivery_is_a_dead_letter_with_the_reason(clock: Clock) -> None:
    lane, peer = Lane(clock, 1, 2), Peer(Attempted(Verdict.REFUSED, "NAK T27005"))
    courier(clock, lane, peer).wake()
    assert lane.named(Bury) == [Bury("bank", 1, "NAK T27005", releases=True)]
    assert peer.carried == [(1, 1), (2, 1)]


def test_without_a_link_nothing_is_attempted_until_one_comes_up(clock: Clock) -> None:
    lane, peer = Lane(clock, 1), Peer()
    peer.ready = False
    carried = courier(clock, lane, peer)
    carried.wake()
    clock.advance(60)
    assert lane.items == []
    peer.ready = True
    carried.wake()
    assert peer.carried == [(1, 1)]


def test_without_a_database_nothing_is_sent(clock: Clock) -> None:
    lane, peer = Lane(clock, 1), Peer()
    lane.is_available = False
    courier(clock, lane, peer).wake()
    assert peer.carried == []
    lane.is_available = True
    clock.advance(SETTINGS.poll_s)
    assert peer.carried == [(1, 1)]


def test_a_stopped_courier_takes_nothing_more_in_hand(clock: Clock) -> None:
    lane, peer = Lane(clock, 1, 2), Peer(RETRY)
    carrier = courier(clock, lane, peer)
    carrier.wake()
    stopped: list[None] = []
    carrier.stop().addCallback(stopped.append)
    clock.advance(100)
    assert peer.carried == [(1, 1)]
    assert stopped == [None]
