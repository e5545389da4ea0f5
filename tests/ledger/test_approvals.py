"""Entries by hand: asked for by one, approved by another, booked once; and chargebacks."""

from __future__ import annotations

from typing import Any

import pytest
from junctor.ledger.account_items import AccountLimit, LimitAccount, Period
from junctor.ledger.approval_items import Adjustment, Approve, Chargeback, Reject, RequestApproval
from junctor.ledger.operations import Done, Failed, Gone, Reason
from ledger_items import BIG, EUR, USD, Bank, approved, declined, key, pay, purchase, raw, reverse
from ledger_soundness import check_sound

ID = b"approval-number1"
FAR_US = 2**62


def ask(proposal: Any, approval_id: bytes = ID, **changes: Any) -> RequestApproval:
    given: dict[str, Any] = {"who": "ann", "reason": "booked twice", "expires_us": FAR_US}
    return RequestApproval(approval_id, proposal, **(given | changes))


def adjust(amount: int = 500, debit: str = "anna", credit: str = "shop", currency: int = EUR) -> Adjustment:
    return Adjustment(debit, credit, amount, currency)


def why(outcome: Any) -> str:
    assert isinstance(outcome, Failed), outcome
    return outcome.why


@pytest.fixture
def disputed(bank: Bank) -> Bank:
    """Books with a purchase of 10.00 by anna in the shop, and an account for chargebacks."""
    bank.open("chargebacks", kind="chargeback", floor_minor=None)
    bank.one(purchase(1, 1_000))
    return bank


def test_nothing_is_booked_before_another_person_approves(bank: Bank) -> None:
    assert bank.one(ask(adjust())) == Done()
    assert bank.holds("anna") == (100_000, 0)
    assert bank.one(Approve(ID, "bob")) == Done()
    assert (bank.holds("anna"), bank.holds("shop")) == ((99_500, 0), (500, 0))
    assert bank.entries("shop") == [("adjustment", 500, 0)]
    (told,) = bank.see(lambda reader: reader.approvals.find())
    assert (told.state, told.requested_by, told.decided_by) == ("carried out", "ann", "bob")
    shown = bank.see(lambda reader: reader.show_transaction(ID))
    assert [(it.step, it.purpose, it.amount_minor) for it in shown.messages] == [("adjust", "adjustment", 500)]
    assert shown.messages[0].reference == "asked for by ann, approved by bob"
    check_sound(bank.url)


@pytest.mark.parametrize("who", ["ann", "Ann", " ANN "])
def test_whoever_asks_does_not_approve(bank: Bank, who: str) -> None:
    bank.one(ask(adjust()))
    assert why(bank.one(Approve(ID, who))) == "whoever asks does not approve"
    assert bank.holds("anna") == (100_000, 0)
    assert bank.one(Approve(ID, "bob")) == Done()


def test_a_request_is_carried_out_once(bank: Bank) -> None:
    asked, first, second = bank.commit(ask(adjust()), Approve(ID, "bob"), Approve(ID, "eve"))
    assert (asked, first) == (Done(), Done())
    assert why(second) == why(bank.one(Approve(ID, "bob"))) == "it was carried out before"
    assert bank.holds("shop") == (500, 0)


def test_an_expired_request_is_not_carried_out(bank: Bank) -> None:
    assert why(bank.one(ask(adjust(), expires_us=1))) == "its time has passed"
    bank.one(ask(adjust()))
    with raw(bank.url) as connection:
        connection.execute("UPDATE approval SET expires_us = 1")
    assert why(bank.one(Approve(ID, "bob"))) == "it has expired"
    assert bank.see(lambda reader: reader.approvals.find(waiting_at_us=2)) == []


@pytest.mark.parametrize(
    "spoil",
    [
        "payload = replace(payload, '500', '900')",
        "requested_by = 'zoe'",
        "reason = 'no reason'",
        "action = 'chargeback'",
        "expires_us = expires_us + 1",
    ],
)
def test_what_was_changed_after_it_was_asked_for_is_not_carried_out(bank: Bank, spoil: str) -> None:
    bank.one(ask(adjust(), expires_us=FAR_US - 5))
    with raw(bank.url) as connection:
        connection.execute(f"UPDATE approval SET {spoil}")
    assert isinstance(bank.one(Approve(ID, "ann" if "zoe" in spoil else "bob")), Failed)
    assert bank.holds("anna") == (100_000, 0)


def test_a_rejected_request_is_not_carried_out(bank: Bank) -> None:
    bank.one(ask(adjust()))
    assert bank.one(Reject(ID, "ann")) == Done()
    assert why(bank.one(Approve(ID, "bob"))) == "it was rejected"
    assert why(bank.one(Reject(ID, "bob"))) == "it was rejected"
    assert bank.holds("anna") == (100_000, 0)


def test_the_same_request_again_is_done_and_another_under_its_id_fails(bank: Bank) -> None:
    assert bank.commit(ask(adjust()), ask(adjust())) == [Done(), Done()]
    assert why(bank.one(ask(adjust(501)))) == "the id is that of another request"
    assert bank.one(Approve(b"no such id......", "bob")) == Gone()
    assert bank.one(Reject(b"no such id......", "bob")) == Gone()
    bank.one(purchase(7))
    assert why(bank.one(ask(adjust(), key(7)))) == "the id is that of a message"


