"""Payments on our own books: hold or post, once, with the answer stored."""

from __future__ import annotations

import pytest
from junctor.ledger import open_store
from junctor.ledger.operations import (
    Answered,
    Approved,
    Balance,
    CardAccount,
    Conflict,
    Decided,
    Declined,
    Failed,
    Inquire,
    Item,
    NewDelivery,
    Reason,
    Refuse,
)
from ledger_items import BIG, EUR, USD, Bank, approved, declined, facts, key, pay, purchase, render


def test_purchase_moves_money_and_tells_what_is_left(bank: Bank) -> None:
    outcome = bank.one(purchase(1, 12_50))
    assert outcome == Decided(
        Approved(12_50, Balance(posted=98_750, held=0, available=98_750, currency=EUR)), b"yes 1250 left 98750"
    )
    assert (bank.holds("anna"), bank.holds("shop")) == ((98_750, 0), (1_250, 0))
    assert bank.entries("shop") == [("principal", 1_250, 0)]


def test_the_same_message_again_gets_the_stored_answer_byte_for_byte(bank: Bank) -> None:
    first = bank.one(purchase(1))
    bank.one(purchase(2))
    assert bank.one(purchase(1, render=lambda _: b"something else")) == Answered(first.response)
    assert bank.holds("anna") == (99_800, 0)


def test_a_repeat_within_a_batch_gets_the_first_ones_answer(bank: Bank) -> None:
    first, again, other = bank.commit(purchase(1), purchase(1), purchase(1, 200, fingerprint=b"other"))
    assert isinstance(first, Decided)
    assert again == Answered(first.response)
    assert other == Conflict()
    assert bank.holds("anna") == (99_900, 0)


def test_the_same_key_with_other_content_is_a_conflict_and_stores_nothing(bank: Bank) -> None:
    first = bank.one(purchase(1))
    assert bank.one(purchase(1, 200, fingerprint=b"other")) == Conflict()
    assert bank.one(purchase(1)) == Answered(first.response)
    (message,) = bank.see(lambda reader: reader.show_transaction(key(1))).messages
    assert message.amount_minor == 100


def test_a_decline_is_stored_and_repeated_even_when_funds_have_come(bank: Bank) -> None:
    first = bank.one(purchase(1, 100_001))
    assert declined(first) is Reason.EXCEEDS_FUNDS
    bank.open("anna2", 5)
    bank.one(purchase(2, 50_000, movements=(pay(50_000, "shop", "anna"),)))
    assert bank.one(purchase(1, 100_001)) == Answered(b"no EXCEEDS_FUNDS")


def test_items_of_a_batch_see_what_those_before_them_did(bank: Bank) -> None:
    outcomes = bank.commit(purchase(1, 60_000), purchase(2, 60_000), purchase(3, 40_000), purchase(4, 1))
    assert [isinstance(it.decision, Approved) for it in outcomes if isinstance(it, Decided)] == [
        True,
        False,
        True,
        False,
    ]
    assert bank.holds("anna") == (0, 0)


def test_the_last_minor_unit_may_be_spent_and_not_one_more(bank: Bank) -> None:
    assert declined(bank.one(purchase(1, 100_001))) is Reason.EXCEEDS_FUNDS
    assert approved(bank.one(purchase(2, 100_000))) == 100_000


def test_a_credit_line_is_available_and_counted_as_such(bank: Bank) -> None:
    bank.open("kurt", floor_minor=-300)
    outcome = bank.one(purchase(1, 250, movements=(pay(250, "kurt"),)))
    assert outcome.decision.balance == Balance(posted=-250, held=0, available=50, currency=EUR)
    assert declined(bank.one(purchase(2, 51, movements=(pay(51, "kurt"),)))) is Reason.EXCEEDS_FUNDS


