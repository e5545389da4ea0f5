"""A FIN message as a payment: its identity, and what an MT103 asks of the books.

Source: swift.md of the design (1.3 UETR, 1.8 possible duplicates, 2.1 MT103): the key is sender and UETR, else
sender, message type and field 20; the text tells a true duplicate from a reused reference.
"""

from __future__ import annotations

import hashlib

import attrs

from ..payment import Payment, Purpose, Step, make_key
from .amounts import read_money
from .message import FinMessage

_AMOUNT_AT = 9
"""Of field 32A: six digits of value date and three letters of currency stand before the amount."""


@attrs.frozen
class Identity:
    """What makes a message the same message: key and fingerprint (16 bytes each), and its references."""

    key: bytes
    fingerprint: bytes
    reference: str | None
    uetr: str | None
    type: str


def find_identity(message: FinMessage, institution: str) -> Identity | None:
    """Identify a user message; None when it has neither UETR nor field 20, or no type."""
    message_type, reference, uetr = message.message_type, message.reference, message.uetr
    if message_type is None or not (uetr or reference):
        return None
    parts = [institution, message.sender_bic or "", message_type, uetr or f"20:{reference}"]
    # A reference says nothing of time: what a key begins with must be the same for any copy, so it is its own hash.
    prefix = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=4).digest()
    text = message.find_block("4") or b""
    return Identity(
        key=make_key(prefix, parts),
        fingerprint=hashlib.blake2b(text, digest_size=16).digest(),
        reference=reference,
        uetr=uetr,
        type=message_type,
    )


def read_transfer(message: FinMessage, institution: str, identity: Identity) -> Payment:
    """Read an MT103 that passed its checks as a payment to the account of field 59."""
    value = message.find("32A")
    assert value is not None, "the checks passed"
    amount = read_money(value.value[6:_AMOUNT_AT], value.value[_AMOUNT_AT:], "4.32A")
    return Payment(
        key=identity.key,
        fingerprint=identity.fingerprint,
        source=institution,
        type=identity.type,
        step=Step.POST,
        purpose=Purpose.CREDIT_TRANSFER,
        amount=amount,
        to_account=_account(message),
        sender_bic=message.sender_bic,
        receiver_bic=message.receiver_bic,
        uetr=identity.uetr,
        reference=identity.reference,
    )


def _account(message: FinMessage) -> str:
    """Give the beneficiary's account: the line of field 59 (any option) that begins with a slash; else nothing."""
    beneficiary = message.find("59")
    first = "" if beneficiary is None else beneficiary.value.split("\n", 1)[0].strip("\r")
    return first[1:] if first.startswith("/") else ""
