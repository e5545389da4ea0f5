"""Business days and their totals in PostgreSQL: the statements, and how a page is filled from and written by them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from . import approval_rows, literals, rows, schema, settlement_schema
from .anchor_rows import ANCHOR, ENDS, anchors_out, head_in, roots_out
from .look_ups import look_up
from .operations import StoreUnavailable
from .page import Page
from .plan import Wants
from .ports import Retry
from .settlement_items import Total
from .statements import CLOCK, Insert, Update, select

Query = tuple[str, Sequence[Any], Callable[[list[Any]], None] | None]

# Every batch shares the open day until it has committed, and a cutover has it alone: so each batch is wholly of the
# day that it read.
_OPEN_DAY: Final = f"{CLOCK}, bdate FROM business_day WHERE state = 0 ORDER BY bdate DESC LIMIT 1 FOR "
DAY: Final = _OPEN_DAY + "SHARE"
DAY_TO_CLOSE: Final = _OPEN_DAY + "UPDATE"

NEXT_DAY: Final = "SELECT bdate FROM business_day WHERE state = 0"

_DAYS: Final = f"SELECT {', '.join(rows.DAY)} FROM business_day"
_TOTALS: Final = (
    "SELECT class, sum(n)::bigint, sum(amount)::bigint FROM day_total"
    " WHERE bdate = %s AND institution = %s AND role = %s AND currency = %s GROUP BY class"
)
_CLOSE_DAYS: Final = Update(schema.business_day, rows.DAY[:1], rows.DAY[1:])
_ANCHOR_DAYS: Final = Update(schema.business_day, ("bdate",), ("root",))
_ANCHORS: Final = Insert(schema.anchor, ANCHOR)
_OPEN_DAYS: Final = Insert(schema.business_day, rows.DAY)
_APPROVALS: Final = select(settlement_schema.approval, approval_rows.APPROVAL, ("approval_id",))
_REQUESTS: Final = Insert(settlement_schema.approval, approval_rows.APPROVAL)
_DECISIONS: Final = Update(settlement_schema.approval, ("approval_id",), ("state", "decided_by", "decided_us"))
_COMPARISONS: Final = Insert(settlement_schema.reconciliation, rows.COMPARISON)
_BREAKS: Final = Insert(settlement_schema.reconciliation_break, rows.BREAK)
_ADD: Final = Insert(
    settlement_schema.day_total,
    rows.DAY_TOTAL,
    "ON CONFLICT (bdate, institution, role, currency, class, shard)"
    " DO UPDATE SET n = day_total.n + excluded.n, amount = day_total.amount + excluded.amount",
)


def wait_for_day(found: list[Any]) -> None:
    """Say what to do when no open day was read: run the batch again if another one was opened while it waited."""
    if found:
        raise Retry("the business day was closed")
    raise StoreUnavailable("no business day is open")


def load(page: Page, wants: Wants) -> Iterator[Query]:
    """Ask for the business days and totals that are wanted."""
    if wants.days and not page.has_days:

        def read_days(found: list[Any]) -> None:
            for row in found:
                page.days.loaded[row[0]] = rows.day_in(row)
            page.has_days = True

        yield _DAYS, (), read_days
    if wants.closes_day and not page.heads:

        def read_ends(found: list[Any]) -> None:
            page.heads = tuple(map(head_in, found))

        yield ENDS, (), read_ends
    yield from look_up(_APPROVALS, page.approvals.loaded, wants.approvals, approval_rows.approval_in, literals.blobs)
    for key in wants.totals:

        def read_totals(found: list[Any], key: Any = key) -> None:
            page.totals.loaded[key] = {class_: Total(n, amount) for class_, n, amount in found}

        if key not in page.totals.loaded:
            yield _TOTALS, key, read_totals


def write(page: Page) -> Iterator[tuple[Insert | Update, Sequence[rows.Row]]]:
    """Give what changed, in an order in which writers cannot wait for each other in a circle."""
    yield _CLOSE_DAYS, [rows.day_out(row) for _, row in page.days.updated()]
    yield _ANCHOR_DAYS, roots_out(page)
    yield _ANCHORS, anchors_out(page)
    yield _OPEN_DAYS, [rows.day_out(row) for _, row in page.days.inserted()]
    yield _REQUESTS, [approval_rows.approval_out(row) for _, row in page.approvals.inserted()]
    yield _DECISIONS, [approval_rows.decision_out(row) for _, row in page.approvals.updated()]
    yield _COMPARISONS, [rows.comparison_out(row, page) for row in page.comparisons.rows()]
    yield _BREAKS, [row for each in page.comparisons.rows() for row in rows.breaks_out(each)]
    yield _ADD, rows.totals_out(page)
