"""The canonical payment that both message worlds translate into, and its identity.

An ISO 8583 request and an MT103 become a `Payment` at the border; routing and the ledger know nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from enum import Enum

import attrs

from .masking import Pan
from .money import Money
from .values import often


class Step(Enum):
    """What a message asks of the books."""

    HOLD = "hold"
    """Set the amount aside (0100, 0120)."""
    POST = "post"
    """Move the amount (0200, 0220 without an original, MT103)."""
    CAPTURE = "capture"
    """Complete an earlier hold (0220 that names its 0100)."""
    REVERSE = "reverse"
    """Undo an earlier message, in full or down to a replacement amount (0400, 0420)."""
    INQUIRE = "inquire"
    """Tell a balance (processing codes 30 and 31)."""


class Purpose(Enum):
    """What the payment is for; the value is the processing code's first two digits (ISO 8583 DE3), or a name."""

    PURCHASE = "00"
    CASH = "01"
    REFUND = "20"
    DEPOSIT = "21"
    AVAILABLE_FUNDS = "30"
    BALANCE = "31"
    TRANSFER = "40"
    PAYMENT = "50"
    CREDIT_TRANSFER = "credit transfer"

    @property
    def is_credit(self) -> bool:
        """True when the account named by the card gains: refund and deposit."""
        return self in (Purpose.REFUND, Purpose.DEPOSIT)

    @property
    def is_inquiry(self) -> bool:
        return self is Purpose.AVAILABLE_FUNDS or self is Purpose.BALANCE


@often
class Payment:
    """One payment message in the switch's own words.

    `key` is its identity (16 bytes): the same key is the same message, whatever way it came. `fingerprint` covers
    what a repeat may not change. `original_key` is the key of the message that a capture or reversal names, of the
    hold that another hold adds to, or of the payment that a refund gives back.
    `must_accept` marks an advice or reversal: it tells what has happened and is never declined for funds.
    """

    key: bytes
    fingerprint: bytes
    source: str
    """The institution that sent it."""
    type: str
    """MTI without its repeat digit ("0200"), or MT number ("103")."""
    step: Step
    purpose: Purpose
    amount: Money
    must_accept: bool = False
    pan: Pan | None = None
    from_account: str | None = attrs.field(default=None, repr=False)
    to_account: str | None = attrs.field(default=None, repr=False)
    original_key: bytes | None = None
    replacement_minor: int | None = None
    """What remains of the original after a partial reversal (DE95), in minor units."""
    processing_code: str = ""
    stan: str | None = None
    rrn: str | None = None
    terminal: str | None = None
    sender_bic: str | None = None
    receiver_bic: str | None = None
    uetr: str | None = None
    reference: str | None = None
    """Field 20 of an MT message."""


def digest(parts: Iterable[str]) -> bytes:
    """Hash parts into 16 bytes (BLAKE2b), each part separated so that no two lists of parts look alike."""
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).digest()


def make_key(prefix: bytes, parts: Iterable[str]) -> bytes:
    """Make a 16-byte identity: four bytes that grow with time, for the index's sake, and twelve of a hash.

    prefix: four bytes, by convention month, day, hour and minute of the message itself, so that a repeat makes the
    same key at any later time.
    """
    assert len(prefix) == 4
    return prefix + hashlib.blake2b("\x1f".join(parts).encode(), digest_size=12).digest()
