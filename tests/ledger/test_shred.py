"""One card is taken out of the books; the money, and the chain over everything, stay as they are."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest
from junctor.codecs.masking import Pan
from junctor.ledger import StoreUnavailable, Vault, open_store
from junctor.ledger.connecting import make_engine
from junctor.ledger.operations import Authorise, Bury, Conflict, Drop, Silence
from junctor.ledger.schema import card, message
from junctor.ledger.shred import Shredded, StillOpen, shred
from junctor.ledger.verify import verify
from ledger_items import Bank, dispatch, purchase
from sqlalchemy import select

PAN, OTHER = Pan("4761739001010119"), Pan("4761739001010010")


@pytest.fixture
def refs(vault: Vault) -> tuple[bytes, bytes]:
    return vault.card_ref(PAN), vault.card_ref(OTHER)


def with_card(item: Authorise, ref: bytes) -> Authorise:
    return attrs.evolve(item, facts=attrs.evolve(item.facts, card_ref=ref, pan_masked="476173******0119"))


@pytest.fixture
def used(bank: Bank, refs: tuple[bytes, bytes]) -> Bank:
    """Books in which one card paid twice and another once."""
    for number, ref in ((1, refs[0]), (2, refs[0]), (3, refs[1])):
        bank.one(with_card(purchase(number), ref))
    with make_engine(bank.url).begin() as connection:
        for ref in refs:
            connection.execute(card.insert().values(card_ref=ref, ordinal=0, account_id=1))
    return bank


def test_a_card_is_gone_and_the_other_is_there(used: Bank, refs: tuple[bytes, bytes]) -> None:
    before = used.holds("anna")
    assert shred(used.url, refs[0]) == Shredded(messages=2, accounts=1)
    with make_engine(used.url).connect() as connection:
        rows = connection.execute(select(message).where(message.c.pan_masked.is_not(None))).fetchall()
        assert [bytes(row.card_ref) for row in rows] == [refs[1]]
        assert connection.execute(select(message).where(message.c.card_ref == refs[0])).first() is None
        assert [bytes(row.card_ref) for row in connection.execute(select(card))] == [refs[1]]
    assert used.holds("anna") == before
    assert shred(used.url, refs[0]) == Shredded(0, 0)


def test_the_chain_holds_over_what_is_left(used: Bank, refs: tuple[bytes, bytes]) -> None:
    shred(used.url, refs[0])
    verdict = verify(used.url, used.vault)
    assert verdict.finding is None
    assert verdict.removed == 2


def test_a_repeat_of_a_payment_whose_card_is_gone_is_not_booked_again(used: Bank, refs: tuple[bytes, bytes]) -> None:
    before = used.holds("anna")
    shred(used.url, refs[0])
    assert used.one(with_card(purchase(1), refs[0])) == Conflict()
    assert used.holds("anna") == before


def test_a_card_with_a_payment_on_its_way_stays(bank: Bank, refs: tuple[bytes, bytes]) -> None:
    item = dispatch(7)
    item = attrs.evolve(item, facts=attrs.evolve(item.facts, card_ref=refs[0]))
    bank.one(item)
    assert shred(bank.url, refs[0]) == StillOpen("payments on their way", 1)
    bank.one(Silence(item.facts.key))
    assert shred(bank.url, refs[0]) == StillOpen("deliveries waiting", 1)
    ((seq, _),) = bank.waiting()
    bank.one(Bury("blue", seq, "nobody takes it"))
    assert shred(bank.url, refs[0]) == StillOpen("dead letters not dropped", 1)
    bank.one(Drop("blue", seq, "settled by hand"))
    assert shred(bank.url, refs[0]) == Shredded(messages=1, accounts=0)


def test_nothing_of_what_was_removed_is_left_in_a_file(
    sqlite_url: str, vault: Vault, refs: tuple[bytes, bytes]
) -> None:
    store = open_store(sqlite_url, vault)
    bank = Bank(store, sqlite_url, vault)
    bank.open("anna", 100_000)
    bank.open("shop", kind="settlement", floor_minor=None)
    bank.one(with_card(purchase(1), refs[0]))
    with make_engine(sqlite_url).connect() as connection:
        (row,) = connection.execute(select(message).where(message.c.card_ref == refs[0])).fetchall()
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    shred(sqlite_url, refs[0])
    store.close()
    left = b"".join(file.read_bytes() for file in path.parent.glob("ledger.db*"))
    for gone in (row.response, row.salt, refs[0], b"476173******0119"):
        assert bytes(gone) not in left


def test_books_that_cannot_be_reached_are_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        shred(f"postgresql://nobody@/none?host={tmp_path}", b"c" * 16)
