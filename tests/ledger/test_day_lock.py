"""The open day is shared by every batch until it has committed, and a cutover has it alone (PostgreSQL)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from junctor.ledger import Vault, open_store
from junctor.ledger.operations import Decided, Done
from junctor.ledger.settlement_items import CutOver
from ledger_items import Bank, purchase


@pytest.fixture
def bank(postgres_url: str, vault: Vault) -> Iterator[Bank]:
    store = open_store(postgres_url, vault)
    bank = Bank(store, postgres_url, vault)
    bank.open("anna", 1_000)
    bank.open("shop", kind="settlement", floor_minor=None)
    yield bank
    store.close()


class Aside:
    """One item committed in a thread of its own."""

    def __init__(self, bank: Bank, item: Any) -> None:
        self.outcomes: list[Any] = []
        self._thread = threading.Thread(target=lambda: self.outcomes.append(bank.one(item)))
        self._thread.start()

    def is_waiting(self, watcher: psycopg.Connection[Any]) -> bool:
        """Wait until the database says that somebody waits for a lock; False when the thread ended instead."""
        while self._thread.is_alive():
            waiting = watcher.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE wait_event_type = 'Lock' AND datname = current_database()"
            ).fetchone()
            if waiting != (0,):
                return True
        return False

    def outcome(self) -> Any:
        self._thread.join(10)
        assert self.outcomes, "it ended"
        return self.outcomes[0]


def days(bank: Bank) -> list[int]:
    return [entry.bdate for entry in bank.see(lambda reader: reader.statement("shop"))]


def test_a_cutover_waits_for_batches_that_have_read_the_day(bank: Bank) -> None:
    with psycopg.connect(bank.url) as batch, psycopg.connect(bank.url, autocommit=True) as watcher:
        batch.execute("SELECT bdate FROM business_day WHERE state = 0 FOR SHARE")
        cutting = Aside(bank, CutOver("evening"))
        assert cutting.is_waiting(watcher)
        batch.rollback()
        assert isinstance(cutting.outcome(), Done)


def test_batches_share_the_day_with_one_another(bank: Bank) -> None:
    with psycopg.connect(bank.url) as batch:
        batch.execute("SELECT bdate FROM business_day WHERE state = 0 FOR SHARE")
        assert isinstance(bank.one(purchase(1)), Decided)
        batch.rollback()


def test_a_batch_that_waited_for_a_cutover_is_of_the_new_day(bank: Bank) -> None:
    with psycopg.connect(bank.url) as cutover, psycopg.connect(bank.url, autocommit=True) as watcher:
        cutover.execute("UPDATE business_day SET state = 1, cut_us = 1, cut_by = 'another node'")
        cutover.execute("INSERT INTO business_day (bdate, state, opened_us) VALUES (20991231, 0, 1)")
        paying = Aside(bank, purchase(1))
        assert paying.is_waiting(watcher)
        cutover.commit()
        assert isinstance(paying.outcome(), Decided)
    assert days(bank) == [20991231]
