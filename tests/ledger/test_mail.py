"""Deliveries: waiting, dead, or gone, each exactly once, and the holds that they settle."""

from __future__ import annotations

import pytest
from junctor.ledger.operations import (
    Attempt,
    Bury,
    Delivered,
    Done,
    Drop,
    ExpireHolds,
    Gone,
    Item,
    NewDelivery,
    NextSession,
    Postpone,
    Revive,
)
from ledger_items import Bank, key, purchase, reverse


def mail(number: int, amount: int = 300, lane: str = "north", **changes: object) -> Item:
    """A payment that is set aside until its delivery is acknowledged."""
    letter = NewDelivery(lane, "fin", f"letter {number}".encode(), settles=key(number), expires_us=77)
    return purchase(number, amount, destination="north", hold=True, deliveries=(letter,), **changes)


def test_deliveries_of_a_lane_are_numbered_in_their_order(bank: Bank) -> None:
    bank.commit(mail(1), mail(2), mail(3, lane="south"))
    bank.one(mail(4))
    assert bank.waiting("north") == [(1, "fin"), (2, "fin"), (3, "fin")]
    assert bank.waiting("south") == [(1, "fin")]
    head = bank.see(lambda reader: reader.lane_head("north"))
    assert (head.seq, head.kind, head.body, head.attempts, head.expires_us) == (1, "fin", b"letter 1", 0, 77)
    assert "letter" not in repr(head)


def test_an_acknowledged_delivery_posts_the_hold_it_settles(bank: Bank) -> None:
    bank.one(mail(1))
    assert (bank.holds("anna"), bank.holds("shop")) == ((100_000, 300), (0, 0))
    assert bank.one(Delivered("north", 1)) == Done()
    assert (bank.holds("anna"), bank.holds("shop")) == ((99_700, 0), (300, 0))
    assert bank.one(Delivered("north", 1)) == Gone()
    assert bank.see(lambda reader: reader.lane_head("north")) is None
    assert bank.see(lambda reader: reader.show_transaction(key(1))).state == "posted"


def test_an_acknowledged_delivery_that_settles_nothing_is_gone(bank: Bank) -> None:
    bank.one(purchase(1, deliveries=(NewDelivery("north", "advice", b"x"),)))
    assert bank.commit(Delivered("north", 1), Delivered("north", 1), Delivered("nowhere", 1)) == [
        Done(),
        Gone(),
        Gone(),
    ]
    assert bank.holds("anna") == (99_900, 0)


def test_a_hold_that_expired_is_posted_when_its_delivery_is_acknowledged(bank: Bank) -> None:
    bank.one(mail(1, expires_us=5))
    bank.one(ExpireHolds(10, 9))
    bank.one(purchase(2, 100_000))
    bank.one(Delivered("north", 1))
    assert (bank.holds("anna"), bank.holds("shop")) == ((-300, 0), (100_300, 0))


def test_a_reversed_hold_is_not_posted_by_its_delivery(bank: Bank) -> None:
    bank.commit(mail(1), reverse(2, 1), Delivered("north", 1))
    assert (bank.holds("anna"), bank.holds("shop")) == ((100_000, 0), (0, 0))


def test_an_attempt_is_counted_before_it_is_made(bank: Bank) -> None:
    bank.one(mail(1))
    assert bank.commit(Attempt("north", 1, 500), Attempt("north", 1, 900)) == [Done(number=1), Done(number=2)]
    assert bank.one(Attempt("north", 1, 1_000)) == Done(number=3)
    assert bank.one(Attempt("north", 2, 1_000)) == Gone()
    (lane,) = bank.see(lambda reader: reader.lanes())
    assert (lane.depth, lane.attempts, lane.next_us) == (1, 3, 1_000)


def test_a_postponed_delivery_waits_and_counts_nothing(bank: Bank) -> None:
    bank.one(mail(1))
    bank.one(Attempt("north", 1, 500))
    assert bank.commit(Postpone("north", 1, 5_000, "no answer"), Postpone("north", 9, 1, "")) == [Done(), Gone()]
    (head,) = bank.see(lambda reader: reader.delivery_heads())
    assert (head.attempts, head.not_before_us, head.last_result) == (1, 5_000, "no answer")
    assert bank.see(lambda reader: reader.lane_head("north")).body == b"letter 1", "the body still opens"


def test_a_refused_delivery_dies_and_releases_its_hold(bank: Bank) -> None:
    bank.commit(mail(1), mail(2))
    bank.one(Attempt("north", 1, 500))
    assert bank.one(Bury("north", 1, "refused: T13")) == Done()
    assert bank.holds("anna") == (100_000, 300)
    assert bank.waiting("north") == [(2, "fin")]
    (letter,) = bank.see(lambda reader: reader.dead_letters())
    assert (letter.lane, letter.seq, letter.reason, letter.attempts) == ("north", 1, "refused: T13", 1)
    assert bank.commit(Bury("north", 1, "again"), Delivered("north", 1)) == [Gone(), Gone()]
    (lane,) = bank.see(lambda reader: reader.lanes())
    assert (lane.depth, lane.dead) == (1, 1)


