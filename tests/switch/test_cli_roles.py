"""`junctor migrate --role`: a role of PostgreSQL that keeps the books."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from ledger_items import raw
from office import Office


def test_migrating_with_a_role_gives_it_its_rights(tmp_path: Path, postgres_url: str) -> None:
    office = Office(tmp_path, postgres_url)
    with raw(postgres_url) as connection:
        connection.execute("CREATE ROLE keeper")
        try:
            assert office.run("migrate", "--role", "keeper").status == 0
            connection.execute("SET ROLE keeper")
            assert connection.execute("SELECT count(*) FROM message").fetchone() == (0,)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("DELETE FROM message")
        finally:
            connection.execute("RESET ROLE")
            connection.execute("DROP OWNED BY keeper")
            connection.execute("DROP ROLE keeper")


def test_a_role_that_is_not_there_is_one_sentence(tmp_path: Path, database_url: str) -> None:
    ended = Office(tmp_path, database_url).run("migrate", "--role", "keeper")
    assert (ended.status, ended.err.count("\n")) == (1, 1)
    assert "role" in ended.err
