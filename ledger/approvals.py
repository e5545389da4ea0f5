"""Requests for entries by hand: asked for, approved and carried out by another person, or rejected."""

from __future__ import annotations

from typing import Final

import attrs

from .approval_items import (
    Adjustment,
    ApprovalState,
    Approve,
    Chargeback,
    Proposal,
    Reject,
    RequestApproval,
    payload_hash,
    write_payload,
)
from .limits import recount
from .operations import LEDGER, Done, Facts, Failed, Gone, Movement, Outcome, Reason
from .page import Page
from .related import refunded_of
from .rules import examine, parties, post, record, resize, with_changes
from .state import CLOSED, INT64_MAX, Approval, EntryKind, Result, Standing, Step, Txn

WHO_CHARS_MAX: Final = 64
REASON_CHARS_MAX: Final = 500

_POSTED: Final = (Standing.COMPLETED, Standing.POSTED)


def request(page: Page, item: RequestApproval) -> Outcome:
    """Write a request down, if it could be carried out as things stand."""
    proposal, who = item.proposal, item.who.strip()
    action, payload = proposal.action, write_payload(proposal)
    hash_ = payload_hash(action, payload, who, item.reason, item.expires_us)
    known = page.approvals.find(item.approval_id)
    if known is not None:
        return Done() if known.hash == hash_ else Failed("the id is that of another request")
    if not 0 < len(who) <= WHO_CHARS_MAX or not 0 < len(item.reason.strip()) <= REASON_CHARS_MAX:
        return Failed(f"a request tells who asks, in {WHO_CHARS_MAX} characters, and why, in {REASON_CHARS_MAX}")
    if item.expires_us <= page.now_us:
        return Failed("its time has passed")
    if page.messages.find(item.approval_id) is not None:
        return Failed("the id is that of a message")
    why_not = _refusal(page, proposal)
    if why_not is not None:
        return Failed(why_not)
    page.approvals.put(
        item.approval_id,
        Approval(
            item.approval_id, action, payload, hash_, who, item.reason, page.now_us, item.expires_us,
            ApprovalState.WAITING, None, None,
        ),
    )  # fmt: skip
    return Done()


def approve(page: Page, item: Approve) -> Outcome:
    """Carry a request out."""
    known = page.approvals.find(item.approval_id)
    if known is None:
        return Gone()
    who, why_not = item.who.strip(), _why_not(page, known)
    if why_not is None and not 0 < len(who) <= WHO_CHARS_MAX:
        why_not = "nobody approves it"
    if why_not is None and who.casefold() == known.requested_by.casefold():
        why_not = "whoever asks does not approve"
    if why_not is not None:
        return Failed(why_not)
    proposal = known.find_proposal()
    if proposal is None:
        return Failed("it is not what was asked for")
    why_not = _carry_out(page, attrs.evolve(known, decided_by=who), proposal)
    if why_not is not None:
        return Failed(why_not)
    _decide(page, known, ApprovalState.CARRIED_OUT, who)
    return Done()


def reject(page: Page, item: Reject) -> Outcome:
    """End a request without an entry."""
    known = page.approvals.find(item.approval_id)
    if known is None:
        return Gone()
    who, why_not = item.who.strip(), _why_not(page, known)
    if why_not is None and not 0 < len(who) <= WHO_CHARS_MAX:
        why_not = "nobody rejects it"
    if why_not is not None:
        return Failed(why_not)
    _decide(page, known, ApprovalState.REJECTED, who)
    return Done()


def _why_not(page: Page, known: Approval) -> str | None:
    if known.state == ApprovalState.CARRIED_OUT:
        return "it was carried out before"
    if known.state == ApprovalState.REJECTED:
        return "it was rejected"
    return "it has expired" if known.expires_us <= page.now_us else None


def _decide(page: Page, known: Approval, state: ApprovalState, who: str) -> None:
    page.approvals.put(known.approval_id, attrs.evolve(known, state=state, decided_by=who, decided_us=page.now_us))


def _refusal(page: Page, proposal: Proposal) -> str | None:
    """Say why something cannot be carried out as things stand, before it is known who has what."""
    if not 0 < proposal.amount_minor <= INT64_MAX:
        return "an entry has a positive amount"
    if isinstance(proposal, Adjustment):
        return None
    original = page.transactions.find(proposal.original_key)
    if original is None or original.state not in _POSTED or not original.legs:
        return "the transaction is not posted"
    left = original.amount - refunded_of(page, original.key)
    return "it is more than what stands of the transaction" if proposal.amount_minor > left else None


def _carry_out(page: Page, known: Approval, proposal: Proposal) -> str | None:
    """Book what was asked for; gives why not, when nothing is booked."""
    why_not = _refusal(page, proposal)
    if why_not is not None:
        return why_not
    return _adjust(page, known, proposal) if isinstance(proposal, Adjustment) else _charge_back(page, known, proposal)


def _adjust(page: Page, known: Approval, proposal: Adjustment) -> str | None:
    key, amount, currency = known.approval_id, proposal.amount_minor, proposal.currency
    legs = examine(
        page, (Movement(proposal.debit, proposal.credit, amount, currency, "adjustment"),), forced=False, hold=False
    )
    if isinstance(legs, Reason):
        return legs.value
    places = post(page, key, legs, False)
    page.transactions.put(
        key, Txn(key, Standing.POSTED, currency, amount, amount, legs, places, None, None, page.now_us)
    )
    _write_down(page, known, amount, currency, key)
    return None


def _charge_back(page: Page, known: Approval, proposal: Chargeback) -> str | None:
    """Move the amount back through the chargeback account, and let that much less stand of the original."""
    original = page.transactions.find(proposal.original_key)
    assert original is not None, "it was looked at"
    payer, paid, _, _ = original.legs[0]
    if len(parties(original.legs)) > 1:
        return "the payment was exchanged: give it back by adjustments in both currencies"
    through = page.find_account(proposal.through)
    if through is None:
        return "the account for chargebacks is unknown"
    amount = proposal.amount_minor
    accounts = [page.get_account(number) for number in (paid, payer)]
    if any(account.currency != through.currency for account in accounts):
        return Reason.WRONG_CURRENCY.value
    if any(account.flags & CLOSED for account in accounts):
        return Reason.CLOSED.value
    kind = int(EntryKind.CHARGEBACK)
    legs = ((paid, through.account_id, amount, kind), (through.account_id, payer, amount, kind))
    keep = original.amount - amount
    after = with_changes(
        original,
        state=original.state if keep else Standing.REVERSED,
        amount=keep,
        legs=resize(original.legs, keep),
        places=post(page, original.key, legs, True),
        reversal_key=original.reversal_key,
    )
    page.transactions.put(original.key, after)
    recount(page, original, after.legs)
    _write_down(page, known, amount, original.currency, original.key)
    return None


def _write_down(page: Page, known: Approval, amount: int, currency: int, txn_key: bytes) -> None:
    """Store the entry among the messages, with the transaction that it changes: the hash chain tells who did it."""
    facts = Facts(
        key=known.approval_id,
        fingerprint=known.hash[:16],
        source="operator",
        destination=LEDGER,
        type="journal",
        received_us=known.requested_us,
        trace=known.approval_id.hex(),
        amount_minor=amount,
        currency=currency,
        reference=f"asked for by {known.requested_by}, approved by {known.decided_by}",
        purpose=known.action,
    )
    record(page, facts, Step.ADJUST, Result.APPROVED, b"", txn_key=txn_key)
