"""The tables of settlement: totals of business days, requests for entries by hand, reconciliations."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Integer, LargeBinary, SmallInteger, Text

from .columns import key, may, must, table

# Every writer adds to rows of its own (shard), so that writers are not in each other's way.
day_total: Final = table(
    "day_total",
    key("bdate", Integer),
    key("institution", Text),
    key("role", SmallInteger),  # 1 acquirer, 2 issuer
    key("currency", SmallInteger),
    key("class", SmallInteger),  # 1 credits 3 debits 5 transfers, + 1 their reversals; 7 inquiries 8 authorisations
    key("shard", Integer),  # the chain of the writer
    must("n", BigInteger),
    must("amount", BigInteger),
    fillfactor=50,
)

# An entry that a person asks for, and another one approves.
approval: Final = table(
    "approval",
    key("approval_id", LargeBinary),
    must("action", Text),
    must("payload", Text),
    must("hash", LargeBinary),  # over all that is approved
    must("requested_by", Text),
    must("reason", Text),
    must("requested_us", BigInteger),
    must("expires_us", BigInteger),
    must("state", SmallInteger),  # 0 waiting, 1 carried out, 2 rejected
    may("decided_by", Text),
    may("decided_us", BigInteger),
)

# A partner's totals of a day, compared with ours; each figure that differs is a row of `reconciliation_break`.
reconciliation: Final = table(
    "reconciliation",
    key("idem_key", LargeBinary),  # the message that brought the partner's totals
    must("bdate", Integer),
    must("institution", Text),
    must("role", SmallInteger),
    must("currency", SmallInteger),
    must("compared", SmallInteger),  # how many figures
    must("at_us", BigInteger),
)

reconciliation_break: Final = table(
    "reconciliation_break",
    key("idem_key", LargeBinary),
    key("element", SmallInteger),  # of ISO 8583:1987
    must("theirs", BigInteger),
    must("ours", BigInteger),
)
