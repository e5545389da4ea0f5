"""The clock of business days: at the configured time of day, the open day is closed and the next one opened."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..ledger.operations import Done, Item, Outcome
from ..ledger.settlement_items import CutOver
from .books import Unavailable

log = Logger()

_LOOK_S: Final = 1.0


class Door(Protocol):
    def submit(self, item: Item) -> Deferred[Outcome | Unavailable]: ...


class DayClock:
    """Looks at the time every second, and asks for a cutover when a new day is due; without a time of day, never.

    A day that was missed because nothing ran is opened at the start; so days may be left out, and none is opened
    twice, whoever else cuts over.
    """

    def __init__(self, clock: IReactorTime, books: Door, time_of_day: str | None) -> None:
        self._clock = clock
        self._books = books
        self._time = None if time_of_day is None else time.fromisoformat(time_of_day)
        self._opened: date | None = None
        self._loop = LoopingCall(self._look)
        self._loop.clock = clock

    def start(self) -> None:
        """Look now and from now on."""
        if self._time is not None:
            self._loop.start(_LOOK_S, now=True)

    def stop(self) -> None:
        if self._loop.running:
            self._loop.stop()

    def _look(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._open_what_is_due()).addErrback(self._stumble)

    async def _open_what_is_due(self) -> None:
        assert self._time is not None
        now = datetime.fromtimestamp(self._clock.seconds(), UTC)
        due = now.date() + timedelta(days=1) if now.time() >= self._time else now.date()
        if self._opened is not None and due <= self._opened:
            return
        opens = int(f"{due:%Y%m%d}")
        outcome = await self._books.submit(CutOver(f"clock {opens}", opens=opens))
        if isinstance(outcome, Done):
            self._opened = due
            log.info("business day {bdate} is open", bdate=outcome.number)

    def _stumble(self, failure: Failure) -> None:
        log.warn("the business day could not be turned: {why}", why=type(failure.value).__name__)
