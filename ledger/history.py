"""What accounts held and what was booked, in the past: questions about entries and events, which are only ever added.

Every function takes `run`, which runs a statement within one reading transaction.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, or_, select, tuple_

from .account_items import AccountLimit, Period
from .exchange_items import Exchange
from .limits import period_number, read_limits
from .reports import AccountEventReport, BalanceReport, ExportReport, LimitReport, RelationReport
from .schema import (
    account,
    account_event,
    account_limits,
    business_day,
    entry,
    limit_usage,
    txn_exchange,
    txn_relation,
)
from .state import EntryKind
from .views import letters, words


def balance_at(run: Any, code: str, before_us: int | None) -> BalanceReport | None:
    """Give what an account held after its last entry before that time; nothing booked yet is a balance of zero.

    The last is the one with the highest number: should the database's clock have gone back, numbers still tell the
    order. None when there is no such account.
    """
    known = run(select(account.c.account_id, account.c.currency).where(account.c.code == code)).first()
    if known is None:
        return None
    found = select(entry).where(entry.c.account_id == known.account_id).order_by(entry.c.seq.desc()).limit(1)
    if before_us is not None:
        found = found.where(entry.c.at_us < before_us)
    row = run(found).first()
    currency = letters(known.currency)
    if row is None:
        return BalanceReport(code, currency, 0, None, 0, 0)
    return BalanceReport(code, currency, row.seq, row.at_us, row.balance, row.held)


def account_events(run: Any, code: str) -> list[AccountEventReport]:
    """List what operators changed about an account, the oldest first."""
    found = (
        select(account_event)
        .join(account, account.c.account_id == account_event.c.account_id)
        .where(account.c.code == code)
        .order_by(account_event.c.seq)
    )
    return [
        AccountEventReport(code, row.seq, row.bdate, row.at_us, row.who, row.action, row.reason, row.change)
        for row in run(found)
    ]


def account_limits_now(run: Any, code: str) -> list[LimitReport]:
    """List an account's limits with what counts towards each on the business date that is open."""
    row = run(
        select(account_limits)
        .join(account, account.c.account_id == account_limits.c.account_id)
        .where(account.c.code == code)
    ).first()
    if row is None:
        return []
    bdate = run(select(func.max(business_day.c.bdate)).where(business_day.c.state == 0)).scalar_one()
    counters = run(select(limit_usage).where(limit_usage.c.account_id == row.account_id))
    used = {(it.period, it.processing_code): (it.amount, it.count) for it in counters}
    limits = read_limits(row.limits)
    return [
        LimitReport(
            it.processing_code,
            it.period.value,
            it.amount_minor,
            it.count,
            *_used(used, it, bdate),
        )
        for it in limits
    ]


def _used(used: dict[tuple[int, str], tuple[int, int]], limit: AccountLimit, bdate: int) -> tuple[int, int]:
    if limit.period is Period.TRANSACTION:
        return 0, 0
    return used.get((period_number(limit.period, bdate), limit.processing_code), (0, 0))


def related(run: Any, txn_key: bytes) -> tuple[RelationReport, ...]:
    """List what belongs to a payment, and what it belongs to itself."""
    found = select(txn_relation).where(or_(txn_relation.c.key == txn_key, txn_relation.c.original == txn_key))
    rows = run(found.order_by(txn_relation.c.key))
    return tuple(RelationReport(row.key, row.original, row.kind, row.amount) for row in rows)


def exchanged(run: Any, txn_key: bytes) -> Exchange | None:
    """Tell how a payment was exchanged, when it was."""
    row = run(select(txn_exchange).where(txn_exchange.c.txn_key == txn_key)).first()
    return None if row is None else Exchange(*row)


def exported(run: Any, first: int, last: int, after: tuple[str, int], most: int) -> list[ExportReport]:
    """List entries of the business dates `first` to `last`, by account code and number, from after one of them."""
    found = (
        select(entry, account.c.code, account.c.currency)
        .join(account, account.c.account_id == entry.c.account_id)
        .where(entry.c.bdate.between(first, last), tuple_(account.c.code, entry.c.seq) > after)
        .order_by(account.c.code, entry.c.seq)
        .limit(most)
    )
    return [
        ExportReport(
            row.bdate, row.code, row.seq, row.at_us, words(EntryKind(row.kind)), letters(row.currency), row.amount,
            row.balance, row.held_delta, row.held, row.txn_key,
        )
        for row in run(found)
    ]  # fmt: skip
