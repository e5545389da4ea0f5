"""Processes are killed while they commit: what was acknowledged is stored, and nothing is stored twice."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from crash_rounds import crash_postgresql, crash_sqlite
from junctor.ledger import Limits, Vault, migrate, open_reader, open_store
from junctor.ledger.operations import Answered, Decided, OutcomeUnknown, StoreUnavailable
from junctor.ledger.verify import verify
from ledger_items import Bank, key, purchase
from ledger_soundness import check_sound
from postgres_server import PostgresServer

SUPPORT = Path(__file__).parents[1] / "support"
BATCH = 8


def write_and_kill(url: str, first: int, lines: int) -> dict[int, bytes]:
    """Run a writer, kill it after so many acknowledgements, and give what it acknowledged."""
    command = [sys.executable, str(SUPPORT / "ledger_writer.py"), url, str(first), str(BATCH)]
    heard: dict[int, bytes] = {}
    with subprocess.Popen(command, cwd=SUPPORT, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if line.endswith(b"\n"):
                number, _, response = line.rstrip(b"\n").partition(b" ")
                heard[int(number)] = response
            if len(heard) == lines:
                writer.kill()
    return heard


@pytest.mark.parametrize("lines", [1, BATCH * 20 + 3])
def test_what_a_killed_writer_acknowledged_is_stored(bank: Bank, lines: int) -> None:
    acknowledged: dict[int, bytes] = {}
    for _ in range(3):
        first = max(acknowledged, default=0) // BATCH * BATCH + 1
        for number, response in write_and_kill(bank.url, first, lines).items():
            assert acknowledged.setdefault(number, response) == response, "the answer does not change"
    again = bank.commit(*(purchase(number, 1) for number in acknowledged))
    assert again == [Answered(response) for response in acknowledged.values()]
    stored = [it for it in bank.see(lambda reader: reader.find_transactions(most=10_000)) if it.type == "0200"]
    numbers = sorted(int.from_bytes(it.key, "big") for it in stored if it.key < key(2**90))
    assert numbers == list(range(1, len(numbers) + 1)), "no batch is stored in part"
    assert len(numbers) % BATCH == 0
    check_sound(bank.url)
    assert verify(bank.url, bank.vault).finding is None


def test_what_a_killed_postgresql_acknowledged_is_stored(vault: Vault, migrated_postgres: str) -> None:
    assert migrated_postgres, "the shared server is up, and stays out of this"
    server = PostgresServer()
    try:
        url = server.url(server.create_database())
        migrate(url)
        with closing(open_store(url, vault, Limits(connect_timeout_s=2, reply_timeout_s=5))) as store:
            _kill_while_committing(server, Bank(store, url, vault))
    finally:
        server.close()


def _kill_while_committing(server: PostgresServer, bank: Bank) -> None:
    store, url = bank.store, bank.url
    bank.open("anna", 1_000_000)
    bank.open("shop", kind="settlement")
    acknowledged: dict[int, bytes] = {}
    troubles: Counter[str] = Counter()
    first, rounds = 1, 4
    for turn in range(rounds):
        killer = threading.Timer(0.12 + 0.05 * turn, server.kill)
        killer.start()
        while True:
            batch = [purchase(number, 1) for number in range(first, first + BATCH)]
            try:
                outcomes = store.commit(batch)
            except (OutcomeUnknown, StoreUnavailable) as trouble:
                troubles[type(trouble).__name__] += 1
                break
            for number, outcome in enumerate(outcomes, first):
                assert isinstance(outcome, Decided | Answered), outcome
                acknowledged[number] = outcome.response
            first += BATCH
        killer.join()
        server.start()
    assert troubles.total() == rounds
    assert len(acknowledged) > rounds * BATCH
    with open_reader(url, bank.vault) as reader:
        stored = {it.key for it in reader.find_transactions(most=100_000)}
        assert reader.imbalance() == {"EUR": 0}
    assert {key(number) for number in acknowledged} <= stored
    assert len(stored) - 1 - len(acknowledged) in (0, BATCH), "at most the batch whose outcome was unknown"
    again = store.commit([purchase(number, 1) for number in acknowledged])
    assert again == [Answered(response) for response in acknowledged.values()]
    check_sound(url)
    assert verify(url, bank.vault).finding is None


def test_crashes_under_mixed_load_lose_and_double_nothing_on_postgresql() -> None:
    counts = crash_postgresql(4, Random(1))
    assert counts["process killed"] == 4
    assert counts["server killed"] > 0
    assert counts["acknowledged"] > 100


def test_crashes_under_mixed_load_lose_and_double_nothing_on_sqlite(tmp_path: Path) -> None:
    counts = crash_sqlite(4, Random(2), tmp_path)
    assert counts["process killed"] == 4
    assert counts["acknowledged"] > 100
