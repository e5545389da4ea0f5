"""Waits on the reactor's clock, each with its limit."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime


def pause(reactor: IReactorTime, seconds: float) -> Deferred[None]:
    """Fire after some seconds; cancelling it takes the timer away."""
    waited: Deferred[None] = Deferred(lambda _: timer.cancel())
    timer = reactor.callLater(seconds, waited.callback, None)
    return waited


async def wait_until(reactor: IReactorTime, holds: Callable[[], bool], timeout_s: float, interval_s: float) -> bool:
    """Look every `interval_s` until something holds; False when `timeout_s` passed first."""
    until_s = reactor.seconds() + timeout_s
    while not holds():
        left_s = until_s - reactor.seconds()
        if left_s <= 0:
            return False
        await pause(reactor, min(interval_s, left_s))
    return True
