"""Rows of the ledger as the rules see them, and the numbers by which they are kept.

A row is never changed in place: a change is a new row. The one exception is `Account`, the only row touched by
every posting, whose every change goes through `Page.move`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Final

import attrs

from .approval_items import Proposal, payload_hash, read_payload
from .operations import AccountRef, Facts, NewDelivery
from .settlement_items import Break

INT64_MIN: Final = -(2**63)
INT64_MAX: Final = 2**63 - 1

NO_DEBITS: Final = 1
NO_CREDITS: Final = 2
CLOSED: Final = 4
LIMITED: Final = 8
"""Flags of an account."""


class EntryKind(IntEnum):
    """What an entry stands for."""

    PRINCIPAL = 1
    FEE = 2
    INTERCHANGE = 3
    FX = 4
    HOLD = 5
    RELEASE = 6
    LIMIT = 7
    REVERSAL = 8
    ADJUSTMENT = 20
    CHARGEBACK = 21


MOVEMENT_KINDS: Final = {
    "principal": int(EntryKind.PRINCIPAL),
    "fee": int(EntryKind.FEE),
    "interchange": int(EntryKind.INTERCHANGE),
    "fx": int(EntryKind.FX),
    "adjustment": int(EntryKind.ADJUSTMENT),
}
"""The kinds that a movement may have."""


class Standing(IntEnum):
    """Where a transaction stands."""

    HELD = 0
    COMPLETED = 1
    POSTED = 2
    REVERSED = 3
    EXPIRED = 4
    RELEASED = 6
    """Set aside and given back: declined by the peer, not answered, or given up."""
    TOMBSTONE = 9
    """Reversed before it came."""


MAY_BECOME: Final = {
    Standing.HELD: frozenset(
        [
            Standing.HELD,
            Standing.COMPLETED,
            Standing.POSTED,
            Standing.REVERSED,
            Standing.EXPIRED,
            Standing.RELEASED,
        ]
    ),
    Standing.COMPLETED: frozenset([Standing.COMPLETED, Standing.REVERSED]),
    Standing.POSTED: frozenset([Standing.POSTED, Standing.REVERSED]),
    Standing.EXPIRED: frozenset([Standing.EXPIRED, Standing.COMPLETED, Standing.POSTED, Standing.REVERSED]),
    Standing.RELEASED: frozenset([Standing.HELD]),  # its delivery was revived
    Standing.REVERSED: frozenset[Standing](),
    Standing.TOMBSTONE: frozenset[Standing](),
}
"""What a transaction may become from where it stands. A state that leads to itself was reversed in part."""


class Step(IntEnum):
    """What a stored message asked."""

    AUTHORISE = 1
    INQUIRE = 2
    CAPTURE = 3
    REVERSE = 4
    REFUSE = 5
    DISPATCH = 6
    RECONCILE = 7
    ADJUST = 8


class DayState(IntEnum):
    """Where a business day stands."""

    OPEN = 0
    CUT_OVER = 1


class Result(IntEnum):
    """How a stored message ended."""

    APPROVED = 1
    DECLINED = 2
    REFUSED = 3
    PEER_DECLINED = 4
    SILENT = 5
    ABANDONED = 6


class Sealed:
    """Bytes that stay encrypted until `reveal()` is called, and have no printable form."""

    __slots__ = ("_open",)

    def __init__(self, open_: Callable[[], bytes]) -> None:
        self._open = open_

    def reveal(self) -> bytes:
        return self._open()


REMOVED: Final = Sealed(lambda: b"")
"""What is left of a stored response that retention removed."""


def reveal(text: bytes | Sealed) -> bytes:
    """Give the bytes, decrypted if need be."""
    return text if type(text) is bytes else text.reveal()  # type: ignore[union-attr]


Leg = tuple[int, int, int, int]
"""One movement of a transaction: debit account, credit account, amount in minor units, kind."""

Entry = tuple[int, int, int, bytes, int, int, int, int, int, int, int, int]
"""account, seq, business date, transaction, kind, amount, balance after, held delta, held after, time in us, and
the chain and batch in which it was written."""


@attrs.define(eq=False)
class Account:
    """Identity and balance of an account; `floor` and `ceiling` are None where there is no limit.

    `overdraw` and `overfill` are the shortfall and excess that postings which had to be made have left; they let
    the row pass its own check, and shrink as the account recovers.
    """

    account_id: int
    currency: int
    posted: int
    held: int
    seq: int
    floor: int | None
    ceiling: int | None
    flags: int
    overdraw: int
    overfill: int


@attrs.define(eq=False)
class Holder:
    """What an account is, apart from its balance."""

    account_id: int
    code: str
    kind: str
    currency: int
    institution: str
    name: str = attrs.field(repr=False)
    floor: int | None
    created_us: int


@attrs.frozen
class AccountEvent:
    """What an operator changed about an account; `seq` is that of its entry, `change` a JSON object."""

    account_id: int
    seq: int
    bdate: int
    at_us: int
    who: str
    action: str
    reason: str = attrs.field(repr=False)
    change: str


@attrs.define(eq=False)
class Message:
    """A message that has its answer. `facts` and what follows are there only for one that is being written."""

    key: bytes
    fingerprint: bytes
    step: int
    txn_key: bytes
    type: str
    destination: str
    currency: int
    sent_trace: str | None
    response: bytes | Sealed = attrs.field(repr=False)
    facts: Facts | None = None
    result: int = 0
    reason: str | None = None
    code: str | None = None
    auth_code: str | None = None
    bdate: int = 0


@attrs.define(eq=False)
class Day:
    """A business day; a closed one tells when it was closed, and who asked for it."""

    bdate: int
    state: int
    opened_us: int
    cut_us: int | None
    cut_by: str | None


@attrs.define(eq=False)
class Approval:
    """A request for an entry by hand, and who decided it."""

    approval_id: bytes
    action: str
    payload: str
    hash: bytes
    requested_by: str
    reason: str = attrs.field(repr=False)
    requested_us: int
    expires_us: int
    state: int
    decided_by: str | None
    decided_us: int | None

    def find_proposal(self) -> Proposal | None:
        """Give what is proposed; None when the request is not as it was asked for."""
        told = payload_hash(self.action, self.payload, self.requested_by, self.reason, self.expires_us)
        return read_payload(self.action, self.payload) if told == self.hash else None


@attrs.define(eq=False)
class Comparison:
    """A partner's totals of a day compared with ours: how many figures, and those that differ."""

    key: bytes
    bdate: int
    institution: str
    role: int
    currency: int
    compared: int
    breaks: tuple[Break, ...]


