"""Bringing a database's schema to the version that this program expects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.pool import NullPool

_SCRIPTS = Path(__file__).with_name("migrations")


def make_engine(url: str) -> Engine:
    """Give an SQLAlchemy engine for `sqlite:///path` or `postgresql://...`, one connection per use."""
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    assert parsed.drivername in ("sqlite", "postgresql+psycopg"), "a ledger lives in SQLite or PostgreSQL"
    engine = create_engine(parsed, poolclass=NullPool)
    if parsed.drivername == "sqlite":
        # The driver begins no transaction before a CREATE TABLE; a migration must be whole or not at all.
        event.listen(engine, "connect", _leave_transactions_to_us)
        event.listen(engine, "begin", _begin)
    return engine


def _leave_transactions_to_us(connection: Any, _record: Any) -> None:
    connection.isolation_level = None


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def migrate(url: str) -> None:
    """Bring the schema to the expected version, in one database transaction; nothing to do is no error."""
    with make_engine(url).begin() as connection:
        command.upgrade(_config(connection), "head")


def schema_version(url: str) -> str | None:
    """Give the version of a database's schema, None when it has none."""
    with make_engine(url).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def expected_version() -> str:
    """Give the schema version that this program expects."""
    head = ScriptDirectory.from_config(_config(None)).get_current_head()
    assert head is not None, "there is a first migration"
    return head


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
