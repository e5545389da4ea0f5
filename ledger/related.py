"""Payments that belong to another: additions to a hold, parts of it that are completed, refunds of what was paid.

Each leaves a relation to the payment that it names. What was refunded of a payment is kept beside it, under the lock
of the payment itself, so that all refunds and reversals together never give back more than was paid.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from .operations import Authorise, Reason
from .page import Page
from .rules import parties, principal, resize, set_aside, with_changes
from .state import ADDITION, PART, REFUND, Leg, Relation, Standing, Step, Txn

_PAID = (Standing.POSTED, Standing.COMPLETED)


# ---------------------------------------------------------------- refunds


def examine_refund(page: Page, item: Authorise, legs: Sequence[Leg]) -> Reason | None:
    """Tell why a refund may not be made: nothing like it was paid, or not that much of it is left.

    What is refunded goes back the way it came: between the same two accounts. An advice passes.
    """
    if item.refunds is None or item.forced:
        return None
    paid = _find_paid(page, item.refunds)
    if paid is None or not legs or not paid.legs or parties(legs) != tuple(it[::-1] for it in parties(paid.legs)):
        return Reason.UNKNOWN_ORIGINAL
    if principal(legs, 0) > paid.amount - refunded_of(page, paid.key):
        return Reason.EXCEEDS_REFUNDABLE
    return None


def note_refund(page: Page, item: Authorise, amount: int) -> None:
    """Keep what was refunded, and of what."""
    paid = None if item.refunds is None else _find_paid(page, item.refunds)
    if paid is not None:
        page.relations.put(item.facts.key, Relation(item.facts.key, paid.key, REFUND, amount))
        page.refunded.put(paid.key, refunded_of(page, paid.key) + amount)


def refunded_of(page: Page, txn_key: bytes) -> int:
    """Give what was refunded of a payment, in minor units."""
    return page.refunded.find(txn_key) or 0


def undo_refund(page: Page, relation: Relation | None, less: int) -> None:
    """Let a refund that was undone, or as much of it, be made again."""
    if relation is not None and relation.kind == REFUND:
        page.refunded.put(relation.original, max(refunded_of(page, relation.original) - less, 0))


def _find_paid(page: Page, key: bytes) -> Txn | None:
    named = page.messages.find(key)
    txn = None if named is None or named.step == Step.REVERSE else page.transactions.find(named.txn_key)
    return txn if txn is not None and txn.state in _PAID else None


# ---------------------------------------------------------------- holds that grow, holds completed in parts


def find_hold(page: Page, item: Authorise) -> Txn | None:
    """Find the live hold to which an authorisation is to be added."""
    named = None if item.adds_to is None else page.messages.find(item.adds_to)
    txn = None if named is None or named.step == Step.REVERSE else page.transactions.find(named.txn_key)
    return txn if txn is not None and txn.state == Standing.HELD and txn.legs else None


def add_to_hold(page: Page, item: Authorise, txn: Txn, legs: Sequence[Leg]) -> Txn:
    """Set more aside under the same payment, until the later of both times."""
    joined = {leg[:2] + leg[3:]: leg[2] for leg in txn.legs}
    for debit, credit, amount, kind in legs:
        joined[debit, credit, kind] = joined.get((debit, credit, kind), 0) + amount
    more = principal(legs, 0)
    later = None if item.expires_us is None or txn.expires_us is None else max(item.expires_us, txn.expires_us)
    page.relations.put(item.facts.key, Relation(item.facts.key, txn.key, ADDITION, more))
    return attrs.evolve(
        with_changes(
            txn,
            state=Standing.HELD,
            amount=txn.amount + more,
            legs=tuple((debit, credit, amount, kind) for (debit, credit, kind), amount in joined.items()),
            places=set_aside(page, txn.key, legs, item.forced),
            reversal_key=txn.reversal_key,
        ),
        authorised=txn.authorised + more,
        expires_us=later,
    )


def cut_from_hold(page: Page, txn: Txn, key: bytes, amount: int) -> tuple[Leg, ...]:
    """Take the part that is completed out of what a hold sets aside; fees go with the first part."""
    part = resize(txn.legs, amount)
    rest = tuple(
        (debit, credit, held - taken, kind)
        for (debit, credit, held, kind), (_, _, taken, _) in zip(txn.legs, part, strict=True)
    )
    page.relations.put(key, Relation(key, txn.key, PART, amount))
    page.transactions.put(
        txn.key,
        with_changes(txn, state=Standing.HELD, amount=rest[0][2], legs=rest, reversal_key=txn.reversal_key),
    )
    return part
