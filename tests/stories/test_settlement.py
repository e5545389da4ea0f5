"""Whole days: closed by a partner or by the clock under traffic, and reconciled over real sockets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest_twisted
from junctor.codecs.iso8583 import Message, decode
from junctor.ledger.operations import Done
from junctor.ledger.settlement_items import CutOver
from town import ASCII, BLUE_PAN, Line, Sender, Town

SETTLED = "acme.settlement.EUR"


def may_cut_over(town: Town, text: str = 'cutover_by = ["acme"]') -> None:
    town.configure(("[deliveries]", f"[settlement]\n{text}\n\n[deliveries]"))


def network(sender: Sender, function: str, **changes: str) -> Message:
    made = sender.message("0800", "000000", 0, None)
    fields = {7: str(made[7]), 11: str(made[11]), 70: function}
    return Message("0800", fields | {int(de[2:]): value for de, value in changes.items()})


def reconciliation(sender: Sender, mti: str = "0500", changes: dict[int, str] | None = None) -> Message:
    made = sender.message(mti, "000000", 0, None)
    fields = {element: str(made[element]) for element in (7, 11, 32)}
    return Message(mti, dict(sorted((fields | {50: "978"} | (changes or {})).items())))


def days(town: Town) -> list[int]:
    with town.read() as reader:
        return [day.bdate for day in reader.windows.days()]


def stored_days(town: Town, code: str = SETTLED) -> list[int]:
    with town.read() as reader:
        return [entry.bdate for entry in reader.statement(code)]


@pytest_twisted.ensureDeferred
async def test_a_cutover_under_traffic_loses_and_doubles_nothing(town: Town) -> None:
    may_cut_over(town)
    await town.start()
    lines = [await town.line() for _ in range(4)]
    closer, sender = await town.line(), Sender("CLOSER01")
    first = days(town)[0]
    answered = 0
    for turn in range(3):
        for n, line in enumerate(lines):
            for k in range(25):
                line.send(Sender(f"T{turn}{n}{k:05d}").purchase(1))
        heard = [await lines[0].hear_raw()]
        response = await closer.ask(network(sender, "201"))
        assert (response.mti, response[39], response[70]) == ("0810", "00", "201")
        heard += [await lines[n // 25].hear_raw() for n in range(1, 100)]
        assert {decode(ASCII, each)[39] for each in heard} == {"00"}
        answered += len(heard)
    assert len(days(town)) == 4
    booked = stored_days(town)
    assert booked == sorted(booked), "what was decided before a cutover is of the old day, and nothing later is"
    assert (len(booked), town.balance(SETTLED)) == (answered, (answered, 0))
    assert booked[0] == first
    with town.read() as reader:
        totals = {row.bdate: row.count for row in reader.windows.totals()}
    assert totals == {day: booked.count(day) for day in set(booked)}
    town.assert_books_balance()


@pytest_twisted.ensureDeferred
async def test_a_repeated_cutover_message_closes_one_day(town: Town, sender: Sender) -> None:
    may_cut_over(town)
    await town.start()
    terminal = await town.line()
    asked = network(sender, "201")
    for _ in range(2):
        assert (await terminal.ask(asked))[39] == "00"
    assert len(days(town)) == 2
    tomorrow = datetime.now(UTC) + timedelta(days=2)
    for _ in range(2):
        told = network(sender, "201", de15=f"{tomorrow:%m%d}")
        assert (await terminal.ask(told))[39] == "00"
    assert days(town)[0] == int(f"{tomorrow:%Y%m%d}")
    assert len(days(town)) == 3
    far = network(sender, "201", de15=f"{tomorrow + timedelta(days=60):%m%d}")
    assert (await terminal.ask(far))[39] == "30"
    assert len(days(town)) == 3


@pytest_twisted.ensureDeferred
async def test_only_a_configured_institution_closes_the_day(town: Town, terminal: Line, sender: Sender) -> None:
    assert (await terminal.ask(network(sender, "201")))[39] == "57"
    assert len(days(town)) == 1


@pytest_twisted.ensureDeferred
async def test_the_clock_opens_the_day_that_is_due(town: Town) -> None:
    may_cut_over(town, 'cutover = "00:00"')
    await town.start()
    tomorrow = int(f"{datetime.now(UTC) + timedelta(days=1):%Y%m%d}")
    await town.until(lambda: days(town)[0] == tomorrow)
    assert len(days(town)) == 2


@pytest_twisted.ensureDeferred
async def test_an_acquirer_reconciles_in_balance_and_out_of_it(town: Town, terminal: Line, sender: Sender) -> None:
    for amount in (10_00, 2_50):
        assert (await terminal.ask(sender.purchase(amount)))[39] == "00"
    undone = sender.purchase(5_00)
    await terminal.ask(undone)
    await terminal.ask(sender.following(undone, "0420"))
    assert (await terminal.ask(sender.message("0200", "200000", 1_00)))[39] == "00"
    assert (await terminal.ask(sender.purchase(999_999_00)))[39] == "51"
    assert [type(it) for it in town.commit(CutOver("evening"))] == [Done]
    assert (await terminal.ask(sender.purchase(7_00)))[39] == "00", "this one is of the next day"
    totals = {
        74: "0000000001", 75: "0000000000", 76: "0000000003", 77: "0000000001",
        86: "0000000000000100", 87: "0000000000000000", 88: "0000000000001750", 89: "0000000000000500",
        97: "C0000000000001150",
    }  # fmt: skip
    asked = reconciliation(sender, changes=totals)
    response = await terminal.ask(asked)
    assert (response.mti, response[39], response[66]) == ("0510", "00", "1")
    assert {element: response[element] for element in totals} == totals
    repeated = await terminal.ask(asked.with_fields({}, mti="0501"))
    assert repeated == response
    wrong = reconciliation(sender, changes=totals | {76: "0000000004", 88: "0000000000002450"})
    response = await terminal.ask(wrong)
    assert (response[39], response[66], response[76], response[88]) == ("95", "2", "0000000003", "0000000000001750")
    advice = reconciliation(sender, "0520", totals | {76: "0000000004"})
    response = await terminal.ask(advice)
    assert (response.mti, response[39], response[66]) == ("0530", "00", "2")
    with town.read() as reader:
        found = reader.windows.reconciliations()
    assert sorted(len(it.breaks) for it in found) == [0, 1, 2]


@pytest_twisted.ensureDeferred
async def test_an_issuer_reconciles_what_was_passed_on_to_it(town: Town, terminal: Line, sender: Sender) -> None:
    await town.start_issuer("blue")
    assert (await terminal.ask(sender.purchase(20_00, BLUE_PAN)))[39] == "00"
    line = await town.line("blue")
    response = await line.ask(reconciliation(sender, "0502", {76: "0000000001", 97: "D0000000000002000"}))
    assert (response.mti, response[39], response[66]) == ("0512", "00", "1")


@pytest_twisted.ensureDeferred
async def test_positions_and_breaks_are_metrics(town: Town, terminal: Line, sender: Sender) -> None:
    assert (await terminal.ask(sender.purchase(12_00)))[39] == "00"
    await terminal.ask(reconciliation(sender, changes={76: "0000000002", 88: "0000000000002400"}))
    await town.pause(0.5)
    assert await town.metric("junctor_settlement_position_minor_units", institution="acme", currency="EUR") == 12_00
    assert await town.metric("junctor_reconciliation_breaks", institution="acme", role="acquirer") == 2


@pytest_twisted.ensureDeferred
async def test_a_reconciliation_that_cannot_be_compared_is_answered_with_its_fault(
    town: Town, terminal: Line, sender: Sender
) -> None:
    assert (await terminal.ask(reconciliation(sender)))[39] == "30"
    assert (await terminal.ask(reconciliation(sender, changes={50: "840", 76: "0000000001"})))[39] == "12"
    other_day = f"{datetime.now(UTC) - timedelta(days=40):%m%d}"
    unknown = await terminal.ask(reconciliation(sender, changes={15: other_day, 76: "0000000001"}))
    assert (unknown[39], unknown[66]) == ("12", "3")
