"""Transactions on their way to a peer: each ends once, as the first who speaks says."""

from __future__ import annotations

import pytest
from junctor.ledger.operations import (
    Abandon,
    Answered,
    Approved,
    Balance,
    Conclude,
    Conflict,
    Decided,
    Declined,
    InProgress,
    Item,
    Late,
    NewDelivery,
    Opened,
    Reason,
    Redirect,
    Silence,
    Silenced,
    SilenceOverdue,
    Swept,
)
from ledger_items import Asked, Bank, approved, capture, declined, dispatch, key, pay, purchase, render, reverse


def yes(number: int, amount: int = 100, code: str = "00") -> Conclude:
    return Conclude(key(number), True, amount, code, f"peer yes {number}".encode(), "123456")


def no(number: int, code: str = "05") -> Conclude:
    return Conclude(key(number), False, 0, code, f"peer no {number}".encode())


def redirect(number: int, **changes: object) -> Redirect:
    given: dict[str, object] = {
        "key": key(number),
        "link": "green-1",
        "until_us": 5_000_000,
        "destination": "green",
        "movements": (pay(100, "green"),),
        "reversal": NewDelivery("green", "reversal", b"undo at green"),
        "sent_trace": "green trace",
        "render": render,
    }
    return Redirect(**(given | changes))  # type: ignore[arg-type]


def test_a_dispatched_payment_is_open_and_set_aside(bank: Bank) -> None:
    assert bank.one(dispatch(1)) == Opened()
    assert bank.one(dispatch(1)) == InProgress()
    assert bank.one(dispatch(1, about={"fingerprint": b"other"})) == Conflict()
    assert bank.holds("blue") == (0, 100)
    (found,) = bank.see(lambda reader: reader.open_transactions())
    assert (found.key, found.link, found.until_us, found.result) == (key(1), "blue-1", 1_000_001, "open")


def test_a_repeat_of_any_kind_is_in_progress_while_the_first_is_open(bank: Bank) -> None:
    outcomes = bank.commit(dispatch(1), dispatch(1), purchase(1), capture(1, 9))
    assert outcomes == [Opened(), InProgress(), InProgress(), InProgress()]


def test_an_approval_posts_and_stores_the_peers_answer(bank: Bank) -> None:
    bank.one(dispatch(1))
    outcome = bank.one(yes(1))
    balance = Balance(posted=-100, held=0, available=49_900, currency=978)
    assert outcome == Decided(Approved(100, balance), b"peer yes 1")
    assert (bank.holds("blue"), bank.holds("shop")) == ((-100, 0), (100, 0))
    assert bank.one(dispatch(1)) == Answered(b"peer yes 1")
    (message,) = bank.see(lambda reader: reader.show_transaction(key(1))).messages
    assert (message.result, message.code, message.auth_code, message.sent_trace) == (
        "approved",
        "00",
        "123456",
        "sent 1",
    )


@pytest.mark.parametrize(("approved_minor", "posted"), [(60, 60), (100, 100), (101, 100), (0, 0)])
def test_a_partial_approval_releases_the_difference(bank: Bank, approved_minor: int, posted: int) -> None:
    bank.one(dispatch(1))
    assert approved(bank.one(yes(1, approved_minor, "10"))) == posted
    assert (bank.holds("blue"), bank.holds("shop")) == ((-posted, 0), (posted, 0))


@pytest.mark.parametrize(("approved_minor", "held"), [(60, 60), (100, 100)])
def test_an_approved_pre_authorisation_stays_held_until_its_capture(
    bank: Bank, approved_minor: int, held: int
) -> None:
    asked = Asked()
    bank.commit(dispatch(1, keeps_hold=True, expires_us=70), yes(1, approved_minor))
    assert bank.holds("blue") == (0, held)
    bank.one(capture(2, 1, held, forward=asked))
    assert (bank.holds("blue"), bank.holds("shop")) == ((-held, 0), (held, 0))
    assert [it.sent_trace for it in asked.originals] == ["sent 1"]


