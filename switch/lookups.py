"""Look-ups in the books for the daemon itself: run in the reading thread, over one connection that is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Protocol, TypeVar

from twisted.internet.defer import Deferred

from .books import Books
from .caps import Position
from .couriers import Head
from .sweeper import LaneGauge, Stock

T = TypeVar("T")


class HeadRow(Protocol):
    @property
    def lane(self) -> str: ...
    @property
    def seq(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def body(self) -> bytes: ...
    @property
    def attempts(self) -> int: ...
    @property
    def not_before_us(self) -> int: ...
    @property
    def created_us(self) -> int: ...
    @property
    def expires_us(self) -> int | None: ...


class LaneRow(Protocol):
    @property
    def lane(self) -> str: ...
    @property
    def depth(self) -> int: ...
    @property
    def oldest_us(self) -> int | None: ...
    @property
    def dead(self) -> int: ...


class PositionRows(Protocol):
    def current(self) -> Sequence[Position]: ...


class WindowRows(Protocol):
    def break_counts(self) -> Mapping[tuple[str, str], int]: ...


class Reader(Protocol):
    """What is asked of the ledger's reader."""

    def lane_head(self, lane: str) -> HeadRow | None: ...
    def lanes(self) -> Sequence[LaneRow]: ...
    def open_count(self) -> int: ...
    def imbalance(self) -> Mapping[str, int]: ...
    @property
    def positions(self) -> PositionRows: ...
    @property
    def windows(self) -> WindowRows: ...
    def close(self) -> None: ...


class Lookups:
    """Asks the reader, and opens it anew after it broke."""

    def __init__(self, books: Books, open_reader: Callable[[], Reader]) -> None:
        self._books = books
        self._open_reader = open_reader
        self._reader: Reader | None = None

    def find_head(self, lane: str) -> Deferred[Head | None]:
        """Find the first delivery of a lane."""

        def look(reader: Reader) -> Head | None:
            row = reader.lane_head(lane)
            if row is None:
                return None
            return Head(
                lane=row.lane,
                seq=row.seq,
                kind=row.kind,
                body=row.body,
                attempts=row.attempts,
                not_before_us=row.not_before_us,
                created_us=row.created_us,
                expires_us=row.expires_us,
            )

        return self._read(look)

    def read_stock(self) -> Deferred[Stock]:
        """Read what the gauges show."""

        def look(reader: Reader) -> Stock:
            return Stock(
                lanes=tuple(LaneGauge(row.lane, row.depth, row.oldest_us, row.dead) for row in reader.lanes()),
                open_transactions=reader.open_count(),
                imbalance=tuple(reader.imbalance().items()),
                positions=tuple(reader.positions.current()),
                breaks=tuple((*of, count) for of, count in reader.windows.break_counts().items()),
            )

        return self._read(look)

    def close(self) -> None:
        """Close the connection; to be called when the reading thread has ended."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    def _read(self, look: Callable[[Reader], T]) -> Deferred[T]:
        return self._books.read(lambda: self._look(look))

    def _look(self, look: Callable[[Reader], T]) -> T:
        """In the reading thread."""
        if self._reader is None:
            self._reader = self._open_reader()
        try:
            return look(self._reader)
        except BaseException:
            with suppress(Exception):  # a connection that broke may not even close
                self._reader.close()
            self._reader = None
            raise
