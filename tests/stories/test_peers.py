"""Payments that a remote issuer decides: forwarded, declined, silent, late, twice, failed over, reversed."""

from __future__ import annotations

import pytest_twisted
from junctor.simulators.rules import Act, Behaviour, Rule
from town import BLUE_PAN, Line, Sender, Town

ACME, BLUE, GREEN = "acme.settlement.EUR", "blue.settlement.EUR", "green.settlement.EUR"


def always(act: Act, code: str = "00", delay_s: float = 0.0) -> tuple[Rule, ...]:
    return (Rule("always", Behaviour(act, code, delay_s)),)


async def open_town(town: Town, *rules: Rule) -> Line:
    await town.start()
    await town.start_issuer("blue", rules)
    return await town.line()


def depth(town: Town) -> int:
    with town.read() as reader:
        return sum(lane.depth for lane in reader.lanes())


def reversals(town: Town) -> list[int]:
    """Give how often a reversal of each request reached the issuer blue."""
    return [sum(entry.reversals.values()) for entry in town.issuers["blue"].journal]


@pytest_twisted.ensureDeferred
async def test_an_issuer_approves_and_value_moves_between_the_institutions(town: Town, sender: Sender) -> None:
    terminal = await open_town(town)
    asked = sender.purchase(20_00, BLUE_PAN)
    response = await terminal.ask(asked)
    assert (response.mti, response[39]) == ("0210", "00")
    assert response[38] == "000001", "the issuer's own authorisation"
    for element in (2, 3, 4, 7, 11, 12, 13, 32, 37, 41, 42, 49):
        assert response[element] == asked[element]
    assert town.balance(BLUE) == (-20_00, 0)
    assert town.balance(ACME) == (20_00, 0)
    town.assert_books_balance()


@pytest_twisted.ensureDeferred
async def test_an_issuer_declines_and_nothing_stays_set_aside(town: Town, sender: Sender) -> None:
    terminal = await open_town(town, *always(Act.DECLINE, "54"))
    assert (await terminal.ask(sender.purchase(20_00, BLUE_PAN)))[39] == "54"
    assert town.balance(BLUE) == (0, 0)


@pytest_twisted.ensureDeferred
async def test_a_repeat_of_a_forwarded_request_reaches_the_issuer_once(town: Town, sender: Sender) -> None:
    terminal = await open_town(town)
    asked = sender.purchase(20_00, BLUE_PAN)
    first = await terminal.ask_raw(asked)
    assert await terminal.ask_raw(asked.with_fields({}, mti="0201")) == first
    assert town.issuers["blue"].counts.requests == 1


@pytest_twisted.ensureDeferred
async def test_a_repeat_while_the_issuer_thinks_is_not_answered_twice(town: Town, sender: Sender) -> None:
    terminal = await open_town(town, *always(Act.APPROVE, delay_s=0.3))
    asked = sender.purchase(20_00, BLUE_PAN)
    terminal.send(asked)
    await town.until(lambda: town.issuers["blue"].counts.requests == 1)
    terminal.send(asked.with_fields({}, mti="0201"))
    assert await terminal.hear_raw()
    assert await terminal.hears_nothing()
    assert town.issuers["blue"].counts.requests == 1


@pytest_twisted.ensureDeferred
async def test_silence_is_answered_in_time_and_reversed_and_a_late_response_changes_nothing(
    town: Town, sender: Sender
) -> None:
    town.response_timeout_s = 0.3
    town.configure()
    terminal = await open_town(town, *always(Act.LATE, delay_s=0.7))
    asked = sender.purchase(20_00, BLUE_PAN)
    first = await terminal.ask_raw(asked)
    assert town.balance(BLUE) == (0, 0)
    await town.until(lambda: depth(town) == 0)
    assert reversals(town) == [1]
    await town.pause(0.6)
    assert await terminal.hears_nothing(), "the late response is nobody's answer"
    assert await terminal.ask_raw(asked.with_fields({}, mti="0201")) == first
    assert town.balance(BLUE) == (0, 0)
    assert await town.metric("junctor_link_late_responses_total", institution="blue") == 1
    assert await town.metric("junctor_transactions_total", outcome="timeout") == 1


@pytest_twisted.ensureDeferred
async def test_an_issuer_that_answers_twice_is_heard_once(town: Town, sender: Sender) -> None:
    terminal = await open_town(town, *always(Act.TWICE))
    assert (await terminal.ask(sender.purchase(20_00, BLUE_PAN)))[39] == "00"
    assert await terminal.hears_nothing()
    assert town.balance(BLUE) == (-20_00, 0)
    assert await town.metric("junctor_link_late_responses_total", institution="blue") == 1


@pytest_twisted.ensureDeferred
async def test_a_garbled_answer_is_silence(town: Town, sender: Sender) -> None:
    town.response_timeout_s = 0.3
    town.configure()
    terminal = await open_town(town, *always(Act.GARBLE))
    assert (await terminal.ask(sender.purchase(20_00, BLUE_PAN)))[39] == "91"
    await town.until(lambda: depth(town) == 0)
    assert reversals(town) == [1]


@pytest_twisted.ensureDeferred
async def test_an_issuer_that_hangs_up_without_an_answer_gets_the_reversal_when_it_is_back(
    town: Town, sender: Sender
) -> None:
    terminal = await open_town(town, *always(Act.DISCONNECT))
    assert (await terminal.ask(sender.purchase(20_00, BLUE_PAN)))[39] == "91"
    await town.until(lambda: depth(town) == 0)
    assert reversals(town) == [1]
    assert town.balance(BLUE) == (0, 0)


