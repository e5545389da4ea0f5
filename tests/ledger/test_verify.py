"""Verifying the books: sound ones pass, and whatever was done to a row past the store is found and named."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from junctor.ledger import StoreUnavailable, Vault, open_store
from junctor.ledger.chain import Head, root_of
from junctor.ledger.findings import Tally
from junctor.ledger.operations import Conclude, Done
from junctor.ledger.settlement_items import CutOver
from junctor.ledger.verify import verify
from ledger_items import BIG, Bank, capture, dispatch, key, pay, purchase, raw, reverse


@pytest.fixture
def books(bank: Bank, vault: Vault) -> Bank:
    """Books with a little of everything, written by two writers."""
    other = open_store(bank.url, vault)
    card = {"pan_masked": "476173******0119", "card_ref": b"\x05" * 16}
    bank.commit(purchase(1, 300), purchase(2, 200, hold=True), dispatch(3, 50, about=card))
    other.commit([purchase(4, 10), purchase(5, 20)])
    bank.commit(capture(6, 2, 150), Conclude(key(3), True, 50, "00", b"yes", "A1"), purchase(7, 10**9))
    other.commit([reverse(8, 4), purchase(9, 30, hold=True), dispatch(10, 40)])
    bank.commit(purchase(11, 5), purchase(12, 6), purchase(13, 7))
    other.close()
    return bank


def find(bank: Bank, **more: Any) -> str:
    return str(verify(bank.url, bank.vault, **more).finding)


def spoil(bank: Bank, *statements: str) -> None:
    """Do what the store never does; blobs are written as x'..' in both kinds of SQL."""
    with raw(bank.url) as connection:
        for statement in statements:
            if not bank.url.startswith("sqlite"):
                statement = statement.replace("x'", "'\\x")
            connection.execute(statement)


def look(bank: Bank, statement: str) -> Any:
    with raw(bank.url) as connection:
        return connection.execute(statement).fetchone()


def test_sound_books_pass_and_are_counted(books: Bank) -> None:
    verdict = verify(books.url, books.vault)
    assert verdict.finding is None
    counted = [
        look(books, f"SELECT count(*) FROM {it}")[0] for it in ("message", "entry", "balance", "journal_batch")
    ]
    assert [verdict.messages, verdict.entries, verdict.accounts, verdict.batches] == counted
    assert (verdict.chains, verdict.removed) == (3, 0)


def test_progress_is_told(books: Bank) -> None:
    told: list[int] = []

    def tell(tally: Tally) -> None:
        told.append(tally.batches)

    verify(books.url, books.vault, tell=tell)
    assert told == sorted(told)
    assert told[-1] > 2


KEY_2, KEY_11 = key(2).hex(), key(11).hex()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("amount", "201"), ("code", "'00'"), ("bdate", "20200101"), ("source", "'other'"), ("stan", "'000001'"),
        ("txn_key", "x'00'"), ("decided_us", "1"), ("auth_code", "'A9'"), ("private_hash", "NULL"), ("result", "2"),
    ],
)  # fmt: skip
def test_an_altered_message_is_named(books: Bank, column: str, value: str) -> None:
    spoil(books, f"UPDATE message SET {column} = {value} WHERE idem_key = x'{KEY_2}'")
    assert find(books).startswith(f"altered: message {KEY_2}: ")


@pytest.mark.parametrize(
    ("column", "value"),
    [("pan_masked", "'511111******0000'"), ("card_ref", "x'00'"), ("salt", "x'00'"), ("response", "x'00'")],
)
def test_an_altered_card_or_answer_is_named(books: Bank, column: str, value: str) -> None:
    spoil(books, f"UPDATE message SET {column} = {value} WHERE idem_key = x'{KEY_2}'")
    assert find(books).startswith(f"altered: message {KEY_2}: its ")


def test_an_answer_moved_from_another_message_is_named(books: Bank) -> None:
    spoil(
        books,
        f"UPDATE message SET response = (SELECT m.response FROM message m WHERE m.idem_key = x'{KEY_11}')"
        f" WHERE idem_key = x'{KEY_2}'",
    )
    assert "its response: a sealed value does not open in this place" in find(books)


@pytest.mark.parametrize("change", ["amount = amount + 1", "kind = 2", "at_us = at_us - 1", "held_delta = 9"])
def test_an_altered_entry_is_named(books: Bank, change: str) -> None:
    account_id, seq = look(books, "SELECT account_id, max(seq) FROM entry GROUP BY account_id ORDER BY account_id")
    spoil(books, f"UPDATE entry SET {change} WHERE account_id = {account_id} AND seq = {seq}")
    assert find(books).startswith(f"altered: entry {account_id}/{seq}: it is not as batch ")


def test_a_missing_message_is_named(books: Bank) -> None:
    spoil(books, f"DELETE FROM message WHERE idem_key = x'{KEY_2}'")
    assert find(books).startswith(f"missing: message {KEY_2}: batch ")


def test_a_missing_entry_is_named(books: Bank) -> None:
    account_id, seq = look(books, "SELECT account_id, max(seq) FROM entry GROUP BY account_id ORDER BY account_id")
    spoil(books, f"DELETE FROM entry WHERE account_id = {account_id} AND seq = {seq}")
    assert find(books).startswith(f"missing: entry {account_id}/{seq}: batch ")


def test_the_first_of_several_is_named(books: Bank) -> None:
    spoil(
        books,
        f"DELETE FROM message WHERE idem_key = x'{KEY_11}'",
        f"UPDATE message SET amount = 1 WHERE idem_key = x'{KEY_2}'",
    )
    assert find(books).startswith(f"altered: message {KEY_2}")


def test_a_message_that_was_put_into_another_batch_is_named(books: Bank) -> None:
    spoil(books, f"UPDATE message SET batch_n = batch_n + 1 WHERE idem_key = x'{KEY_2}'")
    assert find(books).startswith(f"reordered: message {KEY_2}: ")


def test_swapped_entries_are_named(books: Bank) -> None:
    account_id, last = look(books, "SELECT account_id, max(seq) FROM entry GROUP BY account_id ORDER BY account_id")
    spoil(
        books,
        f"UPDATE entry SET seq = 1000 WHERE account_id = {account_id} AND seq = 1",
        f"UPDATE entry SET seq = 1 WHERE account_id = {account_id} AND seq = {last}",
        f"UPDATE entry SET seq = {last} WHERE account_id = {account_id} AND seq = 1000",
    )
    assert find(books).startswith(f"reordered: entry {account_id}/1: batch ")


def test_rows_swapped_within_a_batch_are_named(books: Bank) -> None:
    one, other, between = key(11).hex(), key(12).hex(), "ff" * 16
    spoil(
        books,
        *(
            f"UPDATE message SET idem_key = x'{new}' WHERE idem_key = x'{old}'"
            for old, new in ((one, between), (other, one), (between, other))
        ),
    )
    assert find(books).startswith(f"altered: message {one}: ")


def _copy(table: str, columns: dict[str, str], where: str, all_columns: str) -> str:
    names = all_columns.split(", ")
    values = ", ".join(columns.get(it, it) for it in names)
    return f"INSERT INTO {table} ({all_columns}) SELECT {values} FROM {table} {where}"


def test_an_added_message_is_named(books: Bank) -> None:
    with raw(books.url) as connection:
        cursor = connection.execute("SELECT * FROM message LIMIT 1")
        names = ", ".join(it[0] for it in cursor.description)
    added = "ab" * 16
    spoil(books, _copy("message", {"idem_key": f"x'{added}'"}, f"WHERE idem_key = x'{KEY_2}'", names))
    assert find(books).startswith(f"added: message {added}: batch ")


def test_an_added_entry_is_named(books: Bank) -> None:
    with raw(books.url) as connection:
        cursor = connection.execute("SELECT * FROM entry LIMIT 1")
        names = ", ".join(it[0] for it in cursor.description)
    account_id, last = look(books, "SELECT account_id, max(seq) FROM entry GROUP BY account_id ORDER BY account_id")
    changes = {"seq": str(last + 1)}
    spoil(books, _copy("entry", changes, f"WHERE account_id = {account_id} AND seq = {last}", names))
    assert find(books).startswith(f"added: entry {account_id}/{last + 1}: batch ")


def test_a_row_that_claims_to_be_older_than_the_chains_is_found(books: Bank) -> None:
    spoil(books, f"UPDATE message SET chain_id = 0, batch_n = 0 WHERE idem_key = x'{KEY_2}'")
    assert find(books) == "added: message rows of batch 0/0: 1 are there, not 0"


def test_a_missing_batch_is_named(books: Bank) -> None:
    spoil(books, "DELETE FROM journal_batch WHERE chain_id = 1 AND batch_n = 2")
    assert find(books) == "missing: batch 1/2: the next one is 3"


def test_a_missing_last_batch_is_named(books: Bank) -> None:
    (last,) = look(books, "SELECT max(batch_n) FROM journal_batch WHERE chain_id = 2")
    spoil(books, f"DELETE FROM journal_batch WHERE chain_id = 2 AND batch_n = {last}")
    assert find(books) == f"missing: batch 2/{last}: the chain ends at {last}"


def test_a_missing_end_is_found(books: Bank) -> None:
    spoil(books, "DELETE FROM chain WHERE chain_id = 2")
    assert find(books) == "missing: chain 2: it has batches, and no end"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("at_us = at_us + 1", "its rows do not have its hash"),
        ("epoch = 9", "its rows do not have its hash"),
        ("prev = x'00'", "it does not follow from the batch before it"),
        ("marks = x'00'", "its marks do not fit its counts"),
        ("messages = messages + 1", "its marks do not fit its counts"),
        ("form = 77", "its marks do not fit its counts"),
    ],
)
def test_an_altered_batch_is_named(books: Bank, change: str, why: str) -> None:
    spoil(books, f"UPDATE journal_batch SET {change} WHERE chain_id = 1 AND batch_n = 3")
    assert find(books) == f"altered: batch 1/3: {why}"


def test_batches_swapped_are_found(books: Bank) -> None:
    spoil(
        books,
        "UPDATE journal_batch SET batch_n = 1000 WHERE chain_id = 1 AND batch_n = 2",
        "UPDATE journal_batch SET batch_n = 2 WHERE chain_id = 1 AND batch_n = 3",
        "UPDATE journal_batch SET batch_n = 3 WHERE chain_id = 1 AND batch_n = 1000",
    )
    assert find(books) == "altered: batch 1/2: it does not follow from the batch before it"


def heads(bank: Bank) -> list[Head]:
    with raw(bank.url) as connection:
        rows = connection.execute("SELECT chain_id, epoch, batch_n, hash FROM chain").fetchall()
    return [Head(row[0], row[1], row[2], bytes(row[3])) for row in rows]


def test_the_end_of_a_chain_that_was_cut_off_is_found_by_an_anchor(books: Bank) -> None:
    anchors = heads(books)
    assert find(books, anchors=anchors) == "None"
    last = max(it.batch_n for it in anchors if it.chain_id == 2)
    numbers = {"chain": 2, "last": last}
    spoil(
        books,
        *(
            statement % numbers
            for statement in (
                "DELETE FROM journal_batch WHERE chain_id = %(chain)d AND batch_n = %(last)d",
                "UPDATE chain SET batch_n = %(last)d - 1, hash = (SELECT b.hash FROM journal_batch b"
                " WHERE b.chain_id = 2 AND b.batch_n = %(last)d - 1) WHERE chain_id = 2",
            )
        ),
    )
    assert find(books, anchors=anchors) == f"missing: batch 2/{last}: an anchor names it"


def test_a_chain_that_is_not_as_it_was_anchored_is_found(books: Bank) -> None:
    anchors = [attrs.evolve(it, hash=b"x" * 32) for it in heads(books)]
    assert find(books, anchors=anchors) == "altered: batch 0/0: its hash is not the anchored one"


def cut_over(bank: Bank) -> int:
    """Close the open day, and give its date."""
    (bdate,) = look(bank, "SELECT bdate FROM business_day WHERE state = 0")
    assert isinstance(bank.one(CutOver(by=f"test {bdate}")), Done)
    return int(bdate)


def test_each_cutover_anchors_the_ends_of_all_chains(books: Bank) -> None:
    ends = heads(books)
    first = cut_over(books)
    bdate, root = look(books, "SELECT bdate, root FROM business_day WHERE root IS NOT NULL")
    assert (bdate, bytes(root)) == (first, root_of(ends))
    books.one(purchase(20))
    cut_over(books)
    assert find(books) == "None"
    assert look(books, "SELECT count(*) FROM anchor")[0] == 6


def test_a_chain_that_was_cut_off_before_a_cutover_is_found(books: Bank) -> None:
    last = max(it.batch_n for it in heads(books) if it.chain_id == 2)
    cut_over(books)
    spoil(
        books,
        f"DELETE FROM journal_batch WHERE chain_id = 2 AND batch_n = {last}",
        f"UPDATE chain SET batch_n = {last - 1}, hash = (SELECT b.hash FROM journal_batch b"
        f" WHERE b.chain_id = 2 AND b.batch_n = {last - 1}) WHERE chain_id = 2",
    )
    assert find(books) == f"missing: batch 2/{last}: an anchor names it"


@pytest.mark.parametrize(
    "change",
    ["UPDATE anchor SET batch_n = 1 WHERE chain_id = 2", "DELETE FROM anchor WHERE chain_id = 2",
     "UPDATE business_day SET root = x'00' WHERE root IS NOT NULL",
     "UPDATE business_day SET root = NULL WHERE root IS NOT NULL"],
)  # fmt: skip
def test_an_altered_anchor_is_found(books: Bank, change: str) -> None:
    bdate = cut_over(books)
    spoil(books, change)
    assert find(books) == f"altered: anchor of {bdate}: it does not have the day's root"


def test_a_changed_balance_is_found(books: Bank) -> None:
    spoil(books, "UPDATE balance SET posted = posted + 1 WHERE floor IS NULL")
    assert find(books).startswith("unbalanced: account ")
    assert find(books).endswith("its balance is not the sum of its entries")


def test_a_hold_without_a_payment_is_found(books: Bank) -> None:
    spoil(books, f"UPDATE txn SET state = 6 WHERE txn_key = x'{key(9).hex()}'")
    assert find(books).endswith("what it holds is not what payments set aside")


def test_a_payment_that_sets_aside_what_is_not_held_is_found(books: Bank) -> None:
    spoil(books, f"UPDATE txn SET state = 0 WHERE txn_key = x'{key(1).hex()}'")
    assert "set aside" in find(books)


def test_sums_beyond_64_bits_are_exact(bank: Bank) -> None:
    for code in ("x", "y"):
        bank.open(code, floor_minor=None)
    bank.one(purchase(1, 1, movements=tuple(pay(BIG // 2, *it) for it in (("x", "y"), ("x", "y"), ("y", "x")))))
    assert find(bank) == "None"


def test_books_that_are_not_there_cannot_be_verified(tmp_path: Any, vault: Vault) -> None:
    with pytest.raises(StoreUnavailable):
        verify(f"sqlite:///{tmp_path}/none.db", vault)
