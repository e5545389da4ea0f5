"""Payments that belong to another: holds that grow, holds completed in parts, refunds of what was paid."""

from __future__ import annotations

from typing import Any

import pytest
from junctor.ledger.account_items import AccountLimit, LimitAccount, Period
from junctor.ledger.operations import Answered, Authorise, ExpireHolds, Reason
from ledger_items import Asked, Bank, approved, capture, declined, key, pay, purchase, reverse
from ledger_soundness import check_sound


def refund(number: int, original: int, amount: int, **changes: Any) -> Authorise:
    movements = changes.pop("movements", (pay(amount, "shop", "anna"),))
    return purchase(number, amount, movements=movements, refunds=key(original), **changes)


def hold(number: int, amount: int, **changes: Any) -> Authorise:
    return purchase(number, amount, hold=True, **changes)


def related(bank: Bank, number: int) -> list[tuple[bytes, bytes, str, int]]:
    shown = bank.see(lambda reader: reader.show_transaction(key(number)))
    return [(it.key, it.original, it.kind, it.amount_minor) for it in shown.related]


# ---------------------------------------------------------------- refunds


def test_refunds_together_never_exceed_what_was_paid(bank: Bank) -> None:
    outcomes = bank.commit(purchase(1, 300), refund(2, 1, 200), refund(3, 1, 101), refund(4, 1, 100), refund(5, 1, 1))
    assert [approved(outcomes[at]) for at in (0, 1, 3)] == [300, 200, 100]
    assert [declined(outcomes[at]) for at in (2, 4)] == [Reason.EXCEEDS_REFUNDABLE] * 2
    assert bank.holds("anna") == (100_000, 0)
    assert declined(bank.one(refund(6, 1, 1))) is Reason.EXCEEDS_REFUNDABLE
    assert related(bank, 1) == [(key(2), key(1), "refund", 200), (key(4), key(1), "refund", 100)]
    assert related(bank, 4) == [(key(4), key(1), "refund", 100)]
    check_sound(bank.url)


def test_a_reversed_refund_can_be_made_again_and_no_more(bank: Bank) -> None:
    bank.commit(purchase(1, 300), refund(2, 1, 300))
    bank.one(reverse(3, 2, 100))
    assert declined(bank.one(refund(4, 1, 201))) is Reason.EXCEEDS_REFUNDABLE
    assert approved(bank.one(refund(5, 1, 200))) == 200
    assert bank.holds("anna") == (100_000, 0)


def test_a_reversal_takes_back_no_more_than_refunds_have_left(bank: Bank) -> None:
    bank.commit(purchase(1, 300), refund(2, 1, 100))
    assert approved(bank.one(reverse(3, 1))) == 200
    assert bank.holds("anna") == (100_000, 0)
    assert declined(bank.one(refund(4, 1, 1))) is Reason.EXCEEDS_REFUNDABLE


def test_a_payment_refunded_whole_is_not_reversed(bank: Bank) -> None:
    bank.commit(purchase(1, 300), refund(2, 1, 300))
    assert approved(bank.one(reverse(3, 1))) == 0
    assert bank.holds("anna") == (100_000, 0)


def test_a_payment_reversed_in_part_is_refunded_up_to_what_stands(bank: Bank) -> None:
    bank.commit(purchase(1, 300), reverse(2, 1, 120))
    assert declined(bank.one(refund(3, 1, 121))) is Reason.EXCEEDS_REFUNDABLE
    assert approved(bank.one(refund(4, 1, 120))) == 120


def test_a_completion_is_refunded_under_either_name(bank: Bank) -> None:
    bank.commit(hold(1, 300), capture(2, 1, 250))
    assert approved(bank.one(refund(3, 2, 100))) == 100
    assert approved(bank.one(refund(4, 1, 150))) == 150
    assert declined(bank.one(refund(5, 2, 1))) is Reason.EXCEEDS_REFUNDABLE


@pytest.mark.parametrize("original", [9, 1, 2, 4])
def test_a_refund_of_what_was_not_paid_is_declined(bank: Bank, original: int) -> None:
    bank.commit(hold(1, 300), purchase(2, 300), reverse(4, 2))
    assert declined(bank.one(refund(3, original, 100))) is Reason.UNKNOWN_ORIGINAL


def test_a_refund_goes_back_the_way_it_came(bank: Bank) -> None:
    bank.open("eva", 10)
    bank.one(purchase(1, 300))
    other = refund(2, 1, 100, movements=(pay(100, "shop", "eva"),))
    assert declined(bank.one(other)) is Reason.UNKNOWN_ORIGINAL