def test_an_advice_posts_past_the_floor_and_the_account_recovers(bank: Bank) -> None:
    bank.open("eva", 100)
    assert approved(bank.one(purchase(1, 250, movements=(pay(250, "eva"),), forced=True))) == 250
    assert bank.holds("eva") == (-150, 0)
    assert bank.see(lambda reader: reader.account("eva")).overdraw_minor == 150
    assert declined(bank.one(purchase(2, 1, movements=(pay(1, "eva"),)))) is Reason.EXCEEDS_FUNDS
    bank.one(purchase(3, 200, movements=(pay(200, "shop", "eva"),)))
    assert bank.see(lambda reader: reader.account("eva")).overdraw_minor == 0
    assert approved(bank.one(purchase(4, 50, movements=(pay(50, "eva"),)))) == 50


def test_principal_and_fee_go_together_or_not_at_all(bank: Bank) -> None:
    bank.open("fees", kind="fee")
    both = (pay(900), pay(100, credit="fees", kind="fee"))
    bank.open("eva", 999)
    from_eva = tuple(pay(it.amount_minor, "eva", it.credit, kind=it.kind) for it in both)
    assert declined(bank.one(purchase(1, 900, movements=from_eva))) is Reason.EXCEEDS_FUNDS
    assert (bank.holds("eva"), bank.holds("fees")) == ((999, 0), (0, 0))
    assert approved(bank.one(purchase(2, 900, movements=both))) == 900
    assert bank.holds("anna") == (99_000, 0)
    assert bank.entries("fees") == [("fee", 100, 0)]


def test_money_that_an_earlier_movement_brings_may_be_spent_by_the_next(bank: Bank) -> None:
    bank.open("relay")
    through = (pay(500, "anna", "relay"), pay(500, "relay", "shop"))
    assert approved(bank.one(purchase(1, 500, movements=through))) == 500
    assert (bank.holds("relay"), bank.holds("shop")) == ((0, 0), (500, 0))
    assert declined(bank.one(purchase(2, 500, movements=through[::-1]))) is Reason.EXCEEDS_FUNDS


def test_a_payment_to_oneself_changes_nothing_and_needs_cover(bank: Bank) -> None:
    assert approved(bank.one(purchase(1, 100_000, movements=(pay(100_000, "anna", "anna"),)))) == 100_000
    assert bank.holds("anna") == (100_000, 0)
    assert declined(bank.one(purchase(2, 100_001, movements=(pay(100_001, "anna", "anna"),)))) is Reason.EXCEEDS_FUNDS


def test_an_approval_without_movements_appends_its_delivery(bank: Bank) -> None:
    outcome = bank.one(purchase(1, 700, movements=(), deliveries=(NewDelivery("blue", "advice", b"tell"),)))
    assert outcome == Decided(Approved(700, None), b"yes 700", ("blue",))
    assert bank.waiting() == [(1, "advice")]


def test_a_declined_payment_appends_no_delivery(bank: Bank) -> None:
    outcome = bank.one(purchase(1, 100_001, deliveries=(NewDelivery("blue", "advice", b"tell"),)))
    assert outcome.lanes == ()
    assert bank.waiting() == []


@pytest.mark.parametrize("amount", [0, -1, BIG + 1, 2**70, -(2**70)])
def test_an_amount_that_is_not_one_is_declined_and_stored(bank: Bank, amount: int) -> None:
    assert declined(bank.one(purchase(1, amount))) is Reason.INVALID_AMOUNT
    assert bank.one(purchase(1, amount)) == Answered(b"no INVALID_AMOUNT")


def test_no_sum_overflows_sixty_four_bits(bank: Bank) -> None:
    bank.open("deep", floor_minor=None)
    assert approved(bank.one(purchase(1, BIG, movements=(pay(BIG, "deep"),)))) == BIG
    full = bank.one(purchase(2, 1, movements=(pay(1, "deep"),)))
    assert declined(full) is Reason.INVALID_AMOUNT, "the shop can hold no more"
    assert approved(bank.one(purchase(3, 1, movements=(pay(1, "deep", "anna"),)))) == 1
    assert declined(bank.one(purchase(4, 1, movements=(pay(1, "deep", "anna"),)))) is Reason.INVALID_AMOUNT
    assert bank.see(lambda reader: reader.imbalance()) == {"EUR": 0}


