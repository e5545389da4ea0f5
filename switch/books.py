"""The one door from the reactor to the ledger: a writer thread that commits in batches which size themselves.

Whatever queued while the previous commit ran is the next batch: one database transaction, one return to the reactor.
When the database cannot be used, whatever was certainly not written is `Unavailable` at once; a batch whose commit
broke half-way is asked again until the database says whether it was written, and nobody is answered before.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import attrs
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool

from ..config.settings import DatabaseSettings
from ..ledger.operations import Item, Outcome, OutcomeUnknown, StoreUnavailable

log = Logger()
T = TypeVar("T")

_LINGER_BELOW_ITEMS = 48
_PROBE_S = 0.25
_RATE_MEMORY = 0.2


@attrs.frozen
class Unavailable:
    """The database cannot be used: certainly nothing was written."""


class Writer(Protocol):
    """What the door needs of the ledger's store; used by the writer thread alone."""

    def commit(self, items: Sequence[Item]) -> list[Outcome]: ...
    def close(self) -> None: ...


class BooksMeter(Protocol):
    def batch(self, items: int, seconds: float) -> None: ...
    def database_error(self, kind: str) -> None: ...
    def queue_depth(self, items: int) -> None: ...


class Books:
    """Submit items, get outcomes; read beside it. Created in the reactor's thread and used from there only."""

    def __init__(
        self,
        reactor: IReactorFromThreads,
        open_writer: Callable[[], Writer],
        settings: DatabaseSettings,
        meter: BooksMeter,
    ) -> None:
        self._reactor = reactor
        self._open_writer = open_writer
        self._settings = settings
        self._meter = meter
        self._queue: list[tuple[Item, Deferred[Outcome | Unavailable]]] = []
        self._wake = threading.Condition()
        self._stopping = False
        self._is_down = False
        self._rate = 0.0
        self._stopped: Deferred[None] = Deferred()
        self._thread = threading.Thread(target=self._write_until_stopped, name="books", daemon=True)
        self._readers = ThreadPool(minthreads=1, maxthreads=1, name="books-reader")
        self._readers.threadFactory = _DaemonThread

    @property
    def is_available(self) -> bool:
        """True while the last word from the database was good."""
        return not self._is_down

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def start(self) -> None:
        self._thread.start()
        self._readers.start()

    def submit(self, item: Item) -> Deferred[Outcome | Unavailable]:
        """Queue an item for the next batch; fires with its outcome after the commit, never fails."""
        outcome: Deferred[Outcome | Unavailable] = Deferred()
        with self._wake:
            refused = self._is_down or self._stopping or len(self._queue) >= self._settings.queue_items_max
            if not refused:
                self._queue.append((item, outcome))
                if len(self._queue) == 1:
                    self._wake.notify()
        if refused:
            outcome.callback(Unavailable())
        return outcome

    def read(self, work: Callable[[], T]) -> Deferred[T]:
        """Run a read (which brings its own connection) in a thread of its own; fails as the work fails."""
        return deferToThreadPool(self._reactor, self._readers, work)

    def stop(self) -> Deferred[None]:
        """Commit what is queued, then end the threads; fires when they have ended."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread.ident is None:  # it never started
            return succeed(None)
        return self._stopped

    # ------------------------------------------------------------ the writer's thread

    def _write_until_stopped(self) -> None:
        writer = _ReopenedWriter(self._open_writer)
        started = time.monotonic()
        try:
            while True:
                batch = self._next_batch()
                if batch is None:
                    return
                begun = time.monotonic()
                gap, started = begun - started, begun
                self._rate += _RATE_MEMORY * (len(batch) / max(gap, 1e-6) - self._rate)
                outcomes = self._commit(writer, [item for item, _ in batch])
                if outcomes is None:
                    return
                self._reactor.callFromThread(self._answer, batch, outcomes, time.monotonic() - begun)
                if self._is_down:
                    self._probe_until_up(writer)
        finally:
            writer.close()
            self._reactor.callFromThread(self._ended)

    def _next_batch(self) -> list[tuple[Item, Deferred[Outcome | Unavailable]]] | None:
        settings, most = self._settings, self._settings.batch_items_max
        with self._wake:
            while not self._queue:
                if self._stopping:
                    return None
                self._wake.wait()
            if (
                len(self._queue) < _LINGER_BELOW_ITEMS
                and self._rate > settings.linger_above_per_second
                and not self._stopping
            ):
                # A short wait turns three tiny commits into one; it costs latency only where there is company.
                self._wake.wait(settings.linger_ms / 1000)
            batch = self._queue[:most]
            del self._queue[:most]
        return batch

    def _commit(self, writer: _ReopenedWriter, items: list[Item]) -> Sequence[Outcome | Unavailable] | None:
        """Commit a batch; None when the switch stops before the database said whether it was written."""
        pause_s = 0.05
        must_learn = False
        while True:
            try:
                outcomes = writer.commit(items)
            except OutcomeUnknown:
                # Written whole or not at all: only the database can say. Asking again is free of side effects.
                must_learn = True
                kind = "unknown"
            except StoreUnavailable:
                kind = "unavailable"
                if not must_learn:
                    self._mark(down=True, kind=kind)
                    return [Unavailable()] * len(items)
            else:
                self._mark(down=False)
                return outcomes
            self._mark(down=True, kind=kind)
            if self._stopping:
                return None
            time.sleep(pause_s)
            pause_s = min(pause_s * 2, 2.0)

    def _probe_until_up(self, writer: _ReopenedWriter) -> None:
        while not self._stopping:
            try:
                writer.commit([])
            except (StoreUnavailable, OutcomeUnknown):
                with self._wake:
                    self._wake.wait(_PROBE_S)
            else:
                self._mark(down=False)
                return

    def _mark(self, *, down: bool, kind: str = "") -> None:
        """Note whether the database can be used; while it cannot, whatever waits is told so at once."""
        if down:
            self._reactor.callFromThread(self._meter.database_error, kind)
        if down == self._is_down:
            return
        with self._wake:
            self._is_down = down
            refused, self._queue = (self._queue, []) if down else ([], self._queue)
        word = "unavailable" if down else "available again"
        self._reactor.callFromThread(log.warn if down else log.info, "the database is {word}", word=word)
        if refused:
            self._reactor.callFromThread(self._answer, refused, [Unavailable()] * len(refused), 0.0)

    # ------------------------------------------------------------ the reactor's thread

    def _answer(
        self,
        batch: list[tuple[Item, Deferred[Outcome | Unavailable]]],
        outcomes: Sequence[Outcome | Unavailable],
        seconds: float,
    ) -> None:
        assert len(batch) == len(outcomes), "one outcome per item"
        self._meter.batch(len(batch), seconds)
        self._meter.queue_depth(len(self._queue))
        for (_, deferred), outcome in zip(batch, outcomes, strict=True):
            deferred.callback(outcome)

    def _ended(self) -> None:
        for _, deferred in self._queue:
            deferred.callback(Unavailable())
        self._queue.clear()
        self._readers.stop()
        self._stopped.callback(None)


class _DaemonThread(threading.Thread):
    """A thread that does not keep the process alive: a read that hangs must not."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, daemon=True)


class _ReopenedWriter:
    """Opens the store when it is needed, and again after it broke."""

    def __init__(self, open_writer: Callable[[], Writer]) -> None:
        self._open_writer = open_writer
        self._writer: Writer | None = None

    def commit(self, items: Sequence[Item]) -> list[Outcome]:
        if self._writer is None:
            self._writer = self._open_writer()
        try:
            return self._writer.commit(items)
        except (StoreUnavailable, OutcomeUnknown):
            self.close()
            raise

    def close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
