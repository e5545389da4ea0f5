"""What changes an earlier transaction: capture, reversal, expiry."""

from __future__ import annotations

import attrs

from .exchange import exchange, note_exchange
from .flights import end_in_silence
from .limits import count_use, recount
from .operations import LEDGER, Approved, Capture, ExpireHolds, Original, Outcome, Reason, Reverse, Swept
from .page import Missing, Page
from .related import cut_from_hold, refunded_of, undo_refund
from .rules import (
    approve,
    decline,
    difference,
    examine,
    find_repeat,
    is_reversed_before,
    move_back,
    post,
    post_held,
    principal,
    release,
    resize,
    with_changes,
)
from .state import ADDITION, INT64_MAX, INT64_MIN, Flight, Message, Relation, Standing, Step, Txn
from .totals import count, count_reversal

_POSTED = (Standing.COMPLETED, Standing.POSTED)
_STANDS = (Standing.HELD, Standing.COMPLETED, Standing.POSTED, Standing.EXPIRED)


# ---------------------------------------------------------------- capture


def capture(page: Page, item: Capture) -> Outcome:
    """Complete an earlier hold."""
    facts = item.facts
    repeat = find_repeat(page, facts)
    if repeat is not None:
        return repeat
    if is_reversed_before(page, facts.key):
        return decline(page, facts, Step.CAPTURE, item.render, Reason.ALREADY_REVERSED)
    named = page.messages.find(item.original_key)
    flight = page.flights.find(item.original_key)
    txn = None
    if named is not None and named.step != Step.REVERSE:
        txn = page.transactions.find(named.txn_key)
    original = _original(named, flight, txn)
    if txn is not None and txn.state == Standing.HELD:
        is_part = not item.final and 0 < item.amount_minor < principal(txn.legs, 0)
        after = _complete_part(page, item, txn) if is_part else _complete(page, item, txn)
    else:
        after = _post_anew(page, item, txn)
    if isinstance(after, Reason):
        return decline(page, facts, Step.CAPTURE, item.render, after)
    page.transactions.put(after.key, after)
    told = facts if original is None else attrs.evolve(facts, destination=original.destination)
    count(page, told, item.amount_minor)
    if after.key == facts.key:
        count_use(page, after.key, after.legs, facts)
    else:
        recount(page, after, after.legs)
    deliveries = item.deliveries
    if original is not None:
        onward = None if original.destination == LEDGER else item.forward(original)
        deliveries = () if onward is None else (onward,)
    return approve(
        page,
        facts,
        Step.CAPTURE,
        item.render,
        Approved(after.amount, page.balance_of(after.legs[0][0]) if after.legs else None),
        deliveries=deliveries,
        txn_key=after.key,
        sent_trace=item.sent_trace,
    )


def _complete(page: Page, item: Capture, txn: Txn) -> Txn | Reason:
    """Release a live hold and post the final amount, whatever the limits."""
    amount = item.amount_minor
    if not 0 < amount <= INT64_MAX:
        return Reason.INVALID_AMOUNT
    final = resize(txn.legs, amount)
    if txn.legs:
        debit, credit = (page.get_account(account_id) for account_id in txn.legs[0][:2])
        left = debit.posted - debit.held + principal(txn.legs, 0)
        if left - amount < INT64_MIN or credit.posted + amount > INT64_MAX:
            return Reason.INVALID_AMOUNT
    places = post_held(page, txn.key, txn.legs, final)
    return with_changes(txn, state=Standing.COMPLETED, amount=amount, legs=final, places=places)


def _complete_part(page: Page, item: Capture, txn: Txn) -> Txn | Reason:
    """Post a part of a live hold as a payment of its own, and leave the rest set aside."""
    amount, key = item.amount_minor, item.facts.key
    if page.get_account(txn.legs[0][1]).posted + amount > INT64_MAX:
        return Reason.INVALID_AMOUNT
    part = cut_from_hold(page, txn, key, amount)
    recount(page, txn, difference(txn.legs, part))
    places = post_held(page, key, part, part)
    return Txn(key, Standing.COMPLETED, txn.currency, amount, amount, part, places, None, None, page.now_us)


def _post_anew(page: Page, item: Capture, txn: Txn | None) -> Txn | Reason:
    """Post without a hold: on the expired transaction that is named, else as a transaction of its own."""
    movements, quote = exchange(page, item)
    legs = examine(page, movements, forced=True, hold=False)
    if isinstance(legs, Reason):
        return legs
    note_exchange(page, item, quote)
    amount = principal(legs, item.amount_minor)
    if not 0 < amount <= INT64_MAX:
        return Reason.INVALID_AMOUNT
    if txn is not None and txn.state == Standing.EXPIRED:
        places = post(page, txn.key, legs, True)
        return with_changes(txn, state=Standing.COMPLETED, amount=amount, legs=legs, places=places)
    key = item.facts.key
    places = post(page, key, legs, True)
    return Txn(key, Standing.COMPLETED, item.facts.currency, amount, amount, legs, places, None, None, page.now_us)


# ---------------------------------------------------------------- reversal