@pytest.mark.parametrize(
    "proposal",
    [adjust(100_001), adjust(debit="nobody"), adjust(credit="nobody"), adjust(currency=USD)],
)
def test_what_the_rules_of_money_refuse_stays_waiting(bank: Bank, proposal: Adjustment) -> None:
    bank.one(ask(proposal))
    assert isinstance(bank.one(Approve(ID, "bob")), Failed)
    (told,) = bank.see(lambda reader: reader.approvals.find())
    assert (told.state, told.decided_by) == ("waiting", None)
    assert bank.holds("shop") == (0, 0)


@pytest.mark.parametrize(
    "asked",
    [ask(adjust(0)), ask(adjust(-1)), ask(adjust(BIG + 1)), ask(adjust(), who=" "), ask(adjust(), reason="")],
)
def test_a_request_that_makes_no_sense_is_not_kept(bank: Bank, asked: RequestApproval) -> None:
    assert isinstance(bank.one(asked), Failed)
    assert bank.see(lambda reader: reader.approvals.find()) == []


# ---------------------------------------------------------------- chargebacks


def test_a_chargeback_goes_through_its_account_and_lowers_what_stands(disputed: Bank) -> None:
    bank = disputed
    bank.commit(ask(Chargeback(key(1), 400, "chargebacks")), Approve(ID, "bob"))
    assert (bank.holds("anna"), bank.holds("shop")) == ((99_400, 0), (600, 0))
    assert bank.entries("chargebacks") == [("chargeback", 400, 0), ("chargeback", -400, 0)]
    shown = bank.see(lambda reader: reader.show_transaction(key(1)))
    assert (shown.amount_minor, shown.state) == (600, "posted")
    assert [it.purpose for it in shown.messages][-1] == "chargeback"
    assert len(shown.entries) == 2 + 4
    bank.one(reverse(2, 1))
    assert (bank.holds("anna"), bank.holds("shop")) == ((100_000, 0), (0, 0)), "a reversal takes only what stands"
    check_sound(bank.url)


def test_no_more_than_what_stands_is_charged_back(disputed: Bank) -> None:
    bank = disputed
    assert why(bank.one(ask(Chargeback(key(1), 1_001, "chargebacks")))).startswith("it is more than what stands")
    other = b"approval-number2"
    bank.commit(ask(Chargeback(key(1), 600, "chargebacks")), ask(Chargeback(key(1), 600, "chargebacks"), other))
    assert bank.one(Approve(ID, "bob")) == Done()
    assert why(bank.one(Approve(other, "bob"))).startswith("it is more than what stands")
    third = b"approval-number3"
    bank.commit(ask(Chargeback(key(1), 400, "chargebacks"), third), Approve(third, "bob"))
    assert bank.holds("anna") == (100_000, 0)
    assert bank.see(lambda reader: reader.show_transaction(key(1))).state == "reversed"
    check_sound(bank.url)


def test_what_was_refunded_is_not_charged_back(disputed: Bank) -> None:
    bank = disputed
    back = (pay(700, "shop", "anna"),)
    assert approved(bank.one(purchase(2, 700, movements=back, refunds=key(1)))) == 700
    assert why(bank.one(ask(Chargeback(key(1), 301, "chargebacks")))).startswith("it is more than what stands")
    bank.commit(ask(Chargeback(key(1), 300, "chargebacks")), Approve(ID, "bob"))
    assert (bank.holds("anna"), bank.holds("shop")) == ((100_000, 0), (0, 0))
    assert declined(bank.one(purchase(3, 1, movements=(pay(1, "shop", "anna"),), refunds=key(1)))) is (
        Reason.EXCEEDS_REFUNDABLE
    )


def test_what_is_charged_back_may_be_spent_again_within_the_limits(disputed: Bank) -> None:
    bank = disputed
    daily = AccountLimit("", Period.DAY, amount_minor=1_000)
    bank.one(LimitAccount("anna", "ann", "careful", "", (daily,)))
    bank.one(purchase(2, 1_000))
    assert declined(bank.one(purchase(3, 400))) is Reason.EXCEEDS_LIMIT
    bank.commit(ask(Chargeback(key(2), 400, "chargebacks")), Approve(ID, "bob"))
    assert approved(bank.one(purchase(4, 400))) == 400


def test_whoever_was_paid_must_give_it_back_whatever_the_floor(disputed: Bank) -> None:
    bank = disputed
    bank.open("corner")
    bank.commit(
        purchase(5, 300, movements=(pay(300, "anna", "corner"),)),
        purchase(6, 300, movements=(pay(300, "corner", "shop"),)),
        ask(Chargeback(key(5), 300, "chargebacks")),
        Approve(ID, "bob"),
    )
    assert bank.holds("corner") == (-300, 0)
    assert bank.see(lambda reader: reader.account("corner")).overdraw_minor == 300


def test_only_a_posted_transaction_is_charged_back(disputed: Bank) -> None:
    bank = disputed
    bank.commit(purchase(8, 100, hold=True), purchase(9, 100_001))
    for number in (8, 9, 77):
        assert why(bank.one(ask(Chargeback(key(number), 1, "chargebacks")))) == "the transaction is not posted"
    bank.one(ask(Chargeback(key(1), 1, "nowhere")))
    assert why(bank.one(Approve(ID, "bob"))) == "the account for chargebacks is unknown"