def test_a_peers_decline_releases_and_is_told_with_its_code(bank: Bank) -> None:
    bank.one(dispatch(1))
    assert bank.one(no(1, "54")) == Decided(Declined(None, "54"), b"peer no 1")
    assert bank.holds("blue") == (0, 0)
    assert bank.one(dispatch(1)) == Answered(b"peer no 1")
    shown = bank.see(lambda reader: reader.show_transaction(key(1)))
    assert (shown.state, [entry.kind for entry in shown.entries]) == ("released", ["hold", "release"])


def test_silence_stores_the_prepared_answer_and_queues_the_reversal(bank: Bank) -> None:
    bank.one(dispatch(1))
    assert bank.one(Silence(key(1))) == Silenced(b"silence 1", ("blue",))
    assert bank.holds("blue") == (0, 0)
    assert bank.see(lambda reader: reader.lane_head("blue")).body == b"undo 1"
    assert bank.one(dispatch(1)) == Answered(b"silence 1")


def test_silence_without_a_prepared_reversal_queues_nothing(bank: Bank) -> None:
    bank.one(dispatch(1, reversal=None, movements=()))
    assert bank.one(Silence(key(1))) == Silenced(b"silence 1", ())
    assert bank.see(lambda reader: reader.lanes()) == []


def test_an_abandoned_payment_is_released_and_needs_no_reversal(bank: Bank) -> None:
    bank.one(dispatch(1))
    assert bank.one(Abandon(key(1), b"no link", "91")) == Decided(Declined(None, "91"), b"no link")
    assert (bank.holds("blue"), bank.waiting()) == ((0, 0), [])


ENDINGS: dict[str, tuple[Item, bytes]] = {
    "approved": (yes(1), b"peer yes 1"),
    "declined": (no(1), b"peer no 1"),
    "silence": (Silence(key(1)), b"silence 1"),
    "abandoned": (Abandon(key(1), b"no link", "91"), b"no link"),
}


@pytest.mark.parametrize("second", ENDINGS)
@pytest.mark.parametrize("first", ENDINGS)
@pytest.mark.parametrize("together", [True, False])
def test_late_ending_does_not_change_the_answer(bank: Bank, first: str, second: str, together: bool) -> None:
    bank.one(dispatch(1))
    if together:
        late = bank.commit(ENDINGS[first][0], ENDINGS[second][0])[1]
    else:
        bank.one(ENDINGS[first][0])
        late = bank.one(ENDINGS[second][0])
    stands = ENDINGS[first][1]
    assert late == Late(stands)
    assert bank.one(dispatch(1)) == Answered(stands)
    assert len(bank.waiting()) == (first == "silence")
    assert bank.holds("blue") == ((-100, 0) if first == "approved" else (0, 0))


@pytest.mark.parametrize("item", [yes(7), no(7), Silence(key(7)), Abandon(key(7), b"", "91"), redirect(7)])
def test_an_ending_of_nothing_known_is_late_without_an_answer(bank: Bank, item: Item) -> None:
    assert bank.one(item) == Late(None)


def test_a_payment_without_movements_is_kept_for_its_reversal(bank: Bank) -> None:
    asked = Asked()
    bank.commit(dispatch(1, 300, movements=()), yes(1, 300), reverse(2, 1, forward=asked))
    assert [it.amount_minor for it in asked.originals] == [300]


def test_the_cap_of_a_peer_counts_what_is_on_its_way(bank: Bank) -> None:
    outcomes = bank.commit(dispatch(1, 30_000), dispatch(2, 20_000), dispatch(3, 1))
    assert outcomes[:2] == [Opened(), Opened()]
    assert declined(outcomes[2]) is Reason.EXCEEDS_FUNDS
    assert bank.one(dispatch(3, 1)) == Answered(b"no EXCEEDS_FUNDS")


