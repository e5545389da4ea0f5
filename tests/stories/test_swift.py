"""MT103 over mutual TLS: booked on a local account, delivered to a remote bank, rejected, repeated."""

from __future__ import annotations

import uuid

import pytest_twisted
from junctor.codecs.swift import replace_headers
from junctor.simulators.bank import Acknowledge, BankRule, Ignore, Reject
from town import BANK_BIC, OUR_BIC, Town, transfer

SOUTH, NORTH = "south.settlement.EUR", "north.settlement.EUR"
IBAN = "DE89370400440532013000"


def uetr() -> str:
    return str(uuid.uuid4())


async def open_town(town: Town) -> None:
    town.open_account(IBAN, 0)
    await town.start()


def depth(town: Town) -> int:
    with town.read() as reader:
        return sum(lane.depth for lane in reader.lanes())


@pytest_twisted.ensureDeferred
async def test_a_transfer_to_a_local_account_is_booked_and_acknowledged(town: Town) -> None:
    await open_town(town)
    south, wire = await town.south()
    answer = await south.send(wire, south.compose(transfer("REF1", uetr()), OUR_BIC), 5)
    assert answer is not None
    assert answer.accepted
    assert town.balance(IBAN) == (250_00, 0)
    assert town.balance(SOUTH) == (-250_00, 0)
    town.assert_books_balance()


@pytest_twisted.ensureDeferred
async def test_a_transfer_for_another_bank_is_posted_when_that_bank_acknowledges(town: Town) -> None:
    await open_town(town)
    south, wire = await town.south()
    sent = south.compose(transfer("REF2", uetr()), BANK_BIC)
    answer = await south.send(wire, sent, 5)
    assert answer is not None
    assert answer.accepted, "stored, though the bank north is not there"
    assert town.balance(SOUTH) == (0, 250_00)
    assert depth(town) == 1
    bank = await town.start_bank()
    await town.until(lambda: depth(town) == 0)
    assert town.balance(SOUTH) == (-250_00, 0)
    assert town.balance(NORTH) == (250_00, 0)
    (received,) = bank.received
    assert (received.reference, received.uetr) == ("REF2", sent.uetr)
    assert received.sender_bic == OUR_BIC, "it goes on under our own header"
    assert not received.is_possible_duplicate


@pytest_twisted.ensureDeferred
async def test_the_same_transfer_again_gets_the_same_ack_flagged_and_is_not_booked_twice(town: Town) -> None:
    await open_town(town)
    south, wire = await town.south()
    content = transfer("REF3", uetr())
    first = await south.send(wire, south.compose(content, OUR_BIC), 5)
    again = await south.send(wire, south.compose(content, OUR_BIC, is_possible_duplicate=True), 5)
    assert first is not None
    assert again is not None
    assert (first.accepted, first.is_duplicate) == (True, False)
    assert (again.accepted, again.is_duplicate) == (True, True)
    assert again.time == first.time
    assert town.balance(IBAN) == (250_00, 0)


@pytest_twisted.ensureDeferred
async def test_the_same_uetr_with_other_content_is_rejected(town: Town) -> None:
    await open_town(town)
    south, wire = await town.south()
    same = uetr()
    await south.send(wire, south.compose(transfer("REF4", same), OUR_BIC), 5)
    answer = await south.send(wire, south.compose(transfer("REF4", same, "999,00"), OUR_BIC), 5)
    assert answer is not None
    assert (answer.accepted, answer.code) == (False, "H50")
    assert town.balance(IBAN) == (250_00, 0)


@pytest_twisted.ensureDeferred
async def test_what_breaks_a_rule_is_rejected_with_code_and_line_and_stays_rejected(town: Town) -> None:
    await open_town(town)
    south, wire = await town.south()
    broken = transfer("REF5", uetr(), amount="250.00")
    for _ in range(2):
        answer = await south.send(wire, south.compose(broken, OUR_BIC), 5)
        assert answer is not None
        assert not answer.accepted
        assert answer.code is not None
        assert answer.code.startswith("T")
        assert answer.line is not None
    assert town.balance(IBAN) == (0, 0)


@pytest_twisted.ensureDeferred
async def test_an_unknown_account_is_rejected(town: Town) -> None:
    await open_town(town)
    south, wire = await town.south()
    answer = await south.send(wire, south.compose(transfer("REF6", uetr(), to_account="DE00NOBODY"), OUR_BIC), 5)
    assert answer is not None
    assert (answer.accepted, answer.code) == (False, "H53")


@pytest_twisted.ensureDeferred
async def test_a_message_under_another_banks_name_is_rejected(town: Town) -> None:
    await open_town(town)
    south, wire = await town.south()
    honest = south.compose(transfer("REF7", uetr()), OUR_BIC)
    assert honest.application is not None
    basic = type(honest.basic)("F", "01", "NORTDEFFAXXX", honest.session, honest.sequence)
    answer = await south.send(wire, replace_headers(honest, basic, honest.application), 5)
    assert answer is not None
    assert (answer.accepted, answer.code) == (False, "H60")


@pytest_twisted.ensureDeferred
async def test_a_bank_that_rejects_leaves_a_dead_letter_and_the_amount_is_released(town: Town) -> None:
    await open_town(town)
    await town.start_bank([BankRule(Reject("T27"))])
    south, wire = await town.south()
    answer = await south.send(wire, south.compose(transfer("REF8", uetr()), BANK_BIC), 5)
    assert answer is not None
    assert answer.accepted, "we stored it; what the next bank says comes later"

    def letters() -> list[str]:
        with town.read() as reader:
            return [letter.reason for letter in reader.dead_letters()]

    await town.until(lambda: len(letters()) == 1)
    assert "NAK T27" in letters()[0]
    assert town.balance(SOUTH) == (0, 0)


@pytest_twisted.ensureDeferred
async def test_after_silence_it_is_sent_again_with_pde_and_posted_once(town: Town) -> None:
    await open_town(town)
    bank = await town.start_bank([BankRule(Ignore(), first_only=True), BankRule(Acknowledge())])
    south, wire = await town.south()
    await south.send(wire, south.compose(transfer("REF9", uetr()), BANK_BIC), 5)
    await town.until(lambda: depth(town) == 0)
    assert [received.is_possible_duplicate for received in bank.received] == [False, True]
    assert town.balance(NORTH) == (250_00, 0)
    assert town.balance(SOUTH) == (-250_00, 0)


@pytest_twisted.ensureDeferred
async def test_messages_for_a_bank_stay_in_order(town: Town) -> None:
    await open_town(town)
    south, wire = await town.south()
    references = [f"ORDER{n}" for n in range(6)]
    for reference in references:
        await south.send(wire, south.compose(transfer(reference, uetr(), "1,00"), BANK_BIC), 5)
    bank = await town.start_bank([BankRule(Ignore(), references=("ORDER2",), first_only=True)])
    await town.until(lambda: depth(town) == 0)
    assert [received.reference for received in bank.received] == [
        "ORDER0", "ORDER1", "ORDER2", "ORDER2", "ORDER3", "ORDER4", "ORDER5",
    ]  # fmt: skip
