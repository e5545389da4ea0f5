"""Tables that only some payments need, each loaded by its key and written as it stands: one row of a list here.

`name` is that of the page's table and of what the plan wants. Rows are tuples of `columns`, the key's first.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import attrs
from sqlalchemy import Table

from . import schema
from .exchange_items import Exchange
from .limits import read_limits, write_limits
from .state import LimitUse, Relation, Usage

Row = tuple[Any, ...]


@attrs.frozen
class Kept:
    """One such table; `read` gives a row's value, `write` takes key and value."""

    name: str
    table: Table
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    read: Callable[[Row], Any]
    write: Callable[[Any, Any], Row]

    def key_of(self, row: Row) -> Any:
        """Give a row's key as the page knows it."""
        return row[0] if len(self.keys) == 1 else tuple(row[: len(self.keys)])

    def parts_of(self, key: Any) -> Row:
        """Give a key as columns."""
        return (key,) if len(self.keys) == 1 else tuple(key)


KEPT: Final = (
    Kept(
        "limits",
        schema.account_limits,
        ("account_id",),
        ("account_id", "limits"),
        lambda row: read_limits(row[1]),
        lambda key, value: (key, write_limits(value)),
    ),
    Kept(
        "usages",
        schema.limit_usage,
        ("account_id", "period", "processing_code"),
        ("account_id", "period", "processing_code", "amount", "count"),
        lambda row: Usage((row[0], row[1], row[2]), row[3], row[4]),
        lambda key, value: (*key, value.amount, value.count),
    ),
    Kept(
        "limit_uses",
        schema.limit_use,
        ("txn_key",),
        ("txn_key", "account_id", "amount", "places"),
        lambda row: LimitUse(row[0], row[1], row[2], tuple((period, code) for period, code in json.loads(row[3]))),
        lambda key, value: (key, value.account_id, value.amount, json.dumps(value.places)),
    ),
    Kept(
        "relations",
        schema.txn_relation,
        ("key",),
        ("key", "original", "kind", "amount"),
        lambda row: Relation(*row),
        lambda key, value: (key, value.original, value.kind, value.amount),
    ),
    Kept(
        "exchanges",
        schema.txn_exchange,
        ("txn_key",),
        (
            "txn_key",
            "currency",
            "amount",
            "account_currency",
            "customer_amount",
            "mid_amount",
            "spread_amount",
            "rate",
        ),
        lambda row: Exchange(*row),
        lambda key, value: (
            key,
            value.currency,
            value.amount_minor,
            value.account_currency,
            value.customer_minor,
            value.mid_minor,
            value.spread_minor,
            value.rate,
        ),
    ),
    Kept(
        "refunded",
        schema.txn_refunded,
        ("txn_key",),
        ("txn_key", "amount"),
        lambda row: row[1],
        lambda key, value: (key, value),
    ),
)
