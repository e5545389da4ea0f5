"""Retention: what was kept of people goes, what was paid stays, and the books verify before and after."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from junctor.ledger import StoreUnavailable
from junctor.ledger.account_items import CloseAccount
from junctor.ledger.operations import Conflict, Decided, Done
from junctor.ledger.retention import ROWS_AT_ONCE, Purged, purge
from junctor.ledger.verify import verify
from ledger_items import Bank, purchase, raw

LATER = 2**62


def pay_with_card(number: int) -> Any:
    item = purchase(number)
    return attrs.evolve(item, facts=attrs.evolve(item.facts, pan_masked="476173******0119", card_ref=b"\x05" * 16))


def personal(bank: Bank) -> list[Any]:
    with raw(bank.url) as connection:
        return list(
            connection.execute(
                "SELECT pan_masked, card_ref, salt FROM message WHERE length(response) > 0 OR pan_masked IS NOT NULL"
            ).fetchall()
        )


def books(bank: Bank) -> tuple[Any, Any]:
    return bank.see(lambda reader: reader.trial_balance()), [bank.entries(it.code) for it in bank.accounts()]


def test_the_books_are_the_same_before_and_after(bank: Bank) -> None:
    bank.commit(*(pay_with_card(number) for number in range(1, 8)))
    before = books(bank)
    assert verify(bank.url, bank.vault).finding is None
    purged = purge(bank.url, LATER)
    assert (purged.messages, purged.names) == (8, 0)
    assert books(bank) == before
    assert personal(bank) == []
    verdict = verify(bank.url, bank.vault)
    assert (verdict.finding, verdict.removed) == (None, 8)
    assert isinstance(bank.one(purchase(20)), Decided)
    assert verify(bank.url, bank.vault).finding is None


def test_what_is_younger_stays(bank: Bank) -> None:
    bank.one(pay_with_card(1))
    with raw(bank.url) as connection:
        (now_us,) = connection.execute("SELECT max(decided_us) FROM message").fetchone()
    bank.one(pay_with_card(2))
    with raw(bank.url) as connection:
        (younger,) = connection.execute(f"SELECT count(*) FROM message WHERE decided_us > {now_us}").fetchone()
    purge(bank.url, now_us + 1)
    assert len(personal(bank)) == younger == 1


def test_a_repeat_of_a_purged_message_is_never_applied_again(bank: Bank) -> None:
    bank.one(purchase(1, 300))
    held = bank.holds("anna")
    purge(bank.url, LATER)
    assert bank.one(purchase(1, 300)) == Conflict()
    assert bank.holds("anna") == held


def test_many_messages_go_in_several_commits(bank: Bank) -> None:
    count = 2 * ROWS_AT_ONCE + 3
    for start in range(1, count + 1, 200):
        bank.commit(*(purchase(number, 1) for number in range(start, min(start + 200, count + 1))))
    assert purge(bank.url, LATER).messages == count + 1
    assert purge(bank.url, LATER) == Purged(LATER, 0, 0, 0)


def test_a_closed_account_loses_its_name_and_card(bank: Bank) -> None:
    bank.open("kate", name="Kate", cards=(b"\x07" * 16,))
    bank.open("lena", name="Lena", cards=(b"\x08" * 16,))
    assert isinstance(bank.one(CloseAccount(code="kate", who="x", reason="gone")), Done)
    assert purge(bank.url, 1) == Purged(1, 0, 0, 0)
    dry = purge(bank.url, LATER, dry_run=True)
    assert (dry.names, dry.cards) == (1, 1)
    purged = purge(bank.url, LATER)
    assert (purged.messages, purged.names, purged.cards) == (dry.messages, 1, 1)
    names = {it.code: it.name for it in bank.accounts()}
    assert (names["kate"], names["lena"]) == ("", "Lena")
    assert bank.see(lambda reader: reader.card_accounts(b"\x07" * 16)) == []
    assert verify(bank.url, bank.vault).finding is None


def test_counting_changes_nothing(bank: Bank) -> None:
    bank.one(pay_with_card(1))
    before = personal(bank)
    assert purge(bank.url, LATER, dry_run=True).messages == 2
    assert personal(bank) == before


def test_a_database_that_is_not_there_cannot_be_purged(tmp_path: Any) -> None:
    with pytest.raises(StoreUnavailable):
        purge(f"postgresql://nobody@/none?host={tmp_path}", 1)
