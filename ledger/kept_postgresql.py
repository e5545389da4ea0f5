"""The tables of `kept` in PostgreSQL: asked for and written with the rest of a batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final

from .kept import KEPT, Kept
from .look_ups import Query
from .page import Page
from .plan import Wants
from .statements import Insert, Statement, Update, select


class _Statements:
    def __init__(self, kept: Kept) -> None:
        self.kept = kept
        self.select = select(kept.table, kept.columns, kept.keys)
        self.insert = Insert(kept.table, kept.columns)
        self.update = Update(kept.table, kept.keys, kept.columns[len(kept.keys) :])
        self.keys = Insert(kept.table, kept.keys).parameters


_STATEMENTS: Final = tuple(_Statements(kept) for kept in KEPT)


def kept_queries(page: Page, wants: Wants) -> Iterator[Query]:
    """Ask for rows that are wanted and not loaded."""
    for each in _STATEMENTS:
        wanted = getattr(wants, each.kept.name)
        if wanted:
            loaded = getattr(page, each.kept.name).loaded
            new = [key for key in wanted if key not in loaded]
            if new:
                parameters = each.keys([each.kept.parts_of(key) for key in new])
                yield each.select, parameters, partial(_keep, each.kept, loaded, new)


def _keep(kept: Kept, loaded: dict[Any, Any], asked: Iterable[Any], found: list[Any]) -> None:
    loaded.update(dict.fromkeys(asked))
    for row in found:
        loaded[kept.key_of(row)] = kept.read(row)


def kept_changes(page: Page) -> Iterator[tuple[Statement, Sequence[tuple[Any, ...]]]]:
    """Give what is to be written."""
    for each in _STATEMENTS:
        table = getattr(page, each.kept.name)
        if table.changed:
            yield each.insert, [each.kept.write(*row) for row in table.inserted()]
            yield each.update, [each.kept.write(*row) for row in table.updated()]
