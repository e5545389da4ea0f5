"""How the interpreter is set up for a switch."""

from __future__ import annotations

import gc
import sys

from junctor.switch.runtime import settle


def test_the_collector_passes_over_what_the_start_made_and_threads_take_turns_sooner() -> None:
    thresholds, interval_s = gc.get_threshold(), sys.getswitchinterval()
    try:
        settle()
        assert gc.isenabled()
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold()[0] > thresholds[0]
        assert sys.getswitchinterval() < interval_s
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)
        sys.setswitchinterval(interval_s)
