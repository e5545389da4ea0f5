"""Payments decided on our own books: authorise, inquire, refuse."""

from __future__ import annotations

from .exchange import exchange, note_exchange
from .limits import count_use, find_excess, recount
from .operations import Approved, Authorise, Decided, Declined, Inquire, Outcome, Reason, Refuse
from .page import Page
from .related import add_to_hold, examine_refund, find_hold, note_refund
from .rules import (
    approve,
    decline,
    examine,
    find_repeat,
    is_reversed_before,
    parties,
    post,
    principal,
    record,
    set_aside,
)
from .state import CLOSED, Leg, Result, Standing, Step, Txn
from .totals import count


def authorise(page: Page, item: Authorise) -> Outcome:
    """Hold or post on our own books."""
    facts = item.facts
    repeat = find_repeat(page, facts)
    if repeat is not None:
        return repeat
    if is_reversed_before(page, facts.key):
        return decline(page, facts, Step.AUTHORISE, item.render, Reason.ALREADY_REVERSED)
    movements, quote = exchange(page, item)
    legs = examine(page, movements, forced=item.forced, hold=item.hold)
    grown = None
    if not isinstance(legs, Reason):
        grown = find_hold(page, item)
        if grown is not None and (not legs or parties(legs) != parties(grown.legs)):
            grown = None
        reason = examine_refund(page, item, legs)
        if reason is None and not item.forced:
            reason = find_excess(page, legs, facts, grown)
        legs = reason or legs
    if isinstance(legs, Reason):
        return decline(page, facts, Step.AUTHORISE, item.render, legs)
    if grown is not None:
        note_exchange(page, item, quote)
        return _grow(page, item, grown, legs)
    key = facts.key
    places = (set_aside if item.hold else post)(page, key, legs, item.forced)
    amount = principal(legs, facts.amount_minor)
    page.transactions.put(
        key,
        Txn(
            key,
            Standing.HELD if item.hold else Standing.POSTED,
            facts.currency,
            amount,
            amount,
            legs,
            places,
            item.expires_us if item.hold else None,
            None,
            page.now_us,
        ),
    )
    count(page, facts, amount)
    count_use(page, key, legs, facts)
    note_exchange(page, item, quote)
    if item.refunds is not None:
        note_refund(page, item, amount)
    return approve(
        page,
        facts,
        Step.AUTHORISE,
        item.render,
        Approved(amount, page.balance_of(legs[0][0]) if legs else None),
        deliveries=item.deliveries,
        sent_trace=item.sent_trace,
    )


def _grow(page: Page, item: Authorise, hold: Txn, legs: tuple[Leg, ...]) -> Outcome:
    """Add to a hold: one payment, under the key of its first message."""
    after = add_to_hold(page, item, hold, legs)
    page.transactions.put(hold.key, after)
    recount(page, after, after.legs)
    amount = principal(legs, 0)
    count(page, item.facts, amount)
    return approve(
        page,
        item.facts,
        Step.AUTHORISE,
        item.render,
        Approved(amount, page.balance_of(legs[0][0])),
        deliveries=item.deliveries,
        txn_key=hold.key,
        sent_trace=item.sent_trace,
    )


def inquire(page: Page, item: Inquire) -> Outcome:
    """Tell an account's balance."""
    facts = item.facts
    repeat = find_repeat(page, facts)
    if repeat is not None:
        return repeat
    if is_reversed_before(page, facts.key):
        return decline(page, facts, Step.INQUIRE, item.render, Reason.ALREADY_REVERSED)
    account = page.find_account(item.account)
    if account is None:
        return decline(page, facts, Step.INQUIRE, item.render, Reason.UNKNOWN_ACCOUNT)
    if account.flags & CLOSED:
        return decline(page, facts, Step.INQUIRE, item.render, Reason.CLOSED)
    count(page, facts, 0)
    return approve(page, facts, Step.INQUIRE, item.render, Approved(balance=page.balance_of(account.account_id)))


def refuse(page: Page, item: Refuse) -> Outcome:
    """Store a refusal."""
    repeat = find_repeat(page, item.facts)
    if repeat is not None:
        return repeat
    record(page, item.facts, Step.REFUSE, Result.REFUSED, item.response, code=item.code)
    return Decided(Declined(None, item.code), item.response)
