"""Latencies counted in fixed memory: a histogram whose buckets widen with the value."""

from __future__ import annotations

import attrs

_STEPS = 32
"""Buckets per doubling: a value is known to about 1/32 of itself."""
_DOUBLINGS = 32
"""From 1 microsecond to about 38 hours; what is longer is counted in the last bucket."""


def _bucket(value_us: int) -> int:
    """Give the bucket of a value: exact below 32 microseconds, then 32 buckets to each doubling."""
    if value_us < _STEPS:
        return value_us if value_us > 0 else 0
    shift = value_us.bit_length() - 6
    return min(_STEPS * shift + (value_us >> shift), _STEPS * (_DOUBLINGS + 1) - 1)


def _ceiling(bucket: int) -> int:
    """Give the largest value that falls into a bucket."""
    if bucket < 2 * _STEPS:
        return bucket
    shift = bucket // _STEPS - 1
    return ((bucket - _STEPS * shift + 1) << shift) - 1


@attrs.frozen
class Latency:
    """Percentiles of a histogram in milliseconds; zeros when nothing was counted."""

    count: int
    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


class Histogram:
    """Counts durations in microseconds, 1,056 integers whatever comes; percentiles are right to about 3 %."""

    __slots__ = ("_counts", "_max_us", "_sum_us", "count")

    def __init__(self) -> None:
        self._counts = [0] * (_STEPS * (_DOUBLINGS + 1))
        self._max_us = 0
        self._sum_us = 0
        self.count = 0

    def record(self, value_us: int) -> None:
        """Count one duration."""
        self._counts[_bucket(value_us)] += 1
        self.count += 1
        self._sum_us += value_us
        if value_us > self._max_us:
            self._max_us = value_us

    def add(self, other: Histogram) -> None:
        """Count everything that another histogram counted."""
        self._counts = [mine + theirs for mine, theirs in zip(self._counts, other._counts, strict=True)]
        self.count += other.count
        self._sum_us += other._sum_us
        self._max_us = max(self._max_us, other._max_us)

    def percentile_us(self, share: float) -> int:
        """Give a value that at least `share` (0 to 1) of the counted durations do not exceed; 0 when empty."""
        rank = max(1, -int(-share * self.count // 1))
        seen = 0
        for bucket, count in enumerate(self._counts):
            seen += count
            if seen >= rank:
                return min(_ceiling(bucket), self._max_us)
        return self._max_us

    def latency(self) -> Latency:
        """Sum up in milliseconds."""
        return Latency(
            count=self.count,
            mean_ms=round(self._sum_us / self.count / 1000, 3) if self.count else 0.0,
            p50_ms=self.percentile_us(0.50) / 1000,
            p95_ms=self.percentile_us(0.95) / 1000,
            p99_ms=self.percentile_us(0.99) / 1000,
            max_ms=self._max_us / 1000,
        )
