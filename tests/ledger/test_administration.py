"""What an operator changes about an account takes effect, and is written down with who did it and why."""

from __future__ import annotations

import json
from typing import Any

import pytest
from junctor.ledger.account_items import AccountItem, BlockAccount, CloseAccount, UpdateAccount
from junctor.ledger.operations import Done, Failed, Gone, Inquire, OpenAccount, Reason
from ledger_items import BIG, EUR, Bank, approved, declined, facts, pay, purchase, render, reverse
from ledger_soundness import check_sound

WHY: dict[str, Any] = {"who": "olga", "reason": "asked by letter"}
CARD = b"\x07" * 16


def events(bank: Bank, code: str) -> list[tuple[int, str, str, str, Any]]:
    found = bank.see(lambda reader: reader.account_events(code))
    return [(it.seq, it.who, it.action, it.reason, json.loads(it.change)) for it in found]


def test_a_credit_line_takes_effect_within_the_batch_and_is_journalled(bank: Bank) -> None:
    refused, changed, paid = bank.commit(
        purchase(1, 100_001), UpdateAccount("anna", floor_minor=-500, **WHY), purchase(2, 100_500)
    )
    assert declined(refused) is Reason.EXCEEDS_FUNDS
    assert changed == Done(number=2)
    assert approved(paid) == 100_500
    assert events(bank, "anna") == [(2, "olga", "update", "asked by letter", {"floor_minor": [0, -500]})]
    assert bank.entries("anna")[1] == ("limit", 0, 0)
    check_sound(bank.url)


def test_a_floor_above_what_was_spent_is_an_overdraft_that_recovers(bank: Bank) -> None:
    bank.commit(UpdateAccount("anna", floor_minor=-500, **WHY), purchase(1, 100_400))
    bank.one(UpdateAccount("anna", floor_minor=0, **WHY))
    assert bank.see(lambda reader: reader.account("anna")).overdraw_minor == 400
    assert declined(bank.one(purchase(2, 1))) is Reason.EXCEEDS_FUNDS
    bank.one(reverse(3, 1))
    assert bank.see(lambda reader: reader.account("anna")).overdraw_minor == 0
    assert approved(bank.one(purchase(4, 100_000))) == 100_000
    check_sound(bank.url)


def test_no_floor_and_a_ceiling_can_be_set_and_taken_away(bank: Bank) -> None:
    bank.one(UpdateAccount("anna", floor_minor=None, ceiling_minor=100_010, **WHY))
    found = bank.see(lambda reader: reader.account("anna"))
    assert (found.floor_minor, found.ceiling_minor) == (None, 100_010)
    assert declined(bank.one(purchase(1, 11, movements=(pay(11, "shop", "anna"),)))) is Reason.EXCEEDS_CEILING
    bank.one(UpdateAccount("anna", ceiling_minor=None, **WHY))
    assert approved(bank.one(purchase(2, 11, movements=(pay(11, "shop", "anna"),)))) == 11
    assert bank.see(lambda reader: reader.account("anna")).floor_minor is None


@pytest.mark.parametrize(
    ("block", "out", "into"),
    [
        ({"debits": True}, Reason.BLOCKED, None),
        ({"credits": True}, None, Reason.BLOCKED),
        ({"debits": True, "credits": True}, Reason.BLOCKED, Reason.BLOCKED),
    ],
)
def test_a_block_refuses_its_direction_until_it_is_lifted(
    bank: Bank, block: dict[str, Any], out: Reason | None, into: Reason | None
) -> None:
    lifted: dict[str, Any] = dict.fromkeys(block, False)
    outcomes = bank.commit(
        BlockAccount("anna", **WHY, **block),
        purchase(1, 5),
        purchase(2, 5, movements=(pay(5, "shop", "anna"),)),
        BlockAccount("anna", **WHY, **lifted),
        purchase(3, 5),
        purchase(4, 5, movements=(pay(5, "shop", "anna"),)),
    )
    assert [declined(it) if want else approved(it) for it, want in ((outcomes[1], out), (outcomes[2], into))] == [
        out or 5,
        into or 5,
    ]
    assert [approved(it) for it in outcomes[4:]] == [5, 5]
    assert [it[2] for it in events(bank, "anna")] == ["block", "unblock"]


def test_a_closed_account_takes_nothing_and_stays_closed(bank: Bank) -> None:
    bank.open("kate")
    assert isinstance(bank.one(CloseAccount("kate", **WHY)), Done)
    assert bank.see(lambda reader: reader.account("kate")).is_closed
    assert declined(bank.one(purchase(1, 5, movements=(pay(5, "anna", "kate"),)))) is Reason.CLOSED
    assert bank.commit(
        CloseAccount("kate", **WHY), UpdateAccount("kate", floor_minor=-1, **WHY), BlockAccount("kate", **WHY)
    ) == [Done(), Failed("the account is closed"), Failed("the account is closed")]


