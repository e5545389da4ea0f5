"""Payments on accounts in another currency keep their rate and both amounts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

AMOUNTS = ("customer_amount", "mid_amount", "spread_amount")


def upgrade() -> None:
    op.create_table(
        "txn_exchange",
        sa.Column("txn_key", sa.LargeBinary(), primary_key=True, autoincrement=False),
        sa.Column("currency", sa.SmallInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("account_currency", sa.SmallInteger(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in AMOUNTS),
        sa.Column("rate", sa.Text(), nullable=False),
        sqlite_with_rowid=False,
    )