@attrs.define(eq=False)
class Txn:
    """One payment over all its messages.

    `amount` is what stands of it in minor units; `legs` what its movements have set aside (held) or moved;
    `entries` packed (account, seq) pairs of every entry it caused, oldest first.
    """

    key: bytes
    state: int
    currency: int
    authorised: int
    amount: int
    legs: tuple[Leg, ...]
    entries: bytes
    expires_us: int | None
    reversal_key: bytes | None
    created_us: int


@attrs.define(eq=False)
class Flight:
    """A transaction on its way to a peer: what was set aside, and what happens if no answer comes."""

    facts: Facts
    link: str
    until_us: int
    sent_trace: str
    silence_response: bytes | Sealed = attrs.field(repr=False)
    silence_code: str
    reversal: NewDelivery | None
    sealed_reversal: Sealed | None = attrs.field(repr=False)
    """The body of `reversal`, where that has been read back and not yet opened."""
    legs: tuple[Leg, ...]
    entries: bytes
    keeps_hold: bool
    expires_us: int | None


@attrs.define(eq=False)
class Lane:
    """A queue's name, its last number given, and its session."""

    lane: str
    tail: int
    session: int


@attrs.define(eq=False)
class Delivery:
    """An outbound message that waits."""

    lane: str
    seq: int
    kind: str
    body: bytes | Sealed = attrs.field(repr=False)
    origin: bytes | None
    """The message that caused it."""
    settles: bytes | None
    created_us: int
    not_before_us: int
    expires_us: int | None
    attempts: int
    last_result: str | None


@attrs.define(eq=False)
class DeadLetter:
    """An outbound message that was given up; with `dropped_us` it is only a record, and its body is gone."""

    lane: str
    seq: int
    kind: str
    body: bytes | Sealed | None = attrs.field(repr=False)
    origin: bytes | None
    settles: bytes | None
    created_us: int
    attempts: int
    last_result: str | None
    reason: str
    died_us: int
    dropped_us: int | None


ADDITION: Final = "addition"
PART: Final = "part"
REFUND: Final = "refund"
"""What a message is to the payment that it names."""


@attrs.frozen
class Relation:
    """A message that belongs to another payment: what it is to it, and the amount that stands of it."""

    key: bytes
    original: bytes
    kind: str
    amount: int


UsageKey = tuple[int, int, str]
"""Account, period (yyyymmdd, yyyymm, or 0 for all time), and the processing code of a limit."""


@attrs.frozen
class Usage:
    """What was paid within a limit."""

    key: UsageKey
    amount: int
    count: int


@attrs.frozen
class LimitUse:
    """What a payment counts for, and in which periods and codes."""

    key: bytes
    account_id: int
    amount: int
    places: tuple[tuple[int, str], ...]


LaneSeq = tuple[str, int]
Ref = AccountRef
TotalsKey = tuple[int, str, int, int]
"""Business date, institution, role, currency."""
ClassKey = tuple[int, str, int, int, int]
"""The same, and a class of messages."""
