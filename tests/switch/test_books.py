"""The door to the ledger, with a writer whose commits the test lets through one by one. Threads are real here."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import attrs
import pytest_twisted
from junctor.config.settings import DatabaseSettings
from junctor.ledger.operations import Done, Item, Outcome, OutcomeUnknown, Silence, StoreUnavailable
from junctor.switch.books import Books, Unavailable
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater


class Ledger:
    """Keeps what was committed; each commit waits for a permit and then ends as the script says."""

    def __init__(self) -> None:
        self.permits = threading.Semaphore(0)
        self.script: list[type[Exception] | None] = []
        self.applied: list[bytes] = []
        self.batches: list[int] = []
        self.opened = 0

    def open(self) -> Ledger:
        self.opened += 1
        return self

    def commit(self, items: Sequence[Item]) -> list[Outcome]:
        self.permits.acquire()
        fault = self.script.pop(0) if self.script else None
        if fault is StoreUnavailable:
            raise StoreUnavailable
        keys = [item.key for item in items if isinstance(item, Silence)]
        new = [key for key in keys if key not in self.applied]
        self.applied.extend(new)
        if fault is OutcomeUnknown:
            raise OutcomeUnknown
        self.batches.append(len(items))
        return [Done(len(self.applied)) for _ in items]

    def close(self) -> None:
        pass


class Meter:
    def __init__(self) -> None:
        self.errors: list[str] = []

    def batch(self, items: int, seconds: float) -> None:
        assert seconds >= 0

    def database_error(self, kind: str) -> None:
        self.errors.append(kind)

    def queue_depth(self, items: int) -> None:
        assert items >= 0


SETTINGS = DatabaseSettings(batch_items_max=4, queue_items_max=10, linger_ms=0.0)


def items(*names: str) -> list[Item]:
    return [Silence(name.encode()) for name in names]


def pause(seconds: float) -> Deferred[None]:
    return deferLater(reactor, seconds, lambda: None)  # type: ignore[arg-type]


async def until(condition: object) -> None:
    assert callable(condition)
    for _ in range(2_000):
        if condition():
            return
        await pause(0.005)
    raise AssertionError("it did not come to pass within ten seconds")


def start(ledger: Ledger, settings: DatabaseSettings = SETTINGS) -> tuple[Books, Meter]:
    meter = Meter()
    books = Books(reactor, ledger.open, settings, meter)  # type: ignore[arg-type]
    books.start()
    return books, meter


@pytest_twisted.ensureDeferred
async def test_what_queued_during_a_commit_is_the_next_batch() -> None:
    ledger = Ledger()
    books, _ = start(ledger)
    first = books.submit(items("a")[0])
    await until(lambda: books.waiting == 0)
    rest = [books.submit(item) for item in items("b", "c", "d", "e", "f")]
    for _ in range(3):
        ledger.permits.release()
    await gatherResults([first, *rest])
    assert ledger.batches == [1, 4, 1], "at most four in a batch"
    assert ledger.applied == [b"a", b"b", b"c", b"d", b"e", b"f"]
    await books.stop()


@pytest_twisted.ensureDeferred
async def test_a_full_queue_refuses_at_once_and_says_that_nothing_was_written() -> None:
    ledger = Ledger()
    books, _ = start(ledger)
    first = books.submit(items("first")[0])
    await until(lambda: books.waiting == 0)
    queued = [books.submit(item) for item in items(*map(str, range(SETTINGS.queue_items_max)))]
    over = await books.submit(items("over")[0])
    assert over == Unavailable()
    for _ in range(4):
        ledger.permits.release()
    await gatherResults([first, *queued])
    assert b"over" not in ledger.applied
    await books.stop()


@pytest_twisted.ensureDeferred
async def test_a_database_that_is_gone_is_said_at_once_and_noticed_when_it_is_back() -> None:
    ledger = Ledger()
    books, meter = start(ledger)
    ledger.script = [StoreUnavailable, StoreUnavailable]
    ledger.permits.release()
    assert await books.submit(items("lost")[0]) == Unavailable()
    assert not books.is_available
    assert await books.submit(items("refused")[0]) == Unavailable(), "without asking the database"
    for _ in range(2):
        ledger.permits.release()
    await until(lambda: books.is_available)
    ledger.permits.release()
    assert await books.submit(items("kept")[0]) == Done(1)
    assert ledger.applied == [b"kept"]
    assert ledger.opened == 3, "a broken store is opened anew"
    assert meter.errors == ["unavailable"]
    await books.stop()


@pytest_twisted.ensureDeferred
async def test_a_commit_that_broke_is_asked_again_and_nobody_is_answered_before() -> None:
    ledger = Ledger()
    books, meter = start(ledger)
    ledger.script = [OutcomeUnknown, StoreUnavailable]
    answered = books.submit(items("once")[0])
    for _ in range(2):
        ledger.permits.release()
    await until(lambda: len(meter.errors) == 2)
    assert not answered.called
    assert ledger.applied == [b"once"], "it was written, and only the answer was lost"
    ledger.permits.release()
    assert await answered == Done(1)
    assert ledger.applied == [b"once"]
    await books.stop()


@pytest_twisted.ensureDeferred
async def test_whatever_waits_while_a_commit_is_unsure_is_told_that_nothing_was_written() -> None:
    ledger = Ledger()
    books, _ = start(ledger)
    ledger.script = [OutcomeUnknown]
    unsure = books.submit(items("unsure")[0])
    await until(lambda: books.waiting == 0)
    waiting = books.submit(items("waiting")[0])
    ledger.permits.release()
    assert await waiting == Unavailable()
    ledger.permits.release()
    assert await unsure == Done(1)
    await books.stop()


@pytest_twisted.ensureDeferred
async def test_stopping_commits_what_is_queued() -> None:
    ledger = Ledger()
    books, _ = start(ledger)
    outcomes = [books.submit(item) for item in items("a", "b")]
    stopped = books.stop()
    for _ in range(2):
        ledger.permits.release()
    await gatherResults(outcomes)
    await stopped
    assert ledger.applied == [b"a", b"b"]
    assert await books.submit(items("late")[0]) == Unavailable()


@pytest_twisted.ensureDeferred
async def test_reads_run_beside_the_writer() -> None:
    ledger = Ledger()
    books, _ = start(ledger)
    blocked = books.submit(items("blocked")[0])
    assert await books.read(lambda: attrs.evolve(SETTINGS).batch_items_max) == 4
    ledger.permits.release()
    await blocked
    await books.stop()
