"""Times as people read and write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from .complaints import Complaint

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def write_time(at_us: int | None) -> str:
    """Write microseconds UTC as date and time to the second; a dash for none."""
    return "-" if at_us is None else f"{_EPOCH + timedelta(microseconds=at_us):%Y-%m-%d %H:%M:%S}"


def write_time_exactly(at_us: int | None) -> str:
    """Write microseconds UTC as date and time to the millisecond; a dash for none."""
    return "-" if at_us is None else f"{_EPOCH + timedelta(microseconds=at_us):%Y-%m-%d %H:%M:%S.%f}"[:-3]


def read_since(text: str, now: datetime) -> int:
    """Read a moment as microseconds UTC: "90m" or "2d" before now, or an ISO 8601 date or time.

    A time that does not tell its zone is UTC. Complaint for anything else.
    """
    number, unit = text[:-1], text[-1:]
    if number.isascii() and number.isdigit() and unit in _UNITS and len(number) <= 6:
        moment = now - timedelta(seconds=int(number) * _UNITS[unit])
    else:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise Complaint(f"{text!r} is no time: write 90m, 12h, 2d, 2026-01-19 or 2026-01-19T12:05:00") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MICROSECOND
