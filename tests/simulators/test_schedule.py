"""When requests of an open loop are due."""

from __future__ import annotations

from itertools import islice, pairwise
from random import Random

import pytest
from junctor.simulators.schedule import Arrivals, Due, due_times


def test_fixed_arrivals_come_at_equal_distances() -> None:
    assert list(islice(due_times(Arrivals.FIXED, 4.0, Random(1)), 5)) == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_fixed_arrivals_do_not_drift_in_a_long_run() -> None:
    times = due_times(Arrivals.FIXED, 3_000.0, Random(1))
    assert next(islice(times, 3_000_000, None)) == 1000.0


def test_poisson_arrivals_ascend_and_have_the_rate_and_spread_they_should() -> None:
    times = list(islice(due_times(Arrivals.POISSON, 100.0, Random(7)), 20_000))
    gaps = [after - before for before, after in pairwise(times)]
    mean = sum(gaps) / len(gaps)
    variance = sum((gap - mean) ** 2 for gap in gaps) / len(gaps)
    assert min(gaps) > 0
    assert mean == pytest.approx(0.01, rel=0.03)
    assert variance == pytest.approx(0.0001, rel=0.1)


def test_what_is_due_waits_with_the_time_at_which_it_was_due() -> None:
    due = Due(due_times(Arrivals.FIXED, 10.0, Random(1)), waiting_max=100)
    due.advance(0.25)
    assert list(due.waiting) == [0.0, 0.1, 0.2]
    assert due.next_s == pytest.approx(0.3)


def test_what_is_due_beyond_the_limit_is_counted_and_never_sent() -> None:
    due = Due(due_times(Arrivals.FIXED, 10.0, Random(1)), waiting_max=2)
    due.advance(0.45)
    assert list(due.waiting) == [0.0, 0.1]
    assert due.unsent == 3
