"""An issuer: answers requests as its rules say, acknowledges advices and reversals, and keeps a journal of both.

It accepts connections and dials them; what it decides is the same on every one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from random import Random
from typing import Final

import attrs
from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IListeningPort
from twisted.logger import Logger

from ..codecs.faults import DecodeFault
from ..codecs.framing import Frame
from ..codecs.iso8583 import Message, Spec, Value, decode, encode, respond
from ..codecs.iso8583.compose import balances
from ..codecs.iso8583.mti import is_advice, is_request
from ..config.settings import TlsSettings
from .journal import Entry, Identity, Journal
from .rules import Act, Behaviour, Rule, decide
from .wire import Address, SimulatorReactor, Wire, dial, open_door

log = Logger()

SIGN_ON: Final = "001"
_BALANCE_MINOR: Final = 123_456
_INQUIRIES: Final = ("30", "31")


@attrs.frozen
class IssuerSettings:
    """How an issuer speaks and what it remembers.

    delayed_max: answers that may wait for their time at once; beyond it they are given at once. entries_max: requests
    in the journal. signs_on: sends 0800 with DE70 001 first on connections that it dials.
    """

    spec: Spec
    framing: str = "length2"
    rules: Sequence[Rule] = ()
    delayed_max: int = 10_000
    entries_max: int = 200_000
    signs_on: bool = False


@attrs.define
class IssuerCounts:
    """What an issuer heard and did, connections and faults included."""

    connections: int = 0
    requests: int = 0
    advices: int = 0
    network: int = 0
    responses: int = 0
    undecodable: int = 0
    not_delayed: int = 0


class Issuer:
    """Decides for every connection that belongs to it; an Ear of all of them."""

    def __init__(
        self, reactor: SimulatorReactor, settings: IssuerSettings, random: Random, now: Callable[[], datetime]
    ) -> None:
        self._reactor = reactor
        self._now = now
        self._settings = settings
        self._random = random
        self._ports: list[IListeningPort] = []
        self._wires: list[Wire] = []
        self._delayed: dict[Identity, IDelayedCall] = {}
        self._approvals = 0
        self._stan = 0
        self.journal = Journal(settings.entries_max)
        self.counts = IssuerCounts()

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
        for call in self._delayed.values():
            call.cancel()
        self._delayed.clear()
        for wire in list(self._wires):
            wire.hang_up()

    # ------------------------------------------------------------ what wires tell

    def wire_up(self, wire: Wire) -> None:
        self._wires.append(wire)
        self.counts.connections += 1
        if self._settings.signs_on:
            wire.send(encode(self._settings.spec, self._sign_on()))

    def wire_down(self, wire: Wire, why: str) -> None:
        self._wires.remove(wire)

    def hear(self, wire: Wire, frame: Frame) -> None:
        """Decide about one message; what does not decode is counted and left unanswered."""
        try:
            message = decode(self._settings.spec, frame.body)
        except DecodeFault as fault:
            self.counts.undecodable += 1
            log.warn("undecodable message: {fault}", fault=str(fault))
            return
        if message.mti[1] == "8":
            self._hear_network(wire, message, frame.header)
        elif is_request(message.mti):
            self._hear_request(wire, message, frame.header)
        elif is_advice(message.mti):
            self.counts.advices += 1
            self.journal.follow(message)
            self._write(wire, respond(message, "00"), frame.header)

    def _hear_network(self, wire: Wire, message: Message, header: bytes) -> None:
        if is_request(message.mti):
            self.counts.network += 1
            echoed: dict[int, Value] = {} if message.get(70) is None else {70: message[70]}
            self._write(wire, respond(message, "00", echoed), header)

    def _hear_request(self, wire: Wire, message: Message, header: bytes) -> None:
        self.counts.requests += 1
        if message.mti[1] == "4":
            self.journal.follow(message)
            self._write(wire, respond(message, "00"), header)
            return
        behaviour = decide(self._settings.rules, message, self._random)
        entry = self.journal.open(message, behaviour.act, behaviour.code)
        if behaviour.delay_s <= 0:
            self._act(wire, message, header, behaviour, entry)
        elif len(self._delayed) >= self._settings.delayed_max:
            self.counts.not_delayed += 1
            self._act(wire, message, header, behaviour, entry)
        else:
            call = self._reactor.callLater(behaviour.delay_s, self._act, wire, message, header, behaviour, entry)
            self._delayed[entry.identity] = call

    def _act(self, wire: Wire, message: Message, header: bytes, behaviour: Behaviour, entry: Entry) -> None:
        """Do what was decided; an answer that finds the connection gone has not reached the asker."""
        self._delayed.pop(entry.identity, None)
        if not wire.is_up:
            entry.reached = False
        elif behaviour.act is Act.DISCONNECT:
            wire.hang_up()
        elif behaviour.act is Act.GARBLE:
            wire.send(bytes(byte ^ 0xFF for byte in encode(self._settings.spec, self._answer(message, behaviour))))
        elif behaviour.act is not Act.SILENT:
            answer = self._answer(message, behaviour)
            for _ in range(2 if behaviour.act is Act.TWICE else 1):
                self._write(wire, answer, header)

    def _answer(self, message: Message, behaviour: Behaviour) -> Message:
        if behaviour.code != "00":
            return respond(message, behaviour.code)
        self._approvals += 1
        fields: dict[int, Value] = {38: f"{self._approvals % 1_000_000:06d}"}
        processing_code = str(message.get(3) or "")
        if processing_code[:2] in _INQUIRIES:
            currency = str(message.get(49) or "000")
            fields[54] = balances(processing_code[2:4], currency, _BALANCE_MINOR, _BALANCE_MINOR)
        return respond(message, behaviour.code, fields)

    def _write(self, wire: Wire, message: Message, header: bytes) -> None:
        self.counts.responses += 1
        wire.send(encode(self._settings.spec, message), header)

    def _sign_on(self) -> Message:
        self._stan = self._stan % 999_999 + 1
        return Message("0800", {7: f"{self._now():%m%d%H%M%S}", 11: f"{self._stan:06d}", 70: SIGN_ON})
