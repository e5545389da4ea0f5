"""MT103s between a bank and a peer that answers as the switch should, or does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from random import Random
from typing import Any

import pytest_twisted
from answering import LOOPBACK, reactor
from junctor.codecs.framing import Frame
from junctor.codecs.swift import FinMessage, ack, check, nak, parse_fin
from junctor.simulators.bank import Bank, BankSettings
from junctor.simulators.correspondence import ROUND, Correspondence, Correspondent, Kind, MailCounts
from junctor.simulators.wire import Address, Wire, open_door
from twisted.internet.defer import maybeDeferred

AT = datetime(2026, 11, 20, 15, 4, 21, tzinfo=UTC)
Answers = Callable[[FinMessage], bytes | None]


class Door:
    """A switch's FIN door."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.heard: list[FinMessage] = []

    def wire_up(self, wire: Wire) -> None: ...
    def wire_down(self, wire: Wire, why: str) -> None: ...

    def hear(self, wire: Wire, frame: Frame) -> None:
        message = parse_fin(frame.body)
        self.heard.append(message)
        answer = self.answers(message)
        if answer is not None:
            wire.send(answer)


def rightly(message: FinMessage) -> bytes:
    account = message.find("59")
    assert account is not None
    if "NOBODY" in account.value:
        return nak(message, AT, "H53")
    return ack(message, AT, is_duplicate=message.is_possible_duplicate)


async def correspond(answers: Answers, seconds: float, timeout_s: float = 5.0) -> tuple[MailCounts, list[FinMessage]]:
    door = Door(answers)
    port: Any = await open_door(reactor, LOOPBACK, None, "length4", lambda: door)
    bank = Bank(reactor, BankSettings("NORTDEFFXXX"), Random(1), lambda: AT)
    wire = await bank.dial(Address("127.0.0.1", port.getHost().port))
    sender = Correspondent(bank, wire, "JUNCDEFFXXX", frozenset(Kind))
    mail = Correspondence(reactor, [sender], ["holder-eur-000"], Random(1), lambda: date(2026, 11, 20), timeout_s)
    await mail.work(seconds, 0.005)
    await bank.close()
    await maybeDeferred(port.stopListening)
    return mail.counts, door.heard


@pytest_twisted.ensureDeferred
async def test_a_round_sends_every_kind_and_each_is_valid_and_answered_rightly() -> None:
    counts, heard = await correspond(rightly, seconds=0.4)
    assert counts.problems == []
    assert set(counts.kinds) == set(ROUND) == set(Kind)
    assert counts.sent == counts.acknowledged + counts.rejected == len(heard)
    assert counts.rejected == counts.kinds[Kind.UNKNOWN]
    assert counts.flagged == counts.kinds[Kind.TWICE]
    assert len(counts.onward) == counts.kinds[Kind.ONWARD] + counts.kinds[Kind.ONWARD_SLOW]
    assert [check(message) for message in heard] == [()] * len(heard)
    copies = Counter(message.reference for message in heard)
    assert {number for reference, number in copies.items() if reference and reference.startswith("DUPL")} == {2}
    assert len({message.uetr for message in heard}) == len(copies)


@pytest_twisted.ensureDeferred
async def test_wrong_answers_and_silence_are_told_by_kind() -> None:
    def wrongly(message: FinMessage) -> bytes | None:
        match (message.reference or "")[:4]:
            case "BOOK":
                return nak(message, AT, "T27")
            case "NONE":
                return ack(message, AT)
            case "DUPL":
                return ack(message, AT)
            case _:
                return None

    counts, _ = await correspond(wrongly, seconds=0.4, timeout_s=0.01)
    assert {"BOOK: NAK T27", "NONE: ACK", "DUPL: the second ACK is not flagged", "PASS: no answer"} <= set(
        counts.problems
    )
    assert counts.acknowledged == counts.kinds[Kind.TWICE] * 2 + counts.kinds[Kind.UNKNOWN]
