"""Statements in one round trip: what they give, and what is left after one that fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from junctor.ledger.look_ups import Query
from junctor.ledger.pipeline import Pipeline


@pytest.fixture
def connection(postgres_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(postgres_url, autocommit=True) as opened:
        yield opened


def ask(pipeline: Pipeline, text: str, *parameters: Any) -> list[Any]:
    found: list[Any] = []
    pipeline.run([(text, parameters, found.extend)])
    return found


def test_each_reader_gets_the_rows_of_its_statement(connection: psycopg.Connection[Any]) -> None:
    heard: list[tuple[str, list[Any]]] = []
    pipeline = Pipeline(connection)
    for _ in range(2):
        pipeline.run(
            [
                ("SELECT %s::bigint, %s::bytea, %s::text", (5, b"\x00{}", None), lambda it: heard.append(("a", it))),
                ("SELECT unnest(%s::text[])", ('{"x","y"}',), lambda it: heard.append(("b", it))),
                ("SELECT 1 WHERE false", (), lambda it: heard.append(("c", it))),
            ]
        )
    assert heard == [("a", [(5, b"\x00{}", None)]), ("b", [("x",), ("y",)]), ("c", [])] * 2


def test_long_statements_and_long_answers_pass_each_other(connection: psycopg.Connection[Any]) -> None:
    long = "x" * 3_000_000
    heard: list[Any] = []
    queries: list[Query] = [("SELECT %s::text", (long,), heard.append) for _ in range(6)]
    Pipeline(connection).run(queries)
    assert heard == [[(long,)]] * 6


def test_a_statement_that_cannot_be_prepared_is_prepared_when_it_can_be(connection: psycopg.Connection[Any]) -> None:
    pipeline = Pipeline(connection)
    with pytest.raises(psycopg.errors.UndefinedTable):
        ask(pipeline, "SELECT n FROM later")
    connection.execute("CREATE TABLE later (n bigint)")
    assert ask(pipeline, "SELECT n FROM later") == []


def test_nothing_after_a_statement_that_fails_is_carried_out(connection: psycopg.Connection[Any]) -> None:
    connection.execute("CREATE TABLE seen (n bigint PRIMARY KEY)")
    pipeline = Pipeline(connection)
    heard: list[Any] = []
    with pytest.raises(psycopg.errors.UniqueViolation):
        pipeline.run(
            [
                ("BEGIN", (), None),
                ("INSERT INTO seen VALUES (%s), (%s)", (1, 1), None),
                ("SELECT 7", (), heard.append),
                ("COMMIT", (), None),
            ]
        )
    assert heard == []
    connection.execute("ROLLBACK")
    assert ask(pipeline, "SELECT n FROM seen") == []
    assert ask(pipeline, "SELECT 7") == [(7,)]


def test_a_statement_that_cannot_be_encoded_leaves_the_connection_in_order(
    connection: psycopg.Connection[Any],
) -> None:
    pipeline = Pipeline(connection)

    def queries() -> Iterator[Query]:
        yield "BEGIN", (), None
        yield "SELECT 7", (), None
        raise ValueError("cannot be encoded")

    with pytest.raises(ValueError, match="encoded"):
        pipeline.run(queries())
    assert connection.info.transaction_status is psycopg.pq.TransactionStatus.INTRANS
    connection.execute("ROLLBACK")
    assert ask(pipeline, "SELECT 8") == [(8,)]
