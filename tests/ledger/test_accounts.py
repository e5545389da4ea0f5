"""Opening accounts, and what an account's state forbids."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from junctor.ledger.operations import Done, Failed, Inquire, OpenAccount
from ledger_items import BIG, EUR, Bank, approved, facts, pay, purchase, render

ACCOUNT = OpenAccount("kate", "cardholder", EUR, "acme", 5, floor_minor=-100, name="Kate", cards=(b"\x07" * 16,))


def test_an_opened_account_is_listed_with_what_was_said_of_it(bank: Bank) -> None:
    outcome = bank.one(ACCOUNT)
    assert isinstance(outcome, Done)
    found = bank.see(lambda reader: reader.account("kate"))
    assert (found.kind, found.currency, found.institution, found.name) == ("cardholder", "EUR", "acme", "Kate")
    assert (found.floor_minor, found.ceiling_minor, found.entries, found.created_us) == (-100, None, 0, 5)
    assert (found.takes_debits, found.takes_credits, found.is_closed) == (True, True, False)
    assert found.balance.available == 100
    assert "Kate" not in repr(found)


def test_opening_again_with_the_same_content_is_done_once(bank: Bank) -> None:
    first, again = bank.commit(ACCOUNT, ACCOUNT)
    assert first == again == bank.one(ACCOUNT)
    assert [it.code for it in bank.accounts()].count("kate") == 1


@pytest.mark.parametrize(
    "change",
    [{"kind": "fee"}, {"currency": 840}, {"institution": "other"}, {"name": "Kurt"}, {"floor_minor": 0}],
)
def test_a_code_that_exists_with_other_content_fails(bank: Bank, change: dict[str, Any]) -> None:
    bank.one(ACCOUNT)
    outcome = bank.one(attrs.evolve(ACCOUNT, **change))
    assert outcome == Failed("the account exists with other content")
    assert bank.see(lambda reader: reader.account("kate")).kind == "cardholder"


@pytest.mark.parametrize("change", [{"currency": 4}, {"floor_minor": 1}, {"floor_minor": -BIG - 2}])
def test_an_account_that_cannot_be_is_not_opened(bank: Bank, change: dict[str, Any]) -> None:
    assert isinstance(bank.one(attrs.evolve(ACCOUNT, **change)), Failed)
    assert bank.see(lambda reader: reader.account("kate")) is None


def test_an_account_gains_cards_and_a_card_accounts(bank: Bank) -> None:
    card, other = b"\x07" * 16, b"\x08" * 16
    bank.commit(
        ACCOUNT, attrs.evolve(ACCOUNT, cards=(other,)), attrs.evolve(ACCOUNT, code="kids", cards=(card, other))
    )
    assert [it.code for it in bank.see(lambda reader: reader.card_accounts(card))] == ["kate", "kids"]
    assert [it.code for it in bank.see(lambda reader: reader.card_accounts(other))] == ["kate", "kids"]
    assert bank.see(lambda reader: reader.card_accounts(b"?")) == []


def test_an_account_opened_in_a_batch_can_be_used_in_it(bank: Bank) -> None:
    opened, paid = bank.commit(ACCOUNT, purchase(1, 50, movements=(pay(50, "anna", "kate"),)))
    assert isinstance(opened, Done)
    assert approved(paid) == 50
    assert bank.holds("kate") == (50, 0)
    spent = bank.commit(purchase(2, 20, movements=(pay(20, b"\x07" * 16),)), Inquire(facts(3), "kate", render))
    assert approved(spent[0]) == 20
    assert spent[1].response == b"yes 0 left 130"  # type: ignore[union-attr]
