"""Limits of an account: exact within a batch, by processing code and period, and given back by what is undone."""

from __future__ import annotations

from typing import Any

import pytest
from junctor.ledger.account_items import AccountLimit, LimitAccount, Period
from junctor.ledger.operations import (
    Authorise,
    Bury,
    Delivered,
    Done,
    ExpireHolds,
    Failed,
    NewDelivery,
    Reason,
    Revive,
)
from ledger_items import BIG, Bank, approved, capture, declined, facts, key, pay, purchase, render, reverse
from ledger_soundness import check_sound

CASH, GOODS = "010000", "000000"


def limit(*limits: AccountLimit, code: str = "anna") -> LimitAccount:
    return LimitAccount(code, "olga", "as agreed", limits[0].processing_code if limits else "", limits)


def day(amount: int | None, count: int | None = None, code: str = "") -> AccountLimit:
    return AccountLimit(code, Period.DAY, amount, count)


def buy(number: int, amount: int, code: str = GOODS, **changes: Any) -> Authorise:
    return Authorise(facts(number, amount, processing_code=code), (pay(amount),), render, **changes)


def used(bank: Bank, code: str = "anna") -> list[tuple[str, str, int, int]]:
    found = bank.see(lambda reader: reader.account_limits(code))
    return [(it.processing_code, it.period, it.used_minor, it.used_count) for it in found]


def test_a_daily_limit_is_exact_within_a_batch(bank: Bank) -> None:
    bank.one(limit(day(500)))
    outcomes = bank.commit(buy(1, 300), buy(2, 201), buy(3, 200), buy(4, 1))
    assert [declined(outcomes[at]) for at in (1, 3)] == [Reason.EXCEEDS_LIMIT] * 2
    assert [approved(outcomes[at]) for at in (0, 2)] == [300, 200]
    assert declined(bank.one(buy(5, 1))) is Reason.EXCEEDS_LIMIT
    assert used(bank) == [("", "day", 500, 2)]


def test_a_limit_set_in_a_batch_holds_for_what_follows_in_it(bank: Bank) -> None:
    outcomes = bank.commit(buy(1, 300), limit(day(500)), buy(2, 500), buy(3, 1))
    assert (approved(outcomes[0]), approved(outcomes[2])) == (300, 500)
    assert declined(outcomes[3]) is Reason.EXCEEDS_LIMIT


def test_a_count_is_another_reason_and_the_amount_is_told_first(bank: Bank) -> None:
    bank.one(limit(day(500, 2)))
    outcomes = bank.commit(buy(1, 10), buy(2, 10), buy(3, 10), buy(4, 501))
    assert declined(outcomes[2]) is Reason.EXCEEDS_COUNT
    assert declined(outcomes[3]) is Reason.EXCEEDS_LIMIT


def test_each_processing_code_has_its_own_limits_and_the_general_one_counts_all(bank: Bank) -> None:
    bank.commit(limit(day(100, code="01")), limit(day(250)))
    outcomes = bank.commit(buy(1, 100, CASH), buy(2, 1, CASH), buy(3, 150), buy(4, 1))
    assert (approved(outcomes[0]), approved(outcomes[2])) == (100, 150)
    assert [declined(outcomes[at]) for at in (1, 3)] == [Reason.EXCEEDS_LIMIT] * 2
    assert used(bank) == [("", "day", 250, 2), ("01", "day", 100, 1)]


@pytest.mark.parametrize("period", [Period.DAY, Period.MONTH, Period.TOTAL])
def test_a_period_counts_what_its_payments_add_up_to(bank: Bank, period: Period) -> None:
    bank.one(limit(AccountLimit("", period, 100)))
    assert approved(bank.one(buy(1, 60))) == 60
    assert declined(bank.one(buy(2, 41))) is Reason.EXCEEDS_LIMIT
    assert approved(bank.one(buy(3, 40))) == 40


def test_a_limit_per_transaction_counts_nothing(bank: Bank) -> None:
    bank.one(limit(AccountLimit("", Period.TRANSACTION, 100)))
    outcomes = bank.commit(buy(1, 100), buy(2, 100), buy(3, 101))
    assert [approved(it) for it in outcomes[:2]] == [100, 100]
    assert declined(outcomes[2]) is Reason.EXCEEDS_LIMIT


def test_a_reversal_gives_back_what_was_used_and_a_partial_one_its_part(bank: Bank) -> None:
    bank.one(limit(day(100, 1)))
    bank.commit(buy(1, 100), reverse(2, 1, 30))
    assert used(bank) == [("", "day", 30, 1)]
    bank.commit(buy(3, 1), reverse(4, 1))
    assert used(bank) == [("", "day", 30, 1)], "a second reversal undoes nothing"