def test_a_refund_that_was_made_already_is_told_and_counts_all_the_same(bank: Bank) -> None:
    bank.one(purchase(1, 300))
    outcomes = bank.commit(refund(2, 1, 200, forced=True), refund(3, 9, 50, forced=True))
    assert [approved(it) for it in outcomes] == [200, 50]
    assert declined(bank.one(refund(4, 1, 101))) is Reason.EXCEEDS_REFUNDABLE


def test_a_repeated_refund_is_answered_and_counts_once(bank: Bank) -> None:
    bank.one(purchase(1, 300))
    first, again = bank.commit(refund(2, 1, 200), refund(2, 1, 200))
    assert again == Answered(first.response)
    assert approved(bank.one(refund(3, 1, 100))) == 100


# ---------------------------------------------------------------- holds that grow


def test_a_hold_grows_and_is_captured_as_one(bank: Bank) -> None:
    first, second = bank.commit(hold(1, 300, expires_us=50), hold(2, 200, adds_to=key(1), expires_us=90))
    assert (approved(first), approved(second)) == (300, 200)
    assert bank.holds("anna") == (100_000, 500)
    shown = bank.see(lambda reader: reader.show_transaction(key(2)))
    assert (shown.key, shown.authorised_minor, shown.amount_minor, shown.expires_us) == (key(1), 500, 500, 90)
    assert related(bank, 1) == [(key(2), key(1), "addition", 200)]
    assert approved(bank.one(capture(3, 1, 480))) == 480
    assert bank.holds("anna") == (100_000 - 480, 0)
    check_sound(bank.url)


def test_an_addition_is_checked_like_any_hold(bank: Bank) -> None:
    bank.one(hold(1, 99_900))
    assert declined(bank.one(hold(2, 101, adds_to=key(1)))) is Reason.EXCEEDS_FUNDS
    assert bank.holds("anna") == (100_000, 99_900)
    assert approved(bank.one(hold(3, 101, adds_to=key(1), forced=True))) == 101


def test_an_addition_to_an_addition_grows_the_same_hold(bank: Bank) -> None:
    bank.commit(hold(1, 100), hold(2, 100, adds_to=key(1)), hold(3, 100, adds_to=key(2)))
    assert approved(bank.one(capture(4, 3, 300))) == 300
    assert bank.holds("anna") == (99_700, 0)


def test_a_reversed_addition_leaves_the_hold_as_it_was_before(bank: Bank) -> None:
    bank.commit(hold(1, 300), hold(2, 200, adds_to=key(1)))
    assert [approved(it) for it in bank.commit(reverse(3, 2), reverse(4, 2))] == [200, 0]
    assert bank.holds("anna") == (100_000, 300)
    assert approved(bank.one(reverse(5, 1))) == 300
    assert bank.holds("anna") == (100_000, 0)
    check_sound(bank.url)


def test_an_addition_is_reversed_in_part(bank: Bank) -> None:
    bank.commit(hold(1, 300), hold(2, 200, adds_to=key(1)))
    assert approved(bank.one(reverse(3, 2, 50))) == 150
    assert bank.holds("anna") == (100_000, 350)


def test_the_reversal_of_the_hold_takes_its_additions_with_it(bank: Bank) -> None:
    bank.commit(hold(1, 300), hold(2, 200, adds_to=key(1)))
    assert approved(bank.one(reverse(3, 1))) == 500
    assert [approved(it) for it in bank.commit(reverse(4, 2))] == [0]
    assert bank.holds("anna") == (100_000, 0)


@pytest.mark.parametrize("original", [9, 2, 4])
def test_an_addition_without_a_live_hold_stands_alone(bank: Bank, original: int) -> None:
    bank.commit(hold(1, 300), capture(2, 1, 300), hold(3, 50), reverse(4, 3))
    assert approved(bank.one(hold(5, 200, adds_to=key(original)))) == 200
    assert related(bank, 5) == []
    assert approved(bank.one(capture(6, 5, 200))) == 200
    assert bank.holds("anna") == (99_500, 0)


def test_an_addition_from_another_account_stands_alone(bank: Bank) -> None:
    bank.open("eva", 500)
    bank.commit(hold(1, 300), hold(2, 200, movements=(pay(200, "eva"),), adds_to=key(1)))
    assert (bank.holds("anna"), bank.holds("eva")) == ((100_000, 300), (500, 200))


