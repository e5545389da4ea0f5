"""Payments in one currency on an account in another: every currency adds up by itself, whatever becomes of them."""

from __future__ import annotations

from typing import Any

import pytest
from junctor.ledger.account_items import AccountLimit, LimitAccount, Period
from junctor.ledger.approval_items import Approve, Chargeback, RequestApproval
from junctor.ledger.exchange_items import Exchange, Quote
from junctor.ledger.operations import Authorise, ExpireHolds, Reason
from ledger_items import EUR, USD, Bank, approved, capture, declined, facts, key, pay, purchase, render, reverse
from ledger_soundness import check_sound

# 100.00 USD at 0.9215 EUR are 92.15 EUR; with a spread of 20 per mille (1.843, rounded 1.84) 93.993, rounded 93.99.
ACCOUNTS = ("fx.position.USD", "fx.position.EUR", "fx.spread.EUR", "fx.rounding.EUR")
QUOTE = Quote(EUR, 93_99, 92_15, 1_84, "0.9215", *ACCOUNTS)
# And given back: 92.15 - 1.843 = 90.307, rounded 90.31; that is 0.00 more than 92.15 - 1.84.
BACK = Quote(EUR, 90_31, 92_15, 1_84, "0.9215", *ACCOUNTS)


@pytest.fixture
def bank(bank: Bank) -> Bank:
    bank.open("mall", kind="settlement", floor_minor=None, currency=USD)
    bank.open("fx.position.USD", kind="fx", floor_minor=None, currency=USD)
    for code in ("fx.position.EUR", "fx.spread.EUR", "fx.rounding.EUR"):
        bank.open(code, kind="fx", floor_minor=None)
    return bank


def buy(number: int, **changes: Any) -> Authorise:
    movements = changes.pop("movements", (pay(100_00, "anna", "mall", USD),))
    given: dict[str, Any] = {"exchange": (QUOTE,), **changes}
    return Authorise(facts(number, 100_00, currency=USD, processing_code="000000"), movements, render, **given)


def refund(number: int, original: int) -> Authorise:
    return buy(number, movements=(pay(100_00, "mall", "anna", USD),), exchange=(BACK,), refunds=key(original))


def posted(bank: Bank) -> dict[str, int]:
    codes = ("anna", "mall", "fx.position.USD", "fx.position.EUR", "fx.spread.EUR", "fx.rounding.EUR")
    return {code: bank.holds(code)[0] for code in codes}


def test_a_purchase_is_posted_in_both_currencies_and_its_rate_is_kept(bank: Bank) -> None:
    assert approved(bank.one(buy(1))) == 100_00
    assert posted(bank) == {
        "anna": 100_000 - 93_99,
        "mall": 100_00,
        "fx.position.USD": -100_00,
        "fx.position.EUR": 92_15,
        "fx.spread.EUR": 1_84,
        "fx.rounding.EUR": 0,
    }
    shown = bank.see(lambda reader: reader.show_transaction(key(1)))
    assert shown.exchange == Exchange(key(1), USD, 100_00, EUR, 93_99, 92_15, 1_84, "0.9215")
    check_sound(bank.url)


@pytest.mark.parametrize(("customer", "rounding"), [(94_00, 1), (93_98, -1)])
def test_what_rounding_leaves_has_an_account_of_its_own(bank: Bank, customer: int, rounding: int) -> None:
    quote = Quote(EUR, customer, 92_15, 1_84, "0.9215", *ACCOUNTS)
    bank.one(buy(1, exchange=(quote,)))
    found = posted(bank)
    assert (found["anna"], found["fx.rounding.EUR"]) == (100_000 - customer, rounding)
    assert (found["fx.position.EUR"], found["fx.spread.EUR"]) == (92_15, 1_84)
    check_sound(bank.url)


def test_a_refund_goes_back_through_the_positions_less_the_spread(bank: Bank) -> None:
    bank.one(buy(1))
    assert approved(bank.one(refund(2, 1))) == 100_00
    assert posted(bank) == {
        "anna": 100_000 - 93_99 + 90_31,
        "mall": 0,
        "fx.position.USD": 0,
        "fx.position.EUR": 0,
        "fx.spread.EUR": 3_68,
        "fx.rounding.EUR": 0,
    }
    assert declined(bank.one(refund(3, 1))) is Reason.EXCEEDS_REFUNDABLE
    check_sound(bank.url)


def test_a_refund_to_another_holder_is_not_that_of_the_purchase(bank: Bank) -> None:
    bank.open("eva", 10)
    bank.one(buy(1))
    other = buy(2, movements=(pay(100_00, "mall", "eva", USD),), exchange=(BACK,), refunds=key(1))
    assert declined(bank.one(other)) is Reason.UNKNOWN_ORIGINAL


