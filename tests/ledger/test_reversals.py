"""Reversals: full and partial, once, before and after the original, and exactly one to the peer."""

from __future__ import annotations

import pytest
from junctor.ledger.operations import (
    Answered,
    Conclude,
    Conflict,
    ExpireHolds,
    Late,
    NewDelivery,
    Original,
    Reason,
    Refuse,
    Silence,
)
from ledger_items import Asked, Bank, approved, capture, declined, dispatch, facts, key, pay, purchase, reverse


def test_a_reversed_purchase_is_moved_back_by_opposite_entries(bank: Bank) -> None:
    bank.one(purchase(1, 300))
    outcome = bank.one(reverse(2, 1))
    assert (approved(outcome), outcome.response) == (300, b"yes 300 left 100000")
    assert (bank.holds("anna"), bank.holds("shop")) == ((100_000, 0), (0, 0))
    assert bank.entries("shop") == [("principal", 300, 0), ("reversal", -300, 0)]
    shown = bank.see(lambda reader: reader.show_transaction(key(2)))
    assert (shown.key, shown.state, shown.amount_minor) == (key(1), "reversed", 0)
    assert len(shown.entries) == 4


def test_a_reversed_hold_is_released(bank: Bank) -> None:
    bank.commit(purchase(1, 300, hold=True), reverse(2, 1))
    assert bank.holds("anna") == (100_000, 0)
    assert bank.entries("anna")[1:] == [("hold", 0, 300), ("release", 0, -300)]


@pytest.mark.parametrize("hold", [True, False])
@pytest.mark.parametrize(("replacement", "undone"), [(0, 300), (1, 299), (299, 1), (300, 0), (999, 0), (-7, 300)])
def test_a_partial_reversal_leaves_the_replacement_amount(
    bank: Bank, hold: bool, replacement: int, undone: int
) -> None:
    bank.commit(purchase(1, 300, hold=hold))
    assert approved(bank.one(reverse(2, 1, replacement))) == undone
    stands = 300 - undone
    assert bank.holds("anna") == ((100_000, stands) if hold else (100_000 - stands, 0))
    assert bank.see(lambda reader: reader.show_transaction(key(1))).amount_minor == stands


def test_fees_stay_with_a_part_and_go_with_the_whole(bank: Bank) -> None:
    bank.open("fees", kind="fee")
    movements = (pay(300), pay(20, credit="fees", kind="fee"))
    bank.commit(purchase(1, 300, movements=movements), purchase(2, 300, movements=movements))
    bank.commit(reverse(3, 1, 100), reverse(4, 2))
    assert (bank.holds("fees"), bank.holds("shop")) == ((20, 0), (100, 0))
    assert bank.holds("anna") == (99_880, 0)


def test_a_second_reversal_is_approved_and_moves_nothing(bank: Bank) -> None:
    bank.one(purchase(1, 300))
    assert [approved(it) for it in bank.commit(reverse(2, 1, 200), reverse(3, 1), reverse(4, 1, 0))] == [100, 0, 0]
    assert bank.holds("anna") == (99_800, 0)


def test_a_repeated_reversal_gets_its_stored_answer(bank: Bank) -> None:
    bank.one(purchase(1, 300))
    first = bank.one(reverse(2, 1))
    assert bank.one(reverse(2, 1)) == Answered(first.response)
    assert bank.one(reverse(2, 1, about={"fingerprint": b"other"})) == Conflict()


@pytest.mark.parametrize("named", [1, 2])
def test_a_captured_payment_is_reversed_by_either_of_its_messages(bank: Bank, named: int) -> None:
    bank.commit(purchase(1, 300, hold=True), capture(2, 1, 250))
    assert approved(bank.one(reverse(3, named))) == 250
    assert approved(bank.one(reverse(4, 3 - named))) == 0
    assert (bank.holds("anna"), bank.holds("shop")) == ((100_000, 0), (0, 0))


def test_a_capture_after_a_partial_reversal_can_be_reversed_in_turn(bank: Bank) -> None:
    bank.commit(purchase(1, 300, hold=True), reverse(2, 1, 200), capture(3, 1, 200))
    assert bank.holds("anna") == (99_800, 0)
    assert approved(bank.one(reverse(4, 3))) == 200
    assert bank.holds("anna") == (100_000, 0)


def test_a_reversal_may_take_the_shop_below_its_floor(bank: Bank) -> None:
    bank.open("stall")
    bank.one(purchase(1, 300, movements=(pay(300, "anna", "stall"),)))
    bank.one(purchase(2, 300, movements=(pay(300, "stall", "shop"),)))
    assert approved(bank.one(reverse(3, 1))) == 300
    assert bank.holds("stall") == (-300, 0)


@pytest.mark.parametrize("replacement", [None, 40])
def test_a_reversal_before_its_original_declines_it_when_it_comes(bank: Bank, replacement: int | None) -> None:
    asked = Asked()
    assert approved(bank.one(reverse(2, 1, replacement, forward=asked))) == 0
    assert asked.originals == []
    assert declined(bank.one(purchase(1, 300))) is Reason.ALREADY_REVERSED
    assert bank.one(purchase(1, 300)) == Answered(b"no ALREADY_REVERSED")
    assert approved(bank.one(reverse(3, 1))) == 0
    assert bank.holds("anna") == (100_000, 0)