def test_an_account_with_balance_or_hold_is_not_closed(bank: Bank) -> None:
    bank.open("kate", 100)
    assert bank.one(CloseAccount("kate", **WHY)) == Failed("the account is not empty")
    bank.commit(
        purchase(1, 100, movements=(pay(100, "kate"),)),
        purchase(2, 100, movements=(pay(100, "kate"),), hold=True, forced=True),
    )
    assert bank.one(CloseAccount("kate", **WHY)) == Failed("the account is not empty")
    assert bank.commit(reverse(3, 2), CloseAccount("kate", **WHY))[1] == Done(number=5)


def test_a_forgotten_account_keeps_its_entries_and_loses_its_name_and_cards(bank: Bank) -> None:
    kids = OpenAccount("kids", "cardholder", EUR, "acme", 5, cards=(CARD, b"\x08" * 16))
    bank.commit(OpenAccount("kate", "cardholder", EUR, "acme", 5, name="Kate", cards=(CARD,)), kids)
    bank.commit(purchase(1, 5, movements=(pay(5, "anna", "kate"),)), purchase(2, 5, movements=(pay(5, CARD),)))
    assert isinstance(bank.one(CloseAccount("kate", forget=True, **WHY)), Done)
    assert bank.see(lambda reader: reader.account("kate")).name == ""
    assert len(bank.entries("kate")) == 3
    assert "Kate" not in str(events(bank, "kate"))
    assert [it.code for it in bank.see(lambda reader: reader.card_accounts(CARD))] == ["kids"]
    outcome = bank.one(Inquire(facts(3), CARD, render))
    assert outcome.response == b"yes 0 left 0"
    more = OpenAccount("more", "cardholder", EUR, "acme", 5, cards=(CARD,))
    assert isinstance(bank.one(more), Done)
    assert [it.code for it in bank.see(lambda reader: reader.card_accounts(CARD))] == ["kids", "more"]
    check_sound(bank.url)


def test_a_closed_account_may_be_forgotten_later(bank: Bank) -> None:
    bank.commit(OpenAccount("kate", "cardholder", EUR, "acme", 5, name="Kate"), CloseAccount("kate", **WHY))
    assert bank.one(CloseAccount("kate", forget=True, **WHY)) == Done(number=2)
    assert bank.one(CloseAccount("kate", forget=True, **WHY)) == Done(number=0)
    assert [it[2] for it in events(bank, "kate")] == ["close", "forget"]


def test_what_changes_nothing_is_not_an_event(bank: Bank) -> None:
    outcomes = bank.commit(
        UpdateAccount("anna", floor_minor=0, name="", **WHY), BlockAccount("anna", debits=False, **WHY)
    )
    assert outcomes == [Done(), Done()]
    assert events(bank, "anna") == []


@pytest.mark.parametrize(
    "item",
    [
        UpdateAccount("anna", "", "why", floor_minor=-1),
        UpdateAccount("anna", "olga", "", floor_minor=-1),
        UpdateAccount("anna", "o" * 65, "why", floor_minor=-1),
        UpdateAccount("anna", "olga", "y" * 501, floor_minor=-1),
        UpdateAccount("anna", "olga", "why", floor_minor=1),
        UpdateAccount("anna", "olga", "why", floor_minor=-BIG - 2),
        UpdateAccount("anna", "olga", "why", ceiling_minor=-1),
        UpdateAccount("anna", "olga", "why", ceiling_minor=BIG + 1),
    ],
)
def test_a_change_that_cannot_be_fails_and_changes_nothing(bank: Bank, item: AccountItem) -> None:
    assert isinstance(bank.one(item), Failed)
    assert events(bank, "anna") == []


def test_an_account_that_is_not_there_is_gone(bank: Bank) -> None:
    assert bank.one(UpdateAccount("nobody", floor_minor=-1, **WHY)) == Gone()


def test_a_name_changes_and_the_event_does_not_tell_it(bank: Bank) -> None:
    assert bank.one(UpdateAccount("anna", name="Anna Blum", **WHY)) == Done(number=2)
    assert bank.see(lambda reader: reader.account("anna")).name == "Anna Blum"
    assert events(bank, "anna") == [(2, "olga", "update", "asked by letter", {"name": "changed"})]


def test_a_change_that_fails_half_way_is_taken_back_alone(bank: Bank) -> None:
    bank.open("new")
    outcomes = bank.commit(
        OpenAccount("fresh", "cardholder", EUR, "acme", 5),
        UpdateAccount("fresh", floor_minor=-70, **WHY),
        purchase(1, 60, movements=(pay(60, "fresh"),)),
        UpdateAccount("fresh", floor_minor=-90, name="N", who="", reason="r"),
    )
    assert outcomes[3].why.startswith("who (to 64")
    assert bank.see(lambda reader: reader.account("fresh")).floor_minor == -70
    assert bank.holds("fresh") == (-60, 0)
