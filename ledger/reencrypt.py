"""Sealing anew what was sealed under data keys that are out of use, while the switch goes on working.

What is left to do is read from the rows themselves, so that whoever is stopped, even by a crash, begins again where
it was. A row that changes meanwhile is left to whoever changed it: it was sealed under the key in use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import attrs
from sqlalchemy import Column, Connection, Table, Update, and_, bindparam, func, literal, select, tuple_, update
from sqlalchemy.exc import DBAPIError, OperationalError

from .connecting import make_engine
from .operations import StoreUnavailable
from .ports import Limits
from .rows import place_row
from .schema import dead_letter, delivery, in_flight, message
from .vault import Vault

ROWS_AT_ONCE: Final = 500
_TRIES: Final = 8
_ID_START, _ID_BYTES = 2, 4
"""Where a sealed value names its key, counted from 1 as SQL does."""


@attrs.frozen
class SealedColumn:
    """A column that holds sealed values: `row_of` names the row where its value is bound to it."""

    table: Table
    column: Column[Any]
    key: tuple[Column[Any], ...]
    row_of: Callable[[Sequence[Any]], bytes]


def _whole_key(key: Sequence[Any]) -> bytes:
    return bytes(key[0])


def _place(key: Sequence[Any]) -> bytes:
    return place_row(key[0], key[1])


def _sealed_columns() -> tuple[SealedColumn, ...]:
    return (
        SealedColumn(in_flight, in_flight.c.silence_response, (in_flight.c.idem_key,), _whole_key),
        SealedColumn(in_flight, in_flight.c.reversal, (in_flight.c.idem_key,), _whole_key),
        SealedColumn(delivery, delivery.c.body, (delivery.c.lane, delivery.c.seq), _place),
        SealedColumn(dead_letter, dead_letter.c.body, (dead_letter.c.lane, dead_letter.c.seq), _place),
        SealedColumn(message, message.c.response, (message.c.idem_key,), _whole_key),
    )


SEALED: Final = _sealed_columns()
"""Every column that holds sealed values; the largest last."""


def reencrypt(url: str, vault: Vault, limits: Limits | None = None, most: int = ROWS_AT_ONCE) -> Iterator[int]:
    """Seal anew everything that is not under the vault's key in use, in commits of at most `most` rows.

    Gives the number of rows after each commit. StoreUnavailable when the database cannot be used.
    """
    engine = make_engine(url, limits)
    for sealed in SEALED:
        after: Sequence[Any] | None = None
        while True:
            for attempt in range(_TRIES):
                try:
                    with _reaching(), engine.begin() as connection:
                        done, after_that = _step(connection, sealed, vault, after, most)
                    break
                except _Disturbed:
                    if attempt == _TRIES - 1:
                        raise StoreUnavailable("other writers were in the way too often") from None
            if done:
                yield done
            if after_that is None:
                break
            after = after_that


def count_sealed(url: str, limits: Limits | None = None) -> dict[bytes, int]:
    """Count the sealed values under each key, by its id; reads every row."""
    counts: dict[bytes, int] = {}
    with _reaching(), make_engine(url, limits, reading=True).connect() as connection:
        for sealed in SEALED:
            kid = func.substr(sealed.column, _ID_START, _ID_BYTES)
            counted = select(kid, func.count()).where(func.length(sealed.column) > 0).group_by(kid)
            for key_id, count in connection.execute(counted):
                counts[bytes(key_id)] = counts.get(bytes(key_id), 0) + count
    return counts


def _step(
    connection: Connection, sealed: SealedColumn, vault: Vault, after: Sequence[Any] | None, most: int
) -> tuple[int, Sequence[Any] | None]:
    """Seal one run of rows anew; gives how many, and the last key seen, or None when there is nothing behind it."""
    key = tuple_(*sealed.key)
    stale = and_(func.length(sealed.column) > 0, func.substr(sealed.column, _ID_START, _ID_BYTES) != vault.key_id)
    look = select(*sealed.key, sealed.column).where(stale).order_by(*sealed.key).limit(most)
    if after is not None:
        bounds = [literal(value, column.type) for value, column in zip(after, sealed.key, strict=True)]
        look = look.where(key > tuple_(*bounds))
    rows = connection.execute(look).fetchall()
    place = {"table": sealed.table.name, "column": sealed.column.name}
    changes = []
    for *found, old in rows:
        row = sealed.row_of(found)
        new = vault.seal(vault.open(bytes(old), **place, row=row), **place, row=row)
        changes.append({"old": old, "new": new, **{f"key{n}": value for n, value in enumerate(found)}})
    done = connection.execute(_change_of(sealed), changes).rowcount if changes else 0
    return done, list(rows[-1][:-1]) if len(rows) == most else None


def _change_of(sealed: SealedColumn) -> Update:
    """Give the statement that replaces a value, if it is still the one that was read."""
    is_same = (column == bindparam(f"key{n}", type_=column.type) for n, column in enumerate(sealed.key))
    is_old = sealed.column == bindparam("old", type_=sealed.column.type)
    change = update(sealed.table).where(and_(*is_same), is_old)
    return change.values({sealed.column: bindparam("new", type_=sealed.column.type)})


class _Disturbed(Exception):
    """Another writer was in the way."""


@contextmanager
def _reaching() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        said = str(error.orig).partition("\n")[0]
        if getattr(error.orig, "sqlstate", None) in ("40001", "40P01", "55P03") or "locked" in said:
            raise _Disturbed from None
        raise StoreUnavailable(f"the database cannot be used: {said}") from None
    except DBAPIError as error:
        raise StoreUnavailable(f"the database refused: {type(error.orig).__name__}") from None
