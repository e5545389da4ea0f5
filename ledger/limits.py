"""Limits of an account per transaction, day, month and in all, by processing code: checked, counted, given back.

A limit concerns the account that pays a payment's principal, on our own books. What must be posted passes it, and is
counted. What is undone, in whole or in part, is given back where it was counted, so that a reversal on the same day
leaves the day's limit as it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

import attrs

from .account_items import AccountLimit, Period
from .operations import Facts, Reason
from .page import Page
from .rules import payer
from .state import INT64_MAX, LIMITED, Leg, LimitUse, Txn, Usage, UsageKey


def period_number(period: Period, bdate: int) -> int:
    """Give the number under which a period's use is counted: 20260119 a day, 202601 a month, 0 for all time."""
    return {Period.DAY: bdate, Period.MONTH: bdate // 100}.get(period, 0)


def usage_keys(account_id: int, limits: Iterable[AccountLimit], bdate: int) -> Iterator[UsageKey]:
    """Give the counters that an account's limits need on a business date."""
    for limit in limits:
        if limit.period is not Period.TRANSACTION:
            yield account_id, period_number(limit.period, bdate), limit.processing_code


def find_excess(page: Page, legs: Sequence[Leg], facts: Facts, grown: Txn | None = None) -> Reason | None:
    """Tell which limit a payment would exceed; the amount is told before the count.

    grown: the payment whose hold grows by this one, which is counted already.
    """
    if not legs:
        return None
    account_id, amount = payer(legs)
    if not page.get_account(account_id).flags & LIMITED:
        return None
    found = None
    for limit in _concerned(page, account_id, facts.processing_code):
        used = _used(page, account_id, limit, page.bdate, 0 if grown is None else payer(grown.legs)[1])
        if limit.amount_minor is not None and used.amount + amount > limit.amount_minor:
            return Reason.EXCEEDS_LIMIT
        if limit.count is not None and grown is None and used.count + 1 > limit.count:
            found = Reason.EXCEEDS_COUNT
    return found


def count_use(page: Page, key: bytes, legs: Sequence[Leg], facts: Facts) -> None:
    """Count a payment that is made, and note where, so that it can be given back."""
    if not legs:
        return
    account_id, amount = payer(legs)
    if not page.get_account(account_id).flags & LIMITED:
        return
    concerned = _concerned(page, account_id, facts.processing_code)
    places = tuple(dict.fromkeys(usage_keys(account_id, concerned, page.bdate)))
    if places:
        page.limit_uses.put(key, LimitUse(key, account_id, amount, tuple(place[1:] for place in places)))
        for place in places:
            _add(page, place, amount, 1)


def recount(page: Page, txn: Txn, legs: Sequence[Leg]) -> None:
    """Count a payment anew of which other legs stand than before: completed, undone, expired (none)."""
    if not txn.legs or not page.get_account(payer(txn.legs)[0]).flags & LIMITED:
        return
    amount = payer(legs)[1] if legs else 0
    use = page.limit_uses.find(txn.key)
    if use is not None and use.amount != amount:
        page.limit_uses.put(txn.key, attrs.evolve(use, amount=amount))
        for place in use.places:
            _add(page, (use.account_id, *place), amount - use.amount, (amount > 0) - (use.amount > 0))


def _concerned(page: Page, account_id: int, processing_code: str) -> list[AccountLimit]:
    held = page.limits.find(account_id) or ()
    return [limit for limit in held if processing_code.startswith(limit.processing_code)]


def _used(page: Page, account_id: int, limit: AccountLimit, bdate: int, grown_minor: int) -> Usage:
    if limit.period is Period.TRANSACTION:
        return Usage((account_id, 0, ""), grown_minor, 0)
    key = (account_id, period_number(limit.period, bdate), limit.processing_code)
    return page.usages.find(key) or Usage(key, 0, 0)


def _add(page: Page, key: UsageKey, amount: int, count: int) -> None:
    used = page.usages.find(key) or Usage(key, 0, 0)
    page.usages.put(key, Usage(key, min(max(used.amount + amount, 0), INT64_MAX), max(used.count + count, 0)))


# ---------------------------------------------------------------- as they are stored


def write_limits(limits: Iterable[AccountLimit]) -> str:
    """Write an account's limits as the JSON text that is stored."""
    return json.dumps([[it.processing_code, it.period.value, it.amount_minor, it.count] for it in limits])


def read_limits(text: str) -> tuple[AccountLimit, ...]:
    """Read the JSON text that is stored."""
    return tuple(
        AccountLimit(code, Period(period), amount, count) for code, period, amount, count in json.loads(text)
    )
