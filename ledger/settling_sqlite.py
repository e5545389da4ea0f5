"""Business days and their totals in SQLite: the statements, and how a page is filled from and written by them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from . import approval_rows, rows
from .anchor_rows import ANCHOR, ENDS, anchors_out, head_in, roots_out
from .page import Page
from .plan import Wants
from .settlement_items import Total


def _insert(table: str, names: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"


_DAYS: Final = f"SELECT {', '.join(rows.DAY)} FROM business_day"
_TOTALS: Final = (
    "SELECT class, sum(n), sum(amount) FROM day_total"
    " WHERE bdate = ? AND institution = ? AND role = ? AND currency = ? GROUP BY class"
)
_CLOSE_DAY: Final = f"UPDATE business_day SET {', '.join(f'{name} = ?' for name in rows.DAY[1:])} WHERE bdate = ?"
_APPROVAL: Final = f"SELECT {', '.join(approval_rows.APPROVAL)} FROM approval WHERE approval_id = ?"
_DECISION: Final = "UPDATE approval SET state = ?, decided_by = ?, decided_us = ? WHERE approval_id = ?"
_ADD: Final = (
    f"{_insert('day_total', rows.DAY_TOTAL)} ON CONFLICT (bdate, institution, role, currency, class, shard)"
    " DO UPDATE SET n = n + excluded.n, amount = amount + excluded.amount"
)


def load(connection: sqlite3.Connection, page: Page, wants: Wants) -> None:
    """Load the business days and totals that are wanted."""
    if wants.days and not page.has_days:
        for row in connection.execute(_DAYS):
            page.days.loaded[row[0]] = rows.day_in(row)
        page.has_days = True
    if wants.closes_day and not page.heads:
        page.heads = tuple(map(head_in, connection.execute(ENDS)))
    for asked in wants.approvals - page.approvals.loaded.keys():
        row = connection.execute(_APPROVAL, (asked,)).fetchone()
        page.approvals.loaded[asked] = None if row is None else approval_rows.approval_in(row)
    for key in wants.totals - page.totals.loaded.keys():
        found = connection.execute(_TOTALS, key)
        page.totals.loaded[key] = {class_: Total(n, amount) for class_, n, amount in found}


def write(connection: sqlite3.Connection, page: Page) -> None:
    """Write what changed."""
    many = connection.executemany
    many(_CLOSE_DAY, [(*rows.day_out(row)[1:], row.bdate) for _, row in page.days.updated()])
    many("UPDATE business_day SET root = ? WHERE bdate = ?", [(root, bdate) for bdate, root in roots_out(page)])
    many(_insert("anchor", ANCHOR), anchors_out(page))
    many(_insert("business_day", rows.DAY), [rows.day_out(row) for _, row in page.days.inserted()])
    asked_for = [approval_rows.approval_out(row) for _, row in page.approvals.inserted()]
    many(_insert("approval", approval_rows.APPROVAL), asked_for)
    many(_DECISION, [(*approval_rows.decision_out(row)[1:], key) for key, row in page.approvals.updated()])
    compared = list(page.comparisons.rows())
    many(_insert("reconciliation", rows.COMPARISON), [rows.comparison_out(row, page) for row in compared])
    many(_insert("reconciliation_break", rows.BREAK), [row for each in compared for row in rows.breaks_out(each)])
    many(_ADD, rows.totals_out(page))
