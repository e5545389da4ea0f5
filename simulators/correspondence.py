"""MT103s between banks and the switch, sent at a steady pace, each with an answer that is right for it."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from enum import Enum
from random import Random
from typing import Final

import attrs
from twisted.internet.interfaces import IReactorTime

from ..codecs.swift import Ack
from .bank import Bank, Transfer
from .waiting import pause
from .wire import Wire


class Kind(Enum):
    """What a message is for; the value is the prefix of its reference (field 20)."""

    BOOKED = "BOOK"
    """For an account in the switch's own books: ACK."""
    UNKNOWN = "NONE"
    """For an account that nobody has: NAK."""
    TWICE = "DUPL"
    """Booked, and the same message again with PDE: the same ACK, flagged as a duplicate's."""
    ONWARD = "PASS"
    """For the other bank: ACK, and delivered there."""
    ONWARD_SLOW = "LAZY"
    """The same, and the other bank ignores it the first time."""

    @property
    def is_onward(self) -> bool:
        return self in (Kind.ONWARD, Kind.ONWARD_SLOW)


ROUND: Final = (Kind.BOOKED, Kind.ONWARD, Kind.BOOKED, Kind.TWICE, Kind.ONWARD, Kind.UNKNOWN, Kind.ONWARD_SLOW)
PROBLEMS_MAX: Final = 50


@attrs.define
class MailCounts:
    """What came of the messages; `problems` says what was not right."""

    sent: int = 0
    acknowledged: int = 0
    rejected: int = 0
    flagged: int = 0
    kinds: Counter[Kind] = attrs.field(factory=Counter)
    onward: list[str] = attrs.field(factory=list)
    """References of what must arrive at the other bank."""
    problems: list[str] = attrs.field(factory=list)


@attrs.frozen
class Correspondent:
    """A bank with its connection to the switch, and what it may send there."""

    bank: Bank
    wire: Wire
    receiver_bic: str
    kinds: frozenset[Kind]


class Correspondence:
    """Sends one message after the other, in rounds of every kind.

    accounts: customers of the switch to pay to, all in EUR. timeout_s: for the answer to each.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        correspondents: Sequence[Correspondent],
        accounts: Sequence[str],
        random: Random,
        today: Callable[[], date],
        timeout_s: float,
    ) -> None:
        self._reactor = reactor
        self._correspondents = correspondents
        self._accounts = accounts
        self._random = random
        self._today = today
        self._timeout_s = timeout_s
        self._is_stopped = False
        self.counts = MailCounts()

    def stop(self) -> None:
        """Begin nothing more."""
        self._is_stopped = True

    async def work(self, seconds: float, interval_s: float) -> None:
        """Send a message every `interval_s`, each after the answer to the one before."""
        until_s = self._reactor.seconds() + seconds
        number = 0
        while not self._is_stopped and self._reactor.seconds() + interval_s < until_s:
            await pause(self._reactor, interval_s)
            await self._send(ROUND[number % len(ROUND)], number)
            number += 1

    async def _send(self, kind: Kind, number: int) -> None:
        sender = next(each for each in self._correspondents if kind in each.kinds)
        transfer = self._compose(kind, number)
        counts = self.counts
        counts.kinds[kind] += 1
        answer = await self._ask(sender, transfer, again=False)
        if kind is Kind.UNKNOWN:
            self._expect(kind, answer, accepted=False)
            return
        self._expect(kind, answer, accepted=True)
        if kind.is_onward:
            counts.onward.append(transfer.reference)
        if kind is Kind.TWICE:
            second = await self._ask(sender, transfer, again=True)
            self._expect(kind, second, accepted=True)
            if second is not None and not second.is_duplicate:
                self._note(f"{kind.value}: the second ACK is not flagged")

    async def _ask(self, sender: Correspondent, transfer: Transfer, *, again: bool) -> Ack | None:
        self.counts.sent += 1
        message = sender.bank.compose(transfer, sender.receiver_bic, is_possible_duplicate=again)
        return await sender.bank.send(sender.wire, message, self._timeout_s)

    def _expect(self, kind: Kind, answer: Ack | None, *, accepted: bool) -> None:
        if answer is None:
            self._note(f"{kind.value}: no answer")
            return
        self.counts.acknowledged += answer.accepted
        self.counts.rejected += not answer.accepted
        self.counts.flagged += answer.is_duplicate
        if answer.accepted is not accepted:
            self._note(f"{kind.value}: {'ACK' if answer.accepted else f'NAK {answer.code}'}")

    def _compose(self, kind: Kind, number: int) -> Transfer:
        whole, cents = self._random.randint(1, 90_000), self._random.randint(0, 99)
        account = "NOBODY-HAS-IT" if kind is Kind.UNKNOWN else self._random.choice(self._accounts)
        return Transfer(
            reference=f"{kind.value}{number:08d}",
            uetr=str(uuid.UUID(int=self._random.getrandbits(128), version=4)),
            currency="EUR",
            amount=f"{whole},{cents:02d}",
            value_date=self._today(),
            from_account="DE89370400440532013000",
            to_account="DE44500105175407324931" if kind.is_onward else account,
        )

    def _note(self, problem: str) -> None:
        if len(self.counts.problems) < PROBLEMS_MAX:
            self.counts.problems.append(problem)
