"""A SWIFT bank: takes FIN messages and acknowledges, rejects or ignores them, and sends MT103s of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from datetime import date, datetime
from random import Random
from typing import Final

import attrs
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IListeningPort
from twisted.logger import Logger

from ..codecs.faults import DecodeFault
from ..codecs.framing import Frame
from ..codecs.swift import Ack, FinMessage, ack, lt_of, nak, new_message, parse_fin, read_ack
from ..config.settings import TlsSettings
from .wire import Address, SimulatorReactor, Wire, dial, open_door

log = Logger()

SEQUENCE_MAX: Final = 999_999


@attrs.frozen
class Acknowledge:
    """Answer ACK, after a while if told so."""

    delay_s: float = 0.0


@attrs.frozen
class Reject:
    """Answer NAK with a reason (three characters)."""

    code: str = "H50"


@attrs.frozen
class Ignore:
    """Say nothing; of a message that says it may be a duplicate, too."""


BankAct = Acknowledge | Reject | Ignore


@attrs.frozen
class BankRule:
    """A row of the bank's table, the first that applies decides; without any it acknowledges.

    references: prefixes of field 20. chance: share of the matching messages. first_only: not those which carry PDE,
    so that a message is ignored once and acknowledged when it comes again.
    """

    act: BankAct
    references: tuple[str, ...] = ()
    chance: float = 1.0
    first_only: bool = False


@attrs.frozen
class Received:
    """A user message that arrived: what a check at the end needs, and nothing of what it says."""

    message_type: str
    reference: str | None
    uetr: str | None
    sender_bic: str | None
    is_possible_duplicate: bool
    act: BankAct


@attrs.frozen
class BankSettings:
    """Who the bank is, and what it remembers: received_max messages, waiting_max of its own without an answer."""

    bic: str
    framing: str = "length4"
    rules: Sequence[BankRule] = ()
    received_max: int = 100_000
    waiting_max: int = 1_000
    delayed_max: int = 1_000
    session: str = "0001"


@attrs.frozen
class Transfer:
    """An MT103 to send: reference (16 at most), UETR, amount as SWIFT writes it ("1250,00"), and the two accounts."""

    reference: str
    uetr: str
    currency: str
    amount: str
    value_date: date
    from_account: str = attrs.field(repr=False)
    to_account: str = attrs.field(repr=False)


class Bank:
    """One bank on any number of connections; an Ear of all of them."""

    def __init__(
        self, reactor: SimulatorReactor, settings: BankSettings, random: Random, now: Callable[[], datetime]
    ) -> None:
        self._reactor = reactor
        self._settings = settings
        self._random = random
        self._now = now
        self._ports: list[IListeningPort] = []
        self._wires: list[Wire] = []
        self._waiting: dict[str, tuple[Wire, Deferred[Ack | None]]] = {}
        self._delayed: set[IDelayedCall] = set()
        self._sequence = 0
        self.received: deque[Received] = deque(maxlen=settings.received_max)
        self.undecodable = 0
        self.stray_acks = 0

    @property
    def connections(self) -> int:
        """How many connections are up."""
        return len(self._wires)

    async def listen(self, endpoint: str, tls: TlsSettings | None = None) -> int:
        """Accept connections at a Twisted endpoint, and give the port it got."""
        port = await open_door(self._reactor, endpoint, tls, self._settings.framing, lambda: self)
        self._ports.append(port)
        return int(port.getHost().port)  # type: ignore[attr-defined]  # the endpoints are TCP

    async def dial(self, address: Address) -> Wire:
        """Connect to a switch. Raises Unreachable."""
        return await dial(self._reactor, address, self._settings.framing, self)

    async def close(self) -> None:
        """Stop listening, forget answers that wait for their time, and hang up."""
        for port in self._ports:
            await maybeDeferred(port.stopListening)
        for call in self._delayed:
            call.cancel()
        self._delayed.clear()
        for wire in list(self._wires):
            wire.hang_up()

    # ------------------------------------------------------------ sending

    def compose(self, transfer: Transfer, receiver: str, is_possible_duplicate: bool = False) -> FinMessage:
        """Make the MT103 of a transfer under the next sequence number; a second emission carries PDE."""
        self._sequence = self._sequence % SEQUENCE_MAX + 1
        return new_message(
            "103",
            sender=lt_of(self._settings.bic, "A"),
            receiver=receiver,
            session=self._settings.session,
            sequence=f"{self._sequence:06d}",
            user_header=[("121", transfer.uetr)],
            text=[
                ("20", transfer.reference),
                ("23B", "CRED"),
                ("32A", f"{transfer.value_date:%y%m%d}{transfer.currency}{transfer.amount}"),
                ("50K", f"/{transfer.from_account}\nCOPPER AND SONS\nHARBOUR STREET 4\nHAMBURG"),
                ("59", f"/{transfer.to_account}\nANNA LINDQVIST\nMARKET SQUARE 2\nBREMEN"),
                ("70", f"INVOICE {transfer.reference}"),
                ("71A", "SHA"),
            ],
            trailers=[("PDE", "")] if is_possible_duplicate else (),
        )

    async def send(self, wire: Wire, message: FinMessage, timeout_s: float) -> Ack | None:
        """Send a user message and give the answer to it; None when there is none in time or the link is lost."""
        key = message.lt + message.session + message.sequence
        assert key not in self._waiting, "a sequence number goes out once"
        assert len(self._waiting) < self._settings.waiting_max, "too many messages without an answer"
        answer: Deferred[Ack | None] = Deferred()
        if not wire.is_up:
            return None
        self._waiting[key] = (wire, answer)
        limit = self._reactor.callLater(timeout_s, self._end, key, None)
        wire.send(message.raw)
        try:
            return await answer
        finally:
            if limit.active():
                limit.cancel()

    def _end(self, key: str, answer: Ack | None) -> bool:
        waiting = self._waiting.pop(key, None)
        if waiting is not None:
            waiting[1].callback(answer)
        return waiting is not None

    # ------------------------------------------------------------ what wires tell

    def wire_up(self, wire: Wire) -> None:
        self._wires.append(wire)

    def wire_down(self, wire: Wire, why: str) -> None:
        self._wires.remove(wire)
        for key in [key for key, (asked, _) in self._waiting.items() if asked is wire]:
            self._end(key, None)

    def hear(self, wire: Wire, frame: Frame) -> None:
        """Match an acknowledgement, or decide about a user message."""
        try:
            message = parse_fin(frame.body)
            if message.is_ack_or_nak:
                answer = read_ack(message)
                if not self._end(answer.lt + answer.session + answer.sequence, answer):
                    self.stray_acks += 1
                return
        except DecodeFault as fault:
            self.undecodable += 1
            log.warn("undecodable FIN message: {fault}", fault=str(fault))
            return
        act = self._decide(message)
        self.received.append(
            Received(
                message_type=message.message_type or "",
                reference=message.reference,
                uetr=message.uetr,
                sender_bic=message.sender_bic,
                is_possible_duplicate=message.is_possible_duplicate,
                act=act,
            )
        )
        self._carry_out(wire, message, act)

    def _decide(self, message: FinMessage) -> BankAct:
        for rule in self._settings.rules:
            if rule.references and not (message.reference or "").startswith(rule.references):
                continue
            if rule.first_only and message.is_possible_duplicate:
                continue
            if rule.chance >= 1.0 or self._random.random() < rule.chance:
                return rule.act
        return Acknowledge()

    def _carry_out(self, wire: Wire, message: FinMessage, act: BankAct) -> None:
        match act:
            case Ignore():
                pass
            case Reject(code):
                wire.send(nak(message, self._now(), code))
            case Acknowledge(delay_s) if delay_s <= 0 or len(self._delayed) >= self._settings.delayed_max:
                wire.send(ack(message, self._now()))
            case Acknowledge(delay_s):
                self._acknowledge_later(wire, message, delay_s)

    def _acknowledge_later(self, wire: Wire, message: FinMessage, delay_s: float) -> None:
        def write() -> None:
            self._delayed.discard(call)
            wire.send(ack(message, self._now()))

        call = self._reactor.callLater(delay_s, write)
        self._delayed.add(call)
