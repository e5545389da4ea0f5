"""Latencies in fixed memory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from junctor.simulators.histogram import Histogram

durations_us = st.lists(st.integers(0, 3_600_000_000), min_size=1, max_size=200)


def test_an_empty_histogram_says_zero() -> None:
    latency = Histogram().latency()
    assert (latency.count, latency.mean_ms, latency.p50_ms, latency.p99_ms, latency.max_ms) == (0, 0.0, 0.0, 0.0, 0.0)


def test_percentiles_of_one_to_a_hundred_milliseconds() -> None:
    histogram = Histogram()
    for each_ms in range(1, 101):
        histogram.record(each_ms * 1000)
    latency = histogram.latency()
    assert 50.0 <= latency.p50_ms <= 50.0 * 33 / 32
    assert 95.0 <= latency.p95_ms <= 95.0 * 33 / 32
    assert latency.max_ms == 100.0
    assert latency.mean_ms == 50.5


@given(durations_us, st.sampled_from([0.01, 0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_at_most_a_thirty_second_too_high_and_never_too_low(values: list[int], share: float) -> None:
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    rank = next(rank for rank in range(1, len(values) + 1) if rank >= share * len(values))
    exact = sorted(values)[rank - 1]
    assert exact <= histogram.percentile_us(share) <= exact * 33 // 32


@given(durations_us, durations_us)
def test_two_histograms_added_are_one_of_both(first: list[int], second: list[int]) -> None:
    apart, together = [Histogram(), Histogram()], Histogram()
    for histogram, values in zip(apart, (first, second), strict=True):
        for value in values:
            histogram.record(value)
            together.record(value)
    apart[0].add(apart[1])
    assert apart[0].latency() == together.latency()


def test_a_day_of_waiting_and_a_negative_clock_step_are_counted_too() -> None:
    histogram = Histogram()
    histogram.record(2**50)
    histogram.record(-5)
    assert histogram.count == 2
    assert histogram.latency().max_ms == 2**50 / 1000
