"""The rules of money: what is checked, in which order, and how a movement is set aside, posted, released, undone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .operations import (
    Answered,
    Approved,
    Conflict,
    Decided,
    Declined,
    Facts,
    InProgress,
    Movement,
    NewDelivery,
    Reason,
    Render,
)
from .page import Page
from .state import (
    CLOSED,
    INT64_MAX,
    INT64_MIN,
    MAY_BECOME,
    MOVEMENT_KINDS,
    NO_CREDITS,
    NO_DEBITS,
    REMOVED,
    EntryKind,
    Leg,
    Message,
    Result,
    Sealed,
    Standing,
    Step,
    Txn,
    reveal,
)

_ORDER: Final = tuple(Reason)
_RANK: Final = {reason: rank for rank, reason in enumerate(_ORDER)}
_FINE: Final = len(_ORDER)
_UNKNOWN_ACCOUNT: Final = _RANK[Reason.UNKNOWN_ACCOUNT]
_UNKNOWN_COUNTERPARTY: Final = _RANK[Reason.UNKNOWN_COUNTERPARTY]
_CLOSED: Final = _RANK[Reason.CLOSED]
_BLOCKED: Final = _RANK[Reason.BLOCKED]
_WRONG_CURRENCY: Final = _RANK[Reason.WRONG_CURRENCY]
_INVALID_AMOUNT: Final = _RANK[Reason.INVALID_AMOUNT]
_EXCEEDS_FUNDS: Final = _RANK[Reason.EXCEEDS_FUNDS]
_EXCEEDS_CEILING: Final = _RANK[Reason.EXCEEDS_CEILING]

_FX: Final = int(EntryKind.FX)
_HOLD: Final = int(EntryKind.HOLD)
_RELEASE: Final = int(EntryKind.RELEASE)
_REVERSAL: Final = int(EntryKind.REVERSAL)


# ---------------------------------------------------------------- the register


def find_repeat(page: Page, facts: Facts) -> Answered | InProgress | Conflict | None:
    """Tell what a message that came before gets; None for a new one.

    A repeat of a message so old that its answer was removed gets what another content under its key gets.
    """
    known = page.messages.find(facts.key)
    if known is not None:
        is_same = known.fingerprint == facts.fingerprint and known.response is not REMOVED
        return Answered(reveal(known.response)) if is_same else Conflict()
    flight = page.flights.find(facts.key)
    if flight is not None:
        return InProgress() if flight.facts.fingerprint == facts.fingerprint else Conflict()
    return None


def is_reversed_before(page: Page, key: bytes) -> bool:
    """Tell whether a reversal of this message, which is new, came first."""
    txn = page.transactions.find(key)
    if txn is None:
        return False
    assert txn.state == Standing.TOMBSTONE, "a transaction without a message is a tombstone"
    return True


def record(
    page: Page,
    facts: Facts,
    step: Step,
    result: Result,
    response: bytes | Sealed,
    *,
    txn_key: bytes | None = None,
    reason: str | None = None,
    code: str | None = None,
    auth_code: str | None = None,
    sent_trace: str | None = None,
) -> None:
    """Store a message with its answer; it is never written again."""
    page.messages.put(
        facts.key,
        Message(
            facts.key,
            facts.fingerprint,
            step,
            facts.key if txn_key is None else txn_key,
            facts.type,
            facts.destination,
            facts.currency,
            sent_trace,
            response,
            facts,
            result,
            reason,
            code,
            facts.auth_code if auth_code is None else auth_code,
            page.bdate,
        ),
    )


def decline(page: Page, facts: Facts, step: Step, render: Render, reason: Reason) -> Decided:
    """Decline and store the response; nothing moves."""
    decision = Declined(reason)
    response = render(decision)
    record(page, facts, step, Result.DECLINED, response, reason=reason.name)
    return Decided(decision, response)


def approve(
    page: Page,
    facts: Facts,
    step: Step,
    render: Render,
    decision: Approved,
    *,
    deliveries: Sequence[NewDelivery] = (),
    lanes: Sequence[str] = (),
    txn_key: bytes | None = None,
    sent_trace: str | None = None,
) -> Decided:
    """Approve, store the response, and append deliveries."""
    response = render(decision)
    record(page, facts, step, Result.APPROVED, response, txn_key=txn_key, sent_trace=sent_trace)
    if deliveries:
        lanes = (*lanes, *(page.append(new, facts.key) for new in deliveries))
    return Decided(decision, response, distinct(lanes))


def distinct(lanes: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(lanes)) if lanes else ()


# ---------------------------------------------------------------- checks


def examine(page: Page, movements: Sequence[Movement], *, forced: bool, hold: bool) -> tuple[Leg, ...] | Reason:
    """Give the legs of movements that may be made, else the first reason, in the order of `Reason`, why not.

    Each movement sees what those before it take and bring. forced: the floor is passed. hold: the movements are
    to be set aside, so nothing is credited yet.
    """
    worst = _FINE
    legs: list[Leg] = []
    taken: dict[int, int] = {}
    brought: dict[int, int] = {}
    is_alone = len(movements) == 1
    for movement in movements:
        debit = page.find_account(movement.debit)
        credit = page.find_account(movement.credit)
        rank = _FINE
        if debit is None:
            rank = _UNKNOWN_ACCOUNT
        elif credit is None:
            rank = _UNKNOWN_COUNTERPARTY
        else:
            amount = movement.amount_minor
            out, into = debit.account_id, credit.account_id
            set_aside_before = debit.held
            left = debit.posted - set_aside_before
            gain = credit.posted
            if not is_alone:
                set_aside_before += taken.get(out, 0)
                left += brought.get(out, 0) - taken.get(out, 0)
                gain += brought.get(into, 0) - (0 if hold else taken.get(into, 0))
            if not hold and out == into:
                gain -= amount
            if (debit.flags | credit.flags) & CLOSED:
                rank = _CLOSED
            elif debit.flags & NO_DEBITS or credit.flags & NO_CREDITS:
                rank = _BLOCKED
            elif debit.currency != movement.currency or credit.currency != movement.currency:
                rank = _WRONG_CURRENCY
            elif (
                not 0 < amount <= INT64_MAX
                or left - amount < INT64_MIN
                or gain + amount > INT64_MAX
                or (hold and set_aside_before + amount > INT64_MAX)
            ):
                rank = _INVALID_AMOUNT
            elif not forced and debit.floor is not None and left - amount < debit.floor:
                rank = _EXCEEDS_FUNDS
            elif credit.ceiling is not None and gain + amount > credit.ceiling:
                rank = _EXCEEDS_CEILING
            if not is_alone:
                taken[out] = taken.get(out, 0) + amount
                if not hold:
                    brought[into] = brought.get(into, 0) + amount
            legs.append((out, into, amount, MOVEMENT_KINDS[movement.kind]))
        if rank < worst:
            worst = rank
    return tuple(legs) if worst == _FINE else _ORDER[worst]


# ---------------------------------------------------------------- what happens to legs


def set_aside(page: Page, key: bytes, legs: Sequence[Leg], must: bool) -> bytes:
    """Hold each leg's amount on its debit account; gives the packed places of the entries."""
    return b"".join([page.move(debit, 0, amount, _HOLD, key, must) for debit, _, amount, _ in legs if amount])


