"""The books as a naive model: every balance is a sum over all history, every rule is spelled out once more.

Slow and plain on purpose; it is what the ledger is compared with.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from junctor.ledger.operations import (
    LEDGER,
    Abandon,
    Answered,
    Approved,
    Attempt,
    Authorise,
    Balance,
    Bury,
    Capture,
    Conclude,
    Conflict,
    Decided,
    Declined,
    Delivered,
    Dispatch,
    Done,
    Drop,
    ExpireHolds,
    Facts,
    Gone,
    InProgress,
    Inquire,
    Item,
    Late,
    Movement,
    NewDelivery,
    NextSession,
    Opened,
    Original,
    Outcome,
    Postpone,
    Reason,
    Redirect,
    Refuse,
    Reverse,
    Revive,
    Silence,
    Silenced,
    SilenceOverdue,
    Swept,
)
from junctor.ledger.settlement_items import CutOver

STANDS = ("held", "posted", "completed", "expired")


@dataclass
class Holder:
    currency: int
    floor: int | None
    history: list[tuple[int, int]] = field(default_factory=list)

    @property
    def posted(self) -> int:
        return sum(amount for amount, _ in self.history)

    @property
    def held(self) -> int:
        return sum(held for _, held in self.history)


@dataclass
class Payment:
    state: str
    amount: int
    moves: list[list[Any]]  # [debit, credit, amount]
    expires: int | None = None
    is_reversed: bool = False


@dataclass
class Known:
    fingerprint: bytes
    response: bytes
    payment: bytes
    type: str
    destination: str
    currency: int
    sent_trace: str | None
    is_reversal: bool


@dataclass
class Letter:
    lane: str
    kind: str
    settles: bytes | None
    attempts: int = 0


@dataclass
class Open:
    item: Dispatch
    facts: Facts
    until: int
    reversal: NewDelivery | None
    sent_trace: str
    moves: list[list[Any]]
    has_entries: bool


class Model:
    def __init__(self) -> None:
        self.holders: dict[str, Holder] = {}
        self.known: dict[bytes, Known] = {}
        self.payments: dict[bytes, Payment] = {}
        self.open: dict[bytes, Open] = {}
        self.waiting: dict[tuple[str, int], Letter] = {}
        self.dead: dict[tuple[str, int], Letter] = {}
        self.dropped: set[tuple[str, int]] = set()
        self.tails: dict[str, int] = {}
        self.sessions: dict[str, int] = {}
        self.bdate = 20260101
        self.cutovers: set[str] = set()
        self.days: dict[bytes, int] = {}

    def apply(self, item: Item) -> Outcome:
        outcome: Outcome = getattr(self, "do_" + type(item).__name__.lower())(item)
        return outcome

    # ------------------------------------------------------------ money

    def move(self, debit: str, credit: str, amount: int) -> None:
        self.holders[debit].history.append((-amount, 0))
        self.holders[credit].history.append((amount, 0))

    def hold(self, code: str, amount: int) -> None:
        self.holders[code].history.append((0, amount))

    def refuse_reason(self, movements: tuple[Movement, ...], forced: bool, hold: bool) -> Reason | None:
        found = []
        marks = {code: len(holder.history) for code, holder in self.holders.items()}
        for it in movements:
            debit, credit = self.holders.get(str(it.debit)), self.holders.get(str(it.credit))
            if debit is None:
                found.append(Reason.UNKNOWN_ACCOUNT)
                continue
            if credit is None:
                found.append(Reason.UNKNOWN_COUNTERPARTY)
                continue
            if {debit.currency, credit.currency} != {it.currency}:
                found.append(Reason.WRONG_CURRENCY)
            elif it.amount_minor <= 0:
                found.append(Reason.INVALID_AMOUNT)
            elif not forced and debit.floor is not None and self.left(debit) - it.amount_minor < debit.floor:
                found.append(Reason.EXCEEDS_FUNDS)
            if hold:
                self.hold(str(it.debit), it.amount_minor)
            else:
                self.move(str(it.debit), str(it.credit), it.amount_minor)
        for code, mark in marks.items():
            del self.holders[code].history[mark:]
        order = list(Reason)
        return min(found, key=order.index) if found else None

    def left(self, holder: Holder) -> int:
        return holder.posted - holder.held

    def place(self, movements: tuple[Movement, ...], hold: bool) -> list[list[Any]]:
        for it in movements:
            if hold:
                self.hold(str(it.debit), it.amount_minor)
            else:
                self.move(str(it.debit), str(it.credit), it.amount_minor)
        return [[it.debit, it.credit, it.amount_minor] for it in movements]

    def release(self, moves: list[list[Any]]) -> None:
        for debit, _, amount in moves:
            self.hold(debit, -amount)

    def balance(self, moves: list[list[Any]]) -> Balance | None:
        return self.balance_of(moves[0][0]) if moves else None

    def balance_of(self, code: str) -> Balance:
        holder = self.holders[code]
        left = holder.posted - holder.held - (holder.floor or 0)
        return Balance(holder.posted, holder.held, left, holder.currency)

    # ------------------------------------------------------------ the register and the queues

    def repeat(self, facts: Facts) -> Outcome | None:
        if facts.key in self.known:
            known = self.known[facts.key]
            return Answered(known.response) if known.fingerprint == facts.fingerprint else Conflict()
        if facts.key in self.open:
            return InProgress() if self.open[facts.key].facts.fingerprint == facts.fingerprint else Conflict()
        return None

    def remember(
        self,
        facts: Facts,
        response: bytes,
        *,
        payment: bytes | None = None,
        sent: str | None = None,
        is_reversal: bool = False,
    ) -> None:
        self.days[facts.key] = self.bdate
        self.known[facts.key] = Known(
            facts.fingerprint, response, payment or facts.key, facts.type, facts.destination, facts.currency, sent,
            is_reversal,
        )  # fmt: skip

    def decline(self, item: Any, facts: Facts, reason: Reason) -> Decided:
        response = item.render(Declined(reason))
        self.remember(facts, response)
        return Decided(Declined(reason), response)

    def queue(self, new: NewDelivery) -> str:
        self.tails[new.lane] = seq = self.tails.get(new.lane, 0) + 1
        self.waiting[new.lane, seq] = Letter(new.lane, new.kind, new.settles)
        return new.lane

    # ------------------------------------------------------------ own books

    def do_authorise(self, item: Authorise) -> Outcome:
        facts = item.facts
        if (repeat := self.repeat(facts)) is not None:
            return repeat
        if facts.key in self.payments:
            return self.decline(item, facts, Reason.ALREADY_REVERSED)
        if (reason := self.refuse_reason(item.movements, item.forced, item.hold)) is not None:
            return self.decline(item, facts, reason)
        moves = self.place(item.movements, item.hold)
        amount = moves[0][2] if moves else facts.amount_minor
        state = "held" if item.hold else "posted"
        self.payments[facts.key] = Payment(state, amount, moves, item.expires_us if item.hold else None)
        decision = Approved(amount, self.balance(moves))
        response = item.render(decision)
        self.remember(facts, response, sent=item.sent_trace)
        return Decided(decision, response, tuple(dict.fromkeys(self.queue(it) for it in item.deliveries)))

    def do_inquire(self, item: Inquire) -> Outcome:
        if (repeat := self.repeat(item.facts)) is not None:
            return repeat
        if item.facts.key in self.payments:
            return self.decline(item, item.facts, Reason.ALREADY_REVERSED)
        if item.account not in self.holders:
            return self.decline(item, item.facts, Reason.UNKNOWN_ACCOUNT)
        decision = Approved(0, self.balance_of(str(item.account)))
        response = item.render(decision)
        self.remember(item.facts, response)
        return Decided(decision, response)

    def do_refuse(self, item: Refuse) -> Outcome:
        if (repeat := self.repeat(item.facts)) is not None:
            return repeat
        self.remember(item.facts, item.response)
        return Decided(Declined(None, item.code), item.response)

    # ------------------------------------------------------------ in flight

    def do_dispatch(self, item: Dispatch) -> Outcome:
        facts = item.facts
        if (repeat := self.repeat(facts)) is not None:
            return repeat
        if facts.key in self.payments:
            return self.decline(item, facts, Reason.ALREADY_REVERSED)
        if (reason := self.refuse_reason(item.movements, False, True)) is not None:
            return self.decline(item, facts, reason)
        moves = self.place(item.movements, True)
        self.open[facts.key] = Open(item, facts, item.until_us, item.reversal, item.sent_trace, moves, bool(moves))
        return Opened()

    def do_redirect(self, item: Redirect) -> Outcome:
        if item.key not in self.open:
            return self.late(item.key)
        it = self.open[item.key]
        self.release(it.moves)
        it.facts = Facts(**{**_fields(it.facts), "destination": item.destination})
        if (reason := self.refuse_reason(item.movements, False, True)) is not None:
            del self.open[item.key]
            self.payments[item.key] = Payment("released", it.moves[0][2] if it.moves else 0, it.moves)
            return self.decline(item, it.facts, reason)
        it.moves = self.place(item.movements, True)
        it.until, it.reversal, it.sent_trace = item.until_us, item.reversal, item.sent_trace
        it.has_entries = it.has_entries or bool(it.moves)
        return Opened()

    def late(self, key: bytes) -> Late:
        return Late(self.known[key].response if key in self.known else None)

    def close(self, key: bytes, response: bytes) -> Open:
        it = self.open.pop(key)
        self.release(it.moves)
        if it.has_entries:
            self.payments[key] = Payment("released", it.moves[0][2] if it.moves else 0, it.moves)
        self.remember(it.facts, response, sent=it.sent_trace)
        return it

    def do_conclude(self, item: Conclude) -> Outcome:
        if item.key not in self.open:
            return self.late(item.key)
        if not item.approved:
            self.close(item.key, item.response)
            return Decided(Declined(None, item.code), item.response)
        it = self.open.pop(item.key)
        asked = it.moves[0][2] if it.moves else it.facts.amount_minor
        amount = min(item.amount_minor, asked)
        self.release(it.moves)
        it.moves = _resized(it.moves, amount)
        for debit, credit, part in it.moves:
            if it.item.keeps_hold:
                self.hold(debit, part)
            else:
                self.move(debit, credit, part)
        state, expires = ("held", it.item.expires_us) if it.item.keeps_hold else ("posted", None)
        self.payments[item.key] = Payment(state, amount, it.moves, expires)
        self.remember(it.facts, item.response, sent=it.sent_trace)
        return Decided(Approved(amount, self.balance(it.moves)), item.response)

    def do_abandon(self, item: Abandon) -> Outcome:
        if item.key not in self.open:
            return self.late(item.key)
        self.close(item.key, item.response)
        return Decided(Declined(None, item.code), item.response)

    def do_silence(self, item: Silence) -> Outcome:
        if item.key not in self.open:
            return self.late(item.key)
        it = self.close(item.key, self.open[item.key].item.silence_response)
        return Silenced(it.item.silence_response, () if it.reversal is None else (self.queue(it.reversal),))

    def do_silenceoverdue(self, item: SilenceOverdue) -> Outcome:
        late = sorted(
            (it.until, key)
            for key, it in self.open.items()
            if it.until < item.before_us and key not in item.except_keys
        )[: item.most]
        lanes: list[str] = []
        for _, key in late:
            outcome = self.do_silence(Silence(key))
            assert isinstance(outcome, Silenced)
            lanes += outcome.lanes
        return Swept(len(late), tuple(dict.fromkeys(lanes)))

    # ------------------------------------------------------------ corrections

    def do_capture(self, item: Capture) -> Outcome:
        facts = item.facts
        if (repeat := self.repeat(facts)) is not None:
            return repeat
        if facts.key in self.payments:
            return self.decline(item, facts, Reason.ALREADY_REVERSED)
        named = self.known.get(item.original_key)
        found = self.payments.get(named.payment) if named is not None and not named.is_reversal else None
        original = self.original(item.original_key)
        key = facts.key
        if found is not None and named is not None and found.state == "held":
            if item.amount_minor <= 0:
                return self.decline(item, facts, Reason.INVALID_AMOUNT)
            self.release(found.moves)
            moves, amount, key = _resized(found.moves, item.amount_minor), item.amount_minor, named.payment
            for move in moves:
                self.move(*move)
        else:
            reason = self.refuse_reason(item.movements, True, False)
            amount = item.movements[0].amount_minor if item.movements else item.amount_minor
            if reason is None and amount <= 0:
                reason = Reason.INVALID_AMOUNT
            if reason is not None:
                return self.decline(item, facts, reason)
            moves = self.place(item.movements, False)
            if found is not None and named is not None and found.state == "expired":
                key = named.payment
        self.payments[key] = Payment("completed", amount, moves)
        decision = Approved(amount, self.balance(moves))
        response = item.render(decision)
        self.remember(facts, response, payment=key, sent=item.sent_trace)
        new: list[NewDelivery | None] = list(item.deliveries)
        if original is not None:
            new = [None if original.destination == LEDGER else item.forward(original)]
        lanes = [self.queue(it) for it in new if it is not None]
        return Decided(decision, response, tuple(dict.fromkeys(lanes)))

    def original(self, key: bytes) -> Original | None:
        if key in self.known:
            known = self.known[key]
            found = self.payments.get(known.payment)
            amount = found.amount if found is not None and found.state in STANDS else 0
            return Original(key, known.type, known.destination, amount, known.currency, known.sent_trace)
        if key in self.open:
            it = self.open[key]
            amount = it.moves[0][2] if it.moves else it.facts.amount_minor
            return Original(key, it.facts.type, it.facts.destination, amount, it.facts.currency, it.sent_trace)
        return None

    def do_reverse(self, item: Reverse) -> Outcome:
        facts = item.facts
        if (repeat := self.repeat(facts)) is not None:
            return repeat
        key, undone = item.original_key, 0
        lanes: list[str] = []
        tell: Original | None = None
        of: str | None = None
        if key in self.open:
            it = self.open[key]
            undone = it.moves[0][2] if it.moves else it.facts.amount_minor
            of = it.moves[0][0] if it.moves else None
            tell = self.original(key) if it.reversal is None else None
            outcome = self.do_silence(Silence(key))
            assert isinstance(outcome, Silenced)
            lanes += outcome.lanes
        elif key not in self.known:
            self.payments.setdefault(key, Payment("tombstone", 0, []))
        else:
            if not self.known[key].is_reversal:
                tell, undone, of = self.undo(item)
            key = self.known[key].payment
        decision = Approved(undone, None if of is None else self.balance_of(of))
        response = item.render(decision)
        self.remember(facts, response, payment=key, is_reversal=True)
        if tell is not None and tell.destination != LEDGER and (new := item.forward(tell)) is not None:
            lanes.append(self.queue(new))
        return Decided(decision, response, tuple(dict.fromkeys(lanes)))

    def undo(self, item: Reverse) -> tuple[Original | None, int, str | None]:
        found = self.payments.get(self.known[item.original_key].payment)
        if found is None or found.state not in STANDS or found.is_reversed:
            return None, 0, None
        tell = self.original(item.original_key)
        keep = min(max(item.replacement_minor or 0, 0), found.amount)
        less = found.amount - keep
        kept = _resized(found.moves, keep)
        for (debit, credit, before), (_, _, after) in zip(found.moves, kept, strict=True):
            if found.state == "held":
                self.hold(debit, after - before)
            elif found.state != "expired":
                self.move(credit, debit, before - after)
        undone = 0 if found.state == "expired" else less
        found.moves, found.amount, found.is_reversed = kept, keep, True
        if keep == 0:
            found.state = "reversed"
        return (tell if less else None), undone, (found.moves[0][0] if found.moves else None)

    def do_expireholds(self, item: ExpireHolds) -> Outcome:
        late = sorted(
            (it.expires, key)
            for key, it in self.payments.items()
            if it.state == "held" and it.expires is not None and it.expires < item.before_us
        )[: item.most]
        for _, key in late:
            self.release(self.payments[key].moves)
            self.payments[key].state = "expired"
        return Swept(len(late))

    # ------------------------------------------------------------ deliveries

    def do_delivered(self, item: Delivered) -> Outcome:
        letter = self.waiting.pop((item.lane, item.seq), None)
        if letter is None:
            return Gone()
        found = self.payments.get(letter.settles or b"")
        if found is not None and found.state in ("held", "expired"):
            if found.state == "held":
                self.release(found.moves)
            for move in found.moves:
                self.move(*move)
            found.state = "posted"
        return Done()

    def do_attempt(self, item: Attempt) -> Outcome:
        letter = self.waiting.get((item.lane, item.seq))
        if letter is None:
            return Gone()
        letter.attempts += 1
        return Done(number=letter.attempts)

    def do_postpone(self, item: Postpone) -> Outcome:
        return Done() if (item.lane, item.seq) in self.waiting else Gone()

    def give_back(self, letter: Letter) -> None:
        found = self.payments.get(letter.settles or b"")
        if found is not None and found.state == "held":
            self.release(found.moves)
            found.state = "released"

    def do_bury(self, item: Bury) -> Outcome:
        letter = self.waiting.pop((item.lane, item.seq), None)
        if letter is None:
            return Gone()
        self.dead[item.lane, item.seq] = letter
        if item.releases:
            self.give_back(letter)
        return Done()

    def do_drop(self, item: Drop) -> Outcome:
        place = (item.lane, item.seq)
        letter = self.waiting.pop(place, None) or self.dead.pop(place, None)
        if letter is None:
            return Gone()
        self.dropped.add(place)
        self.give_back(letter)
        return Done()

    def do_revive(self, item: Revive) -> Outcome:
        letter = self.dead.get((item.lane, item.seq))
        if letter is None:
            return Gone()
        found = self.payments.get(letter.settles or b"")
        if found is not None and found.state == "released":
            for debit, _, amount in found.moves:
                self.hold(debit, amount)
            found.state, found.is_reversed = "held", False
        elif found is not None and found.state != "held":
            return Gone()
        del self.dead[item.lane, item.seq]
        lane = self.queue(NewDelivery(item.lane, letter.kind, b"", letter.settles))
        return Done(number=self.tails[lane], lanes=(lane,))

    def do_cutover(self, item: CutOver) -> Outcome:
        if item.by not in self.cutovers:
            if item.closes not in (None, self.bdate):
                return Gone()
            self.bdate += 1
            self.cutovers.add(item.by)
        return Done(number=self.bdate)

    def do_nextsession(self, item: NextSession) -> Outcome:
        self.sessions[item.lane] = number = self.sessions.get(item.lane, 0) % 9999 + 1
        return Done(number=number)


def _resized(moves: list[list[Any]], amount: int) -> list[list[Any]]:
    """The first movement carries the amount; the others stay, unless nothing is left of the first."""
    return [
        [debit, credit, amount if index == 0 else (part if amount else 0)]
        for index, (debit, credit, part) in enumerate(moves)
    ]


def _fields(facts: Facts) -> dict[str, Any]:
    return {name: getattr(facts, name) for name in Facts.__annotations__}
