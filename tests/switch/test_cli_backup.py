"""Checking a restored copy of the books."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from office import Office


@pytest.fixture
def copy(tmp_path: Path, sqlite_url: str) -> tuple[Office, Path]:
    """An office, and a copy of its books restored to another place."""
    office = Office(tmp_path, sqlite_url)
    ended = office.run("account", "create", "--code", "a", "--currency", "EUR", "--opening", "1.00")
    assert ended.status == 0, ended.err
    restored = tmp_path / "restored.db"
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as source, sqlite3.connect(restored) as target:
        source.backup(target)
    source.close()
    target.close()
    return office, restored


def spoil(file: Path, statement: str) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute(statement)
    connection.close()


def test_a_good_copy_is_told_as_sound(copy: tuple[Office, Path]) -> None:
    office, restored = copy
    told = office.json("backup", "check", f"sqlite:///{restored}")
    assert (told["ok"], told["finding"], told["imbalance"]) == (True, None, None)
    assert told["entries"] > 0
    assert office.run("backup", "check", f"sqlite:///{restored}").out.endswith("sound\n")


def test_a_copy_that_lost_a_row_is_told_with_status_1(copy: tuple[Office, Path]) -> None:
    office, restored = copy
    spoil(restored, "DELETE FROM message")
    ended = office.run("backup", "check", f"sqlite:///{restored}", "--json")
    assert ended.status == 1
    assert ended.json["finding"]["what"] == "missing"
    assert office.run("ledger", "verify").status == 0, "the books themselves are another matter"


def test_a_copy_out_of_balance_is_told_with_status_1(copy: tuple[Office, Path]) -> None:
    office, restored = copy
    spoil(restored, "UPDATE balance SET posted = posted + 1 WHERE posted > 0")
    ended = office.run("backup", "check", f"sqlite:///{restored}", "--json")
    assert ended.status == 1
    assert (ended.json["ok"], ended.json["imbalance"]) == (False, {"EUR": 1})


def test_a_copy_with_another_schema_is_refused(copy: tuple[Office, Path]) -> None:
    office, restored = copy
    spoil(restored, "UPDATE alembic_version SET version_num = '0001'")
    ended = office.run("backup", "check", f"sqlite:///{restored}")
    assert ended.status == 1
    assert "schema 0001" in ended.err


def test_a_copy_that_was_cut_off_is_one_sentence(copy: tuple[Office, Path], tmp_path: Path) -> None:
    office, restored = copy
    half = tmp_path / "half.db"
    shutil.copy(restored, half)
    with half.open("r+b") as file:
        file.truncate(half.stat().st_size // 2)
    ended = office.run("backup", "check", f"sqlite:///{half}")
    assert ended.status == 1
    assert ended.err.startswith("junctor: ")
    assert ended.err.count("\n") == 1
