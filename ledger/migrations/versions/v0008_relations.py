"""Payments are related to those that they add to, complete in part, or refund."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "txn_relation",
        sa.Column("key", sa.LargeBinary(), primary_key=True, autoincrement=False),
        sa.Column("original", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("txn_relation_original", "txn_relation", ["original"])
    op.create_table(
        "txn_refunded",
        sa.Column("txn_key", sa.LargeBinary(), primary_key=True, autoincrement=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount >= 0", name="refunded_ok"),
        sqlite_with_rowid=False,
    )
