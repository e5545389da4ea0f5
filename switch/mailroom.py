"""The mailroom: the story of a FIN message, from the link that heard it to its acknowledgement.

Checked, identified, routed by its receiver, and booked or queued for its bank in one commit: only then the ACK. An
ACK means stored. What breaks a rule gets a NAK with the first finding's code and line, and that is stored as well.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..codecs.payment import Payment
from ..codecs.swift import FinMessage, ack, check, nak, parse_fin, read_ack
from ..codecs.swift.payments import Identity, find_identity, read_transfer
from ..config.settings import Settings
from ..ledger.operations import (
    LEDGER,
    Answered,
    Approved,
    Authorise,
    Conflict,
    Decided,
    Decision,
    Facts,
    InProgress,
    Item,
    NewDelivery,
    Outcome,
    Reason,
    Refuse,
)
from ..routing.table import Question, RouteTable
from .books import Unavailable
from .drafts import Drafts
from .in_hand import InHand
from .links.contract import FinIncoming
from .movements import movements_for

log = Logger()

_SERVED = frozenset({"103"})
NAK_OTHER_CONTENT = "H50"
"""Our reason for the same identity with other content; SWIFT has none of its own for it."""
NAK_OF: dict[Reason, str] = {
    Reason.ALREADY_REVERSED: "H51",
    Reason.UNKNOWN_ACCOUNT: "H52",
    Reason.UNKNOWN_COUNTERPARTY: "H53",
    Reason.CLOSED: "H54",
    Reason.BLOCKED: "H54",
    Reason.WRONG_CURRENCY: "H55",
    Reason.INVALID_AMOUNT: "T43",
    Reason.EXCEEDS_FUNDS: "H56",
    Reason.EXCEEDS_CEILING: "H57",
}
"""What a bank is told when the books decline its message: reasons of ours, in the network's form."""
NAK_NO_REFERENCE = "T13"
NAK_NO_ROAD = "H58"
NAK_NOT_SERVED = "H59"
NAK_WRONG_SENDER = "H60"


class Door(Protocol):
    def submit(self, item: Item) -> Deferred[Outcome | Unavailable]: ...


class MailroomMeter(Protocol):
    def transaction(self, source: str, destination: str, type: str, outcome: str, seconds: float) -> None: ...
    def duplicate(self, source: str, action: str) -> None: ...
    def rejected(self, institution: str, reason: str) -> None: ...
    def route(self, route: str, result: str) -> None: ...


