"""The issuer, asked over a real socket in the packed spec."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from random import Random

import pytest_twisted
from answering import reactor
from junctor.codecs.faults import DecodeFault
from junctor.codecs.framing import Frame
from junctor.codecs.iso8583 import Message, decode, encode, load_spec
from junctor.simulators.issuer import Issuer, IssuerSettings
from junctor.simulators.rules import Act, Behaviour, Rule
from junctor.simulators.waiting import pause, wait_until
from junctor.simulators.wire import Address, Wire, dial

SPEC = load_spec("iso1987-binary")
AT = datetime(2026, 11, 20, 15, 4, 21, tzinfo=UTC)
LOOPBACK = "tcp:0:interface=127.0.0.1"


def purchase(amount_minor: int = 1_200, stan: str = "000042", mti: str = "0200", code: str = "000000") -> Message:
    return Message(
        mti,
        {
            2: "4761739001010119",
            3: code,
            4: f"{amount_minor:012d}",
            7: "1120150421",
            11: stan,
            32: "12345678901",
            37: "632415000042",
            41: "TERM0001",
            49: "978",
        },
    )


def naming(original: Message, mti: str, stan: str) -> Message:
    named = original.mti + "".join(str(original[element]) for element in (11, 7, 32)) + "0" * 11
    return original.with_fields({11: stan, 90: named}, mti=mti)


class Asker:
    """A switch's end of a link to an issuer: writes messages and keeps what comes back."""

    def __init__(self) -> None:
        self.heard: list[Message] = []
        self.garbage: list[bytes] = []
        self.is_down = False

    def wire_up(self, wire: Wire) -> None:
        self.wire = wire

    def hear(self, wire: Wire, frame: Frame) -> None:
        try:
            self.heard.append(decode(SPEC, frame.body))
        except DecodeFault:
            self.garbage.append(frame.body)

    def wire_down(self, wire: Wire, why: str) -> None:
        self.is_down = True

    def say(self, *messages: Message) -> None:
        for message in messages:
            self.wire.send(encode(SPEC, message))

    async def until(self, count: int) -> list[Message]:
        """Wait until so many messages came back; a moment longer, for one too many to show."""
        assert await wait_until(reactor, lambda: len(self.heard) >= count, 5.0, 0.005)
        await pause(reactor, 0.02)
        return self.heard


Start = Callable[..., Awaitable[tuple[Issuer, Asker]]]


@pytest_twisted.async_yield_fixture
async def start() -> AsyncIterator[Start]:
    """Start an issuer with rules for amounts by their ending, and dial it."""
    issuers: list[Issuer] = []

    async def start(**rules: Behaviour) -> tuple[Issuer, Asker]:
        table = [Rule(name, behaviour, (int(name[-2:]),)) for name, behaviour in rules.items()]
        issuer = Issuer(reactor, IssuerSettings(SPEC, rules=table, delayed_max=2), Random(1), lambda: AT)
        issuers.append(issuer)
        asker = Asker()
        await dial(reactor, Address("127.0.0.1", await issuer.listen(LOOPBACK)), "length2", asker)
        return issuer, asker

    yield start
    for issuer in issuers:
        await issuer.close()


@pytest_twisted.ensureDeferred
async def test_an_issuer_approves_with_an_authorisation_code(start: Start) -> None:
    issuer, asker = await start()
    asker.say(purchase())
    (response,) = await asker.until(1)
    assert (response.mti, response[39], response[38], response[11]) == ("0210", "00", "000001", "000042")
    (entry,) = issuer.journal
    assert (entry.act, entry.amount_minor, entry.reached) == (Act.APPROVE, 1_200, True)


@pytest_twisted.ensureDeferred
async def test_sign_on_and_echo_are_answered(start: Start) -> None:
    _, asker = await start()
    asker.say(
        *(Message("0800", {7: "1120150421", 11: f"00000{n}", 70: code}) for n, code in ((1, "001"), (2, "301")))
    )
    assert [(each.mti, each[39], each[70]) for each in await asker.until(2)] == [
        ("0810", "00", "001"),
        ("0810", "00", "301"),
    ]


@pytest_twisted.ensureDeferred
async def test_a_balance_is_told_in_de54(start: Start) -> None:
    _, asker = await start()
    asker.say(purchase(0, code="312000"))
    (response,) = await asker.until(1)
    assert response[54] == "2001978C000000123456" + "2002978C000000123456"


