"""The first reason that holds is the answer: proved on the rules alone, without a database.

The table begins with a payment in which everything is wrong; each row then puts exactly one thing right.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from junctor.ledger.account_items import AccountLimit, Period
from junctor.ledger.engine import Lacks, decide
from junctor.ledger.operations import Inquire, Item, Movement, Reason
from junctor.ledger.page import Page
from junctor.ledger.state import CLOSED, LIMITED, NO_CREDITS, NO_DEBITS, Account, Message, Standing, Step, Txn
from ledger_items import BIG, EUR, USD, approved, capture, declined, dispatch, facts, key, purchase, render

REASONS = list(Reason)
LIMITS = (
    Reason.UNKNOWN_ORIGINAL,
    Reason.EXCEEDS_REFUNDABLE,
    Reason.EXCEEDS_LIMIT,
    Reason.EXCEEDS_COUNT,
)
"""What only a request on our own books is asked about."""

PAID = key(8)


def wrong_page() -> Page:
    """A page on which everything stands against payment 1."""
    page = Page(now_us=1, bdate=20260102)
    own = key(1)
    page.messages.loaded[own] = page.flights.loaded[own] = None
    page.messages.loaded[key(9)] = page.flights.loaded[key(9)] = page.transactions.loaded[key(9)] = None
    page.transactions.loaded[own] = Txn(own, Standing.TOMBSTONE, EUR, 0, 0, (), b"", None, key(2), 1)
    page.codes.loaded.update({"from": None, "to": None})
    page.accounts.loaded[1] = Account(1, EUR, 10, 4, 0, 0, None, CLOSED | NO_DEBITS | LIMITED, 0, 0)
    page.limits.loaded[1] = (AccountLimit("", Period.DAY, 6, 0),)
    page.messages.loaded[PAID] = page.flights.loaded[PAID] = page.transactions.loaded[PAID] = None
    page.refunded.loaded[PAID] = None
    page.usages.loaded[1, 20260102, ""] = page.limit_uses.loaded[key(1)] = None
    page.accounts.loaded[2] = Account(2, USD, -20, 0, 0, None, -14, CLOSED | NO_CREDITS, 0, 0)
    return page


def account(page: Page, number: int) -> Account:
    found = page.accounts.loaded[number]
    assert found is not None
    return found


def let_it_come_first(page: Page) -> None:
    page.transactions.loaded[key(1)] = None


def know_the_debtor(page: Page) -> None:
    page.codes.loaded["from"] = 1


def know_the_creditor(page: Page) -> None:
    page.codes.loaded["to"] = 2


def reopen_the_debtor(page: Page) -> None:
    account(page, 1).flags &= ~CLOSED


def reopen_the_creditor(page: Page) -> None:
    account(page, 2).flags &= ~CLOSED


def unblock_the_debtor(page: Page) -> None:
    account(page, 1).flags &= ~NO_DEBITS


def unblock_the_creditor(page: Page) -> None:
    account(page, 2).flags &= ~NO_CREDITS


def change_the_currency(page: Page) -> None:
    account(page, 2).currency = EUR


def raise_the_funds(page: Page) -> None:
    account(page, 1).posted = 11


def lift_the_ceiling(page: Page) -> None:
    account(page, 2).ceiling = -13


def know_what_was_paid(page: Page) -> None:
    page.messages.loaded[PAID] = Message(PAID, b"", Step.AUTHORISE, PAID, "0200", "ledger", EUR, None, b"")
    page.transactions.loaded[PAID] = Txn(PAID, Standing.POSTED, EUR, 9, 9, ((2, 1, 9, 1),), b"", None, None, 1)
    page.refunded.loaded[PAID] = 3


def forget_a_refund(page: Page) -> None:
    page.refunded.loaded[PAID] = 2


def raise_the_limit(page: Page) -> None:
    page.limits.loaded[1] = (AccountLimit("", Period.DAY, 7, 0),)


def raise_the_count(page: Page) -> None:
    page.limits.loaded[1] = (AccountLimit("", Period.DAY, 7, 1),)


Repair = Callable[[Page], None]
ROWS: list[tuple[Repair | None, int, Reason | None]] = [
    (None, 2**63, Reason.ALREADY_REVERSED),
    (let_it_come_first, 2**63, Reason.UNKNOWN_ACCOUNT),
    (know_the_debtor, 2**63, Reason.UNKNOWN_COUNTERPARTY),
    (know_the_creditor, 2**63, Reason.CLOSED),
    (reopen_the_debtor, 2**63, Reason.CLOSED),
    (reopen_the_creditor, 2**63, Reason.BLOCKED),
    (unblock_the_debtor, 2**63, Reason.BLOCKED),
    (unblock_the_creditor, 2**63, Reason.WRONG_CURRENCY),
    (change_the_currency, 2**63, Reason.INVALID_AMOUNT),
    (None, 7, Reason.EXCEEDS_FUNDS),
    (raise_the_funds, 7, Reason.EXCEEDS_CEILING),
    (lift_the_ceiling, 7, Reason.UNKNOWN_ORIGINAL),
    (know_what_was_paid, 7, Reason.EXCEEDS_REFUNDABLE),
    (forget_a_refund, 7, Reason.EXCEEDS_LIMIT),
    (raise_the_limit, 7, Reason.EXCEEDS_COUNT),
    (raise_the_count, 7, None),
]


def repaired(upto: int) -> tuple[Page, int, Reason | None]:
    page = wrong_page()
    for repair, _, _ in ROWS[: upto + 1]:
        if repair is not None:
            repair(page)
    return page, ROWS[upto][1], ROWS[upto][2]


def decide_one(item: Item, page: Page) -> Reason | None:
    outcomes = decide([item], page)
    assert not isinstance(outcomes, Lacks), outcomes
    (outcome,) = outcomes
    try:
        return declined(outcome)
    except AssertionError:
        return None


def payment(amount: int, hold: bool = False, forced: bool = False, refunds: bytes | None = PAID) -> Item:
    movements = (Movement("from", "to", amount, EUR),)
    return purchase(1, amount, movements=movements, hold=hold, forced=forced, refunds=refunds)


@pytest.mark.parametrize("hold", [False, True])
@pytest.mark.parametrize("row", range(len(ROWS)))
def test_a_payment_is_declined_for_the_first_reason_that_holds(row: int, hold: bool) -> None:
    page, amount, reason = repaired(row)
    assert decide_one(payment(amount, hold), page) is reason


@pytest.mark.parametrize("row", range(len(ROWS)))
def test_a_dispatch_is_declined_for_the_first_reason_that_holds(row: int) -> None:
    page, amount, reason = repaired(row)
    reason = None if reason in LIMITS else reason
    outcomes = decide([dispatch(1, amount, movements=(Movement("from", "to", amount, EUR),))], page)
    assert not isinstance(outcomes, Lacks)
    if reason is None:
        assert page.flights.changed[key(1)] is not None
    else:
        assert declined(outcomes[0]) is reason


@pytest.mark.parametrize("row", range(len(ROWS)))
def test_an_advice_passes_the_floor_and_the_limits_and_nothing_else(row: int) -> None:
    page, amount, reason = repaired(row)
    expected = Reason.EXCEEDS_CEILING if reason is Reason.EXCEEDS_FUNDS else None if reason in LIMITS else reason
    assert decide_one(payment(amount, forced=True), page) is expected


@pytest.mark.parametrize("row", range(len(ROWS)))
def test_a_completion_without_a_hold_is_checked_as_an_advice(row: int) -> None:
    page, amount, reason = repaired(row)
    expected = Reason.EXCEEDS_CEILING if reason is Reason.EXCEEDS_FUNDS else None if reason in LIMITS else reason
    item = capture(1, 9, amount, movements=(Movement("from", "to", amount, EUR),))
    assert decide_one(item, page) is expected


def test_the_rows_name_every_reason_in_their_order() -> None:
    named = [reason for _, _, reason in ROWS if reason is not None]
    assert list(dict.fromkeys(named)) == REASONS


@pytest.mark.parametrize(
    ("repairs", "reason"),
    [
        ([], Reason.ALREADY_REVERSED),
        ([let_it_come_first], Reason.UNKNOWN_ACCOUNT),
        ([let_it_come_first, know_the_debtor], Reason.CLOSED),
        ([let_it_come_first, know_the_debtor, reopen_the_debtor], None),
    ],
)
def test_an_inquiry_is_declined_for_the_first_reason_that_holds(repairs: list[Repair], reason: Reason | None) -> None:
    page = wrong_page()
    for repair in repairs:
        repair(page)
    assert decide_one(Inquire(facts(1), "from", render), page) is reason


def test_of_two_movements_the_graver_reason_is_told_whichever_comes_first() -> None:
    poor, unknown = Movement("from", "to", 7, EUR), Movement("nobody", "to", 1, EUR)
    for movements in ((poor, unknown), (unknown, poor)):
        page, _, reason = repaired(9)
        assert reason is Reason.EXCEEDS_FUNDS
        page.codes.loaded["nobody"] = None
        assert decide_one(purchase(1, 7, movements=movements), page) is Reason.UNKNOWN_ACCOUNT


def test_what_must_be_posted_passes_floor_and_ceiling_and_leaves_a_mark() -> None:
    page, _, _ = repaired(15)
    outcomes = decide([payment(7, hold=True), capture(3, 1, 50)], loaded(page, 3))
    assert not isinstance(outcomes, Lacks)
    assert [approved(it) for it in outcomes] == [7, 50]
    debtor, creditor = account(page, 1), account(page, 2)
    assert (debtor.posted, debtor.held, debtor.overdraw) == (11 - 50, 4, 43)
    assert (creditor.posted, creditor.overfill) == (-20 + 50, 43)


def loaded(page: Page, *numbers: int) -> Page:
    """The page with messages of these numbers known not to exist."""
    for number in numbers:
        page.messages.loaded[key(number)] = page.flights.loaded[key(number)] = None
        page.transactions.loaded[key(number)] = None
    return page


def test_rows_that_are_not_loaded_are_named_and_nothing_is_changed() -> None:
    page = loaded(Page(now_us=1, bdate=20260102), 1)
    page.accounts.loaded[1] = Account(1, EUR, 10, 0, 0, 0, None, 0, 0, 0)
    page.accounts.loaded[2] = Account(2, EUR, 0, 0, 0, 0, None, 0, 0, 0)
    page.codes.loaded.update({"from": 1, "to": 2})
    lacking = decide([payment(7, refunds=None), capture(5, 6)], page)
    assert isinstance(lacking, Lacks)
    assert [(lack.table, lack.key) for lack in lacking.rows] == [("messages", key(5))]
    assert account(page, 1).posted == 10
    assert (page.entries, page.messages.changed, page.touched) == ([], {}, {})


def test_a_balance_that_would_not_fit_is_a_fault_and_is_taken_back() -> None:
    page = loaded(Page(now_us=1, bdate=20260102), 1, 3)
    page.accounts.loaded[1] = Account(1, EUR, 10, 0, 0, None, None, 0, 0, 0)
    page.accounts.loaded[2] = Account(2, EUR, BIG - 8, 0, 0, None, None, 0, 0, 0)
    page.codes.loaded.update({"from": 1, "to": 2})
    outcomes = decide([payment(7, hold=True, refunds=None), capture(3, 1, 9)], page)
    assert not isinstance(outcomes, Lacks)
    assert declined(outcomes[1]) is Reason.INVALID_AMOUNT
    assert (account(page, 1).held, account(page, 2).posted) == (7, BIG - 8)
