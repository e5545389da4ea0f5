"""SQLAlchemy engines for what is not a posting: migrations and reading."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.pool import NullPool

from .ports import Limits
from .sqlite import sqlite_path


def make_engine(url: str, limits: Limits | None = None, *, reading: bool = False) -> Engine:
    """Give an engine for `sqlite:///path` or `postgresql://...`, one connection per use.

    reading: the file must be there, each transaction sees one state of the books, and nothing can be changed.
    """
    limits = limits or Limits()
    kind = url.partition(":")[0]
    if kind == "sqlite":
        return _sqlite(url, limits, reading)
    if kind in ("postgresql", "postgres"):
        return _postgresql(url, limits, reading)
    raise ValueError("a ledger lives at sqlite:///path or postgresql://...")


def _sqlite(url: str, limits: Limits, reading: bool) -> Engine:
    path = sqlite_path(url)
    target = f"sqlite:///file:{quote(str(path))}?mode=rw&uri=true" if reading else f"sqlite:///{path}"
    engine = create_engine(
        target,
        poolclass=NullPool,
        connect_args={"timeout": limits.lock_timeout_s, "check_same_thread": False},
    )

    def prepare(connection: Any, _record: Any) -> None:
        # The driver begins no transaction before a CREATE TABLE, and a migration must be whole or not at all.
        connection.isolation_level = None
        if reading:
            connection.execute("PRAGMA query_only = ON")

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", begin)
    return engine


def _postgresql(url: str, limits: Limits, reading: bool) -> Engine:
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        poolclass=NullPool,
        connect_args={"connect_timeout": limits.connect_timeout_s},
        **({"isolation_level": "REPEATABLE READ"} if reading else {}),
    )

    def prepare(connection: Any, _record: Any) -> None:
        connection.autocommit = True
        connection.execute(f"SET statement_timeout = {limits.statement_timeout_s * 1000:.0f}")
        connection.execute("SET default_transaction_read_only = on")
        connection.autocommit = False

    if reading:
        event.listen(engine, "connect", prepare)
    return engine
