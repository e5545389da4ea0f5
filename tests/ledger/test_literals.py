"""Lists written as array literals are read by PostgreSQL as they were."""

from __future__ import annotations

from typing import Any

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from junctor.ledger.literals import BY_TYPE
from postgres_server import PostgresServer

LENIENT = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

texts = st.text(st.characters(exclude_characters="\x00", codec="utf-8"), max_size=6) | st.sampled_from(
    ["", "NULL", '","', '"', "\\", "{}", ",", " "]
)
blobs = st.binary(max_size=4)
same_size = st.binary(min_size=16, max_size=16)
whole = st.integers(-(2**63), 2**63 - 1)


def lists(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(values, max_size=5) | st.lists(values | st.none(), max_size=5)


columns = st.one_of(
    st.tuples(st.just("text"), lists(texts)),
    st.tuples(st.just("bytea"), lists(blobs)),
    st.tuples(st.just("bytea"), lists(same_size)),
    st.tuples(st.just("bigint"), lists(whole)),
    st.tuples(st.just("boolean"), st.lists(st.booleans(), max_size=5)),
)


@LENIENT
@given(column=columns)
def test_a_list_is_read_back_as_it_was_written(
    column: tuple[str, list[Any]], postgres: PostgresServer, migrated_postgres: str
) -> None:
    type_, values = column
    with psycopg.connect(postgres.url(migrated_postgres)) as connection:
        (found,) = connection.execute(f"SELECT %s::{type_}[]", [BY_TYPE[type_](values)]).fetchone() or ([],)
    assert found == values


def test_a_truth_value_among_integers_is_a_number() -> None:
    assert BY_TYPE["smallint"]([True, 2, None]) == "{1,2,NULL}"
