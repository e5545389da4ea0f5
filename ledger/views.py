"""Rows of the database as reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..codecs.money import find_currency
from .operations import Balance
from .reports import (
    AccountReport,
    DeadLetterReport,
    DeliveryReport,
    EntryReport,
    LegReport,
    MessageReport,
    TransactionReport,
    TrialBalance,
)
from .state import CLOSED, NO_CREDITS, NO_DEBITS, EntryKind, Leg, Result, Standing, Step


def letters(currency: int) -> str:
    """Give a currency's letters; its digits when ISO 4217 has none."""
    found = find_currency(currency)
    return f"{currency:03d}" if found is None else found.alpha


def words(choice: Any) -> str:
    """Give the name of a choice as people read it."""
    return str(choice.name).lower().replace("_", " ")


def message(row: Any) -> MessageReport:
    """A message that has its answer."""
    return MessageReport(
        **_facts(row),
        txn_key=row.txn_key,
        step=words(Step(row.step)),
        result=words(Result(row.result)),
        reason=row.reason,
        code=row.code,
        decided_us=row.decided_us,
    )


def open_message(row: Any) -> MessageReport:
    """A message whose answer is awaited."""
    return MessageReport(
        **_facts(row),
        txn_key=row.idem_key,
        step=words(Step.DISPATCH),
        result="open",
        reason=None,
        code=None,
        decided_us=None,
        link=row.link,
        until_us=row.until_us,
    )


def _facts(row: Any) -> dict[str, Any]:
    same = (
        "source", "destination", "type", "processing_code", "purpose", "stan", "rrn", "terminal", "pan_masked",
        "auth_code", "reference", "trace", "sent_trace", "received_us",
    )  # fmt: skip
    return {
        "key": row.idem_key,
        "amount_minor": row.amount,
        "currency": letters(row.currency),
        **{name: getattr(row, name) for name in same},
    }


def account(row: Any) -> AccountReport:
    """An account with its balance."""
    available = row.posted - row.held - (row.floor or 0)
    return AccountReport(
        code=row.code,
        kind=row.kind,
        currency=letters(row.currency),
        institution=row.institution,
        name=row.name,
        balance=Balance(row.posted, row.held, available, row.currency),
        floor_minor=row.floor,
        ceiling_minor=row.ceiling,
        overdraw_minor=row.overdraw,
        is_closed=bool(row.flags & CLOSED),
        takes_debits=not row.flags & (CLOSED | NO_DEBITS),
        takes_credits=not row.flags & (CLOSED | NO_CREDITS),
        entries=row.seq,
        created_us=row.created_us,
    )


def entry(row: Any, code: str) -> EntryReport:
    """One entry of an account."""
    return EntryReport(
        account=code,
        seq=row.seq,
        bdate=row.bdate,
        kind=words(EntryKind(row.kind)),
        amount_minor=row.amount,
        balance_minor=row.balance,
        held_delta_minor=row.held_delta,
        held_minor=row.held,
        txn_key=row.txn_key,
        at_us=row.at_us,
    )


def leg(row: Leg, codes: Mapping[int, str]) -> LegReport:
    """One movement of a transaction."""
    debit, credit, amount, kind = row
    return LegReport(codes[debit], codes[credit], amount, words(EntryKind(kind)))


def delivery(row: Any) -> DeliveryReport:
    """A delivery that waits."""
    return DeliveryReport(
        row.lane, row.seq, row.kind, row.origin, row.settles, row.created_us, row.not_before_us, row.expires_us,
        row.attempts, row.last_result,
    )  # fmt: skip


def dead_letter(row: Any) -> DeadLetterReport:
    """A delivery that was given up."""
    return DeadLetterReport(
        row.lane, row.seq, row.kind, row.origin, row.settles, row.created_us, row.attempts, row.last_result,
        row.reason, row.died_us, row.dropped_us,
    )  # fmt: skip


def transaction(
    key: bytes,
    stored: Any,
    messages: Sequence[MessageReport],
    legs: tuple[LegReport, ...],
    entries: tuple[EntryReport, ...],
    deliveries: tuple[DeliveryReport, ...],
    dead_letters: tuple[DeadLetterReport, ...],
) -> TransactionReport:
    """A payment over all its messages; `stored`: its row, if it has one."""
    state: str | None
    if stored is not None:
        state, currency = words(Standing(stored.state)), letters(stored.currency)
        authorised, amount, expires_us = stored.authorised, stored.amount, stored.expires_us
    else:
        is_open = any(report.result == "open" for report in messages)
        state, currency = ("open" if is_open else None), messages[0].currency
        authorised, amount, expires_us = messages[0].amount_minor, 0, None
    return TransactionReport(
        key,
        state,
        currency,
        authorised,
        amount,
        expires_us,
        legs,
        tuple(messages),
        entries,
        deliveries,
        dead_letters,
    )


def trial_balances(rows: Iterable[Any]) -> list[TrialBalance]:
    """Add up balances for each currency."""
    sums: dict[int, list[int]] = {}
    for currency, posted, held in rows:
        total = sums.setdefault(currency, [0, 0, 0, 0])
        total[0 if posted < 0 else 1] += abs(posted)
        total[2] += held
        total[3] += 1
    return [
        TrialBalance(letters(currency), credit - debit, debit, credit, held, count)
        for currency, (debit, credit, held, count) in sorted(sums.items())
    ]
