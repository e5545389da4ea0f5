"""Bringing a database's schema to the version that this program expects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from .connecting import make_engine
from .operations import StoreUnavailable
from .sqlite import sqlite_path

_SCRIPTS = Path(__file__).with_name("migrations")


def migrate(url: str) -> None:
    """Bring the schema to the expected version, in one database transaction; nothing to do is no error.

    An SQLite file is made when it is not there. StoreUnavailable when the database cannot be reached.
    """
    with _reaching(), make_engine(url).begin() as connection:
        command.upgrade(_config(connection), "head")


def schema_version(url: str) -> str | None:
    """Give the version of a database's schema, None when it has none; StoreUnavailable when it cannot be reached."""
    if url.startswith("sqlite") and not sqlite_path(url).exists():
        return None
    with _reaching(), make_engine(url, reading=True).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def expected_version() -> str:
    """Give the schema version that this program expects."""
    head = ScriptDirectory.from_config(_config(None)).get_current_head()
    assert head is not None, "there is a first migration"
    return head


@contextmanager
def _reaching() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        said = str(error.orig).partition("\n")[0]
        raise StoreUnavailable(f"the database cannot be used: {said}") from None


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
