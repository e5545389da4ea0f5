"""Hash chains: what is hashed, that each writer has its own, and that two never extend one."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from junctor.ledger import Store, Vault, open_store
from junctor.ledger.chain import FORM, FORMS, NO_HASH, Head, Header, OpenBatch, batch_hash, canonical, root_of
from junctor.ledger.connecting import make_engine
from junctor.ledger.operations import Attempt, Decided, Failed, Gone
from junctor.ledger.own_chain import OwnChain
from junctor.ledger.ports import Retry
from junctor.ledger.rows import ACCOUNT_EVENT, ENTRY, MESSAGE
from junctor.ledger.schema import account_event, chain, entry, journal_batch, message
from ledger_items import Bank, purchase, raw
from sqlalchemy import select

PRIVATE = ("pan_masked", "card_ref", "response", "salt")


def see(url: str, table: Any) -> list[Any]:
    with make_engine(url).connect() as connection:
        return list(connection.execute(select(table).order_by(*table.primary_key.columns)).fetchall())


def test_a_row_is_hashed_as_these_bytes() -> None:
    # ( count; N none; i 32 bits; l count of 15-bit digits; u UTF-8 text; s bytes. Lengths: 32 bits, little end.
    row = (None, 7, -2, 2**40, "né", b"\x01")
    assert canonical(row) == (
        b"(\x06\0\0\0" b"N" b"i\x07\0\0\0" b"i\xfe\xff\xff\xff" b"l\x03\0\0\0\0\0\0\0\0\x04" b"u\x03\0\0\0n\xc3\xa9"
        b"s\x01\0\0\0\x01"
    )  # fmt: skip


def test_a_batch_is_hashed_after_the_one_before_it() -> None:
    header = Header(1, 2, 3, 4, 5, 6, 1, 0, 8)
    packed = bytes.fromhex(
        "0001 0000000000000002 0000000000000003 00000004 0000000000000005 00000006 0000000000000001 0000000000000000"
        "0000000000000008"
    )
    assert batch_hash(b"p" * 32, header, [b"row"]) == hashlib.sha256(b"p" * 32 + packed + b"row").digest()


def test_equal_texts_have_equal_bytes_however_they_came_about() -> None:
    class Text(str):
        pass

    assert canonical(("ab", "ab")) == canonical(("".join(["a", "b"]), Text("ab")))


def test_a_form_covers_every_column_of_what_is_only_added() -> None:
    # A column that is added to these tables needs a new form, unless what is in it may change.
    form = FORMS[FORM]
    assert (*form.message, *PRIVATE) == MESSAGE
    assert set(MESSAGE) == set(message.c.keys())
    assert form.entry == ENTRY == tuple(entry.c.keys())
    assert form.account_event == ACCOUNT_EVENT == tuple(account_event.c.keys())


def test_an_item_taken_back_leaves_no_trace_in_the_batch() -> None:
    row = (b"k" * 16, *range(len(FORMS[FORM].message) - 1))
    one, other = OpenBatch(Head(1, 1, 0, NO_HASH)), OpenBatch(Head(1, 1, 0, NO_HASH))
    one.add([row], [], [])
    mark = one.mark()
    one.add([row], [(1, 2, 3)], [(1, 2)])
    one.take_back(mark)
    other.add([row], [], [])
    assert one.close(9, 20260102) == other.close(9, 20260102)


def test_every_commit_that_adds_rows_is_one_link(bank: Bank) -> None:
    before = len(see(bank.url, journal_batch))
    bank.commit(purchase(1, 300), purchase(2, 200, hold=True))
    bank.one(Attempt("nowhere", 1, 5))  # adds nothing
    bank.one(purchase(3))
    *_, last, newest = see(bank.url, journal_batch)
    assert len(see(bank.url, journal_batch)) == before + 2
    assert (last.messages, last.entries, newest.messages, newest.entries) == (2, 3, 1, 2)
    assert newest.prev == last.hash
    (head,) = (row for row in see(bank.url, chain) if row.chain_id == newest.chain_id)
    assert (head.batch_n, head.hash) == (newest.batch_n, newest.hash)
    stored = {row.idem_key: (row.chain_id, row.batch_n) for row in see(bank.url, message)}
    assert stored[purchase(3).facts.key] == (newest.chain_id, newest.batch_n)


def test_items_written_one_by_one_are_one_link(bank: Bank) -> None:
    before = see(bank.url, journal_batch)[-1]
    outcomes = bank.commit(purchase(1), purchase(2, rrn="\0" if "postgres" in bank.url else "\ud800"), purchase(3))
    assert [type(it) for it in outcomes] == [Decided, Failed, Decided]
    newest = see(bank.url, journal_batch)[-1]
    assert (newest.batch_n, newest.prev, newest.messages) == (before.batch_n + 1, before.hash, 2)


def test_writers_side_by_side_have_chains_of_their_own(bank: Bank, vault: Vault) -> None:
    other = open_store(bank.url, vault)
    other.commit([purchase(1)])
    bank.one(purchase(2))
    other.commit([purchase(3)])
    chains = {row.idem_key[-1]: row.chain_id for row in see(bank.url, message) if row.idem_key[0] == 0}
    assert chains[1] == chains[3] != chains[2]
    other.close()
    third = open_store(bank.url, vault)
    third.commit([purchase(4)])
    third.close()
    assert {row.idem_key[-1]: row.chain_id for row in see(bank.url, message)}[4] == chains[1], "taken over"
    epochs = {row.chain_id: row.epoch for row in see(bank.url, chain)}
    assert epochs == {0: 0, chains[2]: 1, chains[1]: 2}


def test_a_writer_whose_chain_was_taken_over_takes_another(bank: Bank, vault: Vault) -> None:
    bank.one(purchase(1))
    with raw(bank.url) as connection:
        connection.execute("UPDATE chain SET lease_until_us = 0 WHERE chain_id > 0")
    other = open_store(bank.url, vault)
    other.commit([purchase(2)])
    bank.one(purchase(3))
    other.commit([purchase(4)])
    other.close()
    chains = {row.idem_key[-1]: row.chain_id for row in see(bank.url, message) if row.idem_key[0] == 0}
    assert chains[1] == chains[2] == chains[4] != chains[3]
    rows = [row for row in see(bank.url, journal_batch) if row.chain_id == chains[1]]
    assert [row.batch_n for row in rows] == list(range(1, len(rows) + 1))
    assert [row.prev for row in rows[1:]] == [row.hash for row in rows[:-1]]


def test_a_writer_that_never_gets_a_chain_gives_up_at_the_limit() -> None:
    asked: list[str] = []

    def run(text: str, _: Any) -> list[Any]:
        asked.append(text.split()[0])
        return [(3,)] if text.startswith("SELECT") else []

    with pytest.raises(Retry):
        OwnChain().take(run, 1)
    assert asked == ["SELECT", "UPDATE"] * 16


def test_a_batch_that_only_asks_about_nothing_writes_no_link(bank: Bank) -> None:
    before = see(bank.url, journal_batch)
    assert bank.one(Attempt("nowhere", 1, 5)) == Gone()
    assert see(bank.url, journal_batch) == before


def test_the_root_covers_every_end() -> None:
    one, two = Head(1, 1, 5, b"a" * 32), Head(2, 7, 9, b"b" * 32)
    assert root_of([one, two]) == root_of([two, one])
    assert len({root_of(it) for it in ([one], [two], [one, two], [])}) == 4


def test_a_closed_store_leaves_its_chain_to_the_next(bank: Bank, store: Store) -> None:
    store.close()
    assert [row.lease_until_us for row in see(bank.url, chain) if row.chain_id] == [0]