def test_the_sweep_ends_the_oldest_first_and_spares_what_is_waited_for(bank: Bank) -> None:
    bank.commit(*(dispatch(number, until_us=until) for number, until in ((1, 30), (2, 10), (3, 20), (4, 40), (5, 5))))
    sweep = SilenceOverdue(before_us=40, most=2, except_keys=frozenset([key(5)]))
    assert bank.one(sweep) == Swept(2, ("blue",))
    assert [it.key for it in bank.see(lambda reader: reader.open_transactions())] == [key(5), key(1), key(4)]
    assert [it.key for it in bank.see(lambda reader: reader.overdue(31))] == [key(5), key(1)]
    assert bank.one(SilenceOverdue(41, 10)) == Swept(3, ("blue",))
    assert bank.one(SilenceOverdue(41, 10)) == Swept(0, ())
    assert (bank.holds("blue"), len(bank.waiting())) == ((0, 0), 5)


def test_a_sweep_sees_what_its_batch_did_before_it(bank: Bank) -> None:
    bank.one(dispatch(1, until_us=5))
    outcomes = bank.commit(yes(1), dispatch(2, until_us=6), SilenceOverdue(10, 1), SilenceOverdue(10, 1))
    assert outcomes[2:] == [Swept(1, ("blue",)), Swept(0, ())]
    assert bank.one(dispatch(2)) == Answered(b"silence 2")


def test_a_redirected_payment_is_set_aside_for_the_new_peer(bank: Bank) -> None:
    bank.open("green", kind="settlement", floor_minor=-500)
    bank.one(dispatch(1))
    assert bank.one(redirect(1)) == Opened()
    assert (bank.holds("blue"), bank.holds("green")) == ((0, 0), (0, 100))
    (found,) = bank.see(lambda reader: reader.open_transactions())
    assert (found.destination, found.link, found.until_us, found.sent_trace) == (
        "green",
        "green-1",
        5_000_000,
        "green trace",
    )
    assert bank.one(dispatch(1)) == InProgress()
    assert bank.one(Silence(key(1))) == Silenced(b"silence 1", ("green",))
    assert bank.see(lambda reader: reader.lane_head("green")).body == b"undo at green"
    assert bank.waiting("blue") == []


def test_a_redirected_payment_is_posted_to_the_peer_that_approved_it(bank: Bank) -> None:
    bank.open("green", kind="settlement", floor_minor=-500)
    outcomes = bank.commit(dispatch(1), redirect(1), yes(1))
    assert approved(outcomes[2]) == 100
    assert (bank.holds("blue"), bank.holds("green"), bank.holds("shop")) == ((0, 0), (-100, 0), (100, 0))


def test_entries_of_a_payment_redirected_to_where_nothing_is_booked_stay_its_own(bank: Bank) -> None:
    bank.commit(dispatch(1), redirect(1, movements=()))
    bank.one(Silence(key(1)))
    shown = bank.see(lambda reader: reader.show_transaction(key(1)))
    assert (shown.state, [entry.kind for entry in shown.entries]) == ("released", ["hold", "release"])


def test_a_redirect_beyond_the_new_peers_cap_declines_and_ends(bank: Bank) -> None:
    bank.open("green", kind="settlement", floor_minor=-99)
    bank.one(dispatch(1))
    assert declined(bank.one(redirect(1))) is Reason.EXCEEDS_FUNDS
    assert (bank.holds("blue"), bank.holds("green")) == ((0, 0), (0, 0))
    assert bank.one(dispatch(1)) == Answered(b"no EXCEEDS_FUNDS")
    assert bank.one(yes(1)) == Late(b"no EXCEEDS_FUNDS")
    assert bank.waiting() == []


def test_a_capture_of_a_payment_in_flight_is_posted_by_itself_and_told_to_the_peer(bank: Bank) -> None:
    asked = Asked()
    bank.one(dispatch(1, keeps_hold=True))
    assert approved(bank.one(capture(2, 1, 80, movements=(pay(80, "blue"),), forward=asked))) == 80
    assert [it.sent_trace for it in asked.originals] == ["sent 1"]
    assert bank.holds("blue") == (-80, 100)
    bank.one(no(1))
    assert bank.holds("blue") == (-80, 0)
