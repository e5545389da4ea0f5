"""Reading business days: what institutions exchanged on each, and how it compares with their own totals."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import attrs
from sqlalchemy import func, select

from . import views
from .schema import business_day
from .settlement_items import Break, Role, TotalClass
from .settlement_schema import day_total, reconciliation, reconciliation_break
from .state import DayState


@attrs.frozen
class DayReport:
    """A business day: "open" or "cut over", and who asked for the cutover."""

    bdate: int
    state: str
    opened_us: int
    cut_us: int | None
    cut_by: str | None


@attrs.frozen
class TotalReport:
    """How many messages of a class an institution sent (acquirer) or was sent (issuer), and their sum."""

    bdate: int
    institution: str
    role: str
    currency: str
    total_class: str
    count: int
    amount_minor: int


@attrs.frozen
class ReconciliationReport:
    """A partner's totals compared with ours: how many figures it told, and those that differ."""

    key: bytes
    bdate: int
    institution: str
    role: str
    currency: str
    compared: int
    at_us: int
    breaks: tuple[Break, ...]


class Windows:
    """Business days, over the connection of a reader."""

    def __init__(self, reading: Callable[[], AbstractContextManager[Any]]) -> None:
        self._reading = reading

    def days(self) -> list[DayReport]:
        """List the business days, the newest first."""
        with self._reading() as run:
            rows = run(select(business_day).order_by(business_day.c.bdate.desc()))
            return [
                DayReport(row.bdate, views.words(DayState(row.state)), row.opened_us, row.cut_us, row.cut_by)
                for row in rows
            ]

    def totals(self, bdate: int | None = None, institution: str | None = None) -> list[TotalReport]:
        """List totals by day, institution, role, currency and class."""
        c = day_total.c
        by = (c.bdate, c.institution, c.role, c.currency, c["class"])
        wanted = (
            select(*by, func.sum(c.n).label("count_"), func.sum(c.amount).label("sum_")).group_by(*by).order_by(*by)
        )
        if bdate is not None:
            wanted = wanted.where(c.bdate == bdate)
        if institution is not None:
            wanted = wanted.where(c.institution == institution)
        with self._reading() as run:
            return [
                TotalReport(
                    row.bdate,
                    row.institution,
                    views.words(Role(row.role)),
                    views.letters(row.currency),
                    views.words(TotalClass(getattr(row, "class"))),
                    int(row.count_),
                    int(row.sum_),
                )
                for row in run(wanted)
            ]

    def reconciliations(
        self, bdate: int | None = None, institution: str | None = None, *, most: int = 1000
    ) -> list[ReconciliationReport]:
        """List what partners' totals were compared with, the newest first."""
        c = reconciliation.c
        wanted = select(reconciliation).order_by(c.at_us.desc(), c.idem_key).limit(most)
        if bdate is not None:
            wanted = wanted.where(c.bdate == bdate)
        if institution is not None:
            wanted = wanted.where(c.institution == institution)
        with self._reading() as run:
            rows = list(run(wanted))
            keys = wanted.with_only_columns(c.idem_key).subquery()
            differing = reconciliation_break.join(keys, keys.c.idem_key == reconciliation_break.c.idem_key)
            breaks: dict[bytes, list[Break]] = {}
            for row in run(
                select(reconciliation_break).select_from(differing).order_by(reconciliation_break.c.element)
            ):
                breaks.setdefault(row.idem_key, []).append(Break(row.element, row.theirs, row.ours))
            return [
                ReconciliationReport(
                    row.idem_key,
                    row.bdate,
                    row.institution,
                    views.words(Role(row.role)),
                    views.letters(row.currency),
                    row.compared,
                    row.at_us,
                    tuple(breaks.get(row.idem_key, ())),
                )
                for row in rows
            ]

    def break_counts(self) -> dict[tuple[str, str], int]:
        """Count, by institution and role, the figures that differed in its last reconciliation of each currency."""
        c = reconciliation.c
        last = (
            select(c.institution, c.role, c.currency, func.max(c.at_us).label("at_us"))
            .group_by(c.institution, c.role, c.currency)
            .subquery()
        )
        same = (
            (c.institution == last.c.institution)
            & (c.role == last.c.role)
            & (c.currency == last.c.currency)
            & (c.at_us == last.c.at_us)
        )
        counts = (
            select(c.institution, c.role, func.count(reconciliation_break.c.element))
            .select_from(
                reconciliation.join(last, same).outerjoin(
                    reconciliation_break, reconciliation_break.c.idem_key == c.idem_key
                )
            )
            .group_by(c.institution, c.role)
        )
        with self._reading() as run:
            return {(institution, views.words(Role(role))): int(n) for institution, role, n in run(counts)}
