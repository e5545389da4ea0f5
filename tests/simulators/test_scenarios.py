"""Scenarios as data, and how they are drawn."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from random import Random

import pytest
from junctor.codecs.masking import Pan
from junctor.simulators.rules import Act, decide, signal_rules
from junctor.simulators.scenarios import (
    EVERYDAY,
    ORDINARY_ENDINGS,
    SCENARIOS,
    Scenario,
    Tie,
    get_scenario,
    make_mix,
)
from junctor.simulators.slips import Card, TerminalProfile, request

AT = datetime(2026, 11, 20, 15, 4, 21, tzinfo=UTC)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_first_leg_stands_alone_and_every_further_leg_is_tied_to_it(scenario: Scenario) -> None:
    assert scenario.legs[0].tie is Tie.NONE
    assert all(leg.tie is not Tie.NONE for leg in scenario.legs[1:])


def test_names_of_scenarios_are_unique() -> None:
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_amounts_stay_in_their_range_and_end_as_the_scenario_says(scenario: Scenario) -> None:
    random = Random(11)
    for _ in range(200):
        amount = scenario.amount_minor(random)
        assert scenario.amount_minor_min <= amount <= scenario.amount_minor_max + 99
        assert amount % 100 in ORDINARY_ENDINGS if scenario.ending is None else amount % 100 == scenario.ending


@pytest.mark.parametrize(
    ("name", "act", "code"),
    [
        ("purchase", Act.APPROVE, "00"),
        ("declined for funds", Act.DECLINE, "51"),
        ("declined as expired", Act.DECLINE, "54"),
        ("declined above limit", Act.DECLINE, "61"),
        ("issuer slow", Act.APPROVE, "00"),
        ("issuer silent", Act.SILENT, "00"),
        ("issuer late", Act.LATE, "00"),
        ("issuer answers twice", Act.TWICE, "00"),
        ("issuer garbles", Act.GARBLE, "00"),
        ("issuer disconnects", Act.DISCONNECT, "00"),
    ],
)
def test_the_issuer_understands_what_a_scenario_signals_by_its_amount(name: str, act: Act, code: str) -> None:
    scenario = get_scenario(name)
    profile = TerminalProfile("TERM0001", "MERCHANT0000001", "12345678901")
    card = Card(Pan("4761739001010119"), "978")
    message = request(profile, card, scenario.legs[0], scenario.amount_minor(Random(3)), "000001", AT)
    behaviour = decide(signal_rules(delay_s=0.3, late_s=9.0), message, Random(3))
    assert (behaviour.act, behaviour.code) == (act, code)
    expected = {"00", "51"} if name == "purchase" else {code} if act.is_answered else {"91"}
    assert scenario.legs[0].codes == expected


def test_a_mix_draws_in_proportion_to_its_weights() -> None:
    mix = make_mix([("purchase", 3), ("refund", 1), ("repeat", 0)])
    random = Random(5)
    drawn = Counter(mix.draw(random).name for _ in range(4_000))
    assert set(drawn) == {"purchase", "refund"}
    assert 2_850 < drawn["purchase"] < 3_150


def test_a_mix_names_a_scenario_that_does_not_exist() -> None:
    with pytest.raises(KeyError, match="purchse"):
        make_mix([("purchse", 1)])


def test_everyday_business_holds_every_kind_of_message() -> None:
    legs = [leg for row in make_mix(EVERYDAY).rows for leg in row.scenario.legs]
    assert {leg.mti for leg in legs} == {"0100", "0200", "0201", "0220", "0400", "0420"}
    assert {leg.processing_code for leg in legs} == {"00", "01", "20", "21", "31", "40", "50"}
