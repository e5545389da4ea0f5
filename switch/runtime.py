"""How the interpreter runs a switch: settings of the process, made once when it starts."""

from __future__ import annotations

import gc
import sys
from typing import Final

_YOUNG_MAX: Final = 20_000
_SWITCH_S: Final = 0.001


def settle() -> None:
    """Set the process up for many short-lived values and two busy threads.

    What start-up made is never looked at by the collector again, and it looks at what is new less often: a payment
    makes hundreds of values, nearly all of which are freed without it. The books' thread, which has just heard from
    the database, waits for the reactor's thread one millisecond at most instead of five.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_MAX, 20, 20)
    sys.setswitchinterval(_SWITCH_S)
