"""Holds: set aside, captured in part, whole or more, expired, captured after that."""

from __future__ import annotations

from typing import Any

import pytest
from junctor.ledger.operations import Answered, ExpireHolds, NewDelivery, Original, Reason, Swept
from ledger_items import BIG, Asked, Bank, approved, capture, declined, facts, key, pay, purchase, reverse


def test_a_hold_sets_aside_and_credits_nobody(bank: Bank) -> None:
    outcome = bank.one(purchase(1, 30_000, hold=True, expires_us=50))
    assert outcome.response == b"yes 30000 left 70000"
    assert (bank.holds("anna"), bank.holds("shop")) == ((100_000, 30_000), (0, 0))
    assert bank.entries("anna")[-1] == ("hold", 0, 30_000)
    assert bank.entries("shop") == []


def test_what_is_held_cannot_be_spent_twice(bank: Bank) -> None:
    outcomes = bank.commit(*(purchase(number, 40_000, hold=True) for number in (1, 2, 3)))
    assert [approved(it) for it in outcomes[:2]] == [40_000, 40_000]
    assert declined(outcomes[2]) is Reason.EXCEEDS_FUNDS
    assert bank.holds("anna") == (100_000, 80_000)


@pytest.mark.parametrize("final", [1, 29_999, 30_000, 30_001, 120_000])
def test_a_capture_releases_the_whole_hold_and_posts_the_final_amount(bank: Bank, final: int) -> None:
    bank.one(purchase(1, 30_000, hold=True))
    assert approved(bank.one(capture(2, 1, final))) == final
    assert (bank.holds("anna"), bank.holds("shop")) == ((100_000 - final, 0), (final, 0))
    assert bank.entries("anna")[-1] == ("principal", -final, -30_000)


def test_a_capture_in_the_same_batch_as_its_hold_finds_it(bank: Bank) -> None:
    hold, completed, again = bank.commit(purchase(1, 300, hold=True), capture(2, 1, 200), capture(2, 1, 200))
    assert (approved(hold), approved(completed)) == (300, 200)
    assert again == Answered(completed.response)
    assert bank.holds("anna") == (99_800, 0)


def test_fees_of_a_hold_are_posted_whole_at_the_capture(bank: Bank) -> None:
    bank.open("fees", kind="fee")
    movements = (pay(300), pay(20, credit="fees", kind="fee"))
    bank.one(purchase(1, 300, movements=movements, hold=True))
    assert bank.holds("anna") == (100_000, 320)
    assert approved(bank.one(capture(2, 1, 200))) == 200
    assert (bank.holds("anna"), bank.holds("shop"), bank.holds("fees")) == ((99_780, 0), (200, 0), (20, 0))


def test_a_second_capture_posts_by_itself(bank: Bank) -> None:
    bank.commit(purchase(1, 300, hold=True), capture(2, 1, 300))
    assert approved(bank.one(capture(3, 1, 50, movements=(pay(50),)))) == 50
    assert bank.holds("anna") == (99_650, 0)
    bank.one(reverse(4, 3))
    assert bank.holds("anna") == (99_700, 0), "its reversal undoes the second alone"


def test_a_completion_of_nothing_known_is_posted_whatever_the_floor(bank: Bank) -> None:
    bank.open("eva", 10)
    delivery = NewDelivery("blue", "advice", b"tell")
    asked = Asked()
    outcome = bank.one(
        capture(2, 1, 100, movements=(pay(100, "eva"),), deliveries=(delivery,), forward=asked),
    )
    assert approved(outcome) == 100
    assert bank.holds("eva") == (-90, 0)
    assert (outcome.lanes, asked.originals) == (("blue",), []), "without an original, its own deliveries go"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"movements": (pay(100, "nobody"),)}, Reason.UNKNOWN_ACCOUNT),
        ({"movements": (pay(100, credit="nobody"),)}, Reason.UNKNOWN_COUNTERPARTY),
        ({"movements": (pay(0),), "amount_minor": 0}, Reason.INVALID_AMOUNT),
        ({"movements": (), "amount_minor": 0}, Reason.INVALID_AMOUNT),
        ({"movements": (), "amount_minor": BIG + 1}, Reason.INVALID_AMOUNT),
    ],
)
def test_a_completion_that_cannot_be_posted_is_declined_and_goes_nowhere(
    bank: Bank, change: dict[str, Any], reason: Reason
) -> None:
    delivery = NewDelivery("blue", "advice", b"tell")
    outcome = bank.one(capture(2, 1, **{"deliveries": (delivery,), **change}))
    assert declined(outcome) is reason
    assert bank.waiting() == []