def post(page: Page, key: bytes, legs: Sequence[Leg], must: bool) -> bytes:
    """Move each leg's amount."""
    places = b""
    for debit, credit, amount, kind in legs:
        if amount:
            places += page.move(debit, -amount, 0, kind, key, must) + page.move(credit, amount, 0, kind, key, must)
    return places


def post_held(page: Page, key: bytes, held: Sequence[Leg], final: Sequence[Leg]) -> bytes:
    """Release what the legs hold, and move their final amounts, whatever the limits."""
    places = b""
    for (debit, credit, set_by, kind), (_, _, amount, _) in zip(held, final, strict=True):
        if amount:
            places += page.move(debit, -amount, -set_by, kind, key, True) + page.move(
                credit, amount, 0, kind, key, True
            )
        elif set_by:
            places += page.move(debit, 0, -set_by, _RELEASE, key, True)
    return places


def release(page: Page, key: bytes, legs: Sequence[Leg]) -> bytes:
    """Give back what the legs hold."""
    return b"".join([page.move(debit, 0, -amount, _RELEASE, key, True) for debit, _, amount, _ in legs if amount])


def move_back(page: Page, key: bytes, legs: Sequence[Leg]) -> bytes:
    """Undo posted legs by opposite entries, whatever the limits."""
    places = b""
    for debit, credit, amount, _ in legs:
        if amount:
            places += page.move(debit, amount, 0, _REVERSAL, key, True)
            places += page.move(credit, -amount, 0, _REVERSAL, key, True)
    return places


def resize(legs: tuple[Leg, ...], amount: int) -> tuple[Leg, ...]:
    """Give the legs with another principal: the first leg carries the amount, and fees stay whole.

    What was exchanged changes with the principal. When nothing of that is left, nothing of the others is.
    """
    if not legs:
        return legs
    if amount == 0:
        return tuple((debit, credit, 0, kind) for debit, credit, _, kind in legs)
    debit, credit, before, kind = legs[0]
    others = legs[1:]
    if others and others[0][3] == _FX:
        others = tuple(
            (d, c, (2 * part * amount + before) // (2 * before) if k == _FX else part, k) for d, c, part, k in others
        )
    return ((debit, credit, amount, kind), *others)


def parties(legs: Sequence[Leg]) -> tuple[tuple[int, int], ...]:
    """Give between whom a payment moves: debit and credit of the principal, and of what the holder has exchanged."""
    if len(legs) > 1 and legs[1][3] == _FX:
        return legs[0][:2], legs[1][:2]
    return (legs[0][:2],)


def payer(legs: Sequence[Leg]) -> tuple[int, int]:
    """Give the account that pays a payment, and how much in its own currency."""
    leg = legs[1] if len(legs) > 1 and legs[1][3] == _FX else legs[0]
    return leg[0], leg[2]


def difference(legs: Sequence[Leg], less: Sequence[Leg]) -> tuple[Leg, ...]:
    """Give, leg by leg, what the first has more than the second."""
    return tuple(
        (d, c, amount - kept, kind) for (d, c, amount, kind), (_, _, kept, _) in zip(legs, less, strict=True)
    )


def principal(legs: Sequence[Leg], otherwise: int) -> int:
    """Give the amount that the first leg carries."""
    return legs[0][2] if legs else otherwise


def with_changes(
    txn: Txn,
    *,
    state: Standing | int,
    amount: int | None = None,
    legs: tuple[Leg, ...] | None = None,
    places: bytes = b"",
    reversal_key: bytes | None = None,
) -> Txn:
    """Give the transaction after a step; `places` are the entries that the step added."""
    assert state in MAY_BECOME[Standing(txn.state)], "a transaction takes a step that it may take"
    return Txn(
        txn.key,
        state,
        txn.currency,
        txn.authorised,
        txn.amount if amount is None else amount,
        txn.legs if legs is None else legs,
        txn.entries + places,
        txn.expires_us,
        reversal_key,
        txn.created_us,
    )
