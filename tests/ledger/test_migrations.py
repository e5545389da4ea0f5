"""The schema's versions: made whole, made once, and the same as the tables that the code speaks of."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from junctor.codecs.money import CURRENCIES
from junctor.ledger import StoreUnavailable, Vault, expected_version, migrate, open_store, schema_version
from junctor.ledger.connecting import make_engine
from junctor.ledger.schema import currency, metadata
from postgres_server import PostgresServer
from sqlalchemy import inspect, select


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without any table, on each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new.db'}"
    postgres: PostgresServer = request.getfixturevalue("postgres")
    name = postgres.create_database()
    request.addfinalizer(lambda: postgres.drop_database(name))  # noqa: PT021
    return postgres.url(name)


def test_a_new_database_has_no_version_and_migrating_gives_the_expected_one(empty_url: str) -> None:
    assert schema_version(empty_url) is None
    migrate(empty_url)
    assert schema_version(empty_url) == expected_version() != "0001"


def test_migrating_again_changes_nothing(empty_url: str) -> None:
    migrate(empty_url)
    with make_engine(empty_url).connect() as connection:
        before = connection.exec_driver_sql("SELECT * FROM business_day").fetchall()
    migrate(empty_url)
    with make_engine(empty_url).connect() as connection:
        assert connection.exec_driver_sql("SELECT * FROM business_day").fetchall() == before


def test_the_migrated_tables_are_those_of_the_schema(database_url: str) -> None:
    def look(connection: Any) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return [change for change in compare_metadata(context, metadata) if not _is_of_one_kind(change)]

    with make_engine(database_url).connect() as connection:
        assert look(connection) == []
        assert _checks(connection) == {
            table.name: {str(it.name) for it in table.constraints if it.name} - {None}
            for table in metadata.tables.values()
        }


def _is_of_one_kind(change: Any) -> bool:
    """The index over the time of messages is made in PostgreSQL only, where it costs next to nothing."""
    return bool(change[0] in ("add_index", "remove_index") and change[1].name == "message_received")


def _checks(connection: Any) -> dict[str, set[str]]:
    looking = inspect(connection)
    return {name: {it["name"] for it in looking.get_check_constraints(name)} for name in metadata.tables}


def test_a_migration_that_fails_leaves_nothing_behind(empty_url: str) -> None:
    with make_engine(empty_url).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE txn (something INTEGER)")
    with pytest.raises(Exception, match="txn"):
        migrate(empty_url)
    with make_engine(empty_url).connect() as connection:
        assert set(inspect(connection).get_table_names()) <= {"txn", "alembic_version"}
    assert schema_version(empty_url) is None


def test_every_currency_of_the_standard_is_known_to_the_books(database_url: str) -> None:
    with make_engine(database_url).connect() as connection:
        rows = connection.execute(select(currency)).fetchall()
    assert {(row.code, row.alpha, row.exponent) for row in rows} == {
        (it.numeric, it.alpha, it.exponent) for it in CURRENCIES
    }


def test_books_of_another_version_are_not_opened(sqlite_url: str, vault: Vault, tmp_path: Path) -> None:
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    connection.close()
    with pytest.raises(
        StoreUnavailable, match=f"has version 0000, and {expected_version()} is expected: run junctor migrate"
    ):
        open_store(sqlite_url, vault)
    bare = tmp_path / "bare.db"
    sqlite3.connect(bare).close()
    bare.touch()
    with pytest.raises(StoreUnavailable, match="has version none"):
        open_store(f"sqlite:///{bare}", vault)


def test_a_database_that_cannot_be_reached_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        migrate(f"postgresql://nobody@/none?host={tmp_path}")
    with pytest.raises(StoreUnavailable):
        schema_version(f"postgresql://nobody@/none?host={tmp_path}")
    with pytest.raises(StoreUnavailable):
        migrate(f"sqlite:///{tmp_path}/no/such/folder/x.db")
