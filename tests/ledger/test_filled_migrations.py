"""Migrating books that are full: nothing is lost, what was there is sealed, and a kill half-way leaves no half."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from alembic import command
from junctor.ledger import StoreUnavailable, Vault, expected_version, migrate, open_store, schema_version
from junctor.ledger.connecting import make_engine
from junctor.ledger.migrate import _config
from junctor.ledger.verify import verify
from ledger_items import Bank, approved, key, purchase, raw
from postgres_server import PostgresServer

ROWS = 2_500
"""More than a migration reads at once."""


@pytest.fixture(params=["sqlite", "postgresql"])
def old_url(request: pytest.FixtureRequest, tmp_path: Path, vault: Vault) -> str:
    """Books of the first version, with payments in them, on each kind of database in turn."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'old.db'}"
    else:
        postgres: PostgresServer = request.getfixturevalue("postgres")
        name = postgres.create_database()
        request.addfinalizer(lambda: postgres.drop_database(name))  # noqa: PT021
        url = postgres.url(name)
    with make_engine(url).begin() as connection:
        command.upgrade(_config(connection), "0001")
    _fill(url, vault)
    return url


def _fill(url: str, vault: Vault) -> None:
    mark = "?" if url.startswith("sqlite") else "%s"

    def insert(table: str, columns: str, rows: Sequence[tuple[object, ...]]) -> str:
        marks = ", ".join([mark] * len(rows[0]))
        return f"INSERT INTO {table} ({columns}) VALUES ({marks})"

    numbers = range(1, ROWS + 1)
    accounts = [(1, "anna", 0 - ROWS, None), (2, "shop", ROWS, None)]
    balances = [(number, 978, posted, 0, ROWS, floor, None, 0, 0, 0) for number, _, posted, floor in accounts]
    entries = [
        (account, n, 20260101, key(n), 1, sign, sign * n, 0, 0, n)
        for n in numbers
        for account, sign in ((1, -1), (2, 1))
    ]
    messages = [
        (
            key(n), b"f", "acme", "ledger", "0200", n, f"t{n}", "000000", 1, 978, None, "4761**0119", "", 20260101, 1,
            1, key(n), n, vault.seal(b"yes", table="message", column="response", row=key(n)),
        )
        for n in numbers
    ]  # fmt: skip
    tables: list[tuple[str, str, Sequence[tuple[object, ...]]]] = [
        (
            "account",
            "account_id, code, kind, currency, institution, name, created_us",
            [(number, code, "cardholder", 978, "", "", 1) for number, code, *_ in accounts],
        ),
        ("balance", "account_id, currency, posted, held, seq, floor, ceiling, flags, overdraw, overfill", balances),
        ("entry", "account_id, seq, bdate, txn_key, kind, amount, balance, held_delta, held, at_us", entries),
        (
            "message",
            "idem_key, fingerprint, source, destination, type, received_us, trace, processing_code, amount, currency,"
            " stan, pan_masked, purpose, bdate, step, result, txn_key, decided_us, response",
            messages,
        ),
    ]
    with raw(url) as connection:
        connection.execute("BEGIN")
        for table, columns, rows in tables:
            connection.cursor().executemany(insert(table, columns, rows), rows)
        connection.execute("COMMIT")


def test_full_books_are_migrated_whole_and_go_on(old_url: str, vault: Vault) -> None:
    migrate(old_url)
    verdict = verify(old_url, vault)
    assert verdict.finding is None
    assert (verdict.messages, verdict.entries, verdict.batches) == (ROWS, 2 * ROWS, 1)
    store = open_store(old_url, vault)
    bank = Bank(store, old_url, vault)
    assert approved(bank.one(purchase(ROWS + 1, 5))) == 5
    assert bank.holds("shop") == (ROWS + 5, 0)
    store.close()
    verdict = verify(old_url, vault)
    assert (verdict.finding, verdict.messages, verdict.chains) == (None, ROWS + 1, 2)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("UPDATE message SET amount = 2 WHERE received_us = 7", "altered: batch 0/0"),
        ("UPDATE entry SET kind = 2 WHERE seq = 7", "altered: batch 0/0"),
        ("DELETE FROM message WHERE received_us = 7", "missing: message rows of batch 0/0: 2499 are there, not 2500"),
    ],
)
def test_what_was_there_before_the_chains_is_sealed_by_the_migration(
    old_url: str, vault: Vault, change: str, found: str
) -> None:
    migrate(old_url)
    with raw(old_url) as connection:
        connection.execute(change)
    assert str(verify(old_url, vault).finding).startswith(found)


_KILLED = """
import os, signal, sys
from alembic import op
from junctor.ledger import migrate
create = op.create_table
made = []
def create_table(name, *parts, **options):
    table = create(name, *parts, **options)
    made.append(name)
    if name == "journal_batch":
        os.kill(os.getpid(), signal.SIGKILL)
    return table
op.create_table = create_table
migrate(sys.argv[1])
"""


def test_a_migration_killed_half_way_leaves_the_old_books_which_migrate_again(old_url: str, vault: Vault) -> None:
    killed = subprocess.run([sys.executable, "-c", _KILLED, old_url], capture_output=True, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert schema_version(old_url) == "0001"
    with pytest.raises(StoreUnavailable, match="run junctor migrate"):
        open_store(old_url, vault)
    migrate(old_url)
    assert schema_version(old_url) == expected_version()
    assert verify(old_url, vault).finding is None
