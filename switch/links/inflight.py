"""Requests in flight: which are waiting, under which key, and until when. Pure: the owner brings the time.

An ISO 8583 response belongs to a request when its MTI answers the request's and DE7, DE11 and DE32 (DE41 where there
is no DE32) are the same. A STAN alone is not enough: two acquirers may use one at the same time.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from typing import Generic, TypeVar

from ...codecs.iso8583 import Message
from ...codecs.iso8583.mti import find_response_mti

W = TypeVar("W")

_STALE_MAX = 64


def request_key(message: Message) -> tuple[str, object, object, object]:
    """Give the key under which the response to a request or advice will come; other messages have none."""
    answer = find_response_mti(message.mti)
    assert answer is not None, "only requests and advices wait for a response"
    return answer[:3], message.get(7), message.get(11), message.get(32) or message.get(41)


def response_key(message: Message) -> tuple[str, object, object, object]:
    """Give the key of a response: the one that its request waits under."""
    return message.mti[:3], message.get(7), message.get(11), message.get(32) or message.get(41)


class Flight(Generic[W]):
    """One request that waits: for whom (`waiter`), since when and until when, on one clock."""

    __slots__ = ("deadline_s", "key", "sent_s", "waiter")

    def __init__(self, key: Hashable, waiter: W, sent_s: float, deadline_s: float) -> None:
        self.key = key
        self.waiter = waiter
        self.sent_s = sent_s
        self.deadline_s = deadline_s


class InFlight(Generic[W]):
    """The table of one link; at most `most` flights.

    A flight leaves by `take`, `expire` or `clear`, whichever is first, and once. Deadlines mostly come in order, so
    the heap behind them costs a step each; flights that were taken stay in it until they surface or are swept.
    """

    __slots__ = ("_by_deadline", "_by_key", "_most", "_serial")

    def __init__(self, most: int) -> None:
        self._most = most
        self._serial = 0
        self._by_key: dict[Hashable, Flight[W]] = {}
        self._by_deadline: list[tuple[float, int, Flight[W]]] = []

    def __len__(self) -> int:
        return len(self._by_key)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._by_key

    @property
    def is_full(self) -> bool:
        return len(self._by_key) >= self._most

    def add(self, key: Hashable, waiter: W, sent_s: float, deadline_s: float) -> Flight[W]:
        """Put a request in flight; its key is free and the table not full, which the caller has asked."""
        assert key not in self._by_key, "a key is never overwritten"
        assert not self.is_full, "a full table takes no more"
        flight = Flight(key, waiter, sent_s, deadline_s)
        self._by_key[key] = flight
        if len(self._by_deadline) > 2 * len(self._by_key) + _STALE_MAX:
            self._by_deadline = [row for row in self._by_deadline if self._waits(row[2])]
            heapq.heapify(self._by_deadline)
        self._serial += 1
        heapq.heappush(self._by_deadline, (deadline_s, self._serial, flight))
        return flight

    def take(self, key: Hashable) -> Flight[W] | None:
        """Take the flight that waits under a key out of the table; None when there is none (any more)."""
        return self._by_key.pop(key, None)

    def find(self, waiter: W) -> Flight[W] | None:
        """Find the flight that somebody waits for, by looking at each of them; None when there is none."""
        return next((flight for flight in self._by_key.values() if flight.waiter is waiter), None)

    def find_deadline_s(self) -> float | None:
        """Find the earliest deadline of the flights that wait; None when none does."""
        heap = self._by_deadline
        while heap and not self._waits(heap[0][2]):
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def expire(self, now_s: float) -> list[Flight[W]]:
        """Take out every flight whose deadline has come, the earliest first."""
        expired: list[Flight[W]] = []
        while (deadline_s := self.find_deadline_s()) is not None and deadline_s <= now_s:
            flight = heapq.heappop(self._by_deadline)[2]
            del self._by_key[flight.key]
            expired.append(flight)
        return expired

    def clear(self) -> list[Flight[W]]:
        """Take out every flight, in the order in which they were put in."""
        flights = list(self._by_key.values())
        self._by_key.clear()
        self._by_deadline.clear()
        return flights

    def _waits(self, flight: Flight[W]) -> bool:
        return self._by_key.get(flight.key) is flight