def test_a_full_reversal_gives_the_count_back_in_the_same_batch(bank: Bank) -> None:
    bank.one(limit(day(100, 1)))
    outcomes = bank.commit(buy(1, 100), reverse(2, 1), buy(3, 100), reverse(4, 3))
    assert [approved(it) for it in outcomes] == [100] * 4
    assert used(bank) == [("", "day", 0, 0)]
    assert approved(bank.one(buy(5, 100))) == 100


def test_a_completion_counts_its_own_amount_and_an_expired_hold_none(bank: Bank) -> None:
    bank.one(limit(day(500)))
    bank.one(buy(1, 300, hold=True, expires_us=5))
    bank.one(capture(2, 1, 120))
    assert used(bank) == [("", "day", 120, 1)]
    bank.commit(buy(3, 200, hold=True, expires_us=5), ExpireHolds(10, 9))
    assert used(bank) == [("", "day", 120, 1)]
    bank.one(capture(4, 3, 200, movements=(pay(200),)))
    assert used(bank) == [("", "day", 320, 2)]


def test_what_must_be_posted_passes_the_limit_and_is_counted(bank: Bank) -> None:
    bank.one(limit(day(100)))
    assert approved(bank.one(buy(1, 300, forced=True))) == 300
    assert approved(bank.one(capture(2, 9, 50))) == 50
    assert declined(bank.one(buy(3, 1))) is Reason.EXCEEDS_LIMIT
    assert used(bank) == [("", "day", 350, 2)]


def test_what_is_received_is_not_counted(bank: Bank) -> None:
    bank.one(limit(day(0)))
    assert approved(bank.one(purchase(1, 70, movements=(pay(70, "shop", "anna"),)))) == 70


def test_limits_are_replaced_for_their_code_and_journalled(bank: Bank) -> None:
    bank.commit(limit(day(100)), limit(day(9, code="01")), limit(day(200)))
    (first, second, third) = bank.see(lambda reader: reader.account_events("anna"))
    assert first.change == '{"limits": [[], [["", "day", 100, null]]]}'
    assert third.change == (
        '{"limits": [[["", "day", 100, null], ["01", "day", 9, null]],'
        ' [["", "day", 200, null], ["01", "day", 9, null]]]}'
    )
    assert second.action == "limit"
    assert bank.one(limit(day(200))) == Done()
    assert isinstance(bank.one(LimitAccount("anna", "olga", "why", "", ())), Done)
    assert used(bank) == [("01", "day", 0, 0)]
    assert approved(bank.one(buy(1, 300))) == 300
    check_sound(bank.url)


@pytest.mark.parametrize(
    "limits",
    [
        (day(None),),
        (day(-1),),
        (day(BIG + 1),),
        (day(1, -1),),
        (day(1, code="1"),),
        (day(1, code="xx"),),
        (AccountLimit("", Period.TRANSACTION, 1, 1),),
        (day(1), day(2)),
        tuple(AccountLimit("", Period.DAY, 1) for _ in range(65)),
    ],
)
def test_limits_that_cannot_be_meant_fail(bank: Bank, limits: tuple[AccountLimit, ...]) -> None:
    assert isinstance(bank.one(limit(*limits)), Failed)
    assert used(bank) == []


def test_no_account_has_more_limits_than_may_be_looked_at(bank: Bank) -> None:
    outcomes = bank.commit(*(limit(day(1, code=f"{number:02d}")) for number in range(65)))
    assert all(isinstance(it, Done) for it in outcomes[:64])
    assert outcomes[64] == Failed("an account has at most 64 limits")
    assert declined(bank.one(buy(1, 2, "630000"))) is Reason.EXCEEDS_LIMIT


def test_a_settlement_account_has_a_cap_instead(bank: Bank) -> None:
    assert bank.one(limit(day(1), code="blue")) == Failed("a settlement account has a cap instead of limits")


def test_a_payment_given_up_by_its_courier_is_given_back_until_it_is_revived(bank: Bank) -> None:
    bank.one(limit(day(500)))
    bank.one(buy(1, 300, hold=True, deliveries=(NewDelivery("blue", "mt", b"pay", settles=key(1)),)))
    bank.one(Bury("blue", 1, "refused"))
    assert used(bank) == [("", "day", 0, 0)]
    bank.one(Revive("blue", 1))
    assert used(bank) == [("", "day", 300, 1)]
    bank.one(Delivered("blue", 2))
    assert used(bank) == [("", "day", 300, 1)]