def test_a_reversal_takes_every_leg_back_and_a_partial_one_its_share(bank: Bank) -> None:
    bank.commit(buy(1), buy(2))
    bank.one(reverse(3, 1))
    assert posted(bank)["anna"] == 100_000 - 93_99
    assert approved(bank.one(reverse(4, 2, 25_00))) == 75_00
    found = posted(bank)
    assert (found["mall"], found["fx.position.USD"]) == (25_00, -25_00)
    assert found["anna"] == 100_000 - 23_50, "a quarter of 93.99 is 23.4975"
    check_sound(bank.url)


def test_a_hold_is_exchanged_when_it_is_made_and_completed_at_that_price(bank: Bank) -> None:
    assert approved(bank.one(buy(1, hold=True))) == 100_00
    assert bank.holds("anna") == (100_000, 93_99)
    assert approved(bank.one(capture(2, 1, 50_00))) == 50_00
    assert bank.holds("anna") == (100_000 - 47_00, 0), "half of 93.99 is 46.995"
    assert bank.holds("mall") == (50_00, 0)
    check_sound(bank.url)


def test_a_completion_after_expiry_or_without_a_hold_is_exchanged_anew(bank: Bank) -> None:
    bank.commit(buy(1, hold=True, expires_us=5), ExpireHolds(10, 9))
    movements = (pay(100_00, "anna", "mall", USD),)
    for number, original in ((2, 1), (3, 9)):
        item = capture(number, original, 100_00, movements=movements, exchange=(QUOTE,), about={"currency": USD})
        assert approved(bank.one(item)) == 100_00
    assert bank.holds("anna") == (100_000 - 2 * 93_99, 0)
    assert bank.see(lambda reader: reader.show_transaction(key(3))).exchange.customer_minor == 93_99
    check_sound(bank.url)


def test_funds_and_limits_are_those_of_the_account_in_its_own_currency(bank: Bank) -> None:
    bank.open("eva", 93_98)
    assert declined(bank.one(buy(1, movements=(pay(100_00, "eva", "mall", USD),)))) is Reason.EXCEEDS_FUNDS
    limit = AccountLimit("", Period.DAY, 93_99)
    bank.one(LimitAccount("anna", "olga", "why", "", (limit,)))
    bank.one(buy(2))
    assert declined(bank.one(purchase(3, 1))) is Reason.EXCEEDS_LIMIT
    bank.one(reverse(4, 2, 50_00))
    (used,) = bank.see(lambda reader: reader.account_limits("anna"))
    assert (used.used_minor, used.used_count) == (47_00, 1)


def test_an_addition_by_another_card_does_not_join_an_exchanged_hold(bank: Bank) -> None:
    bank.open("eva", 1_000_00)
    bank.commit(buy(1, hold=True), buy(2, hold=True, movements=(pay(100_00, "eva", "mall", USD),), adds_to=key(1)))
    bank.one(buy(3, hold=True, adds_to=key(1)))
    assert (bank.holds("anna"), bank.holds("eva")) == ((100_000, 2 * 93_99), (1_000_00, 93_99))
    assert bank.see(lambda reader: reader.show_transaction(key(1))).amount_minor == 200_00


def test_fees_in_the_currency_of_the_payment_are_paid_out_of_the_position(bank: Bank) -> None:
    bank.open("fees.USD", kind="fee", floor_minor=None, currency=USD)
    movements = (pay(98_00, "anna", "mall", USD), pay(2_00, "anna", "fees.USD", USD, kind="fee"))
    assert approved(bank.one(buy(1, movements=movements))) == 98_00
    found = posted(bank)
    assert (found["anna"], found["fx.position.USD"]) == (100_000 - 93_99, -100_00)
    assert bank.holds("fees.USD") == (2_00, 0)
    check_sound(bank.url)


@pytest.mark.parametrize("quotes", [(), (Quote(392, 1, 1, 0, "1", "a", "b", "c", "d"),)])
def test_a_currency_that_is_not_quoted_is_the_wrong_one(bank: Bank, quotes: tuple[Quote, ...]) -> None:
    assert declined(bank.one(buy(1, exchange=quotes))) is Reason.WRONG_CURRENCY


def test_an_account_in_the_currency_of_the_payment_needs_no_exchange(bank: Bank) -> None:
    bank.open("dora", 200_00, currency=USD)
    bank.one(buy(1, movements=(pay(100_00, "dora", "mall", USD),)))
    assert bank.holds("dora") == (100_00, 0)
    assert bank.see(lambda reader: reader.show_transaction(key(1))).exchange is None


def test_an_exchanged_payment_is_not_charged_back_as_if_the_position_had_paid(bank: Bank) -> None:
    bank.open("chargebacks", kind="chargeback", floor_minor=None, currency=USD)
    bank.one(buy(1))
    asked = RequestApproval(
        b"approval-number1", Chargeback(key(1), 100_00, "chargebacks"), who="ann", reason="why", expires_us=2**62
    )
    bank.commit(asked, Approve(b"approval-number1", "bob"))
    assert posted(bank)["anna"] == 100_000 - 93_99
    assert posted(bank)["fx.position.USD"] == -100_00
    (told,) = bank.see(lambda reader: reader.approvals.find())
    assert told.state != "carried out"
