"""The statements of a posting in PostgreSQL: every one takes arrays, so that a batch is one statement per table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import BigInteger, Boolean, Integer, LargeBinary, SmallInteger, Table, Text

from . import literals, rows, schema
from .chain import BATCH
from .own_chain import ADVANCE, HEAD

_TYPES: Final = {
    BigInteger: "bigint",
    Integer: "integer",
    SmallInteger: "smallint",
    Boolean: "boolean",
    LargeBinary: "bytea",
    Text: "text",
}


class Insert:
    """Rows into a table, as one statement over arrays."""

    def __init__(self, table: Table, names: Sequence[str], tail: str = "") -> None:
        self._types = [_type(table, name) for name in names]
        # Unnested as columns of the result: in FROM, every array would be stored and read once more.
        arrays = ", ".join(f"unnest(%s::{type_}[])" for type_ in self._types)
        self.sql = f"INSERT INTO {table.name} ({', '.join(names)}) SELECT {arrays} {tail}"

    def parameters(self, values: Sequence[rows.Row]) -> list[str]:
        return _arrays(self._types, values)


class Update:
    """Columns of rows found by their key, as one statement over arrays; each row: key columns, then the others."""

    def __init__(self, table: Table, keys: Sequence[str], names: Sequence[str]) -> None:
        self._types = [_type(table, name) for name in (*keys, *names)]
        columns = zip((*keys, *names), self._types, strict=True)
        arrays = ", ".join(f"unnest(%s::{type_}[]) AS {name}" for name, type_ in columns)
        changes = ", ".join(f"{name} = v.{name}" for name in names)
        found = " AND ".join(f"{table.name}.{name} = v.{name}" for name in keys)
        self.sql = f"UPDATE {table.name} SET {changes} FROM (SELECT {arrays}) AS v WHERE {found}"

    def parameters(self, values: Sequence[rows.Row]) -> list[str]:
        return _arrays(self._types, values)


class Delete:
    """Rows found by their key, as one statement over arrays."""

    def __init__(self, table: Table, keys: Sequence[str]) -> None:
        self._types = [_type(table, name) for name in keys]
        arrays = ", ".join(f"%s::{type_}[]" for type_ in self._types)
        found = " AND ".join(f"{table.name}.{name} = v.{name}" for name in keys)
        self.sql = f"DELETE FROM {table.name} USING unnest({arrays}) AS v({', '.join(keys)}) WHERE {found}"

    def parameters(self, values: Sequence[rows.Row]) -> list[str]:
        return _arrays(self._types, values)


Statement = Insert | Update | Delete


def _type(table: Table, name: str) -> str:
    return _TYPES[type(table.c[name].type)]


def _arrays(types: Sequence[str], values: Sequence[rows.Row]) -> list[str]:
    return [literals.BY_TYPE[type_](column) for type_, column in zip(types, zip(*values, strict=True), strict=True)]


def select(table: Table, names: Sequence[str], keys: Sequence[str], *, lock: bool = True) -> str:
    """Rows by their keys, in the keys' order, which is the order in which they are locked."""
    columns = ", ".join(f"t.{name}" for name in names)
    end = f"ORDER BY {', '.join('t.' + name for name in keys)} FOR UPDATE OF t" if lock else ""
    if len(keys) == 1:
        return f"SELECT {columns} FROM {table.name} t WHERE t.{keys[0]} = ANY(%s::{_type(table, keys[0])}[]) {end}"
    arrays = ", ".join(f"%s::{_type(table, name)}[]" for name in keys)
    found = " AND ".join(f"t.{name} = k.{name}" for name in keys)
    return f"SELECT {columns} FROM unnest({arrays}) AS k({', '.join(keys)}) JOIN {table.name} t ON {found} {end}"