def test_a_grown_hold_counts_once_and_is_limited_as_one_payment(bank: Bank) -> None:
    limits = (AccountLimit("", Period.TRANSACTION, 500), AccountLimit("", Period.DAY, 900, 1))
    bank.one(LimitAccount("anna", "olga", "why", "", limits))
    outcomes = bank.commit(hold(1, 300), hold(2, 201, adds_to=key(1)), hold(3, 200, adds_to=key(1)))
    assert declined(outcomes[1]) is Reason.EXCEEDS_LIMIT
    assert approved(outcomes[2]) == 200
    (day, _) = bank.see(lambda reader: reader.account_limits("anna"))
    assert (day.used_minor, day.used_count) == (500, 1)


# ---------------------------------------------------------------- holds completed in parts


def test_a_completion_that_is_not_final_keeps_the_rest_held(bank: Bank) -> None:
    bank.one(hold(1, 300))
    assert approved(bank.one(capture(2, 1, 100, final=False))) == 100
    assert (bank.holds("anna"), bank.holds("shop")) == ((99_900, 200), (100, 0))
    assert approved(bank.one(capture(3, 1, 50, final=False))) == 50
    assert approved(bank.one(capture(4, 1, 120))) == 120
    assert (bank.holds("anna"), bank.holds("shop")) == ((99_730, 0), (270, 0))
    assert related(bank, 1) == [(key(2), key(1), "part", 100), (key(3), key(1), "part", 50)]
    check_sound(bank.url)


def test_parts_in_one_batch_are_the_same_as_one_by_one(bank: Bank) -> None:
    outcomes = bank.commit(
        hold(1, 300), capture(2, 1, 100, final=False), capture(3, 1, 150, final=False), capture(4, 1, 50)
    )
    assert [approved(it) for it in outcomes] == [300, 100, 150, 50]
    assert bank.holds("anna") == (99_700, 0)


@pytest.mark.parametrize("amount", [300, 301])
def test_a_part_that_is_all_is_final(bank: Bank, amount: int) -> None:
    bank.one(hold(1, 300))
    assert approved(bank.one(capture(2, 1, amount, final=False))) == amount
    assert bank.holds("anna") == (100_000 - amount, 0)
    assert bank.see(lambda reader: reader.show_transaction(key(1))).state == "completed"


def test_a_part_is_reversed_by_itself_and_the_rest_released_by_itself(bank: Bank) -> None:
    bank.commit(hold(1, 300), capture(2, 1, 100, final=False))
    assert approved(bank.one(reverse(3, 2))) == 100
    assert bank.holds("anna") == (100_000, 200)
    assert approved(bank.one(reverse(4, 1))) == 200
    assert bank.holds("anna") == (100_000, 0)


def test_what_is_left_of_a_hold_expires(bank: Bank) -> None:
    bank.commit(hold(1, 300, expires_us=5), capture(2, 1, 100, final=False), ExpireHolds(10, 9))
    assert bank.holds("anna") == (99_900, 0)
    check_sound(bank.url)


def test_fees_go_with_the_first_part(bank: Bank) -> None:
    bank.open("fees", kind="fee")
    bank.one(hold(1, 300, movements=(pay(300), pay(20, credit="fees", kind="fee"))))
    bank.one(capture(2, 1, 100, final=False))
    assert (bank.holds("anna"), bank.holds("fees")) == ((99_880, 200), (20, 0))
    bank.one(capture(3, 1, 200))
    assert (bank.holds("anna"), bank.holds("fees")) == ((99_680, 0), (20, 0))
    check_sound(bank.url)


def test_a_part_tells_the_peer_that_held(bank: Bank) -> None:
    asked = Asked()
    bank.one(purchase(1, 300, destination="blue", type="0100", hold=True, sent_trace="stan 17"))
    assert bank.one(capture(2, 1, 100, final=False, forward=asked)).lanes == ("blue",)


def test_a_part_is_refunded_by_its_own_name(bank: Bank) -> None:
    bank.commit(hold(1, 300), capture(2, 1, 100, final=False))
    assert declined(bank.one(refund(3, 1, 50))) is Reason.UNKNOWN_ORIGINAL
    assert approved(bank.one(refund(4, 2, 100))) == 100
    assert declined(bank.one(refund(5, 2, 1))) is Reason.EXCEEDS_REFUNDABLE
