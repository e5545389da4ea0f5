"""The store's promises whatever happens below it: retried within limits, one bad item alone, never a wrong word."""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from pathlib import Path

import psycopg
import pytest
from junctor.ledger import Limits, Store, Vault, open_store
from junctor.ledger.operations import (
    Answered,
    Bury,
    Decided,
    Failed,
    Silence,
    StoreUnavailable,
)
from junctor.ledger.page import Page
from junctor.ledger.plan import Wants
from junctor.ledger.ports import Poisoned, Retry
from ledger_items import Bank, approved, dispatch, key, pay, purchase, raw


class UnsteadyDatabase:
    """A database that is disturbed a number of times before it works, and keeps nothing."""

    def __init__(self, *troubles: Exception) -> None:
        self.troubles = list(troubles)
        self.begun = self.rolled_back = self.written = 0

    def begin(self, wants: Wants) -> Page:
        self.begun += 1
        page = Page(1, 20260102)
        self.load(page, wants)
        return page

    def load(self, page: Page, wants: Wants) -> None:
        page.codes.loaded.update(dict.fromkeys(it for it in wants.references if isinstance(it, str)))
        for table in ("messages", "transactions", "flights"):
            getattr(page, table).loaded.update(dict.fromkeys(getattr(wants, table)))

    def write(self, page: Page, *, commit: bool) -> None:
        if self.troubles:
            raise self.troubles.pop(0)
        self.written += 1

    def rollback(self) -> None:
        self.rolled_back += 1

    def commit(self) -> None:
        pass

    def set_savepoint(self) -> None:
        pass

    def return_to_savepoint(self) -> None:
        pass

    def clock_us(self) -> int:
        return 1

    def close(self) -> None:
        pass


def test_a_disturbed_batch_is_run_again_and_renders_again() -> None:
    database = UnsteadyDatabase(Retry("deadlock"), Retry("deadlock"))
    (outcome,) = Store(database, Limits()).commit([purchase(1)])
    assert isinstance(outcome, Decided)
    assert (database.begun, database.rolled_back, database.written) == (3, 2, 1)


def test_a_batch_that_is_always_disturbed_is_given_up_at_the_limit() -> None:
    database = UnsteadyDatabase(*[Retry("deadlock")] * 99)
    with pytest.raises(StoreUnavailable):
        Store(database, Limits(attempts_max=5)).commit([purchase(1)])
    assert (database.begun, database.rolled_back) == (5, 5)


def test_a_clash_that_stays_is_looked_for_item_by_item() -> None:
    clashes = [Retry("UniqueViolation", may_be_content=True)] * 3
    database = UnsteadyDatabase(*clashes)
    outcomes = Store(database, Limits(attempts_max=4)).commit([purchase(1), purchase(2)])
    assert [type(it) for it in outcomes] == [Failed, Decided]
    assert database.begun == 3


def test_a_poisoned_item_is_found_item_by_item() -> None:
    database = UnsteadyDatabase(Poisoned("DataError"), Poisoned("DataError"))
    outcomes = Store(database, Limits()).commit([purchase(1), purchase(2), purchase(3)])
    assert outcomes[0] == Failed("DataError in Authorise")
    assert [type(it) for it in outcomes[1:]] == [Decided, Decided]


class ForgetfulDatabase(UnsteadyDatabase):
    """A database that never gives what it is asked for."""

    def load(self, page: Page, wants: Wants) -> None:
        self.loads = getattr(self, "loads", 0) + 1


def test_rows_that_never_come_are_asked_for_up_to_the_limit() -> None:
    database = ForgetfulDatabase()
    (outcome,) = Store(database, Limits()).commit([purchase(1)])
    assert outcome == Failed("rows name rows without end in Authorise")
    assert database.loads == 1 + 8 + 1 + 1 + 8


def test_no_transaction_stays_open_when_the_database_is_gone() -> None:
    database = UnsteadyDatabase(StoreUnavailable("gone"))
    with pytest.raises(StoreUnavailable):
        Store(database, Limits()).commit([purchase(1)])
    assert database.rolled_back == 1


def test_nothing_is_asked_of_the_database_for_an_empty_batch() -> None:
    database = UnsteadyDatabase(StoreUnavailable("gone"))
    assert Store(database, Limits()).commit([]) == []
    assert database.begun == 0


@pytest.mark.parametrize("text", ["\ud800", "4761739001010119\ud800"])
def test_an_item_that_cannot_be_written_fails_alone(bank: Bank, text: str) -> None:
    first, bad, last = bank.commit(purchase(1), purchase(2, rrn=text), purchase(3))
    assert (approved(first), approved(last)) == (100, 100)
    assert isinstance(bad, Failed)
    assert "4761" not in bad.why
    assert bank.holds("anna") == (99_800, 0)
    assert [entry[1] for entry in bank.entries("anna")[1:]] == [-100, -100]
    assert bank.see(lambda reader: reader.show_transaction(key(2))) is None
    assert approved(bank.one(purchase(4))) == 100, "the store goes on"