BALANCES: Final = select(schema.balance, rows.BALANCE, ("account_id",))
MESSAGES: Final = select(schema.message, rows.KNOWN_MESSAGE, ("idem_key",), lock=False)
TXNS: Final = select(schema.txn, rows.TXN, ("txn_key",))
FLIGHTS: Final = select(schema.in_flight, rows.FLIGHT, ("idem_key",))
LANES: Final = select(schema.lane, rows.LANE, ("lane",))
DELIVERIES: Final = select(schema.delivery, rows.DELIVERY, ("lane", "seq"))
DEAD_LETTERS: Final = select(schema.dead_letter, rows.DEAD_LETTER, ("lane", "seq"))
HOLDERS: Final = (
    f"SELECT {', '.join('a.' + name for name in rows.ACCOUNT)}, b.floor FROM account a"
    " JOIN balance b USING (account_id) WHERE a.code = ANY(%s::text[])"
)
ACCOUNT_IDS: Final = "SELECT code, account_id FROM account WHERE code = ANY(%s::text[])"
CARD_ACCOUNTS: Final = (
    "SELECT card_ref, account_id FROM card WHERE card_ref = ANY(%s::bytea[]) ORDER BY card_ref, ordinal"
)
ACCOUNT_CARDS: Final = (
    "SELECT a.code, c.card_ref FROM account a JOIN card c ON c.account_id = a.account_id"
    " WHERE a.code = ANY(%s::text[])"
)
ACCOUNT_ID_MAX: Final = "SELECT coalesce(max(account_id), 0) FROM account"
OVERDUE: Final = (
    f"SELECT {', '.join(rows.FLIGHT)} FROM in_flight WHERE until_us < %s"
    " ORDER BY until_us, idem_key LIMIT %s FOR UPDATE"
)
EXPIRED: Final = (
    f"SELECT {', '.join(rows.TXN)} FROM txn WHERE state = 0 AND expires_us IS NOT NULL AND expires_us < %s"
    " ORDER BY expires_us, txn_key LIMIT %s FOR UPDATE"
)
CLOCK: Final = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
CHAIN_HEAD: Final = HEAD.replace("?", "%s") + " FOR UPDATE"
CHAIN_ADVANCE: Final = ADVANCE.replace("?", "%s")
HEADS: Final = (
    "UPDATE lane SET head_seq = coalesce((SELECT min(d.seq) FROM delivery d WHERE d.lane = lane.lane"
    " AND d.seq > lane.head_seq), tail_seq + 1) - 1 WHERE lane = ANY(%s::text[])"
)

INSERT_ACCOUNTS: Final = Insert(schema.account, rows.ACCOUNT)
UPDATE_NAMES: Final = Update(schema.account, ("code",), ("name",))
INSERT_ACCOUNT_EVENTS: Final = Insert(schema.account_event, rows.ACCOUNT_EVENT)
AMEND_BALANCES: Final = Update(schema.balance, ("account_id",), rows.AMENDED)
DELETE_CARDS: Final = Delete(schema.card, ("card_ref",))
INSERT_CARDS: Final = Insert(schema.card, rows.CARD)
INSERT_BALANCES: Final = Insert(schema.balance, rows.BALANCE)
UPDATE_BALANCES: Final = Update(schema.balance, ("account_id",), ("posted", "held", "seq", "overdraw", "overfill"))
INSERT_ENTRIES: Final = Insert(schema.entry, rows.ENTRY)
INSERT_MESSAGES: Final = Insert(schema.message, rows.MESSAGE)
INSERT_BATCHES: Final = Insert(schema.journal_batch, BATCH)
INSERT_TXNS: Final = Insert(schema.txn, rows.TXN)
UPDATE_TXNS: Final = Update(schema.txn, rows.TXN[:1], rows.TXN[1:])
DELETE_FLIGHTS: Final = Delete(schema.in_flight, ("idem_key",))
INSERT_FLIGHTS: Final = Insert(schema.in_flight, rows.FLIGHT)
INSERT_LANES: Final = Insert(schema.lane, (*rows.LANE, "head_seq"))
UPDATE_LANES: Final = Update(schema.lane, ("lane",), ("tail_seq", "session"))
INSERT_DELIVERIES: Final = Insert(schema.delivery, rows.DELIVERY)
UPDATE_DELIVERIES: Final = Update(schema.delivery, ("lane", "seq"), ("not_before_us", "attempts", "last_result"))
DELETE_DELIVERIES: Final = Delete(schema.delivery, ("lane", "seq"))
INSERT_DEAD_LETTERS: Final = Insert(schema.dead_letter, rows.DEAD_LETTER)
UPDATE_DEAD_LETTERS: Final = Update(schema.dead_letter, ("lane", "seq"), ("body", "reason", "dropped_us"))
DELETE_DEAD_LETTERS: Final = Delete(schema.dead_letter, ("lane", "seq"))
