"""How the ledger's tables and their columns are declared, the same for PostgreSQL and SQLite."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Column, MetaData, Table

metadata: Final = MetaData()


def table(name: str, *parts: Any, fillfactor: int | None = None) -> Table:
    """Declare a table that is kept by its primary key; fillfactor: percent of a page that inserts fill."""
    options: dict[str, Any] = {"sqlite_with_rowid": False}
    if fillfactor is not None:
        options["postgresql_with"] = {"fillfactor": fillfactor}
    return Table(name, metadata, *parts, **options)


def key(name: str, type_: Any) -> Column[Any]:
    """A column of the primary key."""
    return Column(name, type_, primary_key=True, autoincrement=False)


def must(name: str, type_: Any, **options: Any) -> Column[Any]:
    """A column that always has a value."""
    return Column(name, type_, nullable=False, **options)


def may(name: str, type_: Any) -> Column[Any]:
    """A column that may have none."""
    return Column(name, type_, nullable=True)