def test_a_delivery_that_the_peer_may_have_dies_without_releasing(bank: Bank) -> None:
    bank.one(mail(1))
    bank.one(Bury("north", 1, "too old", releases=False))
    assert bank.holds("anna") == (100_000, 300)
    assert bank.one(Revive("north", 1)) == Done(number=2, lanes=("north",))
    assert bank.holds("anna") == (100_000, 300)
    bank.one(Delivered("north", 2))
    assert bank.holds("anna") == (99_700, 0)


@pytest.mark.parametrize("releases", [True, False])
def test_a_dead_letter_that_is_dropped_leaves_a_record_without_its_body(bank: Bank, releases: bool) -> None:
    bank.one(mail(1))
    bank.commit(Bury("north", 1, "too old", releases=releases), Drop("north", 1, "settled by telephone"))
    assert bank.holds("anna") == (100_000, 0)
    assert bank.see(lambda reader: reader.dead_letters()) == []
    (record,) = bank.see(lambda reader: reader.dead_letters("north", dropped=True))
    assert record.reason == "settled by telephone"
    assert record.dropped_us is not None
    assert bank.commit(Drop("north", 1, "again"), Revive("north", 1)) == [Gone(), Gone()]


def test_a_waiting_delivery_can_be_dropped_and_releases_its_hold(bank: Bank) -> None:
    bank.commit(mail(1), mail(2), mail(3))
    assert bank.commit(Drop("north", 2, "not wanted"), Drop("north", 2, "not wanted"), Drop("north", 9, "")) == [
        Done(),
        Gone(),
        Gone(),
    ]
    assert bank.holds("anna") == (100_000, 600)
    assert bank.waiting("north") == [(1, "fin"), (3, "fin")]
    bank.one(Delivered("north", 1))
    assert bank.see(lambda reader: reader.lane_head("north")).seq == 3


def test_a_revived_letter_goes_to_the_end_with_its_attempts_forgotten(bank: Bank) -> None:
    bank.commit(mail(1), mail(2))
    bank.commit(Attempt("north", 1, 5), Bury("north", 1, "refused"))
    bank.one(purchase(3, 99_700))
    assert bank.one(Revive("north", 1)) == Done(number=3, lanes=("north",))
    assert bank.holds("anna") == (300, 600), "set aside again, past the floor"
    assert bank.waiting("north") == [(2, "fin"), (3, "fin")]
    bank.one(Delivered("north", 2))
    head = bank.see(lambda reader: reader.lane_head("north"))
    assert (head.seq, head.attempts, head.body, head.expires_us) == (3, 0, b"letter 1", None)
    assert bank.see(lambda reader: reader.dead_letters()) == []
    bank.one(Delivered("north", 3))
    assert bank.holds("anna") == (-300, 0)


def test_a_letter_whose_payment_was_reversed_is_not_revived(bank: Bank) -> None:
    bank.commit(mail(1), Bury("north", 1, "too old", releases=False), reverse(2, 1))
    assert bank.one(Revive("north", 1)) == Gone()
    assert bank.holds("anna") == (100_000, 0)


def test_everything_about_one_delivery_may_happen_in_one_batch(bank: Bank) -> None:
    outcomes = bank.commit(
        mail(1), Attempt("north", 1, 5), Bury("north", 1, "refused"), Revive("north", 1), Delivered("north", 2)
    )
    assert outcomes[1:] == [Done(number=1), Done(), Done(number=2, lanes=("north",)), Done()]
    assert (bank.holds("anna"), bank.waiting("north")) == ((99_700, 0), [])
    assert bank.see(lambda reader: reader.dead_letters(dropped=True)) == []


def test_the_head_is_found_past_long_gone_deliveries(bank: Bank) -> None:
    bank.commit(*(mail(number, 1) for number in range(1, 61)))
    bank.commit(*(Delivered("north", seq) for seq in range(1, 51)))
    bank.commit(Delivered("north", 52), Delivered("north", 51))
    assert bank.see(lambda reader: reader.lane_head("north")).seq == 53
    assert bank.one(mail(70)).lanes == ("north",)
    bank.commit(*(Delivered("north", seq) for seq in range(53, 61)))
    assert bank.see(lambda reader: reader.lane_head("north")).seq == 61


def test_sessions_count_from_one_to_9999_and_around(bank: Bank) -> None:
    assert bank.commit(NextSession("north"), NextSession("north"), NextSession("south")) == [
        Done(number=1),
        Done(number=2),
        Done(number=1),
    ]
    for _ in range(25):
        numbers = [it.number for it in bank.commit(*[NextSession("north")] * 400) if isinstance(it, Done)]
    assert numbers[-1] == (2 + 25 * 400 - 1) % 9_999 + 1 == 3
    assert max(numbers) == 9_999
    bank.one(mail(1))
    assert bank.waiting("north") == [(1, "fin")], "sessions and deliveries are numbered apart"
