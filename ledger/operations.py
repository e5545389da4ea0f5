"""What may be asked of the books, and what they answer: the items of a batch and their outcomes.

Every item is decided by itself, in order, inside one database transaction per batch. An item is a value; whatever
it needs from outside (time, texts, codes) comes in it. Two kinds of pure functions ride along, because the answer
to a peer is stored in the commit that decides it:

- `render`: decision -> bytes of the response. It must be pure: a batch that is run again renders again.
- `forward`: original transaction -> the delivery that tells the original's destination, or None.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Final

import attrs

from ..codecs.values import often
from .account_items import AccountItem
from .approval_items import ApprovalItem
from .exchange_items import Quote
from .settlement_items import CutOver, Reconcile


@attrs.frozen
class CardAccount:
    """An account by its code, on behalf of a card: unknown unless the account is one of that card's."""

    card_ref: bytes
    code: str = attrs.field(repr=False)


AccountRef = str | bytes | CardAccount
"""An account by its code, by a card's keyed hash (16 bytes: the card's first account), or by both."""

LEDGER: Final = "ledger"
"""The destination that is our own books."""


class Reason(Enum):
    """Why the books decline, in the order in which they check: the first that holds is the answer."""

    ALREADY_REVERSED = "a reversal of this message came first"
    UNKNOWN_ACCOUNT = "the account to debit or ask is unknown"
    UNKNOWN_COUNTERPARTY = "the account to credit is unknown"
    CLOSED = "an account is closed"
    BLOCKED = "an account is blocked for this direction"
    WRONG_CURRENCY = "an account has another currency"
    INVALID_AMOUNT = "the amount is zero, negative or does not fit"
    EXCEEDS_FUNDS = "available funds do not suffice"
    EXCEEDS_CEILING = "the account may not hold that much"
    UNKNOWN_ORIGINAL = "nothing like it was paid that could be refunded"
    EXCEEDS_REFUNDABLE = "more would be refunded than is left of what was paid"
    EXCEEDS_LIMIT = "more is paid than the account's limits allow"
    EXCEEDS_COUNT = "more often is paid than the account's limits allow"


@often
class Facts:
    """What is kept of a message, to find it again and to show it; nothing here is secret.

    times in microseconds UTC; currency as ISO 4217 number; `pan_masked` and `card_ref` never give the card back.
    """

    key: bytes
    fingerprint: bytes
    source: str
    destination: str
    type: str
    received_us: int
    trace: str
    processing_code: str = ""
    amount_minor: int = 0
    currency: int = 0
    stan: str | None = None
    rrn: str | None = None
    terminal: str | None = None
    pan_masked: str | None = None
    card_ref: bytes | None = None
    auth_code: str | None = None
    reference: str | None = None
    """UETR or field 20 of an MT message."""
    purpose: str = ""


@often
class Movement:
    """An amount in minor units from one account to another, both in `currency` (ISO 4217 number)."""

    debit: AccountRef = attrs.field(repr=False)
    credit: AccountRef = attrs.field(repr=False)
    amount_minor: int
    currency: int
    kind: str = "principal"


@attrs.frozen
class NewDelivery:
    """An outbound message that must get there, appended to its destination's lane.

    `body` is kept encrypted. `settles`: the transaction whose hold is posted when the peer acknowledges, and
    released when the delivery is given up.
    """

    lane: str
    kind: str
    body: bytes = attrs.field(repr=False)
    settles: bytes | None = None
    expires_us: int | None = None


@often
class Balance:
    """What an account holds: posted, held, and available (posted - held - floor), in minor units."""

    posted: int
    held: int
    available: int
    currency: int


# ---------------------------------------------------------------- decisions (what a render function is given)


@often
class Approved:
    """Yes. `amount_minor` is what was held, posted or reversed; `balance` that of the debited or asked account."""

    amount_minor: int = 0
    balance: Balance | None = None


@often
class Declined:
    """No, and the first reason that held; none when a peer declined, with `code` as its response code."""

    reason: Reason | None
    code: str = ""


Decision = Approved | Declined
Render = Callable[[Decision], bytes]


@attrs.frozen
class Original:
    """What a reversal or completion needs to know of the transaction it names."""

    key: bytes
    type: str
    destination: str
    amount_minor: int
    """Authorised or posted amount that still stands before this message."""
    currency: int
    sent_trace: str | None
    """What `Dispatch.sent_trace` or a forwarding delivery left there: how the peer knows the original."""


Forward = Callable[[Original], NewDelivery | None]


# ---------------------------------------------------------------- items


