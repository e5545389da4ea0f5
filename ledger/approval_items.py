"""Entries made by hand, under four eyes: one person asks, another one approves, and only then something is booked.

What is approved is what was asked for: a hash over action, payload, who asked, why and until when is kept with the
request, and is computed again from what is read before anything is booked.
"""

from __future__ import annotations

import hashlib
import json
from enum import IntEnum

import attrs


@attrs.frozen
class Adjustment:
    """Move an amount in minor units from one account to another, one of which is there for such entries."""

    debit: str = attrs.field(repr=False)
    credit: str = attrs.field(repr=False)
    amount_minor: int
    currency: int

    @property
    def action(self) -> str:
        return "adjustment"


@attrs.frozen
class Chargeback:
    """Take an amount of a posted transaction back from who was paid to who paid, through the account `through`.

    Its fees stay. Never more than what stands of it; whoever was paid must give it, whatever the floor.
    """

    original_key: bytes
    amount_minor: int
    through: str = attrs.field(repr=False)

    @property
    def action(self) -> str:
        return "chargeback"


Proposal = Adjustment | Chargeback


class ApprovalState(IntEnum):
    """Where a request stands; one that waits and whose time has passed is as good as rejected."""

    WAITING = 0
    CARRIED_OUT = 1
    REJECTED = 2


@attrs.frozen
class RequestApproval:
    """Ask for an entry. Outcomes: Done (also when the same was asked under this id before), Failed."""

    approval_id: bytes
    proposal: Proposal
    who: str
    reason: str = attrs.field(repr=False)
    expires_us: int


@attrs.frozen
class Approve:
    """Approve a request, and carry it out in the same commit: once, in time, and never by who asked.

    Outcomes: Done, Gone (no such request), Failed, after which the request stands as it stood.
    """

    approval_id: bytes
    who: str


@attrs.frozen
class Reject:
    """Refuse a request for good; who asked may take it back by this. Outcomes: Done, Gone, Failed."""

    approval_id: bytes
    who: str


ApprovalItem = RequestApproval | Approve | Reject


def write_payload(proposal: Proposal) -> str:
    """Write what is proposed, always in the same way, as JSON."""
    values = attrs.asdict(proposal, value_serializer=lambda _o, _f, it: it.hex() if isinstance(it, bytes) else it)
    return json.dumps(values, sort_keys=True, separators=(",", ":"))


def read_payload(action: str, payload: str) -> Proposal:
    """Read what `write_payload` wrote; ValueError, KeyError or TypeError when it did not."""
    values = json.loads(payload)
    if action == "chargeback":
        return Chargeback(**(values | {"original_key": bytes.fromhex(values["original_key"])}))
    if action == "adjustment":
        return Adjustment(**values)
    raise ValueError("no such action")


def payload_hash(action: str, payload: str, who: str, reason: str, expires_us: int) -> bytes:
    """Give the SHA-256 of everything that is approved."""
    return hashlib.sha256(json.dumps([action, payload, who, reason, expires_us]).encode()).digest()