class Mailroom(InHand):
    """Decides about every FIN message that a link hears."""

    def __init__(
        self,
        clock: IReactorTime,
        books: Door,
        routes: RouteTable,
        drafts: Drafts,
        settings: Settings,
        wake: Callable[[str], None],
        meter: MailroomMeter,
    ) -> None:
        self._clock = clock
        self._books = books
        self._routes = routes
        self._drafts = drafts
        self._bics = {institution.id: _bic11(institution.bic) for institution in settings.institutions}
        self._our_bic = _bic11(settings.switch.bic)
        self._age_us = int(settings.deliveries.age_max_s * 1_000_000)
        self._wake = wake
        self._meter = meter
        super().__init__()

    def hear_fin(self, incoming: FinIncoming) -> None:
        """Take a user message in hand; it will be acknowledged, rejected or, if nothing can be stored, dropped."""
        served = self._take(self._serve(incoming))
        served.addErrback(self._give_up, incoming)
        served.addCallback(self._put_down)

    async def _serve(self, incoming: FinIncoming) -> None:
        message, institution = incoming.message, incoming.link.institution
        identity = find_identity(message, institution)
        problem = self._problem(message, institution)
        if identity is None:
            # Nothing to store it under: a copy is rejected again, for the same reason.
            self._meter.rejected(institution, "unidentified")
            incoming.answer(nak(message, self._now(), *(problem or (NAK_NO_REFERENCE, None))))
            return
        if problem is not None:
            await self._refuse(incoming, self._facts_of_rejected(institution, identity), *problem)
            return
        transfer = read_transfer(message, institution, identity)
        road = self._routes.find(self._question(transfer))
        destination = (
            LEDGER if transfer.receiver_bic == self._our_bic else road.destinations[0] if road.destinations else ""
        )
        self._meter.route(road.route, "primary" if destination else "none")
        facts = self._drafts.facts(transfer, destination)
        if not destination:
            await self._refuse(incoming, facts, NAK_NO_ROAD, None)
            return
        await self._accept(incoming, transfer, facts)

    def _problem(self, message: FinMessage, institution: str) -> tuple[str, int | None] | None:
        """Give the first thing that is wrong with a message, as a NAK states it."""
        if message.sender_bic != self._bics[institution]:
            return NAK_WRONG_SENDER, None
        if message.message_type not in _SERVED:
            return NAK_NOT_SERVED, None
        findings = check(message)
        return (findings[0].code, findings[0].line) if findings else None

    async def _accept(self, incoming: FinIncoming, transfer: Payment, facts: Facts) -> None:
        message, now = incoming.message, self._now()

        def render(decision: Decision) -> bytes:
            if isinstance(decision, Approved):
                return ack(message, now)
            assert decision.reason is not None
            return nak(message, now, NAK_OF[decision.reason])

        onward: tuple[NewDelivery, ...] = ()
        if facts.destination != LEDGER:
            expires_us = facts.received_us + self._age_us
            onward = (NewDelivery(facts.destination, "fin", message.raw, settles=facts.key, expires_us=expires_us),)
        item = Authorise(
            facts,
            movements_for(transfer, facts.destination, None),
            render,
            hold=bool(onward),  # set aside until the receiver's bank acknowledges
            deliveries=onward,
        )
        self._finish(incoming, facts, await self._books.submit(item))

    async def _refuse(self, incoming: FinIncoming, facts: Facts, code: str, line: int | None) -> None:
        self._meter.rejected(incoming.link.institution, "nak")
        log.info(
            "rejected an MT{type} of {institution}: {code}",
            type=facts.type,
            institution=facts.source,
            code=code,
            line=line,
            trace=facts.trace,
        )
        response = nak(incoming.message, self._now(), code, line)
        self._finish(incoming, facts, await self._books.submit(Refuse(facts, response, code)), word="declined")

    def _finish(
        self, incoming: FinIncoming, facts: Facts, outcome: Outcome | Unavailable, word: str | None = None
    ) -> None:
        match outcome:
            case Decided(decision=decision, response=response, lanes=lanes):
                incoming.answer(response)
                word = word or ("approved" if isinstance(decision, Approved) else "declined")
                elapsed_s = self._clock.seconds() - incoming.received_s
                destination = facts.destination or "none"
                self._meter.transaction(facts.source, destination, facts.type, word, elapsed_s)
                for lane in lanes:
                    self._wake(lane)
            case Answered(response=response):
                self._meter.duplicate(facts.source, "replayed")
                incoming.answer(_again(incoming.message, response))
            case InProgress():
                self._meter.duplicate(facts.source, "inflight")
                incoming.drop()
            case Conflict():
                self._meter.duplicate(facts.source, "conflict")
                incoming.answer(nak(incoming.message, self._now(), NAK_OTHER_CONTENT))
            case _:
                # Not stored, so not acknowledged: the sender resends, with PDE.
                log.warn(
                    "a message of {institution} could not be stored", institution=facts.source, trace=facts.trace
                )
                incoming.drop()

    def _facts_of_rejected(self, institution: str, identity: Identity) -> Facts:
        return Facts(
            key=identity.key,
            fingerprint=self._drafts.keyed(identity.fingerprint),
            source=institution,
            destination="",
            type=identity.type,
            received_us=self._drafts.now_us(),
            trace=identity.key.hex(),
            reference=identity.uetr or identity.reference,
        )

    def _question(self, transfer: Payment) -> Question:
        return Question(
            institution=transfer.source,
            type=transfer.type,
            processing_code="",
            currency=transfer.amount.currency.alpha,
            amount_minor=transfer.amount.amount_minor,
            pan=None,
            bic=transfer.receiver_bic,
        )

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.seconds(), UTC)

    def _give_up(self, failure: Failure, incoming: FinIncoming) -> None:
        log.failure("while serving a message of {institution}", failure, institution=incoming.link.institution)
        incoming.drop()


def _again(message: FinMessage, stored: bytes) -> bytes:
    """Give the stored acknowledgement again, for the session and sequence of this copy, flagged as a duplicate's."""
    first = read_ack(parse_fin(stored))
    at = datetime.strptime(first.time, "%y%m%d%H%M").replace(tzinfo=UTC)
    if first.accepted:
        return ack(message, at, is_duplicate=True)
    return nak(message, at, first.code or NAK_OTHER_CONTENT, first.line)


def _bic11(bic: str | None) -> str:
    return "" if bic is None else bic.ljust(11, "X") if len(bic) == 8 else bic
