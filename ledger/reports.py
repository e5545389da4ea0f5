"""What the books tell: rows for people and programs. Nothing here is secret but the body of a delivery.

Times in microseconds UTC, amounts in minor units, currencies as ISO 4217 letters.
"""

from __future__ import annotations

import attrs

from .exchange_items import Exchange
from .operations import Balance


@attrs.frozen
class MessageReport:
    """A message and how it ended; `result` is "open" while its answer is awaited."""

    key: bytes
    txn_key: bytes
    step: str
    result: str
    reason: str | None
    code: str | None
    source: str
    destination: str
    type: str
    processing_code: str
    purpose: str
    amount_minor: int
    currency: str
    stan: str | None
    rrn: str | None
    terminal: str | None
    pan_masked: str | None
    auth_code: str | None
    reference: str | None
    trace: str
    sent_trace: str | None
    received_us: int
    decided_us: int | None
    link: str | None = None
    until_us: int | None = None
    """While it is open: over which link it went, and until when an answer is awaited."""


@attrs.frozen
class EntryReport:
    """One entry of an account: signed amount, what was set aside by it, and both after it."""

    account: str
    seq: int
    bdate: int
    kind: str
    amount_minor: int
    balance_minor: int
    held_delta_minor: int
    held_minor: int
    txn_key: bytes
    at_us: int


@attrs.frozen
class LegReport:
    """One movement of a transaction, as it stands."""

    debit: str
    credit: str
    amount_minor: int
    kind: str


@attrs.frozen
class DeliveryReport:
    """A delivery that waits, without its body."""

    lane: str
    seq: int
    kind: str
    origin: bytes | None
    settles: bytes | None
    created_us: int
    not_before_us: int
    expires_us: int | None
    attempts: int
    last_result: str | None


@attrs.frozen
class HeadReport:
    """The first delivery of a lane, with its body."""

    lane: str
    seq: int
    kind: str
    body: bytes = attrs.field(repr=False)
    attempts: int
    not_before_us: int
    created_us: int
    expires_us: int | None


@attrs.frozen
class DeadLetterReport:
    """A delivery that was given up; `dropped_us` is set when it is only a record."""

    lane: str
    seq: int
    kind: str
    origin: bytes | None
    settles: bytes | None
    created_us: int
    attempts: int
    last_result: str | None
    reason: str
    died_us: int
    dropped_us: int | None


@attrs.frozen
class LaneReport:
    """A queue: how many wait, since when the oldest, the attempts of the first and its next try, the dead."""

    lane: str
    depth: int
    oldest_us: int | None
    attempts: int
    next_us: int | None
    dead: int
    session: int


@attrs.frozen
class AccountReport:
    """An account and what it holds; floor or ceiling None where there is no limit."""

    code: str
    kind: str
    currency: str
    institution: str
    name: str = attrs.field(repr=False)
    balance: Balance
    floor_minor: int | None
    ceiling_minor: int | None
    overdraw_minor: int
    is_closed: bool
    takes_debits: bool
    takes_credits: bool
    entries: int
    created_us: int


@attrs.frozen
class BalanceReport:
    """What an account held after one of its entries; `seq` 0 and no time before its first."""

    code: str
    currency: str
    seq: int
    at_us: int | None
    posted_minor: int
    held_minor: int


@attrs.frozen
class AccountEventReport:
    """What an operator changed about an account, and why; `change` is a JSON object."""

    account: str
    seq: int
    bdate: int
    at_us: int
    who: str
    action: str
    reason: str
    change: str


@attrs.frozen
class LimitReport:
    """A limit of an account, and what counts towards it now."""

    processing_code: str
    period: str
    amount_minor: int | None
    count: int | None
    used_minor: int
    used_count: int


@attrs.frozen
class ExportReport:
    """One entry with all that another system needs to book it."""

    bdate: int
    account: str
    seq: int
    at_us: int
    kind: str
    currency: str
    amount_minor: int
    balance_minor: int
    held_delta_minor: int
    held_minor: int
    txn_key: bytes


@attrs.frozen
class RelationReport:
    """A message that belongs to another payment: `kind` addition, part or refund, and the amount that stands."""

    key: bytes
    original: bytes
    kind: str
    amount_minor: int


@attrs.frozen
class TransactionReport:
    """One payment over all its messages; `state` is None when nothing of it was ever set aside or moved."""

    key: bytes
    state: str | None
    currency: str
    authorised_minor: int
    amount_minor: int
    """What stands of it."""
    expires_us: int | None
    legs: tuple[LegReport, ...]
    messages: tuple[MessageReport, ...]
    entries: tuple[EntryReport, ...]
    deliveries: tuple[DeliveryReport, ...]
    dead_letters: tuple[DeadLetterReport, ...]
    exchange: Exchange | None = None
    related: tuple[RelationReport, ...] = ()
    """What was added to it, completed in part, or refunded of it; and what it is itself a part or refund of."""


@attrs.frozen
class TrialBalance:
    """All accounts of one currency; `total_minor` is zero in sound books."""

    currency: str
    total_minor: int
    debit_minor: int
    credit_minor: int
    held_minor: int
    accounts: int
