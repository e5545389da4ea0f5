"""Requests of ours on one link, each a Deferred that fires once: with the reply, or with silence.

One timer serves them all: it is set for the earliest deadline.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from .directory import Tally
from .inflight import Flight, InFlight

R = TypeVar("R")

_ROUNDING_S: Final = 1e-6


class Asks(Generic[R]):
    """The requests in flight of one link, at most `most`; they are counted in the institution's tally.

    `silence` makes the reply of a request that gets none, from the reason; `timed_out` is told of each whose time
    has passed. A Deferred that its owner cancels ends in silence too.
    """

    def __init__(
        self,
        clock: IReactorTime,
        most: int,
        tally: Tally,
        silence: Callable[[str], R],
        timed_out: Callable[[], None],
        freed: Callable[[Hashable], None] = lambda key: None,
    ) -> None:
        self._clock = clock
        self._flights: InFlight[Deferred[R]] = InFlight(most)
        self._tally = tally
        self._silence = silence
        self._timed_out = timed_out
        self._freed = freed
        self._timer: IDelayedCall | None = None
        self._timer_due_s = 0.0

    def __len__(self) -> int:
        return len(self._flights)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._flights

    @property
    def is_full(self) -> bool:
        return self._flights.is_full

    def begin(self, key: Hashable, timeout_s: float) -> Deferred[R]:
        """Wait for a reply under a free key; the table is not full."""
        now_s = self._clock.seconds()
        waiter: Deferred[R] = Deferred(self._give_up)
        self._flights.add(key, waiter, now_s, now_s + timeout_s)
        self._tally.in_flight += 1
        if self._timer is None or now_s + timeout_s < self._timer_due_s:
            self._set_timer(now_s)
        return waiter

    def withdraw(self, key: Hashable) -> None:
        """Forget a request that was not written after all; its Deferred never fires."""
        flight = self._flights.take(key)
        assert flight is not None, "only what waits is withdrawn"
        self._leave(flight)

    def take(self, key: Hashable) -> Flight[Deferred[R]] | None:
        """Take the request that waits under a key, to fire its `waiter`; None when none does (any more)."""
        flight = self._flights.take(key)
        if flight is not None:
            self._leave(flight)
        return flight

    def end_all(self, why: str) -> None:
        """Let every request end in silence, and stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for flight in self._flights.clear():
            self._leave(flight)
            flight.waiter.callback(self._silence(why))

    def _leave(self, flight: Flight[Deferred[R]]) -> None:
        self._tally.in_flight -= 1
        self._freed(flight.key)

    def _give_up(self, waiter: Deferred[R]) -> None:
        flight = self._flights.find(waiter)
        assert flight is not None, "a Deferred is cancelled before it fires"
        self.take(flight.key)
        waiter.callback(self._silence("given up by the asker"))

    def _set_timer(self, now_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due_s = self._flights.find_deadline_s()
        if due_s is not None:
            self._timer_due_s = due_s
            self._timer = self._clock.callLater(max(0.0, due_s - now_s), self._expire)

    def _expire(self) -> None:
        self._timer = None
        now_s = self._clock.seconds()
        for flight in self._flights.expire(now_s + _ROUNDING_S):
            self._leave(flight)
            self._timed_out()
            flight.waiter.callback(self._silence("no response in time"))
        if self._timer is None:
            self._set_timer(now_s)