@pytest.mark.parametrize("amount", [0, -5, BIG + 1, BIG])
def test_a_capture_of_no_amount_leaves_the_hold(bank: Bank, amount: int) -> None:
    bank.open("fill", kind="settlement", floor_minor=None)
    bank.one(purchase(1, 30_000, hold=True))
    bank.one(purchase(2, 1, movements=(pay(1, "fill", "shop"),)))
    assert declined(bank.one(capture(3, 1, amount))) is Reason.INVALID_AMOUNT
    assert bank.holds("anna") == (100_000, 30_000)


def test_expired_holds_are_released_oldest_first(bank: Bank) -> None:
    bank.commit(
        purchase(1, 100, hold=True, expires_us=300),
        purchase(2, 200, hold=True, expires_us=100),
        purchase(3, 400, hold=True, expires_us=200),
        purchase(4, 800, hold=True, expires_us=301),
        purchase(5, 1600, hold=True),
    )
    assert bank.one(ExpireHolds(before_us=100, most=9)) == Swept(0)
    assert bank.one(ExpireHolds(before_us=301, most=2)) == Swept(2)
    assert bank.holds("anna") == (100_000, 100 + 800 + 1600)
    assert bank.commit(ExpireHolds(301, 9), ExpireHolds(301, 9)) == [Swept(1), Swept(0)]
    assert bank.holds("anna") == (100_000, 800 + 1600)
    assert bank.see(lambda reader: reader.show_transaction(key(1))).state == "expired"


def test_a_sweep_sees_what_its_batch_did_before_it(bank: Bank) -> None:
    bank.one(purchase(1, 100, hold=True, expires_us=5))
    outcomes = bank.commit(capture(2, 1, 60), purchase(3, 200, hold=True, expires_us=6), ExpireHolds(10, 9))
    assert outcomes[-1] == Swept(1)
    assert bank.holds("anna") == (99_940, 0)


def test_a_capture_after_the_hold_expired_is_posted_all_the_same(bank: Bank) -> None:
    bank.open("eva", 300)
    bank.one(purchase(1, 300, movements=(pay(300, "eva"),), hold=True, expires_us=5))
    bank.one(ExpireHolds(10, 9))
    bank.one(purchase(2, 250, movements=(pay(250, "eva"),)))
    assert approved(bank.one(capture(3, 1, 200, movements=(pay(200, "eva"),)))) == 200
    assert bank.holds("eva") == (-150, 0)
    shown = bank.see(lambda reader: reader.show_transaction(key(1)))
    assert (shown.state, shown.amount_minor) == ("completed", 200)
    assert [entry.kind for entry in shown.entries] == ["hold", "release", "principal", "principal"]


def test_a_capture_tells_the_peer_that_held(bank: Bank) -> None:
    asked = Asked()
    bank.one(purchase(1, 300, destination="blue", type="0100", hold=True, sent_trace="stan 17"))
    outcome = bank.one(capture(2, 1, 250, forward=asked, deliveries=(NewDelivery("other", "x", b"x"),)))
    assert asked.originals == [Original(key(1), "0100", "blue", 300, 978, "stan 17")]
    assert outcome.lanes == ("blue",)
    assert bank.waiting() == [(1, "advice")]
    assert bank.waiting("other") == []


def test_a_capture_of_our_own_hold_tells_nobody(bank: Bank) -> None:
    asked = Asked()
    bank.one(purchase(1, 300, hold=True))
    outcome = bank.one(capture(2, 1, 250, forward=asked, deliveries=(NewDelivery("other", "x", b"x"),)))
    assert (asked.originals, outcome.lanes) == ([], ())


def test_a_capture_of_a_hold_without_movements_keeps_its_amount(bank: Bank) -> None:
    bank.commit(purchase(1, 300, movements=(), hold=True), capture(2, 1, 250, movements=()))
    shown = bank.see(lambda reader: reader.show_transaction(key(2)))
    assert (shown.state, shown.authorised_minor, shown.amount_minor, shown.entries) == ("completed", 300, 250, ())
    assert [message.key for message in shown.messages] == [key(1), key(2)]


def test_a_capture_whose_reversal_came_first_is_declined(bank: Bank) -> None:
    bank.one(purchase(1, 300, hold=True))
    bank.one(reverse(3, 2))
    assert declined(bank.one(capture(2, 1, 300))) is Reason.ALREADY_REVERSED
    assert bank.holds("anna") == (100_000, 300)


def test_a_capture_that_names_a_reversal_posts_by_itself(bank: Bank) -> None:
    bank.commit(purchase(1, 300, hold=True), reverse(2, 1))
    assert approved(bank.one(capture(3, 2, 40, movements=(pay(40),)))) == 40
    assert bank.holds("anna") == (99_960, 0)


def test_a_hold_is_found_under_its_message(bank: Bank) -> None:
    bank.one(purchase(1, 300, hold=True, rrn="000000000001"))
    (found,) = bank.see(lambda reader: reader.find_transactions(rrn="000000000001"))
    assert (found.key, found.step, found.result) == (facts(1).key, "authorise", "approved")
