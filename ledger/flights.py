"""Transactions on their way to a peer: dispatched, redirected, concluded, abandoned, or met with silence."""

from __future__ import annotations

import attrs

from .operations import (
    Abandon,
    Approved,
    Conclude,
    Decided,
    Declined,
    Dispatch,
    Late,
    Opened,
    Outcome,
    Reason,
    Redirect,
    Silence,
    Silenced,
    SilenceOverdue,
    Swept,
)
from .page import Missing, Page
from .rules import (
    decline,
    difference,
    distinct,
    examine,
    find_repeat,
    is_reversed_before,
    post_held,
    principal,
    record,
    release,
    resize,
    set_aside,
)
from .state import Flight, Leg, Result, Standing, Step, Txn, reveal
from .totals import count


def dispatch(page: Page, item: Dispatch) -> Outcome:
    """Open a transaction before it is sent."""
    facts = item.facts
    repeat = find_repeat(page, facts)
    if repeat is not None:
        return repeat
    if is_reversed_before(page, facts.key):
        return decline(page, facts, Step.DISPATCH, item.render, Reason.ALREADY_REVERSED)
    legs = examine(page, item.movements, forced=False, hold=True)
    if isinstance(legs, Reason):
        return decline(page, facts, Step.DISPATCH, item.render, legs)
    places = set_aside(page, facts.key, legs, False)
    page.flights.put(
        facts.key,
        Flight(
            facts,
            item.link,
            item.until_us,
            item.sent_trace,
            item.silence_response,
            item.silence_code,
            item.reversal,
            None,
            legs,
            places,
            item.keeps_hold,
            item.expires_us,
        ),
    )
    return Opened()


def redirect(page: Page, item: Redirect) -> Outcome:
    """Point an open transaction at another link and perhaps another peer."""
    flight = page.flights.find(item.key)
    if flight is None:
        return _late(page, item.key)
    places = flight.entries + release(page, item.key, flight.legs)
    facts = attrs.evolve(flight.facts, destination=item.destination)
    legs = examine(page, item.movements, forced=False, hold=True)
    if isinstance(legs, Reason):
        flight = attrs.evolve(flight, facts=facts, entries=places)
        _close(page, flight, Standing.RELEASED, principal(flight.legs, 0), flight.legs, b"")
        return decline(page, facts, Step.DISPATCH, item.render, legs)
    page.flights.put(
        item.key,
        attrs.evolve(
            flight,
            facts=facts,
            link=item.link,
            until_us=item.until_us,
            sent_trace=item.sent_trace,
            reversal=item.reversal,
            sealed_reversal=None,
            legs=legs,
            entries=places + set_aside(page, item.key, legs, False),
        ),
    )
    return Opened()


def conclude(page: Page, item: Conclude) -> Outcome:
    """Record the peer's answer."""
    flight = page.flights.find(item.key)
    if flight is None:
        return _late(page, item.key)
    facts = flight.facts
    if not item.approved:
        return _end_declined(page, flight, Result.PEER_DECLINED, item.response, item.code, item.auth_code)
    asked = principal(flight.legs, facts.amount_minor)
    assert item.amount_minor >= 0, "an approved amount is not negative"
    amount = min(item.amount_minor, asked)
    legs = resize(flight.legs, amount)
    if flight.keeps_hold:
        places = release(page, item.key, difference(flight.legs, legs))
    else:
        places = post_held(page, item.key, flight.legs, legs)
    count(page, facts, amount)
    _close(page, flight, Standing.HELD if flight.keeps_hold else Standing.POSTED, amount, legs, places)
    record(
        page,
        facts,
        Step.DISPATCH,
        Result.APPROVED,
        item.response,
        code=item.code,
        auth_code=item.auth_code,
        sent_trace=flight.sent_trace,
    )
    return Decided(Approved(amount, page.balance_of(legs[0][0]) if legs else None), item.response)


def abandon(page: Page, item: Abandon) -> Outcome:
    """End a transaction that was never sent."""
    flight = page.flights.find(item.key)
    if flight is None:
        return _late(page, item.key)
    return _end_declined(page, flight, Result.ABANDONED, item.response, item.code, None)


def silence(page: Page, item: Silence) -> Outcome:
    """End a transaction that nobody answered."""
    flight = page.flights.find(item.key)
    if flight is None:
        return _late(page, item.key)
    response, lanes = end_in_silence(page, flight)
    return Silenced(response, lanes)


def silence_overdue(page: Page, item: SilenceOverdue) -> Outcome:
    """End open transactions whose time has passed."""
    if page.overdue_before_us is None or page.overdue_before_us < item.before_us:
        raise Missing("overdue", item.before_us)
    overdue = sorted(
        (flight.until_us, flight.facts.key)
        for flight in page.flights.rows()
        if flight.until_us < item.before_us and flight.facts.key not in item.except_keys
    )
    lanes: list[str] = []
    for _, key in overdue[: item.most]:
        flight = page.flights.find(key)
        assert flight is not None, "an overdue transaction is open"
        lanes += end_in_silence(page, flight)[1]
    return Swept(min(len(overdue), item.most), distinct(lanes))


def end_in_silence(page: Page, flight: Flight) -> tuple[bytes, tuple[str, ...]]:
    """Release, store the prepared response as the answer, queue the prepared reversal; gives response and lanes."""
    facts = flight.facts
    _close_released(page, flight)
    response = reveal(flight.silence_response)
    record(
        page,
        facts,
        Step.DISPATCH,
        Result.SILENT,
        response,
        code=flight.silence_code,
        sent_trace=flight.sent_trace,
    )
    new = flight.reversal
    if new is None:
        return response, ()
    body = flight.sealed_reversal or new.body
    return response, (page.append_row(new.lane, new.kind, body, facts.key, new.settles, new.expires_us).lane,)


def _late(page: Page, key: bytes) -> Late:
    known = page.messages.find(key)
    return Late(None if known is None else reveal(known.response))


def _end_declined(
    page: Page, flight: Flight, result: Result, response: bytes, code: str, auth_code: str | None
) -> Decided:
    _close_released(page, flight)
    record(
        page,
        flight.facts,
        Step.DISPATCH,
        result,
        response,
        code=code,
        auth_code=auth_code,
        sent_trace=flight.sent_trace,
    )
    return Decided(Declined(None, code), response)


def _close_released(page: Page, flight: Flight) -> None:
    key = flight.facts.key
    if not flight.entries:
        page.flights.put(key, None)
        return
    places = release(page, key, flight.legs)
    amount = principal(flight.legs, 0)
    _close(page, flight, Standing.RELEASED, amount, flight.legs, places)


def _close(page: Page, flight: Flight, state: Standing, amount: int, legs: tuple[Leg, ...], places: bytes) -> None:
    facts = flight.facts
    page.flights.put(facts.key, None)
    page.transactions.put(
        facts.key,
        Txn(
            facts.key,
            state,
            facts.currency,
            principal(flight.legs, facts.amount_minor),
            amount,
            legs,
            flight.entries + places,
            flight.expires_us if state == Standing.HELD else None,
            None,
            page.now_us,
        ),
    )
