"""The tables of the ledger, the same for PostgreSQL and SQLite.

Amounts are BIGINT minor units, times BIGINT microseconds UTC, dates INTEGER yyyymmdd, keys 16 bytes. Tables that
every payment writes have no foreign keys, triggers or sequences: the rules keep them, and each costs more than the
row. A floor or ceiling of NULL is no limit. Columns marked sealed hold what `vault` has encrypted.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    text,
)

from .columns import key as _key
from .columns import may as _may
from .columns import metadata as metadata
from .columns import must as _must
from .columns import table as _table

currency: Final = _table(
    "currency",
    _key("code", SmallInteger),
    _must("alpha", Text, unique=True),
    _must("exponent", SmallInteger),
    CheckConstraint("exponent BETWEEN 0 AND 4", name="exponent_ok"),
)

business_day: Final = _table(
    "business_day",
    _key("bdate", Integer),
    _must("state", SmallInteger),  # 0 open, 1 cut over, 2 reconciled, 3 settled
    _must("opened_us", BigInteger),
    _may("root", LargeBinary),  # over the ends of all chains when the day was cut over
    _may("cut_us", BigInteger),
    _may("cut_by", Text),  # who asked for the cutover, and the asking
    CheckConstraint("state BETWEEN 0 AND 3", name="state_ok"),
)

account: Final = _table(
    "account",
    _key("account_id", BigInteger),
    _must("code", Text, unique=True),
    _must("kind", Text),
    _must("currency", SmallInteger),
    _must("institution", Text),
    _must("name", Text),
    _must("created_us", BigInteger),
)

card: Final = _table(
    "card",
    _key("card_ref", LargeBinary),
    _key("ordinal", SmallInteger),  # 0 is the card's first account
    _must("account_id", BigInteger),
)

Index("card_account", card.c.account_id)

# What an operator changed: inserted once, never changed; its number is that of an entry without an amount.
account_event: Final = _table(
    "account_event",
    _key("account_id", BigInteger),
    _key("seq", BigInteger),
    _must("bdate", Integer),
    _must("at_us", BigInteger),
    _must("who", Text),
    _must("action", Text),
    _must("reason", Text),
    _must("change", Text),  # JSON: what changed, from what to what
)

# The limits of an account that has some (flag 8 of its balance), and what counts towards them.
account_limits: Final = _table(
    "account_limits",
    _key("account_id", BigInteger),
    _must("limits", Text),  # JSON: [processing code, period, amount, count], ...
)

limit_usage: Final = _table(
    "limit_usage",
    _key("account_id", BigInteger),
    _key("period", Integer),  # yyyymmdd, yyyymm, or 0 for all time
    _key("processing_code", Text),
    _must("amount", BigInteger),
    _must("count", BigInteger),
    CheckConstraint("amount >= 0 AND count >= 0", name="used_ok"),
)

limit_use: Final = _table(
    "limit_use",
    _key("txn_key", LargeBinary),
    _must("account_id", BigInteger),
    _must("amount", BigInteger),
    _must("places", Text),  # JSON: [period, processing code], ...
)

# The one row that every posting updates: half empty pages keep its new versions beside the old.
balance: Final = _table(
    "balance",
    _key("account_id", BigInteger),
    _must("currency", SmallInteger),
    _must("posted", BigInteger),  # credit positive
    _must("held", BigInteger),
    _must("seq", BigInteger),  # number of entries
    _may("floor", BigInteger),  # lowest posted - held
    _may("ceiling", BigInteger),  # highest posted
    _must("flags", SmallInteger),  # 1 no debits, 2 no credits, 4 closed, 8 has limits
    _must("overdraw", BigInteger),  # shortfall left by postings that had to be made
    _must("overfill", BigInteger),
    CheckConstraint("held >= 0", name="held_ok"),
    CheckConstraint("overdraw >= 0 AND overfill >= 0", name="excess_ok"),
    CheckConstraint("posted - held >= floor - overdraw", name="floor_ok"),
    CheckConstraint("posted <= ceiling + overfill", name="ceiling_ok"),
    fillfactor=50,
)


def _facts() -> list[Column[Any]]:
    """Columns for what is kept of a message, to find and to show it."""
    return [
        _must("fingerprint", LargeBinary),
        _must("source", Text),
        _must("destination", Text),
        _must("type", Text),
        _must("received_us", BigInteger),
        _must("trace", Text),
        _must("processing_code", Text),
        _must("amount", BigInteger),
        _must("currency", SmallInteger),
        _may("stan", Text),
        _may("rrn", Text),
        _may("terminal", Text),
        _may("pan_masked", Text),
        _may("card_ref", LargeBinary),
        _may("auth_code", Text),
        _may("reference", Text),
        _must("purpose", Text),
    ]


def _place_in_chain() -> list[Column[Any]]:
    """Columns that say in which batch of which chain a row was written."""
    return [_must("chain_id", Integer), _must("batch_n", BigInteger)]


# A message that has its answer: inserted once, never changed.
message: Final = _table(
    "message",
    _key("idem_key", LargeBinary),
    *_facts(),
    _must("bdate", Integer),
    _must("step", SmallInteger),
    _must("result", SmallInteger),
    _may("reason", Text),
    _may("code", Text),
    _may("sent_trace", Text),
    _must("txn_key", LargeBinary),
    _must("decided_us", BigInteger),
    _must("response", LargeBinary),  # sealed; empty once retention removed it
    *_place_in_chain(),
    _may("private_hash", LargeBinary),  # over what retention may remove, with the salt
    _may("salt", LargeBinary),
)
Index("message_received", message.c.received_us, postgresql_using="brin").ddl_if(dialect="postgresql")

# A message on its way to a peer; it becomes a row of `message` when it ends.
in_flight: Final = _table(
    "in_flight",
    _key("idem_key", LargeBinary),
    *_facts(),
    _must("link", Text),
    _must("until_us", BigInteger),
    _must("sent_trace", Text),
    _must("silence_code", Text),
    _must("silence_response", LargeBinary),  # sealed
    _may("reversal_lane", Text),
    _may("reversal_kind", Text),
    _may("reversal_settles", LargeBinary),
    _may("reversal_expires_us", BigInteger),
    _may("reversal", LargeBinary),  # sealed
    _must("legs", LargeBinary),
    _must("entries", LargeBinary),
    _must("keeps_hold", Boolean),
    _may("expires_us", BigInteger),
)
Index("in_flight_until", in_flight.c.until_us)

txn: Final = _table(
    "txn",
    _key("txn_key", LargeBinary),
    _must("state", SmallInteger),  # 0 held 1 completed 2 posted 3 reversed 4 expired 6 released 9 tombstone
    _must("currency", SmallInteger),
    _must("authorised", BigInteger),
    _must("amount", BigInteger),  # what stands
    _must("legs", LargeBinary),  # packed (debit, credit, amount, kind)
    _must("entries", LargeBinary),  # packed (account_id, seq)
    _may("expires_us", BigInteger),
    _may("reversal_key", LargeBinary),
    _must("created_us", BigInteger),
    _must("updated_us", BigInteger),
    CheckConstraint("amount >= 0", name="amount_ok"),
)
_EXPIRES: Final = text("state = 0 AND expires_us IS NOT NULL")
Index("txn_expiry", txn.c.expires_us, postgresql_where=_EXPIRES, sqlite_where=_EXPIRES)

# A message that belongs to another payment: an addition to its hold, a part of it, a refund.
txn_relation: Final = _table(
    "txn_relation",
    _key("key", LargeBinary),
    _must("original", LargeBinary),
    _must("kind", Text),
    _must("amount", BigInteger),
)
Index("txn_relation_original", txn_relation.c.original)

# A payment whose holder's account has another currency: both amounts, and how one came from the other.
txn_exchange: Final = _table(
    "txn_exchange",
    _key("txn_key", LargeBinary),
    _must("currency", SmallInteger),
    _must("amount", BigInteger),
    _must("account_currency", SmallInteger),
    _must("customer_amount", BigInteger),
    _must("mid_amount", BigInteger),
    _must("spread_amount", BigInteger),
    _must("rate", Text),
)

txn_refunded: Final = _table(
    "txn_refunded",
    _key("txn_key", LargeBinary),
    _must("amount", BigInteger),
    CheckConstraint("amount >= 0", name="refunded_ok"),
)

entry: Final = _table(
    "entry",
    _key("account_id", BigInteger),
    _key("seq", BigInteger),
    _must("bdate", Integer),
    _must("txn_key", LargeBinary),
    _must("kind", SmallInteger),  # a number of `state.EntryKind`
    _must("amount", BigInteger),
    _must("balance", BigInteger),
    _must("held_delta", BigInteger),
    _must("held", BigInteger),
    _must("at_us", BigInteger),
    *_place_in_chain(),
)

# The ends of the hash chains, one per writer; chain 0 is what was there before them.
chain: Final = _table(
    "chain",
    _key("chain_id", Integer),
    _must("epoch", Integer),  # counts its writers: one that was replaced finds another number
    _must("batch_n", BigInteger),
    _must("hash", LargeBinary),
    _must("owner", Text),
    _must("lease_until_us", BigInteger),
    fillfactor=50,
)

# The ends of all chains when a business day was cut over, before the cutover's own batch.
anchor: Final = _table(
    "anchor",
    _key("bdate", Integer),
    _key("chain_id", Integer),
    _must("epoch", Integer),
    _must("batch_n", BigInteger),
    _must("hash", LargeBinary),
)

# What was added in one commit: inserted once, never changed.
journal_batch: Final = _table(
    "journal_batch",
    _key("chain_id", Integer),
    _key("batch_n", BigInteger),
    _must("form", SmallInteger),  # which columns the hash covers
    _must("epoch", Integer),
    _must("at_us", BigInteger),
    _must("bdate", Integer),
    _must("messages", BigInteger),
    _must("entries", BigInteger),
    _must("events", BigInteger),
    _must("marks", LargeBinary),  # a name and a checksum of each row
    _must("prev", LargeBinary),
    _must("hash", LargeBinary),
)

lane: Final = _table(
    "lane",
    _key("lane", Text),
    _must("tail_seq", BigInteger),
    _must("head_seq", BigInteger),  # nothing waits at or before it
    _must("session", Integer),
)

delivery: Final = _table(
    "delivery",
    _key("lane", Text),
    _key("seq", BigInteger),
    _must("kind", Text),
    _may("origin", LargeBinary),  # the message that caused it
    _may("settles", LargeBinary),  # the transaction whose hold it settles
    _must("created_us", BigInteger),
    _must("not_before_us", BigInteger),
    _may("expires_us", BigInteger),
    _must("attempts", Integer),
    _may("last_result", Text),
    _must("body", LargeBinary),  # sealed
)

dead_letter: Final = _table(
    "dead_letter",
    _key("lane", Text),
    _key("seq", BigInteger),
    _must("kind", Text),
    _may("origin", LargeBinary),  # the message that caused it
    _may("settles", LargeBinary),  # the transaction whose hold it settles
    _must("created_us", BigInteger),
    _must("attempts", Integer),
    _may("last_result", Text),
    _must("reason", Text),
    _must("died_us", BigInteger),
    _may("dropped_us", BigInteger),  # dropped for good: only a record, without a body
    _may("body", LargeBinary),  # sealed
)

# The keys of the vault, each wrapped under a key-encryption key that is not in the database.
data_key: Final = _table(
    "data_key",
    _key("kid", LargeBinary),
    _must("purpose", Text),  # data or card-hash
    _must("state", SmallInteger),  # 0 pre-active 1 active 2 decrypt-only 3 destroyed
    _must("kek", LargeBinary),  # the id of the key that wrapped it
    _may("wrapped", LargeBinary),
    _must("created_us", BigInteger),
    _may("activated_us", BigInteger),
    _may("retired_us", BigInteger),
    _may("destroyed_us", BigInteger),
    CheckConstraint("state BETWEEN 0 AND 3", name="state_ok"),
    CheckConstraint("(state = 3) = (wrapped IS NULL)", name="wrapped_ok"),
)
_ACTIVE: Final = text("state = 1")
Index("data_key_active", data_key.c.purpose, unique=True, postgresql_where=_ACTIVE, sqlite_where=_ACTIVE)
