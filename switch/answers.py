"""Answers: what the books said, turned into the one answer (or silence) that the asker gets, and counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ..config.settings import RequestSettings
from ..ledger.operations import Answered, Conflict, Decided, Facts, InProgress, Late, Outcome, Silenced
from .books import Unavailable
from .codes import APPROVED, DUPLICATE, MALFUNCTION, code_of
from .drafts import refusal
from .links.contract import Incoming

log = Logger()


class AnswerMeter(Protocol):
    def transaction(self, source: str, destination: str, type: str, outcome: str, seconds: float) -> None: ...
    def response(self, destination: str, type: str, code: str) -> None: ...
    def duplicate(self, source: str, action: str) -> None: ...


class Answers:
    """Ends requests: every path of the desk comes here with an outcome of the books."""

    def __init__(
        self,
        clock: IReactorTime,
        settings: RequestSettings,
        wake: Callable[[str], None],
        meter: AnswerMeter,
    ) -> None:
        self._clock = clock
        self._requests = settings
        self._wake = wake
        self._meter = meter

    def finish(
        self,
        incoming: Incoming,
        facts: Facts,
        outcome: Outcome | Unavailable,
        *,
        word: str | None = None,
        code: str | None = None,
        instead: bytes | None = None,
    ) -> None:
        """Turn what the books said into the one answer (or silence) that the asker gets.

        `instead`: what is answered when the books cannot record the end of a transaction that is open already; the
        sweep records the same answer later.
        """
        match outcome:
            case Decided(decision=decision, response=response, lanes=lanes):
                code = code or (MALFUNCTION if decision is None else code_of(decision))
                word = word or ("approved" if code == APPROVED else "declined")
                self._answer(incoming, facts, response, word, code, lanes)
            case Silenced(response=response, lanes=lanes):
                self._answer(incoming, facts, response, "timeout", self._requests.code_timeout, lanes)
            case Late(response=bytes() as response):
                self._answer(incoming, facts, response, "timeout", self._requests.code_timeout)
            case Answered(response=response):
                self._meter.duplicate(facts.source, "replayed")
                incoming.answer(response)
            case InProgress():
                self._meter.duplicate(facts.source, "inflight")
                incoming.drop()
            case Conflict():
                self._meter.duplicate(facts.source, "conflict")
                log.info("{source} reused an identity with other content", source=facts.source, trace=facts.trace)
                incoming.answer(refusal(incoming.link.spec, incoming.message, DUPLICATE))
            case Unavailable() if instead is not None:
                self._answer(incoming, facts, instead, "timeout", self._requests.code_timeout)
            case Unavailable():
                code = self._requests.code_unavailable
                response = refusal(incoming.link.spec, incoming.message, code)
                self._answer(incoming, facts, response, "unavailable", code)
            case _:
                log.error("the books answered with {kind}", kind=type(outcome).__name__, trace=facts.trace)
                response = refusal(incoming.link.spec, incoming.message, MALFUNCTION)
                self._answer(incoming, facts, response, "error", MALFUNCTION)

    def _answer(
        self,
        incoming: Incoming,
        facts: Facts,
        response: bytes,
        word: str,
        code: str,
        lanes: tuple[str, ...] = (),
    ) -> None:
        incoming.answer(response)
        destination = facts.destination or "none"
        elapsed_s = self._clock.seconds() - incoming.received_s
        self._meter.transaction(facts.source, destination, facts.type, word, elapsed_s)
        self._meter.response(destination, facts.type, code)
        # What went as it should is told at level debug; the books keep it either way, under the same trace.
        tell = log.debug if word in ("approved", "declined") else log.info
        tell(
            "{type} {stan} of {source} to {destination}: {outcome} {code} in {elapsed_ms} ms",
            type=facts.type,
            stan=facts.stan,
            source=facts.source,
            destination=destination,
            outcome=word,
            code=code,
            elapsed_ms=round(elapsed_s * 1000, 1),
            trace=facts.trace,
        )
        for lane in lanes:
            self._wake(lane)
