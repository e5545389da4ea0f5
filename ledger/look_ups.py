"""Asking PostgreSQL for rows that a page has not loaded yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from . import literals

Query = tuple[str, Sequence[Any], Callable[[list[Any]], None] | None]
"""A statement, its parameters, and who reads its rows."""


def look_up(
    text: str,
    loaded: dict[Any, Any],
    keys: Iterable[Any],
    read_row: Callable[[Any], Any],
    write_list: Callable[[Sequence[Any]], str],
    at: int = 0,
) -> Iterator[Query]:
    """Ask for one row per key that is not loaded; a key without a row is known to have none."""
    new = [key for key in keys if key not in loaded]

    def read(found: list[Any]) -> None:
        loaded.update(dict.fromkeys(new))
        for row in found:
            loaded[row[at]] = read_row(row)

    if new:
        yield text, (write_list(new),), read


def look_up_places(
    text: str, loaded: dict[Any, Any], places: Iterable[tuple[str, int]], read_row: Callable[[Any], Any]
) -> Iterator[Query]:
    """Ask for one row per lane and number that is not loaded."""
    new = [place for place in places if place not in loaded]

    def read(found: list[Any]) -> None:
        loaded.update(dict.fromkeys(new))
        for row in found:
            loaded[row[:2]] = read_row(row)

    if new:
        lanes, numbers = zip(*new, strict=True)
        yield text, (literals.texts(lanes), literals.integers(numbers)), read
