"""Hash chains over messages and entries; what is there already is sealed as the one batch of chain 0."""

from __future__ import annotations

import datetime
import hashlib
from typing import Any

import sqlalchemy as sa
from alembic import op

# alembic loads this file by its path, so imports of our own are absolute here.
from junctor.ledger.chain import FORMS, NO_HASH, UNCHAINED, Header, canonical

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BLOB, BIG, INT, SMALL, TEXT = sa.LargeBinary(), sa.BigInteger(), sa.Integer(), sa.SmallInteger(), sa.Text()
_FORM = 1
_AT_ONCE = 1_000


def _key(name: str, type_: Any) -> sa.Column[Any]:
    return sa.Column(name, type_, primary_key=True, autoincrement=False)


def _must(*names: str, type_: Any) -> list[sa.Column[Any]]:
    return [sa.Column(name, type_, nullable=False) for name in names]


def upgrade() -> None:
    for table in ("message", "entry"):
        for name, type_ in (("chain_id", INT), ("batch_n", BIG)):
            op.add_column(table, sa.Column(name, type_, nullable=False, server_default="0"))
    for name in ("private_hash", "salt"):
        op.add_column("message", sa.Column(name, BLOB))
    op.add_column("business_day", sa.Column("root", BLOB))
    chain = op.create_table(
        "chain",
        _key("chain_id", INT),
        *_must("epoch", type_=INT),
        *_must("batch_n", type_=BIG),
        *_must("hash", type_=BLOB),
        *_must("owner", type_=TEXT),
        *_must("lease_until_us", type_=BIG),
        sqlite_with_rowid=False,
        postgresql_with={"fillfactor": 50},
    )
    batch = op.create_table(
        "journal_batch",
        _key("chain_id", INT),
        _key("batch_n", BIG),
        *_must("form", type_=SMALL),
        *_must("epoch", type_=INT),
        *_must("at_us", type_=BIG),
        *_must("bdate", type_=INT),
        *_must("messages", "entries", "events", type_=BIG),
        *_must("marks", "prev", "hash", type_=BLOB),
        sqlite_with_rowid=False,
    )
    header, digest = _seal()
    op.bulk_insert(
        batch,
        [{**{it: getattr(header, it) for it in _HEADER}, "marks": b"", "prev": NO_HASH, "hash": digest}],
    )
    op.bulk_insert(
        chain,
        [
            {
                "chain_id": UNCHAINED, "epoch": 0, "batch_n": 0, "hash": digest, "owner": "",
                "lease_until_us": 2**62,
            }
        ],
    )  # fmt: skip


_HEADER = ("form", "chain_id", "batch_n", "epoch", "at_us", "bdate", "messages", "entries", "events")
_TABLES = (("message", "idem_key"), ("entry", "account_id, seq"), ("account_event", "account_id, seq"))


def _seal() -> tuple[Header, bytes]:
    """Hash every row that is there, by key: first the header, as everywhere, so counting comes before reading."""
    connection = op.get_bind()
    form = FORMS[_FORM]
    counted = [connection.execute(sa.text(f"SELECT count(*) FROM {it}")).scalar_one() for it, _ in _TABLES]
    now = datetime.datetime.now(datetime.UTC)
    header = Header(_FORM, UNCHAINED, 0, 0, int(now.timestamp() * 1_000_000), int(f"{now:%Y%m%d}"), *counted)
    digest = hashlib.sha256(NO_HASH + header.packed())
    for table, order in _TABLES:
        reading = sa.text(f"SELECT {', '.join(getattr(form, table))} FROM {table} ORDER BY {order}")
        found = connection.execute(reading, execution_options={"stream_results": True, "yield_per": _AT_ONCE})
        for row in found:
            digest.update(canonical(tuple(_bytes(it) for it in row)))
    return header, digest.digest()


def _bytes(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value
