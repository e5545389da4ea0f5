"""What every link is given: the clock, the limits, and whom it tells what."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import attrs
from twisted.internet.interfaces import IReactorTime

from ...config.settings import LinkLimits
from .contract import Hearer, LinkMeter
from .directory import Directory

_STANS: int = 999_999


class Stans:
    """System trace audit numbers 000001 to 999999 in turn, one series for all links of a switch.

    One series, because a peer with two links to us may look for duplicates over both. `start` is chance, so that a
    switch that starts again within a second does not repeat itself.
    """

    __slots__ = ("_last",)

    def __init__(self, start: int) -> None:
        self._last = start % _STANS

    def next(self) -> str:
        """Give the next number, six digits."""
        self._last = self._last % _STANS + 1
        return f"{self._last:06d}"


@attrs.frozen
class Surroundings:
    """The collaborators of all links of one switch."""

    clock: IReactorTime
    limits: LinkLimits
    hearer: Hearer
    meter: LinkMeter
    directory: Directory
    stans: Stans
    utcnow: Callable[[], datetime.datetime]
    """The time of day, aware; waits use the clock."""
    chance: Callable[[], float]
    """A random number from 0 to below 1, for jitter."""
