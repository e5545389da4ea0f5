"""The sweeper: ends what nobody waits for any more, and looks at the books for the gauges.

Open transactions whose time passed are ended as silence (after a crash there is nobody else to do it), holds past
their expiry are released, and depth and age of the lanes, the books' balance and the open count are read for metrics.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..config.settings import RequestSettings
from ..ledger.operations import ExpireHolds, Item, Outcome, SilenceOverdue, Swept
from .books import Unavailable
from .caps import Position

log = Logger()

_GRACE_S = 2.0
"""How long after its time an open transaction is left to the process that waits for it."""


@attrs.frozen
class LaneGauge:
    """One lane as the gauges show it."""

    lane: str
    depth: int
    oldest_us: int | None
    dead: int


@attrs.frozen
class Stock:
    """What the gauges show of the database."""

    lanes: tuple[LaneGauge, ...]
    open_transactions: int
    imbalance: tuple[tuple[str, int], ...]
    """Per currency (letters), the sum of all balances: zero unless something is very wrong."""
    positions: tuple[Position, ...] = ()
    breaks: tuple[tuple[str, str, int], ...] = ()
    """Per institution and role, how many figures differed in its last reconciliation."""


class Door(Protocol):
    def submit(self, item: Item) -> Deferred[Outcome | Unavailable]: ...


class StockMeter(Protocol):
    def stock(self, stock: Stock, now_s: float) -> None: ...
    def swept(self, kind: str, count: int) -> None: ...


class Sweeper:
    """Runs every `sweep_interval_s`; one round at a time."""

    def __init__(
        self,
        clock: IReactorTime,
        books: Door,
        open_keys: Callable[[], frozenset[bytes]],
        read_stock: Callable[[], Deferred[Stock]],
        wake: Callable[[str], None],
        settings: RequestSettings,
        meter: StockMeter,
        watch: Callable[[Sequence[Position]], None],
    ) -> None:
        self._clock = clock
        self._books = books
        self._open_keys = open_keys
        self._read_stock = read_stock
        self._wake = wake
        self._settings = settings
        self._meter = meter
        self._watch = watch
        self._loop = LoopingCall(self._round)
        self._loop.clock = clock
        self.last_stock: Stock | None = None

    def start(self) -> None:
        """Sweep now, and from now on; what a crash left open ends in the first rounds."""
        self._loop.start(self._settings.sweep_interval_s, now=True)

    def stop(self) -> None:
        if self._loop.running:
            self._loop.stop()

    def _round(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._sweep()).addErrback(self._stumble)

    async def _sweep(self) -> None:
        now_us, most = int(self._clock.seconds() * 1_000_000), self._settings.sweep_items_max
        overdue = SilenceOverdue(now_us - int(_GRACE_S * 1_000_000), most, self._open_keys())
        for kind, item in (("silence", overdue), ("expiry", ExpireHolds(now_us, most))):
            outcome = await self._books.submit(item)
            if isinstance(outcome, Swept) and outcome.count:
                log.info("swept {count} by {kind}", count=outcome.count, kind=kind)
                self._meter.swept(kind, outcome.count)
                for lane in outcome.lanes:
                    self._wake(lane)
        self.last_stock = await self._read_stock()
        self._meter.stock(self.last_stock, self._clock.seconds())
        self._watch(self.last_stock.positions)

    def _stumble(self, failure: Failure) -> None:
        log.warn("the sweep could not look at the books: {why}", why=type(failure.value).__name__)
