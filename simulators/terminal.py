"""A payment terminal: plays scenarios over its own connection, one message at a time, and checks every answer."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Final

import attrs
from twisted.internet.defer import Deferred

from ..codecs.faults import DecodeFault
from ..codecs.framing import Frame
from ..codecs.iso8583 import Message, Spec, decode, encode
from .scenarios import Leg, Scenario, Tie
from .slips import Card, Stans, TerminalProfile, find_mismatch, follow_up, repeat, request
from .tally import Tally
from .waiting import pause
from .wire import Address, SimulatorReactor, Unreachable, Wire, dial

ANSWERED_MAX: Final = 64
"""How many answered requests a terminal remembers to notice a second answer."""

Key = tuple[str, str, str]


@attrs.frozen
class TerminalSettings:
    """How a terminal connects and how long it waits.

    patience_s: for an answer, longer than the switch waits for an issuer. reversal_interval_s: between attempts of a
    reversal that is not answered; attempts_max bounds them, and attempts to connect.
    """

    address: Address
    spec: Spec
    framing: str = "length2"
    patience_s: float = 30.0
    reversal_interval_s: float = 1.0
    attempts_max: int = 10


@attrs.frozen
class _Heard:
    """An answer as it came."""

    message: Message
    raw: bytes = attrs.field(repr=False)


class _Waiting:
    """The one request that a terminal waits for."""

    __slots__ = ("answer", "key")

    def __init__(self, key: Key) -> None:
        self.key = key
        self.answer: Deferred[_Heard | None] = Deferred()

    def end(self, heard: _Heard | None) -> None:
        if not self.answer.called:
            self.answer.callback(heard)


class Terminal:
    """Has its own DE41, DE42, STAN counter and connection, which it dials when it needs it."""

    def __init__(
        self,
        reactor: SimulatorReactor,
        settings: TerminalSettings,
        profile: TerminalProfile,
        tally: Tally,
        now: Callable[[], datetime],
        stans: Stans,
    ) -> None:
        self._reactor = reactor
        self._settings = settings
        self._profile = profile
        self._tally = tally
        self._now = now
        self._stans = stans
        self._wire: Wire | None = None
        self._waiting: _Waiting | None = None
        self._answered: OrderedDict[Key, int] = OrderedDict()

    async def play(self, scenario: Scenario, card: Card, amount_minor: int, to: str | None = None) -> None:
        """Play one scenario to its end; `to` is the account that a transfer pays.

        What goes wrong is counted in the tally, and nothing is raised. A request without an answer is reversed.
        """
        first_leg = scenario.legs[0]
        target = to if first_leg.processing_code == "40" else None
        first = request(self._profile, card, first_leg, amount_minor, next(self._stans), self._now(), target)
        heard = await self._carry_out(scenario, first_leg, first)
        for leg in scenario.legs[1:]:
            if not (first_leg.cut or leg.tie is Tie.REPEATS or (heard and heard.message.get(39) == "00")):
                continue
            message = follow_up(first, leg, amount_minor, next(self._stans), self._now())
            again = await self._carry_out(scenario, leg, message, undoes=leg.tie is Tie.REVERSES)
            if leg.tie is Tie.REPEATS and heard and again and again.raw != heard.raw:
                self._tally.found_wrong(f"{scenario.name}: the repeat was answered by other bytes")
        self._tally.scenarios += 1

    def close(self) -> None:
        """Hang up."""
        if self._wire is not None:
            self._wire.hang_up()

    async def _carry_out(self, scenario: Scenario, leg: Leg, message: Message, undoes: bool = False) -> _Heard | None:
        if leg.cut:
            await self._write_and_leave(scenario, message)
            return None
        if undoes:
            heard = await self._insist(scenario, message)
        else:
            heard = await self._ask(scenario, message)
            if heard is None and message.mti[2] == "0":
                undo = follow_up(message, _UNDO, 0, next(self._stans), self._now())
                await self._insist(scenario, undo)
        if heard is not None:
            self._check(scenario, leg, message, heard.message)
        return heard

    def _check(self, scenario: Scenario, leg: Leg, asked: Message, response: Message) -> None:
        problem = find_mismatch(asked, response)
        code = str(response.get(39) or "")
        if problem is None and code not in leg.codes:
            problem = f"{asked.mti} was answered {code}, expected {' or '.join(sorted(leg.codes))}"
        if problem is None and code == "00":
            missing = [element for element in leg.elements if response.get(element) is None]
            problem = f"an approval without DE{missing[0]}" if missing else None
        if problem is not None:
            self._tally.found_wrong(f"{scenario.name}: {problem}")

    async def _insist(self, scenario: Scenario, message: Message) -> _Heard | None:
        """Ask until there is an answer: first as it is, then as a repeat."""
        for attempt in range(self._settings.attempts_max):
            heard = await self._ask(scenario, message if attempt == 0 else repeat(message))
            if heard is not None:
                return heard
            await pause(self._reactor, self._settings.reversal_interval_s)
        return None

    async def _write_and_leave(self, scenario: Scenario, message: Message) -> None:
        wire = await self._find_wire(scenario)
        if wire is not None:
            self._tally.sent += 1
            self._tally.cut += 1
            wire.send(encode(self._settings.spec, message))
            wire.hang_up()

    async def _ask(self, scenario: Scenario, message: Message) -> _Heard | None:
        """Send a message and wait for its answer: None when there is none, or no connection."""
        wire = await self._find_wire(scenario)
        if wire is None:
            return None
        waiting = _Waiting(_key(message))
        self._waiting = waiting
        self._answered.pop(waiting.key, None)
        self._tally.sent += 1
        started_s = self._reactor.seconds()
        wire.send(encode(self._settings.spec, message))
        limit = self._reactor.callLater(self._settings.patience_s, waiting.end, None)
        try:
            heard = await waiting.answer
        finally:
            self._waiting = None
            if limit.active():
                limit.cancel()
        if heard is None:
            self._tally.silent(f"{scenario.name}: {message.mti} got no answer")
            return None
        elapsed_s = self._reactor.seconds() - started_s
        code = str(heard.message.get(39) or "")
        self._tally.answered(scenario.name, code, elapsed_s, is_prompt=scenario.is_prompt)
        self._answered[waiting.key] = 1
        if len(self._answered) > ANSWERED_MAX:
            self._answered.popitem(last=False)
        return heard

    async def _find_wire(self, scenario: Scenario) -> Wire | None:
        """Give the connection, dialling when there is none; None when nobody takes our calls."""
        for _ in range(self._settings.attempts_max):
            if self._wire is not None and self._wire.is_up:
                return self._wire
            try:
                self._wire = await dial(self._reactor, self._settings.address, self._settings.framing, self)
            except Unreachable as error:
                self._tally.refused(f"{scenario.name}: {error}")
                await pause(self._reactor, self._settings.reversal_interval_s)
        return self._wire if self._wire is not None and self._wire.is_up else None

    # ------------------------------------------------------------ what the wire tells

    def wire_up(self, wire: Wire) -> None:
        """Nothing to say first: terminals do not sign on."""

    def hear(self, wire: Wire, frame: Frame) -> None:
        """Give an answer to the request that waits for it, and count whatever else comes."""
        try:
            response = decode(self._settings.spec, frame.body)
        except DecodeFault as fault:
            self._tally.heard_unexpected(f"an answer that does not decode: {fault}")
            return
        key = _key(response)
        if self._waiting is not None and self._waiting.key == key and not self._waiting.answer.called:
            self._waiting.end(_Heard(response, frame.body))
        elif key in self._answered:
            self._answered[key] += 1
            self._tally.answered_again(f"{response.mti} came again", is_second=self._answered[key] == 2)
        else:
            self._tally.heard_unexpected(f"{response.mti} that nobody asked for")

    def wire_down(self, wire: Wire, why: str) -> None:
        """A request in hand will not be answered here."""
        if self._waiting is not None:
            self._waiting.end(None)


_UNDO: Final = Leg("0420", tie=Tie.REVERSES)


def _key(message: Message) -> Key:
    return (message.mti[:2], str(message.get(11)), str(message.get(37)))
