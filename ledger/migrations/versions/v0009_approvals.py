"""Approvals: entries by hand, asked for by one person and approved by another."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BLOB, BIG, SMALL, TEXT = sa.LargeBinary(), sa.BigInteger(), sa.SmallInteger(), sa.Text()


def upgrade() -> None:
    op.create_table(
        "approval",
        sa.Column("approval_id", BLOB, primary_key=True),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("payload", TEXT, nullable=False),
        sa.Column("hash", BLOB, nullable=False),
        sa.Column("requested_by", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("requested_us", BIG, nullable=False),
        sa.Column("expires_us", BIG, nullable=False),
        sa.Column("state", SMALL, nullable=False),
        sa.Column("decided_by", TEXT, nullable=True),
        sa.Column("decided_us", BIG, nullable=True),
        sqlite_with_rowid=False,
    )