@pytest_twisted.ensureDeferred
async def test_with_the_first_issuer_down_the_second_is_asked(town: Town, sender: Sender) -> None:
    await town.start()
    await town.start_issuer("green")
    terminal = await town.line()
    assert (await terminal.ask(sender.purchase(20_00, BLUE_PAN)))[39] == "00"
    assert town.balance(GREEN) == (-20_00, 0)
    assert town.balance(BLUE) == (0, 0)
    assert await town.metric("junctor_route_decisions_total", route="blue-cards", result="alternate") == 1


@pytest_twisted.ensureDeferred
async def test_with_nobody_there_it_is_91_and_the_repeat_too(town: Town, sender: Sender) -> None:
    await town.start()
    terminal = await town.line()
    asked = sender.purchase(20_00, BLUE_PAN)
    first = await terminal.ask_raw(asked)
    await town.start_issuer("blue")
    assert await terminal.ask_raw(asked.with_fields({}, mti="0201")) == first
    assert (await terminal.ask(sender.purchase(20_00, BLUE_PAN)))[39] == "00", "a new request is a new try"


@pytest_twisted.ensureDeferred
async def test_a_reversal_follows_its_original_to_the_issuer(town: Town, sender: Sender) -> None:
    terminal = await open_town(town)
    asked = sender.purchase(20_00, BLUE_PAN)
    await terminal.ask(asked)
    assert (await terminal.ask(sender.following(asked, "0420")))[39] == "00"
    assert town.balance(BLUE) == (0, 0)
    await town.until(lambda: depth(town) == 0)
    assert reversals(town) == [1]
    assert (await terminal.ask(sender.following(asked, "0421")))[39] == "00"
    await town.pause(0.3)
    assert reversals(town) == [1], "the issuer hears it once"


@pytest_twisted.ensureDeferred
async def test_a_reversal_that_overtakes_the_issuers_answer_undoes_it_once(town: Town, sender: Sender) -> None:
    terminal = await open_town(town, *always(Act.APPROVE, delay_s=0.5))
    asked = sender.purchase(20_00, BLUE_PAN)
    terminal.send(asked)
    await town.until(lambda: town.issuers["blue"].counts.requests == 1)
    assert (await terminal.ask(sender.following(asked, "0420")))[39] == "00"
    assert town.balance(BLUE) == (0, 0)
    answer = await terminal.hear_raw()
    await town.until(lambda: depth(town) == 0)
    assert reversals(town) == [1]
    assert await terminal.ask_raw(asked.with_fields({}, mti="0201")) == answer
    assert town.balance(BLUE) == (0, 0)


@pytest_twisted.ensureDeferred
async def test_an_advice_and_a_completion_reach_an_issuer_that_was_away(town: Town, sender: Sender) -> None:
    terminal = await open_town(town)
    authorised = sender.message("0100", "000000", 50_00, BLUE_PAN)
    assert (await terminal.ask(authorised))[39] == "00"
    assert town.balance(BLUE) == (0, 50_00)
    await town.issuers["blue"].close()
    await town.until(lambda: "blue" not in town.live())
    completion = sender.following(authorised, "0220", {4: f"{45_00:012d}"})
    advice = sender.message("0220", "000000", 5_00, BLUE_PAN)
    for asked in (completion, advice):
        assert (await terminal.ask(asked))[39] == "00"
    assert town.balance(BLUE) == (-50_00, 0)
    assert depth(town) == 2
    issuer = await town.start_issuer("blue")
    await town.until(lambda: depth(town) == 0)
    assert issuer.counts.advices == 2


@pytest_twisted.ensureDeferred
async def test_what_an_issuer_never_acknowledges_ends_among_the_dead_letters(town: Town, sender: Sender) -> None:
    town.attempts_max = 2
    town.configure()
    await town.start()
    terminal = await town.line()
    mute = await town.line("blue", "terminals")  # an issuer that is there, and says nothing to advices
    assert (await terminal.ask(sender.message("0220", "000000", 5_00, BLUE_PAN)))[39] == "00"
    first = await mute.hear_raw()
    second = await mute.hear_raw()
    assert first[:4] + second[:4] == b"02200221", "the second attempt says that it is one"
    assert first[4:] == second[4:]

    def dead() -> list[object]:
        with town.read() as reader:
            return list(reader.dead_letters())

    await town.until(lambda: len(dead()) == 1)
    assert depth(town) == 0


@pytest_twisted.ensureDeferred
async def test_a_request_without_an_acquirer_goes_on_under_ours_and_is_answered_without(
    town: Town, sender: Sender
) -> None:
    terminal = await open_town(town)
    asked = sender.purchase(20_00, BLUE_PAN).with_fields({}, drop=[32])
    response = await terminal.ask(asked)
    assert response[39] == "00"
    assert response.get(32) is None
    assert [entry.identity[3] for entry in town.issuers["blue"].journal] == ["1"], "acquirer_id, zeros stripped"


@pytest_twisted.ensureDeferred
async def test_a_track_written_in_one_dialect_reaches_an_issuer_of_the_other(town: Town, sender: Sender) -> None:
    terminal = await open_town(town)
    for separator in "D=":
        asked = sender.purchase(20_00, BLUE_PAN, de35=f"{BLUE_PAN}{separator}28122011234567890")
        assert (await terminal.ask(asked))[39] == "00", separator