@often
class Authorise:
    """Decide a message on our own books: hold or post, and store the response, in one commit.

    With `hold`, the movements are set aside until `expires_us` and posted by a later Capture (or by the delivery
    that settles them). `forced`: an advice, which passes the floor. `deliveries` are appended when it is approved.
    `sent_trace`: set when a delivery forwards this very message, so that a later reversal can name it.
    `adds_to`: the hold that is to grow by this one; without a live hold between the same accounts it stands alone.
    `exchange`: its price in the currencies that the holder's account may have instead of the payment's.
    `refunds`: the payment that is given back, never more than is left of it.
    Outcomes: Decided, Answered, InProgress, Conflict.
    """

    facts: Facts
    movements: tuple[Movement, ...]
    render: Render = attrs.field(repr=False)
    hold: bool = False
    forced: bool = False
    expires_us: int | None = None
    deliveries: tuple[NewDelivery, ...] = ()
    sent_trace: str | None = None
    adds_to: bytes | None = None
    refunds: bytes | None = None
    exchange: tuple[Quote, ...] = ()


@attrs.frozen
class Inquire:
    """Tell an account's balance and store the response. Outcomes: Decided, Answered, InProgress, Conflict."""

    facts: Facts
    account: AccountRef = attrs.field(repr=False)
    render: Render = attrs.field(repr=False)


@often
class Capture:
    """Complete an earlier hold: release what is held, post `amount_minor`, whatever the floor.

    Without a live hold (unknown, expired, already captured) `movements` are posted as a forced posting. `forward`
    is asked when the original went to a peer; when there is no original, `deliveries` are appended instead. One that
    is not `final` leaves the rest of the hold in place, and is a payment of its own, to be reversed by itself.
    Outcomes: Decided, Answered, InProgress, Conflict.
    """

    facts: Facts
    original_key: bytes
    amount_minor: int
    movements: tuple[Movement, ...]
    render: Render = attrs.field(repr=False)
    forward: Forward = attrs.field(repr=False)
    deliveries: tuple[NewDelivery, ...] = ()
    sent_trace: str | None = None
    final: bool = True
    exchange: tuple[Quote, ...] = ()


@attrs.frozen
class Reverse:
    """Undo an earlier message, or all but `replacement_minor` of it; applied once, always accepted.

    An original still in flight to a peer is concluded as silence first. An unknown original leaves a tombstone, so
    that it is declined when it comes late. Outcomes: Decided, Answered, Conflict.
    """

    facts: Facts
    original_key: bytes
    render: Render = attrs.field(repr=False)
    forward: Forward = attrs.field(repr=False)
    replacement_minor: int | None = None


@attrs.frozen
class Refuse:
    """Store a response to a message that moves nothing (no road, not permitted). Outcomes: Decided, Answered, ..."""

    facts: Facts
    response: bytes = attrs.field(repr=False)
    code: str


@often
class Dispatch:
    """Write before you speak: open a transaction, set its movements aside, and note over which link it goes.

    If no answer is recorded by `until_us`, `silence_response` becomes the answer and `reversal` a delivery, whoever
    notices (this process or the next). `movements` may be empty. With `keeps_hold` (0100) an approval leaves the
    hold in place until `expires_us`; otherwise an approval posts it.
    Outcomes: Opened, Answered, InProgress, Conflict, Decided (declined: cap reached or already reversed; `render`).
    """

    facts: Facts
    movements: tuple[Movement, ...]
    link: str
    until_us: int
    silence_response: bytes = attrs.field(repr=False)
    silence_code: str
    reversal: NewDelivery | None
    sent_trace: str
    render: Render = attrs.field(repr=False)
    keeps_hold: bool = False
    expires_us: int | None = None


@attrs.frozen
class Redirect:
    """Note that an open transaction, of which nothing was sent, goes over another link, perhaps to another peer.

    What was set aside for the first peer is released, `movements` are set aside instead; the other fields replace
    those of the Dispatch. Outcomes: Opened, Late (ended meanwhile), Decided (declined: the new peer's cap is reached;
    the transaction ends, `render`'s response is stored).
    """

    key: bytes
    link: str
    until_us: int
    destination: str
    movements: tuple[Movement, ...]
    reversal: NewDelivery | None
    sent_trace: str
    render: Render = attrs.field(repr=False)


@often
class Conclude:
    """Record the peer's answer: post, keep or release what was set aside, and store the response, in one commit.

    `amount_minor`: what the peer approved (a partial approval may be less than asked).
    Outcomes: Decided, or Late when the transaction has ended without it.
    """

    key: bytes
    approved: bool
    amount_minor: int
    code: str
    response: bytes = attrs.field(repr=False)
    auth_code: str | None = None


@attrs.frozen
class Abandon:
    """Nothing was sent and no link is left: release, and store `response`. Outcomes: Decided, Late."""

    key: bytes
    response: bytes = attrs.field(repr=False)
    code: str


@attrs.frozen
class Silence:
    """Sent, and no answer in time: release, store the prepared response, queue the reversal, in one commit.

    Outcomes: Silenced, or Late when an answer was recorded first.
    """

    key: bytes


@attrs.frozen
class SilenceOverdue:
    """Treat open transactions whose time passed before `before_us` exactly as Silence, oldest first.

    `except_keys`: those which this process still waits for. Outcome: Swept.
    """

    before_us: int
    most: int
    except_keys: frozenset[bytes] = frozenset()


