"""When requests of an open loop are due: points in time that do not wait for answers."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from enum import Enum
from random import Random


class Arrivals(Enum):
    """How arrivals spread over time."""

    FIXED = "fixed"
    """One every 1/rate seconds."""
    POISSON = "poisson"
    """Independent of each other, as customers come: exponential gaps of mean 1/rate."""


def due_times(arrivals: Arrivals, per_second: float, random: Random) -> Iterator[float]:
    """Give seconds from the start at which requests are due, ascending, without end.

    A latency of an open loop counts from here and not from the moment of sending: a generator that falls behind
    would otherwise hide exactly the waits that it causes (coordinated omission).
    """
    assert per_second > 0
    if arrivals is Arrivals.FIXED:
        index = 0
        while True:
            yield index / per_second
            index += 1
    at = 0.0
    while True:
        at += random.expovariate(per_second)
        yield at


class Due:
    """Requests of an open loop that are due and wait for a place to be sent.

    waiting_max: beyond it a request that becomes due is counted in `unsent` and never sent. next_s: when the next one
    is due, in seconds from the start.
    """

    def __init__(self, times: Iterator[float], waiting_max: int) -> None:
        self._times = times
        self.next_s = next(times)
        self._waiting_max = waiting_max
        self.waiting: deque[float] = deque()
        self.unsent = 0

    def advance(self, elapsed_s: float) -> None:
        """Let everything become due that is due after `elapsed_s` seconds."""
        while self.next_s <= elapsed_s:
            if len(self.waiting) < self._waiting_max:
                self.waiting.append(self.next_s)
            else:
                self.unsent += 1
            self.next_s = next(self._times)
