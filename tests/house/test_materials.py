"""Three materials never share a file: pure code, the reactor, and SQL."""

from __future__ import annotations

import pytest
from project_files import Source

REACTOR = {"twisted", "treq", "automat"}
SQL = {"sqlalchemy", "psycopg", "sqlite3", "alembic"}
WORLD = {"time", "random", "secrets", "socket", "select", "threading", "subprocess", "asyncio", "sqlite3", "tempfile"}


def test_no_file_mixes_the_reactor_with_sql(package_sources: list[Source]) -> None:
    mixed = [source.path for source in package_sources if source.imported & REACTOR and source.imported & SQL]
    assert mixed == []


@pytest.mark.parametrize("room", ["codecs", "routing", "config"])
def test_pure_rooms_ask_for_no_clock_no_chance_and_no_world(package_sources: list[Source], room: str) -> None:
    worldly = {
        source.path: sorted(source.imported & (WORLD | REACTOR | SQL))
        for source in package_sources
        if source.room == room and source.imported & (WORLD | REACTOR | SQL)
    }
    assert worldly == {}


def test_sql_stays_in_the_ledger(package_sources: list[Source]) -> None:
    strays = [source.path for source in package_sources if source.room != "ledger" and source.imported & SQL]
    assert strays == []


def test_the_reactor_stays_in_the_switch_and_the_simulators(package_sources: list[Source]) -> None:
    allowed = {"switch", "simulators"}
    strays = [source.path for source in package_sources if source.room not in allowed and source.imported & REACTOR]
    assert strays == []
