"""Accounts have limits by period and processing code, and counters of what was paid within them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BIG, TEXT = sa.BigInteger(), sa.Text()


def _key(name: str, type_: Any) -> sa.Column[Any]:
    return sa.Column(name, type_, primary_key=True, autoincrement=False)


def _must(name: str, type_: Any) -> sa.Column[Any]:
    return sa.Column(name, type_, nullable=False)


def upgrade() -> None:
    op.create_table("account_limits", _key("account_id", BIG), _must("limits", TEXT), sqlite_with_rowid=False)
    op.create_table(
        "limit_usage",
        _key("account_id", BIG),
        _key("period", sa.Integer()),
        _key("processing_code", TEXT),
        _must("amount", BIG),
        _must("count", BIG),
        sa.CheckConstraint("amount >= 0 AND count >= 0", name="used_ok"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "limit_use",
        _key("txn_key", sa.LargeBinary()),
        _must("account_id", BIG),
        _must("amount", BIG),
        _must("places", TEXT),
        sqlite_with_rowid=False,
    )
