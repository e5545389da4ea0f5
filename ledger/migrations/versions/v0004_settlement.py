"""Settlement: the closing of business days, totals per day, and reconciliations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BLOB, BIG, INT, SMALL, TEXT = sa.LargeBinary(), sa.BigInteger(), sa.Integer(), sa.SmallInteger(), sa.Text()


def upgrade() -> None:
    op.add_column("business_day", sa.Column("cut_us", BIG, nullable=True))
    op.add_column("business_day", sa.Column("cut_by", TEXT, nullable=True))
    op.create_table(
        "day_total",
        sa.Column("bdate", INT, primary_key=True, autoincrement=False),
        sa.Column("institution", TEXT, primary_key=True),
        sa.Column("role", SMALL, primary_key=True, autoincrement=False),
        sa.Column("currency", SMALL, primary_key=True, autoincrement=False),
        sa.Column("class", SMALL, primary_key=True, autoincrement=False),
        sa.Column("shard", INT, primary_key=True, autoincrement=False),
        sa.Column("n", BIG, nullable=False),
        sa.Column("amount", BIG, nullable=False),
        sqlite_with_rowid=False,
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "reconciliation",
        sa.Column("idem_key", BLOB, primary_key=True),
        sa.Column("bdate", INT, nullable=False),
        sa.Column("institution", TEXT, nullable=False),
        sa.Column("role", SMALL, nullable=False),
        sa.Column("currency", SMALL, nullable=False),
        sa.Column("compared", SMALL, nullable=False),
        sa.Column("at_us", BIG, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "reconciliation_break",
        sa.Column("idem_key", BLOB, primary_key=True),
        sa.Column("element", SMALL, primary_key=True, autoincrement=False),
        sa.Column("theirs", BIG, nullable=False),
        sa.Column("ours", BIG, nullable=False),
        sqlite_with_rowid=False,
    )
