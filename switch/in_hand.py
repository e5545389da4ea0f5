"""What is in hand: how many messages wait for their answer, and who waits until none does."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import Deferred


class InHand:
    """Serves messages and counts them: base of the desk and of the mailroom."""

    def __init__(self) -> None:
        self._in_hand = 0
        self._idle: list[Deferred[None]] = []

    @property
    def in_hand(self) -> int:
        """How many messages wait for their answer."""
        return self._in_hand

    def idle(self) -> Deferred[None]:
        """Fire when no message is in hand; at once when none is."""
        waiter: Deferred[None] = Deferred()
        if self._in_hand:
            self._idle.append(waiter)
        else:
            waiter.callback(None)
        return waiter

    def _take(self, served: Coroutine[Deferred[Any], Any, None]) -> Deferred[None]:
        """Begin to serve a message; the caller adds what a bug of ours does to it, then `_put_down`."""
        self._in_hand += 1
        return Deferred.fromCoroutine(served)

    def _put_down(self, _: object) -> None:
        self._in_hand -= 1
        if not self._in_hand:
            waiting, self._idle = self._idle, []
            for waiter in waiting:
                waiter.callback(None)
