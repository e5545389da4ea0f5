"""The tables of `kept` in SQLite: asked for and written with the rest of a batch."""

from __future__ import annotations

import sqlite3

from .kept import KEPT, Kept
from .page import Page
from .plan import Wants


def load_kept(connection: sqlite3.Connection, page: Page, wants: Wants) -> None:
    """Load rows that are wanted; a key without a row is known to have none."""
    for kept in KEPT:
        loaded = getattr(page, kept.name).loaded
        text = f"SELECT {', '.join(kept.columns)} FROM {kept.table.name} WHERE {_found(kept)}"
        for key in getattr(wants, kept.name):
            if key not in loaded:
                row = connection.execute(text, kept.parts_of(key)).fetchone()
                loaded[key] = None if row is None else kept.read(row)


def write_kept(connection: sqlite3.Connection, page: Page) -> None:
    """Write what changed."""
    for kept in KEPT:
        table = getattr(page, kept.name)
        if table.changed:
            split = len(kept.keys)
            columns, marks = ", ".join(kept.columns), ", ".join("?" * len(kept.columns))
            changes = ", ".join(f"{name} = ?" for name in kept.columns[split:])
            connection.executemany(
                f"INSERT INTO {kept.table.name} ({columns}) VALUES ({marks})",
                [kept.write(*row) for row in table.inserted()],
            )
            updated = [kept.write(*row) for row in table.updated()]
            connection.executemany(
                f"UPDATE {kept.table.name} SET {changes} WHERE {_found(kept)}",
                [(*row[split:], *row[:split]) for row in updated],
            )


def _found(kept: Kept) -> str:
    return " AND ".join(f"{name} = ?" for name in kept.keys)