def test_a_stored_answer_that_was_tampered_with_is_not_given(bank: Bank) -> None:
    bank.commit(purchase(1), purchase(2))
    with raw(bank.url) as connection:
        connection.execute("UPDATE message SET response = (SELECT response FROM message ORDER BY idem_key LIMIT 1)")
    bad, good, new = bank.commit(purchase(2), purchase(1), purchase(3))
    assert isinstance(bad, Failed)
    assert bad.why.startswith("VaultFault at vault.py:")
    assert isinstance(good, Answered)
    assert approved(new) == 100


@pytest.mark.parametrize("column", ["silence_response", "reversal"])
def test_a_payment_whose_prepared_words_were_tampered_with_stays_open(bank: Bank, column: str) -> None:
    bank.commit(dispatch(1), dispatch(2))
    with raw(bank.url) as connection:
        connection.execute(
            f"UPDATE in_flight SET {column} = (SELECT {column} FROM in_flight ORDER BY idem_key LIMIT 1)"
        )
    good, bad = bank.commit(Silence(key(1)), Silence(key(2)))
    assert not isinstance(good, Failed)
    assert isinstance(bad, Failed)
    assert bank.holds("blue") == (0, 100)
    assert bank.waiting() == [(1, "reversal")]


def test_nothing_that_could_hold_a_card_is_stored_readable(bank: Bank, tmp_path: Path) -> None:
    pan = b"4761739001010119"
    bank.commit(purchase(1, render=lambda _: pan), dispatch(2, silence_response=pan), dispatch(3))
    bank.commit(Silence(key(2)), Silence(key(3)), Bury("blue", 2, "refused"))
    with raw(bank.url) as connection:
        stored = []
        for table in ("message", "in_flight", "delivery", "dead_letter"):
            stored += list(connection.execute(f"SELECT * FROM {table}"))
    assert len(stored) >= 6
    whole = repr([[bytes(it) if isinstance(it, memoryview) else it for it in row] for row in stored])
    assert "4761739001010119" not in whole
    assert "undo 3" not in whole


def test_books_without_an_open_day_decide_nothing(bank: Bank) -> None:
    with raw(bank.url) as connection:
        connection.execute("UPDATE business_day SET state = 1")
    with pytest.raises(StoreUnavailable, match="no business day is open"):
        bank.one(purchase(1))
    with raw(bank.url) as connection:
        connection.execute("UPDATE business_day SET state = 0")
    assert approved(bank.one(purchase(1))) == 100


def test_entries_carry_the_day_that_is_open_when_they_are_made(bank: Bank) -> None:
    with raw(bank.url) as connection:
        connection.execute("INSERT INTO business_day (bdate, state, opened_us) VALUES (29991231, 0, 1)")
    bank.one(purchase(1))
    assert [entry.bdate for entry in bank.see(lambda reader: reader.statement("shop"))] == [29991231]


