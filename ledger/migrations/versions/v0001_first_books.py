"""The first books: accounts, balances, entries, messages, transactions, deliveries."""

from __future__ import annotations

import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

# alembic loads this file by its path, so imports of our own are absolute here.
from junctor.codecs.money import CURRENCIES

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BLOB, BIG, INT, SMALL, TEXT = sa.LargeBinary(), sa.BigInteger(), sa.Integer(), sa.SmallInteger(), sa.Text()


def _create(name: str, *parts: Any, fillfactor: int | None = None) -> sa.Table:
    options: dict[str, Any] = {"sqlite_with_rowid": False}
    if fillfactor is not None:
        options["postgresql_with"] = {"fillfactor": fillfactor}
    return op.create_table(name, *parts, **options)


def _key(name: str, type_: Any) -> sa.Column[Any]:
    return sa.Column(name, type_, primary_key=True, autoincrement=False)


def _must(name: str, type_: Any, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, type_, nullable=False, **options)


def _may(name: str, type_: Any) -> sa.Column[Any]:
    return sa.Column(name, type_, nullable=True)


def _facts() -> list[sa.Column[Any]]:
    must = (
        ("fingerprint", BLOB), ("source", TEXT), ("destination", TEXT), ("type", TEXT), ("received_us", BIG),
        ("trace", TEXT), ("processing_code", TEXT), ("amount", BIG), ("currency", SMALL),
    )  # fmt: skip
    may = (
        ("stan", TEXT), ("rrn", TEXT), ("terminal", TEXT), ("pan_masked", TEXT), ("card_ref", BLOB),
        ("auth_code", TEXT), ("reference", TEXT),
    )  # fmt: skip
    return [*(_must(*it) for it in must), *(_may(*it) for it in may), _must("purpose", TEXT)]


def upgrade() -> None:
    _create_accounts()
    _create_messages()
    _create_queues()


def _create_accounts() -> None:
    currency = _create(
        "currency",
        _key("code", SMALL),
        _must("alpha", TEXT, unique=True),
        _must("exponent", SMALL),
        sa.CheckConstraint("exponent BETWEEN 0 AND 4", name="exponent_ok"),
    )
    op.bulk_insert(currency, [{"code": c.numeric, "alpha": c.alpha, "exponent": c.exponent} for c in CURRENCIES])
    business_day = _create(
        "business_day",
        _key("bdate", INT),
        _must("state", SMALL),
        _must("opened_us", BIG),
        sa.CheckConstraint("state BETWEEN 0 AND 3", name="state_ok"),
    )
    now = datetime.datetime.now(datetime.UTC)
    opened_us = int(now.timestamp() * 1_000_000)
    op.bulk_insert(business_day, [{"bdate": int(f"{now:%Y%m%d}"), "state": 0, "opened_us": opened_us}])
    _create(
        "account",
        _key("account_id", BIG),
        _must("code", TEXT, unique=True),
        _must("kind", TEXT),
        _must("currency", SMALL),
        _must("institution", TEXT),
        _must("name", TEXT),
        _must("created_us", BIG),
    )
    _create("card", _key("card_ref", BLOB), _key("ordinal", SMALL), _must("account_id", BIG))
    _create(
        "balance",
        _key("account_id", BIG),
        _must("currency", SMALL),
        _must("posted", BIG),
        _must("held", BIG),
        _must("seq", BIG),
        _may("floor", BIG),
        _may("ceiling", BIG),
        _must("flags", SMALL),
        _must("overdraw", BIG),
        _must("overfill", BIG),
        sa.CheckConstraint("held >= 0", name="held_ok"),
        sa.CheckConstraint("overdraw >= 0 AND overfill >= 0", name="excess_ok"),
        sa.CheckConstraint("posted - held >= floor - overdraw", name="floor_ok"),
        sa.CheckConstraint("posted <= ceiling + overfill", name="ceiling_ok"),
        fillfactor=50,
    )
    _create(
        "entry",
        _key("account_id", BIG),
        _key("seq", BIG),
        _must("bdate", INT),
        _must("txn_key", BLOB),
        _must("kind", SMALL),
        _must("amount", BIG),
        _must("balance", BIG),
        _must("held_delta", BIG),
        _must("held", BIG),
        _must("at_us", BIG),
    )


def _create_messages() -> None:
    _create(
        "message",
        _key("idem_key", BLOB),
        *_facts(),
        _must("bdate", INT),
        _must("step", SMALL),
        _must("result", SMALL),
        _may("reason", TEXT),
        _may("code", TEXT),
        _may("sent_trace", TEXT),
        _must("txn_key", BLOB),
        _must("decided_us", BIG),
        _must("response", BLOB),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.create_index("message_received", "message", ["received_us"], postgresql_using="brin")
    _create(
        "in_flight",
        _key("idem_key", BLOB),
        *_facts(),
        _must("link", TEXT),
        _must("until_us", BIG),
        _must("sent_trace", TEXT),
        _must("silence_code", TEXT),
        _must("silence_response", BLOB),
        _may("reversal_lane", TEXT),
        _may("reversal_kind", TEXT),
        _may("reversal_settles", BLOB),
        _may("reversal_expires_us", BIG),
        _may("reversal", BLOB),
        _must("legs", BLOB),
        _must("entries", BLOB),
        _must("keeps_hold", sa.Boolean()),
        _may("expires_us", BIG),
    )
    op.create_index("in_flight_until", "in_flight", ["until_us"])
    _create(
        "txn",
        _key("txn_key", BLOB),
        _must("state", SMALL),
        _must("currency", SMALL),
        _must("authorised", BIG),
        _must("amount", BIG),
        _must("legs", BLOB),
        _must("entries", BLOB),
        _may("expires_us", BIG),
        _may("reversal_key", BLOB),
        _must("created_us", BIG),
        _must("updated_us", BIG),
        sa.CheckConstraint("amount >= 0", name="amount_ok"),
    )
    expires = sa.text("state = 0 AND expires_us IS NOT NULL")
    op.create_index("txn_expiry", "txn", ["expires_us"], postgresql_where=expires, sqlite_where=expires)


def _create_queues() -> None:
    _create(
        "lane",
        _key("lane", TEXT),
        _must("tail_seq", BIG),
        _must("head_seq", BIG),
        _must("session", INT),
    )

    def shared() -> list[sa.Column[Any]]:
        return [
            _key("lane", TEXT),
            _key("seq", BIG),
            _must("kind", TEXT),
            _may("origin", BLOB),
            _may("settles", BLOB),
        ]

    _create(
        "delivery",
        *shared(),
        _must("created_us", BIG),
        _must("not_before_us", BIG),
        _may("expires_us", BIG),
        _must("attempts", INT),
        _may("last_result", TEXT),
        _must("body", BLOB),
    )
    _create(
        "dead_letter",
        *shared(),
        _must("created_us", BIG),
        _must("attempts", INT),
        _may("last_result", TEXT),
        _must("reason", TEXT),
        _must("died_us", BIG),
        _may("dropped_us", BIG),
        _may("body", BLOB),
    )
