"""Rows that can never decide, and rows of which only the order of writing says who decides.

Two rows overlap when some payment matches both. That is as it should be when the earlier row is the narrower one (an
exception before its rule), and harmless when both lead to the same destinations. Else the rows cross: each takes
payments that the other does not, and a row moved up or down moves payments silently. A crossing is refused unless

- rows before both already decide every payment that matches both, or
- the earlier row says `overrides`: it is meant to win.

A row is unreachable when earlier rows together decide every payment that it matches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import attrs

from .dimensions import bits
from .grid import Box, Grid
from .rows import RouteFault, Row

_PIECES_MAX: Final = 512
"""Pieces into which a row is cut in search of what earlier rows leave of it; beyond it, it counts as reachable."""

_NAMED_MAX: Final = 3


@attrs.frozen(eq=False)
class _Area:
    row: Row
    box: Box


def find_overlaps(rows: Sequence[Row], grid: Grid) -> Iterator[RouteFault]:
    """Give every unreachable row with the rows that cover it, and every crossing with both its rows."""
    areas = [_Area(row, grid.box_of(index)) for index, row in enumerate(rows)]
    for index, area in enumerate(areas):
        below = grid.near(index) & ((1 << index) - 1)
        earlier = [areas[other] for other in bits(below) if _meet(area.box, areas[other].box)]
        covering = _find_cover(area.box, earlier)
        if covering is not None:
            yield RouteFault(f"routes[{index}]", f"can never be reached: {_named(covering)} decided before")
            continue
        for place, other in enumerate(earlier):
            if _crosses(other, area) and not _is_settled(other, area, earlier[:place]):
                yield RouteFault(
                    f"routes[{index}]",
                    f"this row and the earlier {other.row.name!r} overlap, and neither is an exception of the other: "
                    "narrow one of them, or say overrides = true in the earlier one if it is meant to win",
                )


def _crosses(earlier: _Area, later: _Area) -> bool:
    is_meant = earlier.row.overrides or earlier.row.to == later.row.to
    return not is_meant and not _is_within(earlier.box, later.box)


def _is_settled(earlier: _Area, later: _Area, before: Sequence[_Area]) -> bool:
    """Tell whether rows before both decide what both match."""
    common = tuple(one & other for one, other in zip(earlier.box, later.box, strict=True))
    return _find_cover(common, before) is not None


def _find_cover(box: Box, areas: Sequence[_Area]) -> list[_Area] | None:
    """Find the row that covers a box, or else the rows that do together; None when something is left."""
    for area in areas:
        if _is_within(box, area.box):
            return [area]
    pieces, used = [box], []
    for area in areas:
        left = [piece for each in pieces for piece in _without(each, area.box)]
        if left != pieces:
            used.append(area)
        pieces = left
        if not pieces:
            return used
        if len(pieces) > _PIECES_MAX:
            break
    return None


def _without(box: Box, other: Box) -> Iterator[Box]:
    """Cut what lies in `other` out of a box; the pieces that remain do not overlap."""
    if not _meet(box, other):
        yield box
        return
    for index, (one, two) in enumerate(zip(box, other, strict=True)):
        if outside := one & ~two:
            yield (*box[:index], outside, *box[index + 1 :])
            box = (*box[:index], one & two, *box[index + 1 :])


def _meet(box: Box, other: Box) -> bool:
    return all(one & two for one, two in zip(box, other, strict=True))


def _is_within(box: Box, other: Box) -> bool:
    return not any(one & ~two for one, two in zip(box, other, strict=True))


def _named(areas: Sequence[_Area]) -> str:
    names = [repr(area.row.name) for area in areas[:_NAMED_MAX]]
    more = [f"{len(areas) - _NAMED_MAX} more"] if len(areas) > _NAMED_MAX else []
    return f"row {names[0]} has" if len(areas) == 1 else f"rows {', '.join(names + more)} together have"