@attrs.frozen
class ExpireHolds:
    """Release holds whose time passed before `before_us`, oldest first. Outcome: Swept."""

    before_us: int
    most: int


@attrs.frozen
class Delivered:
    """The peer acknowledged the head of a lane: remove it, and post the hold it settles. Outcome: Done, Gone."""

    lane: str
    seq: int


@attrs.frozen
class Attempt:
    """Write before you speak: the head of a lane is about to be sent (once more). Counts the attempt. Done, Gone.

    `until_us`: until then an answer is awaited, so that nobody else sends it meanwhile. Done.number: the attempt.
    """

    lane: str
    seq: int
    until_us: int


@attrs.frozen
class Postpone:
    """An attempt failed: try the same delivery again from `not_before_us`; counts nothing. Outcome: Done, Gone."""

    lane: str
    seq: int
    not_before_us: int
    result: str


@attrs.frozen
class Bury:
    """Give a delivery up: move it to the dead letters with its reason. Outcome: Done, Gone.

    With `releases`, what its transaction set aside is released: the peer refused it, or never got it. Without, it
    stays set aside, because the peer may have it: an operator revives the dead letter or drops it.
    """

    lane: str
    seq: int
    reason: str
    releases: bool = True


@attrs.frozen
class Revive:
    """Put a dead letter at the end of its lane again, its attempts forgotten. Outcome: Done, Gone.

    A hold that it settled is set aside again, past the floor if need be, because the payment is to go on.
    """

    lane: str
    seq: int


@attrs.frozen
class Drop:
    """Discard a waiting delivery or a dead letter for good, with an operator's reason. Outcome: Done, Gone.

    What its transaction still has set aside is released.
    """

    lane: str
    seq: int
    reason: str


@attrs.frozen
class NextSession:
    """Count a lane's session number up and give it (FIN sessions: 1 to 9999, then 1). Outcome: Done(number)."""

    lane: str


@attrs.frozen
class OpenAccount:
    """Create an account. Outcomes: Done, or Declined... as Failed when the code exists with other content.

    `floor_minor`: the lowest allowed (posted - held): 0, minus a credit line, or None for no limit.
    `cards`: keyed hashes of cards whose account it is.
    """

    code: str
    kind: str
    currency: int
    institution: str
    created_us: int
    floor_minor: int | None = 0
    name: str = attrs.field(default="", repr=False)
    cards: tuple[bytes, ...] = ()


Item = (
    Authorise | Inquire | Capture | Reverse | Refuse | Dispatch | Redirect | Conclude | Abandon | Silence
    | SilenceOverdue | ExpireHolds | Delivered | Attempt | Postpone | Bury | Revive | Drop | NextSession | OpenAccount
    | AccountItem | CutOver | Reconcile | ApprovalItem
)  # fmt: skip


# ---------------------------------------------------------------- outcomes


@often
class Decided:
    """Decided now, and stored with its response. `lanes`: lanes that got a delivery, for couriers to wake.

    `decision` is None where the books had none to make: refused, abandoned, or declined by the peer.
    """

    decision: Decision | None
    response: bytes = attrs.field(repr=False)
    lanes: tuple[str, ...] = ()


@often
class Answered:
    """The same message was answered before: its stored response, byte for byte."""

    response: bytes = attrs.field(repr=False)


@attrs.frozen
class InProgress:
    """The same message is on its way to a peer: the first one will be answered."""


@attrs.frozen
class Conflict:
    """The key is known with other content."""


@attrs.frozen
class Opened:
    """Recorded as on its way: now it may be sent."""


@attrs.frozen
class Late:
    """The transaction ended before this came; `response` is the one that stands, when there is one."""

    response: bytes | None = attrs.field(repr=False)


@attrs.frozen
class Silenced:
    """Ended without an answer: the response that stands, and the lanes that got a reversal."""

    response: bytes = attrs.field(repr=False)
    lanes: tuple[str, ...] = ()


@attrs.frozen
class Swept:
    """How many a sweep ended, and the lanes that got a delivery."""

    count: int
    lanes: tuple[str, ...] = ()


@attrs.frozen
class Done:
    """Carried out; `number` where the item asked for one."""

    number: int = 0
    lanes: tuple[str, ...] = ()


@attrs.frozen
class Gone:
    """What the item names is not there (any more)."""


@attrs.frozen
class Failed:
    """This item alone could not be carried out, by a fault of ours; `why` carries no content."""

    why: str


Outcome = (
    Decided | Answered | InProgress | Conflict | Opened | Late | Silenced | Swept | Done | Gone | Failed
)  # fmt: skip


class StoreUnavailable(Exception):
    """The database cannot be used now, and nothing of the batch was written."""


class OutcomeUnknown(Exception):
    """The connection broke while committing: the batch is written whole or not at all; ask again to learn which."""
