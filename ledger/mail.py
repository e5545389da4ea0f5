"""Deliveries: acknowledged, put off, given up, revived, dropped; and the session number of a lane."""

from __future__ import annotations

from typing import Final

import attrs

from .limits import recount
from .operations import Attempt, Bury, Delivered, Done, Drop, Gone, NextSession, Outcome, Postpone, Revive
from .page import Page
from .rules import post, post_held, release, set_aside, with_changes
from .state import DeadLetter, Delivery, Lane, Standing

SESSION_MAX: Final = 9999


def delivered(page: Page, item: Delivered) -> Outcome:
    """Remove a delivery that was acknowledged, and post what it settles."""
    delivery = page.deliveries.find((item.lane, item.seq))
    if delivery is None:
        return Gone()
    page.deliveries.put((item.lane, item.seq), None)
    if delivery.settles is not None:
        _settle(page, delivery.settles)
    return Done()


def attempt(page: Page, item: Attempt) -> Outcome:
    """Count an attempt that is about to be made."""
    delivery = page.deliveries.find((item.lane, item.seq))
    if delivery is None:
        return Gone()
    attempts = delivery.attempts + 1
    page.deliveries.put((item.lane, item.seq), attrs.evolve(delivery, attempts=attempts, not_before_us=item.until_us))
    return Done(number=attempts)


def postpone(page: Page, item: Postpone) -> Outcome:
    """Note why an attempt failed and when the next may be made."""
    delivery = page.deliveries.find((item.lane, item.seq))
    if delivery is None:
        return Gone()
    page.deliveries.put(
        (item.lane, item.seq),
        attrs.evolve(delivery, not_before_us=item.not_before_us, last_result=item.result),
    )
    return Done()


def bury(page: Page, item: Bury) -> Outcome:
    """Give a delivery up."""
    delivery = page.deliveries.find((item.lane, item.seq))
    if delivery is None:
        return Gone()
    _move_to_dead(page, delivery, item.reason, None)
    if item.releases:
        _release(page, delivery.settles)
    return Done()


def drop(page: Page, item: Drop) -> Outcome:
    """Discard a delivery or a dead letter for good."""
    delivery = page.deliveries.find((item.lane, item.seq))
    if delivery is not None:
        _move_to_dead(page, delivery, item.reason, page.now_us)
        _release(page, delivery.settles)
        return Done()
    letter = page.dead_letters.find((item.lane, item.seq))
    if letter is None or letter.dropped_us is not None:
        return Gone()
    page.dead_letters.put(
        (item.lane, item.seq), attrs.evolve(letter, body=None, reason=item.reason, dropped_us=page.now_us)
    )
    _release(page, letter.settles)
    return Done()


def revive(page: Page, item: Revive) -> Outcome:
    """Put a dead letter at the end of its lane."""
    letter = page.dead_letters.find((item.lane, item.seq))
    if letter is None or letter.dropped_us is not None:
        return Gone()
    if letter.settles is not None:
        txn = page.transactions.find(letter.settles)
        if txn is not None and txn.state == Standing.RELEASED:
            places = set_aside(page, txn.key, txn.legs, True)
            recount(page, txn, txn.legs)
            page.transactions.put(txn.key, with_changes(txn, state=Standing.HELD, places=places))
        elif txn is not None and txn.state != Standing.HELD:
            return Gone()
    assert letter.body is not None, "only a dropped letter has no body"
    page.dead_letters.put((item.lane, item.seq), None)
    again = page.append_row(item.lane, letter.kind, letter.body, letter.origin, letter.settles, None)
    return Done(number=again.seq, lanes=(again.lane,))


def next_session(page: Page, item: NextSession) -> Outcome:
    """Count a lane's session up."""
    lane = page.lanes.find(item.lane) or Lane(item.lane, 0, 0)
    session = lane.session % SESSION_MAX + 1
    page.lanes.put(item.lane, Lane(lane.lane, lane.tail, session))
    return Done(number=session)


def _settle(page: Page, key: bytes) -> None:
    """Post the hold that an acknowledged delivery settles; an expired one all the same, because the peer has paid."""
    txn = page.transactions.find(key)
    if txn is None:
        return
    if txn.state == Standing.HELD:
        places = post_held(page, key, txn.legs, txn.legs)
    elif txn.state == Standing.EXPIRED:
        places = post(page, key, txn.legs, True)
        recount(page, txn, txn.legs)
    else:
        return
    page.transactions.put(key, with_changes(txn, state=Standing.POSTED, places=places, reversal_key=txn.reversal_key))


def _move_to_dead(page: Page, delivery: Delivery, reason: str, dropped_us: int | None) -> None:
    """Move a delivery to the dead letters; one that is dropped leaves its body behind."""
    place = (delivery.lane, delivery.seq)
    page.deliveries.put(place, None)
    page.dead_letters.put(
        place,
        DeadLetter(
            delivery.lane,
            delivery.seq,
            delivery.kind,
            delivery.body if dropped_us is None else None,
            delivery.origin,
            delivery.settles,
            delivery.created_us,
            delivery.attempts,
            delivery.last_result,
            reason,
            page.now_us,
            dropped_us,
        ),
    )


def _release(page: Page, key: bytes | None) -> None:
    """Release the hold that a delivery would have settled."""
    txn = None if key is None else page.transactions.find(key)
    if txn is not None and txn.state == Standing.HELD:
        places = release(page, txn.key, txn.legs)
        recount(page, txn, ())
        page.transactions.put(
            txn.key,
            with_changes(txn, state=Standing.RELEASED, places=places, reversal_key=txn.reversal_key),
        )
