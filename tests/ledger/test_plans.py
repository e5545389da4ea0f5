"""Posting statements use their indexes, whatever the tables held when their plans were made."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from junctor.ledger import Vault, open_store
from junctor.ledger import statements as sql
from junctor.ledger.postgresql import SETTINGS
from ledger_items import Bank, dispatch, purchase
from psycopg import Connection

STATEMENTS = {
    name: it if isinstance(it, str) else it.sql
    for name, it in vars(sql).items()
    if name.isupper() and (isinstance(it, str) or hasattr(it, "sql"))
}
LOOK_UPS = ("BALANCES", "MESSAGES", "TXNS", "FLIGHTS", "UPDATE_BALANCES", "UPDATE_TXNS", "OVERDUE", "EXPIRED")


@pytest.fixture
def session(postgres_url: str) -> Iterator[Connection[Any]]:
    """A session as the store prepares it."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        for name, value in SETTINGS.items():
            connection.execute("SELECT set_config(%s, %s, false)", [name, value])
        yield connection


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan's steps."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def generic_plan(session: Connection[Any], text: str) -> list[dict[str, Any]]:
    """The steps of the plan that a prepared statement keeps."""
    numbers = itertools.count(1)
    text, count = re.subn(r"%s|\?", lambda _: f"${next(numbers)}", text)
    session.execute(f"PREPARE kept AS {text}")
    given = f"({', '.join(['NULL'] * count)})" if count else ""
    try:
        (found,) = session.execute(f"EXPLAIN (FORMAT JSON) EXECUTE kept{given}").fetchone() or ([],)
    finally:
        session.execute("DEALLOCATE kept")
    return list(nodes(found[0]["Plan"]))


def check_plans(session: Connection[Any]) -> None:
    for name, text in STATEMENTS.items():
        steps = generic_plan(session, text)
        kinds = {step["Node Type"] for step in steps}
        assert not kinds & {"Seq Scan", "Hash Join", "Merge Join"}, f"{name}: {kinds}"
        if name in LOOK_UPS:
            assert any("Index Name" in step for step in steps), f"{name}: {kinds}"


def test_no_plan_made_on_empty_tables_reads_a_table_from_end_to_end(session: Connection[Any]) -> None:
    check_plans(session)


def test_no_plan_made_on_filled_tables_reads_a_table_from_end_to_end(
    session: Connection[Any], postgres_url: str, vault: Vault
) -> None:
    store = open_store(postgres_url, vault)
    bank = Bank(store, postgres_url, vault)
    for code in ("anna", "shop", "blue"):
        bank.open(code, floor_minor=None)
    for first in range(1, 3_000, 500):
        numbers = range(first, first + 500)
        bank.commit(*(purchase(it, hold=it % 2 == 0, expires_us=it) for it in numbers))
        bank.commit(*(dispatch(10_000 + it) for it in numbers))
    store.close()
    session.execute("ANALYZE")
    check_plans(session)
