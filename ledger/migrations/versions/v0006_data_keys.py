"""Data keys in the database, wrapped under a key-encryption key that is not."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of keys; the first keys are made, or taken over from their files, when the books are opened."""
    op.create_table(
        "data_key",
        sa.Column("kid", sa.LargeBinary(), primary_key=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("kek", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary()),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("activated_us", sa.BigInteger()),
        sa.Column("retired_us", sa.BigInteger()),
        sa.Column("destroyed_us", sa.BigInteger()),
        sa.CheckConstraint("state BETWEEN 0 AND 3", name="state_ok"),
        sa.CheckConstraint("(state = 3) = (wrapped IS NULL)", name="wrapped_ok"),
        sqlite_with_rowid=False,
    )
    active = sa.text("state = 1")
    op.create_index(
        "data_key_active", "data_key", ["purpose"], unique=True, postgresql_where=active, sqlite_where=active
    )
