"""The watch over the keys: read at the start, read every minute, and a round that fails changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
from junctor.switch.keywatch import INTERVAL_S, KeyRow, KeyWatch
from twisted.internet.defer import Deferred, execute
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.python.failure import Failure


@attrs.frozen
class Row:
    purpose: str
    state: str
    activated_us: int | None


class Ring:
    """A key ring that counts how often it was opened, and may be out of reach."""

    def __init__(self) -> None:
        self.opened = 0
        self.is_down = False

    def open(self) -> None:
        if self.is_down:
            raise OSError("gone")
        self.opened += 1

    def report(self) -> list[Row]:
        return [Row("data", "decrypt-only", 1), Row("data", "active", 7_000_000), Row("data", "pre-active", None)]


class Meter:
    def __init__(self) -> None:
        self.seen: list[tuple[str, float]] = []

    def key_activated(self, purpose: str, timestamp_s: float) -> None:
        self.seen.append((purpose, timestamp_s))


class Thread:
    """The reading thread, in this one."""

    def read(self, work: Callable[[], Sequence[KeyRow]]) -> Deferred[Sequence[KeyRow]]:
        return execute(work)


def test_keys_are_read_at_the_start_and_every_minute_until_the_stop() -> None:
    clock, ring, meter = Clock(), Ring(), Meter()
    watch = KeyWatch(clock, Thread(), ring, meter)
    Deferred.fromCoroutine(watch.start())
    assert meter.seen == [("data", 7.0)], "the key in use, and since when"
    clock.advance(INTERVAL_S - 1)
    assert ring.opened == 1
    clock.advance(1)
    assert ring.opened == 2
    watch.stop()
    clock.advance(10 * INTERVAL_S)
    assert ring.opened == 2


def test_a_round_that_fails_is_told_and_the_next_one_comes() -> None:
    clock, ring = Clock(), Ring()
    watch = KeyWatch(clock, Thread(), ring, Meter())
    Deferred.fromCoroutine(watch.start())
    ring.is_down = True
    with capturedLogs() as heard:
        clock.advance(INTERVAL_S)
    assert [(event["log_format"], event["why"]) for event in heard] == [
        ("the keys could not be read: {why}", "OSError")
    ]
    ring.is_down = False
    clock.advance(INTERVAL_S)
    assert ring.opened == 2
    watch.stop()


def test_keys_that_cannot_be_read_at_the_start_end_it() -> None:
    ring = Ring()
    ring.is_down = True
    started = Deferred.fromCoroutine(KeyWatch(Clock(), Thread(), ring, Meter()).start())
    failures: list[Failure] = []
    started.addErrback(failures.append)
    assert [failure.type for failure in failures] == [OSError]
