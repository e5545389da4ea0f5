"""The ordered route table: the first row that matches a payment decides where it goes."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import attrs

from .checks import find_row_faults
from .conditions import find_unmet
from .grid import Grid, cut
from .overlaps import find_overlaps
from .rows import DEFAULT, LEDGER, Question, Road, RouteFault, RouteFaults, Row

__all__ = [
    "DEFAULT",
    "LEDGER",
    "Explanation",
    "Question",
    "Road",
    "RouteFault",
    "RouteFaults",
    "RouteTable",
    "Row",
    "build_table",
]


@attrs.frozen
class Explanation:
    """Why a payment goes where it goes: each row in order with the condition it fails on (None: it matches)."""

    road: Road
    rows: tuple[tuple[str, str | None], ...]


class RouteTable:
    """A checked table, compiled: `find` costs about as much with a thousand rows as with ten."""

    __slots__ = ("_every_row", "_narrow", "_roads", "_rows")

    def __init__(self, rows: Sequence[Row], grid: Grid) -> None:
        """rows: with the default as the last one; grid: theirs."""
        self._rows = tuple(rows)
        self._roads = tuple(Road(row.name, row.to) for row in rows)
        self._narrow = tuple(grid.narrow())
        self._every_row = (1 << len(rows)) - 1

    def __len__(self) -> int:
        return len(self._rows) - 1

    def find(self, question: Question) -> Road:
        """Give the road of the first row that matches, or the default's."""
        rows = self._every_row
        for narrow in self._narrow:
            rows &= narrow(question)
        return self._roads[(rows & -rows).bit_length() - 1]

    def explain(self, question: Question) -> Explanation:
        """Read the rows one by one, the default last, and tell of each why it does not match; slow, for people."""
        verdicts = tuple((row.name, find_unmet(row, question)) for row in self._rows)
        first = next(index for index, (_, unmet) in enumerate(verdicts) if unmet is None)
        return Explanation(self._roads[first], verdicts)


def build_table(rows: Sequence[Row], default: tuple[str, ...], institutions: Collection[str]) -> RouteTable:
    """Check and compile a table.

    institutions: every id that may be named, as source or destination. Raises RouteFaults with every problem: unknown
    names, conditions that no payment can meet, rows that can never be reached, and rows that overlap without one
    being an exception of the other (see `overlaps` for what is refused).
    """
    faults = list(find_row_faults(rows, default, frozenset(institutions)))
    if faults:
        raise RouteFaults(faults)
    all_rows = (*rows, Row(DEFAULT, default))
    grid = cut(all_rows, institutions)
    faults = list(find_overlaps(rows, grid))
    if faults:
        raise RouteFaults(faults)
    return RouteTable(all_rows, grid)