def test_two_writers_decide_each_message_once_and_see_the_same(bank: Bank) -> None:
    limits = Limits(lock_timeout_s=20, statement_timeout_s=20)
    answers: dict[bytes, set[bytes]] = {}
    decided: Counter[bytes] = Counter()
    lock = threading.Lock()

    def work(numbers: list[int], size: int) -> None:
        store = open_store(bank.url, bank.vault, limits)
        for start in range(0, len(numbers), size):
            batch = [purchase(number, 700, movements=(pay(700),)) for number in numbers[start : start + size]]
            outcomes = store.commit(batch)
            with lock:
                for item, outcome in zip(batch, outcomes, strict=True):
                    assert isinstance(outcome, Decided | Answered), outcome
                    answers.setdefault(item.facts.key, set()).add(outcome.response)
                    decided[item.facts.key] += isinstance(outcome, Decided)
        store.close()

    numbers = list(range(1, 181))
    orders = [(numbers, 7), (numbers[::-1], 11), (numbers[60:] + numbers[:60], 5)]
    threads = [threading.Thread(target=work, args=order) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert decided == Counter(dict.fromkeys(map(key, numbers), 1))
    assert all(len(given) == 1 for given in answers.values())
    approvals = sum(next(iter(given)).startswith(b"yes") for given in answers.values())
    assert (approvals, bank.holds("anna")) == (142, (100_000 - 142 * 700, 0))


def test_a_lock_that_is_not_given_makes_the_books_unavailable_at_the_limit(bank: Bank) -> None:
    hasty = open_store(bank.url, bank.vault, Limits(lock_timeout_s=0.1))
    with raw(bank.url) as connection:
        connection.execute("BEGIN IMMEDIATE" if bank.url.startswith("sqlite") else "BEGIN")
        connection.execute("UPDATE balance SET held = held WHERE seq >= 0")
        with pytest.raises(StoreUnavailable, match=r"locked|LockNotAvailable"):
            hasty.commit([purchase(1)])
        connection.execute("ROLLBACK")
    assert isinstance(hasty.commit([purchase(1)])[0], Decided)
    hasty.close()


def test_remembered_references_stay_within_their_limit(bank: Bank) -> None:
    frugal = open_store(bank.url, bank.vault, Limits(references_max=2))
    for number in range(12):
        bank.open(f"c{number}", cards=(bytes([number]) * 16,))
    for number in range(12):
        movement = pay(1, "anna", bytes([number]) * 16)
        assert isinstance(frugal.commit([purchase(number, 1, movements=(movement,))])[0], Decided)
    assert len(frugal._database._references) <= 4  # type: ignore[attr-defined]
    frugal.close()


def test_the_clock_of_the_database_is_near_ours(bank: Bank) -> None:
    bank.one(purchase(1))
    (message,) = bank.see(lambda reader: reader.show_transaction(key(1))).messages
    assert 0 <= bank.store.clock_us() - message.decided_us < 60_000_000


@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE balance SET held = -1 WHERE account_id = 1",
        "UPDATE balance SET posted = posted - 100001 WHERE currency = 978 AND floor = 0 AND posted = 100000",
        "UPDATE balance SET ceiling = 5 WHERE posted = 100000",
        "UPDATE balance SET overdraw = -1",
        "UPDATE txn SET amount = -1",
        "INSERT INTO message SELECT * FROM message",
        "INSERT INTO entry SELECT * FROM entry",
    ],
)
def test_the_database_itself_refuses_what_the_rules_never_write(bank: Bank, spoil: str) -> None:
    bank.one(purchase(1, 1, movements=()))
    with raw(bank.url) as connection, pytest.raises((sqlite3.IntegrityError, psycopg.IntegrityError)):
        connection.execute(spoil)


def test_a_database_that_is_not_there_is_unavailable(tmp_path: Path, vault: Vault) -> None:
    with pytest.raises(StoreUnavailable):
        open_store(f"sqlite:///{tmp_path}/none.db", vault)
    assert not (tmp_path / "none.db").exists()
    with pytest.raises(StoreUnavailable, match="no connection"):
        open_store(f"postgresql://nobody@/none?host={tmp_path}", vault)
    (tmp_path / "text.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreUnavailable, match="not a database"):
        open_store(f"sqlite:///{tmp_path}/text.db", vault)


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "sqlite:///", ""])
def test_an_address_of_no_known_kind_is_refused(url: str, vault: Vault) -> None:
    with pytest.raises(ValueError, match="ledger"):
        open_store(url, vault)


def test_a_full_disk_stores_nothing_and_is_overcome(sqlite_url: str, vault: Vault) -> None:
    store = open_store(sqlite_url, vault)
    bank = Bank(store, sqlite_url, vault)
    bank.open("anna", 100_000)
    bank.open("shop", kind="settlement")
    connection = store._database._connect()  # type: ignore[attr-defined]
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + 1}").fetchone()
    with pytest.raises(StoreUnavailable, match="disk is full"):
        bank.commit(*(purchase(number, render=lambda _: bytes(4_000)) for number in range(1, 40)))
    assert bank.holds("anna") == (100_000, 0)
    assert approved(bank.one(purchase(1))) == 100, "a new connection has room again"
    store.close()


def test_a_read_only_database_is_unavailable(postgres_url: str, vault: Vault) -> None:
    bank = Bank(open_store(postgres_url, vault), postgres_url, vault)
    bank.open("anna", 100_000)
    bank.open("shop", kind="settlement")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
        other = open_store(postgres_url, vault)
        with pytest.raises(StoreUnavailable, match="25006"):
            other.commit([purchase(1)])
        other.close()
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only".encode())
    assert approved(bank.one(purchase(1))) == 100
    bank.store.close()


def test_a_statement_that_takes_too_long_makes_the_books_unavailable(postgres_url: str, vault: Vault) -> None:
    bank = Bank(open_store(postgres_url, vault), postgres_url, vault)
    bank.open("anna", 100_000)
    bank.open("shop", kind="settlement")
    hasty = open_store(postgres_url, vault, Limits(statement_timeout_s=0.1, lock_timeout_s=9))
    with psycopg.connect(postgres_url) as connection:
        connection.execute("SELECT 1 FROM balance FOR UPDATE")
        with pytest.raises(StoreUnavailable, match="QueryCanceled"):
            hasty.commit([purchase(1)])
    assert isinstance(hasty.commit([purchase(1)])[0], Decided)
    hasty.close()
    bank.store.close()