@pytest_twisted.ensureDeferred
async def test_an_issuer_declines_with_the_code_of_its_rule(start: Start) -> None:
    _, asker = await start(e51=Behaviour(Act.DECLINE, "51"))
    asker.say(purchase(1_251))
    (response,) = await asker.until(1)
    assert response[39] == "51"
    assert response.get(38) is None


@pytest_twisted.ensureDeferred
async def test_an_issuer_answers_twice(start: Start) -> None:
    _, asker = await start(e92=Behaviour(Act.TWICE))
    asker.say(purchase(1_292))
    first, second = await asker.until(2)
    assert first == second


@pytest_twisted.ensureDeferred
async def test_silence_garble_and_hanging_up_leave_a_request_that_must_be_reversed(start: Start) -> None:
    issuer, asker = await start(e90=Behaviour(Act.SILENT), e93=Behaviour(Act.GARBLE), e94=Behaviour(Act.DISCONNECT))
    asker.say(purchase(1_290, "000001"), purchase(1_293, "000002"), purchase(1_294, "000003"))
    assert await wait_until(reactor, lambda: asker.is_down, 5.0, 0.005)
    assert asker.heard == []
    assert len(asker.garbage) == 1
    assert [entry.identity[1] for entry in issuer.journal.unreversed()] == ["000001", "000002", "000003"]
    assert issuer.connections == 0


@pytest_twisted.ensureDeferred
async def test_a_delayed_answer_comes_after_one_that_was_asked_for_later(start: Start) -> None:
    _, asker = await start(e80=Behaviour(Act.APPROVE, delay_s=0.05))
    asker.say(purchase(1_280, "000001"), purchase(1_200, "000002"))
    assert [each[11] for each in await asker.until(2)] == ["000002", "000001"]


@pytest_twisted.ensureDeferred
async def test_answers_that_may_wait_are_limited_and_one_more_is_given_at_once(start: Start) -> None:
    issuer, asker = await start(e80=Behaviour(Act.APPROVE, delay_s=60.0))
    asker.say(*(purchase(1_280, f"00000{n}") for n in (1, 2, 3)))
    assert [each[11] for each in await asker.until(1)] == ["000003"]
    assert issuer.counts.not_delayed == 1


@pytest_twisted.ensureDeferred
async def test_an_answer_that_finds_the_connection_gone_has_not_reached_the_asker(start: Start) -> None:
    issuer, asker = await start(e80=Behaviour(Act.APPROVE, delay_s=0.05))
    asker.say(purchase(1_280))
    assert await wait_until(reactor, lambda: len(issuer.journal) == 1, 5.0, 0.005)
    asker.wire.hang_up()
    assert await wait_until(reactor, lambda: not all(entry.reached for entry in issuer.journal), 5.0, 0.005)
    assert len(issuer.journal.unreversed()) == 1


@pytest_twisted.ensureDeferred
async def test_each_reversal_and_advice_is_acknowledged_every_time_and_entered_once(start: Start) -> None:
    issuer, asker = await start(e90=Behaviour(Act.SILENT))
    asked = purchase(1_290)
    reversal = naming(asked, "0420", "000043")
    asker.say(
        asked, reversal, reversal.with_fields({}, mti="0421"), naming(asked, "0220", "000044"), purchase(mti="0120")
    )
    assert [(each.mti, each[39]) for each in await asker.until(4)] == [
        ("0430", "00"),
        ("0430", "00"),
        ("0230", "00"),
        ("0130", "00"),
    ]
    (entry,) = issuer.journal
    assert dict(entry.reversals) == {("042", "000043", "1120150421", "12345678901"): 2}
    assert len(entry.completions) == 1
    assert issuer.journal.unreversed() == []


@pytest_twisted.ensureDeferred
async def test_a_message_that_does_not_decode_is_counted_and_not_answered(start: Start) -> None:
    issuer, asker = await start()
    asker.wire.send(b"\x02\x00nonsense")
    asker.say(purchase())
    assert len(await asker.until(1)) == 1
    assert issuer.counts.undecodable == 1


@pytest_twisted.ensureDeferred
async def test_an_issuer_that_dials_signs_on_when_it_should() -> None:
    host = Issuer(reactor, IssuerSettings(SPEC), Random(1), lambda: AT)
    address = Address("127.0.0.1", await host.listen(LOOPBACK))
    guest = Issuer(reactor, IssuerSettings(SPEC, signs_on=True), Random(1), lambda: AT)
    await guest.dial(address)
    assert await wait_until(reactor, lambda: host.counts.network == 1, 5.0, 0.005)
    await guest.close()
    await host.close()
