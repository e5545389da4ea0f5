"""What a load run counts while it runs."""

from __future__ import annotations

from collections import Counter
from typing import Final

from .histogram import Histogram
from .load_report import SECONDS_MAX, LoadReport, LoadSecond

APPROVED: Final = "00"


class LoadTally:
    """Counts requests and answers, second by second, and apart those of the measured window."""

    def __init__(self) -> None:
        self.sent = 0
        self.answered = 0
        self.timeouts = 0
        self.lost = 0
        self.unmatched = 0
        self.undecodable = 0
        self.lost_connections = 0
        self._codes: Counter[str] = Counter()
        self._second = Histogram()
        self._window = Histogram()
        self._is_measuring = False
        self._window_approved = 0
        self._window_s = 0.0
        self._window_cpu_s = 0.0
        self._seconds: list[LoadSecond] = []
        self._seen = (0, 0, 0)

    def hear(self, code: str, elapsed_s: float) -> None:
        """Count the answer to a request."""
        self.answered += 1
        self._codes[code] += 1
        self._second.record(int(elapsed_s * 1e6))

    def begin_window(self, now_s: float, cpu_s: float) -> None:
        """Measure from now on; what came before was warm-up."""
        self._second = Histogram()
        self._window_approved = -self._codes[APPROVED]
        self._window_s, self._window_cpu_s = -now_s, -cpu_s
        self._is_measuring = True

    def end_window(self, now_s: float, cpu_s: float) -> None:
        """Measure no longer; answers that come now are counted and not measured."""
        if self._is_measuring:
            self._window.add(self._second)
            self._second = Histogram()
            self._window_approved += self._codes[APPROVED]
            self._window_s += now_s
            self._window_cpu_s += cpu_s
            self._is_measuring = False

    def end_second(self, in_flight: int, waiting: int) -> LoadSecond:
        """Sum up what was counted since the last time."""
        sent, answered, approved = self._seen
        self._seen = (self.sent, self.answered, self._codes[APPROVED])
        latency = self._second.latency()
        second = LoadSecond(
            second=len(self._seconds) + 1,
            sent=self.sent - sent,
            answered=self.answered - answered,
            approved=self._codes[APPROVED] - approved,
            in_flight=in_flight,
            waiting=waiting,
            p50_ms=latency.p50_ms,
            p99_ms=latency.p99_ms,
        )
        if len(self._seconds) < SECONDS_MAX:
            self._seconds.append(second)
        if self._is_measuring:
            self._window.add(self._second)
        self._second = Histogram()
        return second

    def report(
        self, mode: str, connections: int, in_flight: int, offered_per_second: float | None, unsent: int
    ) -> LoadReport:
        """Sum everything up; the window must have ended."""
        assert not self._is_measuring
        measured, seconds = self._window.count, max(self._window_s, 1e-9)
        return LoadReport(
            mode=mode,
            connections=connections,
            in_flight_per_connection=in_flight,
            offered_per_second=offered_per_second,
            seconds=round(self._window_s, 3),
            sent=self.sent,
            answered=self.answered,
            codes=dict(sorted(self._codes.items())),
            timeouts=self.timeouts,
            lost=self.lost,
            unmatched=self.unmatched,
            undecodable=self.undecodable,
            unsent=unsent,
            lost_connections=self.lost_connections,
            measured=measured,
            per_second=round(measured / seconds, 1),
            approved_per_second=round(self._window_approved / seconds, 1),
            latency=self._window.latency(),
            cpu_us_per_transaction=round(self._window_cpu_s / max(measured, 1) * 1e6, 1),
            by_second=tuple(self._seconds),
        )
