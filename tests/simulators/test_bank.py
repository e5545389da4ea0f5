"""The SWIFT bank over a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime
from random import Random

import pytest_twisted
from answering import reactor
from junctor.codecs.framing import Frame
from junctor.codecs.swift import FinMessage, nak, parse_fin, read_ack
from junctor.simulators.bank import Acknowledge, Bank, BankRule, BankSettings, Ignore, Reject, Transfer
from junctor.simulators.waiting import pause, wait_until
from junctor.simulators.wire import Address, Wire, dial
from twisted.internet.defer import ensureDeferred

AT = datetime(2026, 11, 20, 15, 4, 21, tzinfo=UTC)
LOOPBACK = "tcp:0:interface=127.0.0.1"
UETR = "c8b66b47-2bd9-48fe-be90-93c2096f27d2"
TRANSFER = Transfer("REF0001", UETR, "EUR", "1250,50", date(2026, 11, 20), "DE89370400440532013000", "anna")


class Peer:
    """The other end of a FIN link."""

    def __init__(self) -> None:
        self.heard: list[FinMessage] = []

    def wire_up(self, wire: Wire) -> None:
        self.wire = wire

    def hear(self, wire: Wire, frame: Frame) -> None:
        self.heard.append(parse_fin(frame.body))

    def wire_down(self, wire: Wire, why: str) -> None:
        pass

    async def until(self, count: int) -> list[FinMessage]:
        assert await wait_until(reactor, lambda: len(self.heard) >= count, 5.0, 0.005)
        await pause(reactor, 0.02)
        return self.heard


Start = Callable[..., Awaitable[tuple[Bank, Peer]]]


@pytest_twisted.async_yield_fixture
async def start() -> AsyncIterator[Start]:
    banks: list[Bank] = []

    async def start(*rules: BankRule) -> tuple[Bank, Peer]:
        bank = Bank(reactor, BankSettings("NORTDEFFXXX", rules=rules), Random(1), lambda: AT)
        banks.append(bank)
        peer = Peer()
        await dial(reactor, Address("127.0.0.1", await bank.listen(LOOPBACK)), "length4", peer)
        return bank, peer

    yield start
    for bank in banks:
        await bank.close()


def sent_by_somebody(reference: str, *, is_possible_duplicate: bool = False) -> FinMessage:
    trailer = b"{5:{PDE:}}" if is_possible_duplicate else b""
    return parse_fin(
        b"{1:F01JUNCDEFFAXXX0001000007}{2:I103NORTDEFFXXXXN}{3:{121:" + UETR.encode() + b"}}{4:\r\n"
        b":20:" + reference.encode() + b"\r\n:23B:CRED\r\n:32A:261120EUR100,\r\n:50K:/1\r\nA\r\n:59:/2\r\nB\r\n"
        b":71A:SHA\r\n-}" + trailer
    )


def test_an_mt103_is_composed_byte_for_byte() -> None:
    bank = Bank(reactor, BankSettings("NORTDEFFXXX"), Random(1), lambda: AT)
    assert bank.compose(TRANSFER, "JUNCDEFFXXX").raw == (
        b"{1:F01NORTDEFFAXXX0001000001}{2:I103JUNCDEFFXXXXN}{3:{121:" + UETR.encode() + b"}}{4:\r\n"
        b":20:REF0001\r\n:23B:CRED\r\n:32A:261120EUR1250,50\r\n"
        b":50K:/DE89370400440532013000\r\nCOPPER AND SONS\r\nHARBOUR STREET 4\r\nHAMBURG\r\n"
        b":59:/anna\r\nANNA LINDQVIST\r\nMARKET SQUARE 2\r\nBREMEN\r\n:70:INVOICE REF0001\r\n:71A:SHA\r\n-}"
    )
    again = bank.compose(TRANSFER, "JUNCDEFFXXX", is_possible_duplicate=True)
    assert again.sequence == "000002"
    assert again.raw.endswith(b"-}{5:{PDE:}}")


@pytest_twisted.ensureDeferred
async def test_a_bank_acknowledges_and_remembers_what_came(start: Start) -> None:
    bank, peer = await start()
    peer.wire.send(sent_by_somebody("A1", is_possible_duplicate=True).raw)
    (answer,) = await peer.until(1)
    ack = read_ack(answer)
    assert (ack.accepted, ack.lt, ack.session, ack.sequence) == (True, "JUNCDEFFAXXX", "0001", "000007")
    (received,) = bank.received
    assert (received.message_type, received.reference, received.uetr) == ("103", "A1", UETR)
    assert received.sender_bic == "JUNCDEFFXXX"
    assert received.is_possible_duplicate


@pytest_twisted.ensureDeferred
async def test_a_bank_rejects_by_reference_with_the_reason_it_was_given(start: Start) -> None:
    _, peer = await start(BankRule(Reject("H50"), references=("BAD",)))
    peer.wire.send(sent_by_somebody("BAD1").raw)
    peer.wire.send(sent_by_somebody("GOOD1").raw)
    answers = [read_ack(answer) for answer in await peer.until(2)]
    assert [(answer.accepted, answer.code) for answer in answers] == [(False, "H50"), (True, None)]


@pytest_twisted.ensureDeferred
async def test_a_bank_ignores_a_message_once_and_takes_it_when_it_comes_again(start: Start) -> None:
    bank, peer = await start(BankRule(Ignore(), first_only=True))
    peer.wire.send(sent_by_somebody("A1").raw)
    peer.wire.send(sent_by_somebody("A1", is_possible_duplicate=True).raw)
    assert len(await peer.until(1)) == 1
    assert [received.act for received in bank.received] == [Ignore(), Acknowledge()]


@pytest_twisted.ensureDeferred
async def test_a_slow_bank_acknowledges_later(start: Start) -> None:
    _, peer = await start(BankRule(Acknowledge(delay_s=0.05), references=("SLOW",)))
    peer.wire.send(sent_by_somebody("SLOW").raw)
    peer.wire.send(sent_by_somebody("QUICK").raw)
    assert len(await peer.until(1)) == 1
    assert len(await peer.until(2)) == 2


@pytest_twisted.ensureDeferred
async def test_a_bank_sends_and_hears_whether_it_was_accepted(start: Start) -> None:
    bank, peer = await start()
    await wait_until(reactor, lambda: bank.connections == 1, 5.0, 0.005)
    wire = bank._wires[0]
    message = bank.compose(TRANSFER, "JUNCDEFFXXX")
    waiting = ensureDeferred(bank.send(wire, message, timeout_s=5.0))
    assert (await peer.until(1))[0].raw == message.raw
    peer.wire.send(nak(message, AT, "T27", 5))
    answer = await waiting
    assert answer is not None
    assert (answer.accepted, answer.code, answer.line) == (False, "T27", 5)
    peer.wire.send(nak(message, AT, "T27", 5))
    assert await wait_until(reactor, lambda: bank.stray_acks == 1, 5.0, 0.005)


@pytest_twisted.ensureDeferred
async def test_a_bank_that_hears_nothing_in_time_or_loses_its_link_has_no_answer(start: Start) -> None:
    bank, peer = await start()
    await wait_until(reactor, lambda: bank.connections == 1, 5.0, 0.005)
    wire = bank._wires[0]
    assert await bank.send(wire, bank.compose(TRANSFER, "JUNCDEFFXXX"), timeout_s=0.02) is None
    waiting = ensureDeferred(bank.send(wire, bank.compose(TRANSFER, "JUNCDEFFXXX"), timeout_s=60.0))
    peer.wire.cut()
    assert await waiting is None
    assert await bank.send(wire, bank.compose(TRANSFER, "JUNCDEFFXXX"), timeout_s=60.0) is None
