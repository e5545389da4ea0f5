"""kill -9 of the switch at the worst moments, and a new start: nothing lost, nothing twice, everything ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_twisted
from junctor.codecs.iso8583 import encode
from junctor.simulators.bank import BankRule, Ignore
from junctor.simulators.rules import Act, Behaviour, Rule
from town import ASCII, BANK_BIC, BLUE_PAN, PAN, Sender, Town, transfer
from twisted.internet import reactor


@pytest_twisted.async_yield_fixture
async def town(database_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    """A town whose switch runs as a process of its own."""
    town = Town(reactor, tmp_path, database_url)
    town.open_account("anna", 100_000, PAN)
    yield town
    await town.close()


def depth(town: Town) -> int:
    with town.read() as reader:
        return sum(lane.depth for lane in reader.lanes())


def open_count(town: Town) -> int:
    with town.read() as reader:
        return int(reader.open_count())


@pytest_twisted.ensureDeferred
async def test_an_answer_that_was_stored_but_not_heard_is_given_to_the_repeat(town: Town, sender: Sender) -> None:
    await town.start_process()
    terminal = await town.line()
    heard = sender.purchase(10_00)
    first = await terminal.ask_raw(heard)
    unheard = [sender.purchase(1_00) for _ in range(30)]
    for message in unheard:
        terminal.send(message)
    await town.until(lambda: town.balance("anna")[0] < 100_000 - 10_00)
    town.kill()

    await town.start_process()
    terminal = await town.line()
    assert await terminal.ask_raw(heard.with_fields({}, mti="0201")) == first
    for message in unheard:
        response = await terminal.ask(message.with_fields({}, mti="0201"))
        assert response[39] == "00"
    assert town.balance("anna") == (100_000 - 10_00 - 30 * 1_00, 0), "each once, whichever side of the crash"
    town.assert_books_balance()


@pytest_twisted.ensureDeferred
async def test_what_was_sent_to_an_issuer_before_the_crash_ends_as_silence_with_one_reversal(
    town: Town, sender: Sender
) -> None:
    town.response_timeout_s = 2.0
    town.configure()
    issuer = await town.start_issuer("blue", [Rule("mute", Behaviour(Act.SILENT))])
    await town.start_process()
    terminal = await town.line()
    asked = sender.purchase(20_00, BLUE_PAN)
    await town.until(lambda: issuer.connections == 1)
    await town.pause(0.2)
    terminal.send(asked)
    await town.until(lambda: issuer.counts.requests == 1)
    assert town.balance("blue.settlement.EUR") == (0, 20_00)
    town.kill()
    assert open_count(town) == 1

    await town.start_process()
    await town.until(lambda: open_count(town) == 0 and depth(town) == 0, within_s=20)
    assert town.balance("blue.settlement.EUR") == (0, 0)
    assert [sum(entry.reversals.values()) for entry in issuer.journal] == [1]
    terminal = await town.line()
    response = await terminal.ask(asked.with_fields({}, mti="0201"))
    assert response[39] == "91"
    town.assert_books_balance()


@pytest_twisted.ensureDeferred
async def test_a_delivery_on_its_way_at_the_crash_is_sent_again_as_a_possible_duplicate(town: Town) -> None:
    bank = await town.start_bank([BankRule(Ignore(), first_only=True)])
    await town.start_process()
    south, wire = await town.south()
    answer = await south.send(
        wire, south.compose(transfer("CRASH1", "c8b66b47-2bd9-48fe-be90-93c2096f27d2"), BANK_BIC), 5
    )
    assert answer is not None
    assert answer.accepted
    await town.until(lambda: len(bank.received) == 1)
    town.kill()

    await town.start_process()
    await town.until(lambda: depth(town) == 0)
    assert [received.is_possible_duplicate for received in bank.received][:2] == [False, True]
    assert town.balance("north.settlement.EUR") == (250_00, 0)


@pytest_twisted.ensureDeferred
async def test_sigterm_answers_what_is_in_hand_and_leaves_with_status_0(town: Town, sender: Sender) -> None:
    issuer = await town.start_issuer("blue", [Rule("slow", Behaviour(Act.APPROVE, delay_s=0.5))])
    await town.start_process()
    terminal = await town.line()
    await town.until(lambda: issuer.connections == 1)
    await town.pause(0.2)
    terminal.send(encode(ASCII, sender.purchase(20_00, BLUE_PAN)))
    await town.until(lambda: issuer.counts.requests == 1)
    ending = town.terminate()
    assert b"0210" in await terminal.hear_raw()
    assert await ending == 0
    assert open_count(town) == 0
    assert town.balance("blue.settlement.EUR") == (-20_00, 0)


@pytest.mark.parametrize("rounds", [5])
@pytest_twisted.ensureDeferred
async def test_random_kills_under_load_lose_nothing_and_double_nothing(town: Town, rounds: int) -> None:
    """Whatever was acknowledged is stored; whatever is repeated is booked once; the sum says so."""
    acknowledged: set[bytes] = set()
    sent: list[bytes] = []
    sender = Sender("CRASHER1")
    for round_number in range(rounds):
        await town.start_process()
        terminal = await town.line()
        batch = [encode(ASCII, sender.purchase(1_00)) for _ in range(60)]
        sent.extend(batch)
        for raw in batch:
            terminal.send(raw)
        await town.pause(0.01 * round_number)
        town.kill()
        acknowledged.update(terminal.frames.pending)

    await town.start_process()
    terminal = await town.line()
    responses = set()
    for raw in sent:
        responses.add(await terminal.ask_raw(raw))
    assert len(responses) == len(sent)
    assert acknowledged <= responses, "what was answered before a crash is answered the same after it"
    assert town.balance("anna") == (100_000 - 1_00 * len(sent), 0)
    town.assert_books_balance()
