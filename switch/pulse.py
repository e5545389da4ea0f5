"""The reactor's pulse: how late a timer runs tells how long something else kept the reactor busy."""

from __future__ import annotations

from typing import Final, Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

INTERVAL_S: Final = 0.25


class LagMeter(Protocol):
    """What counts the beats."""

    def reactor_lag(self, seconds: float, now_s: float) -> None: ...


class Pulse:
    """Beats every `interval_s` on a clock, and tells the meter how late each beat came."""

    def __init__(self, clock: IReactorTime, meter: LagMeter, interval_s: float = INTERVAL_S) -> None:
        self._clock = clock
        self._meter = meter
        self._interval_s = interval_s
        self._next: IDelayedCall | None = None
        self._due_s = 0.0

    def start(self) -> None:
        """Beat from now on."""
        assert self._next is None, "the pulse beats already"
        self._set()

    def stop(self) -> None:
        """Beat no more."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _set(self) -> None:
        self._due_s = self._clock.seconds() + self._interval_s
        self._next = self._clock.callLater(self._interval_s, self._beat)

    def _beat(self) -> None:
        now_s = self._clock.seconds()
        self._meter.reactor_lag(max(0.0, now_s - self._due_s), now_s)
        self._set()