def test_a_late_original_does_not_go_to_the_peer(bank: Bank) -> None:
    outcomes = bank.commit(reverse(2, 1), dispatch(1))
    assert declined(outcomes[1]) is Reason.ALREADY_REVERSED
    assert bank.see(lambda reader: reader.open_count()) == 0


def test_a_reversal_of_what_never_moved_moves_nothing(bank: Bank) -> None:
    asked = Asked()
    bank.commit(purchase(1, 100_001), Refuse(facts(2, destination="blue"), b"no road", "92"))
    outcomes = bank.commit(reverse(3, 1, forward=asked), reverse(4, 2, forward=asked), reverse(5, 3, forward=asked))
    assert [approved(it) for it in outcomes] == [0, 0, 0]
    assert asked.originals == []


def test_a_reversal_of_an_expired_hold_moves_nothing_and_still_tells_the_peer(bank: Bank) -> None:
    asked = Asked()
    bank.one(purchase(1, 300, destination="blue", hold=True, expires_us=5, sent_trace="stan 3"))
    bank.one(ExpireHolds(10, 9))
    outcome = bank.one(reverse(2, 1, forward=asked))
    assert (approved(outcome), outcome.lanes) == (0, ("blue",))
    assert asked.originals == [Original(key(1), "0200", "blue", 300, 978, "stan 3")]
    assert bank.holds("anna") == (100_000, 0)


def test_the_peer_is_told_once_of_a_payment_that_it_approved(bank: Bank) -> None:
    asked = Asked()
    bank.commit(dispatch(1, 300), Conclude(key(1), True, 280, "10", b"part"))
    assert bank.holds("blue") == (-280, 0)
    first, second = bank.commit(reverse(2, 1, 80, forward=asked), reverse(3, 1, forward=asked))
    assert (approved(first), approved(second)) == (200, 0)
    assert asked.originals == [Original(key(1), "0200", "blue", 280, 978, "sent 1")]
    assert (bank.waiting(), bank.holds("blue")) == ([(1, "advice")], (-80, 0))


def test_the_peer_is_not_told_of_a_reversal_that_undoes_nothing(bank: Bank) -> None:
    asked = Asked()
    bank.commit(dispatch(1, 300), Conclude(key(1), True, 300, "00", b"yes"))
    assert approved(bank.one(reverse(2, 1, 300, forward=asked))) == 0
    assert asked.originals == []


def test_a_forward_function_may_send_nothing(bank: Bank) -> None:
    bank.commit(dispatch(1, 300), Conclude(key(1), True, 300, "00", b"yes"))
    assert bank.one(reverse(2, 1, forward=Asked(None))).lanes == ()


def test_a_capture_is_reversed_towards_the_peer_by_the_name_it_had_there(bank: Bank) -> None:
    asked = Asked()
    bank.commit(
        dispatch(1, 300, keeps_hold=True, about={"type": "0100"}),
        Conclude(key(1), True, 300, "00", b"yes"),
        capture(2, 1, 250, movements=(), sent_trace="sent 0220", about={"destination": "blue"}),
        reverse(3, 2, forward=asked),
    )
    assert asked.originals == [Original(key(2), "0220", "blue", 250, 978, "sent 0220")]


def test_a_reversal_of_a_payment_in_flight_ends_it_in_silence_and_sends_one_reversal(bank: Bank) -> None:
    asked = Asked()
    bank.one(dispatch(1, 300))
    outcome = bank.one(reverse(2, 1, forward=asked))
    assert (approved(outcome), outcome.lanes, asked.originals) == (300, ("blue",), [])
    assert bank.waiting() == [(1, "reversal")]
    assert bank.holds("blue") == (0, 0)
    assert bank.one(dispatch(1, 300)) == Answered(b"silence 1")
    assert bank.commit(Conclude(key(1), True, 300, "00", b"yes"), Silence(key(1))) == [
        Late(b"silence 1"),
        Late(b"silence 1"),
    ]
    assert approved(bank.one(reverse(3, 1, forward=asked))) == 0
    assert (bank.waiting(), asked.originals) == ([(1, "reversal")], [])


def test_a_payment_in_flight_without_a_prepared_reversal_is_told_by_the_forward_function(bank: Bank) -> None:
    asked = Asked()
    outcomes = bank.commit(dispatch(1, 300, reversal=None), reverse(2, 1, forward=asked))
    assert asked.originals == [Original(key(1), "0200", "blue", 300, 978, "sent 1")]
    assert outcomes[1].lanes == ("blue",)  # type: ignore[union-attr]
    assert bank.waiting() == [(1, "advice")]


def test_a_reversal_after_silence_sends_no_second_one(bank: Bank) -> None:
    asked = Asked()
    bank.commit(dispatch(1, 300), Silence(key(1)))
    assert approved(bank.one(reverse(2, 1, forward=asked))) == 0
    assert (bank.waiting(), asked.originals) == ([(1, "reversal")], [])


def test_a_payment_that_a_delivery_carried_is_reversed_by_another(bank: Bank) -> None:
    asked = Asked()
    advice = NewDelivery("blue", "advice", b"tell")
    bank.one(purchase(1, 300, destination="blue", deliveries=(advice,), sent_trace="stan 9"))
    bank.one(reverse(2, 1, forward=asked))
    assert [it.sent_trace for it in asked.originals] == ["stan 9"]
    assert bank.waiting() == [(1, "advice"), (2, "advice")]