def test_currencies_do_not_mix(bank: Bank) -> None:
    bank.open("dora", 500, currency=USD)
    assert declined(bank.one(purchase(1, movements=(pay(100, "dora"),)))) is Reason.WRONG_CURRENCY
    assert declined(bank.one(purchase(2, movements=(pay(100, "anna", currency=USD),)))) is Reason.WRONG_CURRENCY


def test_a_card_pays_from_its_first_account_and_reaches_only_its_own(bank: Bank) -> None:
    card = b"\x01" * 16
    bank.open("one", 500, cards=(card,))
    bank.open("two", 500, cards=(card,))
    bank.one(purchase(1, movements=(pay(100, card),)))
    bank.one(purchase(2, movements=(pay(100, CardAccount(card, "two")),)))
    assert (bank.holds("one"), bank.holds("two")) == ((400, 0), (400, 0))
    assert declined(bank.one(purchase(3, movements=(pay(100, CardAccount(card, "anna")),)))) is Reason.UNKNOWN_ACCOUNT
    assert declined(bank.one(purchase(4, movements=(pay(100, CardAccount(b"?" * 16, "one")),)))) is (
        Reason.UNKNOWN_ACCOUNT
    )
    assert declined(bank.one(purchase(5, movements=(pay(100, b"?" * 16),)))) is Reason.UNKNOWN_ACCOUNT


def test_an_account_that_a_card_gains_elsewhere_is_found(bank: Bank) -> None:
    card = b"\x01" * 16
    bank.open("one", 500, cards=(card,))
    wanted = (pay(100, CardAccount(card, "two")),)
    assert declined(bank.one(purchase(1, movements=wanted))) is Reason.UNKNOWN_ACCOUNT
    elsewhere = Bank(open_store(bank.url, bank.vault), bank.url, bank.vault)
    elsewhere.open("two", 500, cards=(card,))
    elsewhere.store.close()
    assert approved(bank.one(purchase(2, movements=wanted))) == 100


def test_inquiry_tells_the_balance_and_moves_nothing(bank: Bank) -> None:
    bank.one(purchase(1, 300, hold=True))
    outcome = bank.one(Inquire(facts(2, 0), "anna", render))
    assert outcome.decision == Approved(0, Balance(posted=100_000, held=300, available=99_700, currency=EUR))
    assert bank.one(Inquire(facts(2, 0), "anna", render)) == Answered(b"yes 0 left 99700")
    assert declined(bank.one(Inquire(facts(3, 0), "nobody", render))) is Reason.UNKNOWN_ACCOUNT


def test_a_refusal_is_stored_with_its_code_and_repeated(bank: Bank) -> None:
    assert bank.one(Refuse(facts(1), b"no road", "92")) == Decided(Declined(None, "92"), b"no road")
    assert bank.one(Refuse(facts(1), b"another", "91")) == Answered(b"no road")
    (found,) = bank.see(lambda reader: reader.show_transaction(facts(1).key)).messages
    assert (found.result, found.code) == ("refused", "92")


def _explode(_: object) -> bytes:
    raise RuntimeError("4761739001010119")


def test_an_item_that_raises_fails_alone_and_tells_no_content(bank: Bank) -> None:
    items: list[Item] = [
        purchase(1),
        purchase(2, render=_explode),
        purchase(3, movements=(pay(100, kind="no such kind"),)),
        purchase(4),
    ]
    one, two, three, four = bank.commit(*items)
    assert (approved(one), approved(four)) == (100, 100)
    assert isinstance(two, Failed)
    assert two.why.startswith("RuntimeError at test_payments.py:")
    assert "4761" not in repr(two)
    assert isinstance(three, Failed)
    assert bank.holds("anna") == (99_800, 0)
    assert [entry[1] for entry in bank.entries("anna")][1:] == [-100, -100]
    assert approved(bank.one(purchase(2))) == 100, "what failed was not decided"
