"""The books as a whole, and what comes before there are any: ledger, migrate, keys."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from office import Office


def test_trial_balance_is_zero_in_sound_books(paid: Office) -> None:
    ended = paid.run("ledger", "trial-balance", "--json")
    assert ended.status == 0
    assert [(row["currency"], row["total_minor"], row["debit_minor"]) for row in ended.json] == [("EUR", 0, 25_000)]
    assert paid.run("ledger", "trial-balance").out.splitlines()[1].split() == [
        "EUR",
        "3",
        "250.00",
        "250.00",
        "0.00",
        "0.00",
    ]


def test_trial_balance_of_tampered_books_gives_status_1(tmp_path: Path, sqlite_url: str) -> None:
    office = Office(tmp_path, sqlite_url)
    assert office.run("account", "create", "--code", "a", "--currency", "EUR", "--opening", "1.00").status == 0
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE balance SET posted = posted + 1 WHERE posted > 0")
    connection.close()
    ended = office.run("ledger", "trial-balance", "--json")
    assert ended.status == 1
    assert ended.json[0]["total_minor"] == 1


def test_migrating_makes_the_tables_once(tmp_path: Path) -> None:
    office = Office(tmp_path, "sqlite:///new.db")
    first, second = office.json("migrate"), office.json("migrate")
    assert first["before"] is None
    assert first["now"] == second["before"] == second["now"]


def test_books_without_tables_are_told_with_the_command_that_makes_them(tmp_path: Path) -> None:
    office = Office(tmp_path, "sqlite:///new.db")
    ended = office.run("account", "list")
    assert (ended.status, ended.out) == (1, "")
    assert "run junctor migrate" in ended.err
    assert ended.err.count("\n") == 1


def test_a_database_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    office = Office(tmp_path, "postgresql://nobody@127.0.0.1:1/none")
    for command in (["migrate"], ["account", "list"], ["queue", "list"]):
        ended = office.run(*command)
        assert (ended.status, ended.out) == (1, "")
        assert ended.err.startswith("junctor: the database cannot be used")


def test_keys_are_made_once_for_their_owner_alone(tmp_path: Path) -> None:
    office = Office(tmp_path, "sqlite:///new.db")
    key = tmp_path / "keys" / "kek.key"
    before = key.read_text()
    assert key.stat().st_mode & 0o777 == 0o600
    assert office.json("key", "init") == [{"file": str(key), "made": False}]
    assert office.json("keys", "init") == [{"file": str(key), "made": False}], "the former name"
    assert key.read_text() == before


def test_a_key_that_others_may_read_is_refused(tmp_path: Path, sqlite_url: str) -> None:
    office = Office(tmp_path, sqlite_url)
    (tmp_path / "keys" / "kek.key").chmod(0o644)
    ended = office.run("account", "list")
    assert ended.status == 1
    assert "make it mode 0600" in ended.err
