"""What a load run found: counts, rates and latencies, as a value that prints as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import attrs

from .histogram import Latency

SECONDS_MAX: Final = 3_600
"""How many seconds are reported one by one; a longer run reports its first hour so."""


@attrs.frozen
class LoadSecond:
    """One second of a run, warm-up included; `in_flight` and `waiting` as they were at its end.

    waiting: requests that were due and had to wait for a free place in flight (open loop).
    """

    second: int
    sent: int
    answered: int
    approved: int
    in_flight: int
    waiting: int
    p50_ms: float
    p99_ms: float


@attrs.frozen
class LoadReport:
    """A whole run.

    sent, answered, codes: every request of the run. The figures of rate, latency and cost are of the measured window,
    which begins after the warm-up and ends with the last second of sending. timeouts: no answer in time; lost: the
    connection went down first; unmatched: answers that nothing waited for, second and late ones; undecodable:
    answers that were no message; unsent: due and never sent, for want of a place.
    """

    mode: str
    connections: int
    in_flight_per_connection: int
    offered_per_second: float | None
    seconds: float
    sent: int
    answered: int
    codes: Mapping[str, int]
    timeouts: int
    lost: int
    unmatched: int
    undecodable: int
    unsent: int
    lost_connections: int
    measured: int
    per_second: float
    approved_per_second: float
    latency: Latency
    cpu_us_per_transaction: float
    by_second: tuple[LoadSecond, ...] = ()

    @property
    def is_clean(self) -> bool:
        """True when each request was sent and answered once, whatever the code."""
        failed = self.timeouts + self.lost + self.unmatched + self.undecodable + self.unsent + self.lost_connections
        return failed == 0 and self.answered == self.sent

    @property
    def approved(self) -> int:
        return self.codes.get("00", 0)

    def to_json(self, indent: int | None = None) -> str:
        """Write the report as one JSON object."""
        values: dict[str, Any] = attrs.asdict(self)
        values["is_clean"] = self.is_clean
        return json.dumps(values, indent=indent)
