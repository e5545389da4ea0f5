"""Closing a business day, and comparing a day's totals with a partner's."""

from __future__ import annotations

import datetime

from .operations import Decided, Done, Failed, Gone, Outcome
from .page import Missing, Page
from .rules import find_repeat, record
from .settlement_items import Break, CutOver, Reconcile, Reconciled
from .state import Comparison, Day, DayState, Result, Step
from .totals import figures_of


def cut_over(page: Page, item: CutOver) -> Outcome:
    """Close the open day, and open a later one."""
    days = sorted(_days(page), key=lambda day: day.bdate)
    if any(day.cut_by == item.by for day in days):
        return Done(number=page.bdate)
    if item.closes is not None and item.closes != page.bdate:
        return Gone()
    closed = page.days.find(page.bdate)
    assert closed is not None, "the open day is there"
    today = _date(page.bdate)
    assert today is not None, "the open day is a date"
    new = today + datetime.timedelta(days=1) if item.opens is None else _date(item.opens)
    if new is None:
        return Failed("the new business day is no date")
    if new <= today:
        return Done(number=page.bdate)
    opened = int(f"{new:%Y%m%d}")
    page.days.put(closed.bdate, Day(closed.bdate, DayState.CUT_OVER, closed.opened_us, page.now_us, item.by))
    page.days.put(opened, Day(opened, DayState.OPEN, page.now_us, None, None))
    page.turn_to(opened)
    return Done(number=opened)


def reconcile(page: Page, item: Reconcile) -> Outcome:
    """Compare totals, and store what differs with the response."""
    facts = item.facts
    repeat = find_repeat(page, facts)
    if repeat is not None:
        return repeat
    bdate = _day_meant(page, item.month_day)
    if bdate is None:
        found = Reconciled(None)
    else:
        totals = page.totals_of((bdate, facts.source, int(item.role), facts.currency))
        ours = figures_of(totals, item.role)
        known = dict(ours)
        breaks = tuple(
            Break(element, theirs, known[element]) for element, theirs in item.figures if known[element] != theirs
        )
        found = Reconciled(bdate, ours, breaks)
        page.comparisons.put(
            facts.key,
            Comparison(facts.key, bdate, facts.source, int(item.role), facts.currency, len(item.figures), breaks),
        )
    response = item.render(found)
    result = Result.APPROVED if found.bdate is not None else Result.REFUSED
    record(page, facts, Step.RECONCILE, result, response)
    return Decided(None, response)


def _day_meant(page: Page, month_day: int | None) -> int | None:
    dates = sorted((day.bdate for day in _days(page)), reverse=True)
    if month_day is not None:
        return next((bdate for bdate in dates if bdate % 10_000 == month_day), None)
    return next((bdate for bdate in dates if bdate < page.bdate), page.bdate)


def _days(page: Page) -> list[Day]:
    if not page.has_days:
        raise Missing("days", True)
    return list(page.days.rows())


def _date(bdate: int) -> datetime.date | None:
    try:
        return datetime.date(bdate // 10_000, bdate // 100 % 100, bdate % 100)
    except ValueError:
        return None
