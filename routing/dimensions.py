"""The conditions of all rows of one kind, cut into cells: sets of values that no row tells apart.

A dimension knows, for every cell, which rows accept it, as an integer with one bit a row (bit 0 is row 0); and for
every row, which cells it accepts, with one bit a cell. The first form finds the rows that match a payment, by ANDing
one integer of each dimension; the second compares rows with each other.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar

K = TypeVar("K", str, int)


class Dimension:
    """What all dimensions know: `cells_of` each row, the rows of each cell, and whether any row has a condition."""

    def __init__(self, cells_of: Sequence[int], everything: int, is_used: bool) -> None:
        self.cells_of = tuple(cells_of)
        self.is_used = is_used
        self.by_cell = _transposed(self.cells_of, everything.bit_length())
        self._everything = everything
        self._every_row = (1 << len(self.cells_of)) - 1

    def share_of(self, row: int) -> float:
        """Give the share of all cells that a row accepts, 0 to 1."""
        return self.cells_of[row].bit_count() / self._everything.bit_count()

    def met_by(self, row: int) -> int:
        """Give the rows that share a cell with a row, itself included."""
        cells = self.cells_of[row]
        if cells == self._everything:
            return self._every_row
        return union(self.by_cell[cell] for cell in bits(cells))


class Spans(Dimension, Generic[K]):
    """Values on a line between the ends of `universe`, and rows that accept spans [first, end) of it.

    A row with no span accepts everything, and it alone accepts the absent value (no card number), cell 0, which
    exists where `may_be_absent`.
    """

    def __init__(self, rows: Sequence[Sequence[tuple[K, K]]], universe: tuple[K, K], may_be_absent: bool) -> None:
        bounds: set[K] = set(universe)
        bounds.update(bound for spans in rows for pair in spans for bound in pair)
        self._bounds: list[K] = sorted(bounds)
        cell = {bound: index + 1 for index, bound in enumerate(self._bounds)}
        everything = (1 << len(self._bounds)) - (1 if may_be_absent else 2)
        cells_of = [
            union((1 << cell[end]) - (1 << cell[first]) for first, end in spans) if spans else everything
            for spans in rows
        ]
        super().__init__(cells_of, everything, any(rows))
        self.absent = self.by_cell[0]

    def rows_of(self, value: K) -> int:
        """Give the rows that accept a value of the universe."""
        return self.by_cell[bisect_right(self._bounds, value)]


class Names(Dimension):
    """Single values and classes of values (a class is what a value begins with), and rows that accept some of them.

    Rows list (exact value, "") or ("", class); `class_of` cuts the class out of a value. Where `named` is given it
    holds all values there are.
    """

    def __init__(
        self, rows: Sequence[Sequence[tuple[str, str]]], class_of: Callable[[str], str], named: Iterable[str] = ()
    ) -> None:
        listed = {pair for pairs in rows for pair in pairs}
        self._class_of = class_of
        all_there_are = set(named)
        exacts = sorted({exact for exact, _ in listed if exact} | all_there_are)
        groups = sorted({group for _, group in listed if group})
        exact_cell = {exact: index for index, exact in enumerate(exacts)}
        group_cell = {group: len(exacts) + index for index, group in enumerate(groups)}
        count = len(exacts) + len(groups) + (not all_there_are)
        cells = {(exact, ""): 1 << cell for exact, cell in exact_cell.items()}
        for group, cell in group_cell.items():
            members = union(1 << exact_cell[exact] for exact in exacts if class_of(exact) == group)
            cells["", group] = members | 1 << cell
        everything = (1 << count) - 1
        super().__init__(
            [union(cells[pair] for pair in pairs) if pairs else everything for pairs in rows], everything, any(rows)
        )
        self._by_exact = {exact: self.by_cell[cell] for exact, cell in exact_cell.items()}
        self._by_group = {group: self.by_cell[cell] for group, cell in group_cell.items()}
        self._others = union(1 << row for row, pairs in enumerate(rows) if not pairs)

    def rows_of(self, value: str) -> int:
        """Give the rows that accept a value."""
        rows = self._by_exact.get(value)
        if rows is None:
            rows = self._by_group.get(self._class_of(value))
        return self._others if rows is None else rows


def union(masks: Iterable[int]) -> int:
    """OR integers together."""
    total = 0
    for mask in masks:
        total |= mask
    return total


def bits(mask: int) -> Iterator[int]:
    """Give the places of the bits that are set, the lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def _transposed(cells_of: Sequence[int], count: int) -> list[int]:
    """Turn rows' cells into cells' rows: only where a run of a row's cells begins or ends does anything change."""
    changes = [0] * (count + 1)
    for row, cells in enumerate(cells_of):
        for edge in bits(cells ^ (cells << 1)):
            changes[edge] ^= 1 << row
    rows, by_cell = 0, []
    for change in changes[:count]:
        rows ^= change
        by_cell.append(rows)
    return by_cell
