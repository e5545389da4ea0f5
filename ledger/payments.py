"""Payments decided on our own books: authorise, inquire, refuse."""

from __future__ import annotations

from .limits import count_use, find_excess
from .operations import Approved, Authorise, Decided, Declined, Inquire, Outcome, Reason, Refuse
from .page import Page
from .rules import approve, decline, examine, find_repeat, is_reversed_before, post, principal, record, set_aside
from .state import CLOSED, Result, Standing, Step, Txn
from .totals import count


def authorise(page: Page, item: Authorise) -> Outcome:
    """Hold or post on our own books."""
    facts = item.facts
    repeat = find_repeat(page, facts)
    if repeat is not None:
        return repeat
    if is_reversed_before(page, facts.key):
        return decline(page, facts, Step.AUTHORISE, item.render, Reason.ALREADY_REVERSED)
    legs = examine(page, item.movements, forced=item.forced, hold=item.hold)
    if not isinstance(legs, Reason) and not item.forced:
        legs = find_excess(page, legs, facts) or legs
    if isinstance(legs, Reason):
        return decline(page, facts, Step.AUTHORISE, item.render, legs)
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
    return approve(
        page,
        facts,
        Step.AUTHORISE,
        item.render,
        Approved(amount, page.balance_of(legs[0][0]) if legs else None),
        deliveries=item.deliveries,
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