def reverse(page: Page, item: Reverse) -> Outcome:
    """Undo an earlier message, whole or in part."""
    facts = item.facts
    repeat = find_repeat(page, facts)
    if repeat is not None:
        return repeat
    named = page.messages.find(item.original_key)
    flight = page.flights.find(item.original_key)
    lanes: tuple[str, ...] = ()
    original: Original | None = None
    undone = 0
    txn_key = item.original_key
    account_id: int | None = None
    if flight is not None:
        # The prepared reversal tells the peer; asking `forward` too would tell it twice.
        if flight.reversal is None:
            original = _original(None, flight, None)
        _, lanes = end_in_silence(page, flight)
        undone = principal(flight.legs, flight.facts.amount_minor)
        account_id = flight.legs[0][0] if flight.legs else None
    elif named is None:
        if page.transactions.find(item.original_key) is None:
            page.transactions.put(item.original_key, _tombstone(page, item))
    else:
        txn_key = named.txn_key
        txn = None if named.step == Step.REVERSE else page.transactions.find(txn_key)
        relation = None if txn is None else page.relations.find(named.key)
        is_addition = relation is not None and relation.kind == ADDITION
        if txn is not None and txn.state in _STANDS and (txn.reversal_key is None or is_addition):
            original = _original(named, None, txn)
            if relation is not None and is_addition:
                after = _undo_addition(page, item, txn, relation)
            else:
                keep = max(item.replacement_minor or 0, refunded_of(page, txn_key))
                after = _undo(page, txn, keep, facts.key)
                undo_refund(page, relation, txn.amount - after.amount)
            page.transactions.put(txn_key, after)
            recount(page, txn, () if txn.state == Standing.EXPIRED else after.legs)
            less = txn.amount - after.amount
            if less == 0:
                original = None
            elif txn.state in _POSTED:
                count_reversal(page, facts, named.destination, txn.currency, less)
            undone = 0 if txn.state == Standing.EXPIRED else less
            account_id = txn.legs[0][0] if txn.legs else None
    onward = item.forward(original) if original is not None and original.destination != LEDGER else None
    return approve(
        page,
        facts,
        Step.REVERSE,
        item.render,
        Approved(undone, None if account_id is None else page.balance_of(account_id)),
        deliveries=() if onward is None else (onward,),
        lanes=lanes,
        txn_key=txn_key,
    )


def _undo_addition(page: Page, item: Reverse, txn: Txn, relation: Relation) -> Txn:
    """Take an addition back, once, from a hold that is still there; what the hold was before it stays."""
    if txn.state != Standing.HELD:
        return txn
    keep = min(max(item.replacement_minor or 0, 0), relation.amount)
    page.relations.put(relation.key, attrs.evolve(relation, amount=keep))
    return _undo(page, txn, txn.amount - (relation.amount - keep), txn.reversal_key)


def _undo(page: Page, txn: Txn, replacement_minor: int, reversal_key: bytes | None) -> Txn:
    """Take back what stands above the replacement amount; a second reversal finds `reversal_key` and stops."""
    keep = min(max(replacement_minor, 0), txn.amount)
    kept = resize(txn.legs, keep)
    less = difference(txn.legs, kept)
    if txn.state == Standing.HELD:
        places = release(page, txn.key, less)
    elif txn.state == Standing.EXPIRED:
        places = b""
    else:
        places = move_back(page, txn.key, less)
    return with_changes(
        txn,
        state=txn.state if keep else Standing.REVERSED,
        amount=keep,
        legs=kept,
        places=places,
        reversal_key=reversal_key,
    )


def _tombstone(page: Page, item: Reverse) -> Txn:
    return Txn(
        item.original_key,
        Standing.TOMBSTONE,
        item.facts.currency,
        0,
        0,
        (),
        b"",
        None,
        item.facts.key,
        page.now_us,
    )


def _original(named: Message | None, flight: Flight | None, txn: Txn | None) -> Original | None:
    """Tell what is known of the message that a correction names; None when it never came."""
    if named is not None:
        amount = txn.amount if txn is not None and txn.state in _STANDS else 0
        return Original(named.key, named.type, named.destination, amount, named.currency, named.sent_trace)
    if flight is None:
        return None
    facts = flight.facts
    amount = principal(flight.legs, facts.amount_minor)
    return Original(facts.key, facts.type, facts.destination, amount, facts.currency, flight.sent_trace)


# ---------------------------------------------------------------- expiry


def expire_holds(page: Page, item: ExpireHolds) -> Outcome:
    """Release holds whose time has passed."""
    if page.expired_before_us is None or page.expired_before_us < item.before_us:
        raise Missing("expired", item.before_us)
    expired = sorted(
        (txn.expires_us, txn.key)
        for txn in page.transactions.rows()
        if txn.state == Standing.HELD and txn.expires_us is not None and txn.expires_us < item.before_us
    )
    for _, key in expired[: item.most]:
        txn = page.transactions.find(key)
        assert txn is not None, "an expired hold is there"
        places = release(page, key, txn.legs)
        recount(page, txn, ())
        page.transactions.put(
            key, with_changes(txn, state=Standing.EXPIRED, places=places, reversal_key=txn.reversal_key)
        )
    return Swept(min(len(expired), item.most))
