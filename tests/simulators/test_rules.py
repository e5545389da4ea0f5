"""How the issuer decides."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from junctor.codecs.iso8583 import Message
from junctor.simulators.rules import Act, Behaviour, Rule, decide

NO = Behaviour(Act.DECLINE, "05")
PURCHASE = Message("0200", {2: "4761739001010119", 3: "000000", 4: "000000001251"})


@pytest.mark.parametrize(
    ("conditions", "changed"),
    [
        ({"amount_endings": (51, 52)}, {4: "000000001250"}),
        ({"bins": ("476173", "55")}, {2: "4761749001010119"}),
        ({"processing_codes": ("00",)}, {3: "010000"}),
    ],
)
def test_a_rule_applies_when_its_condition_holds_and_not_when_one_thing_differs(
    conditions: dict[str, Any], changed: dict[int, str]
) -> None:
    rule = Rule("no", NO, **conditions)
    assert decide([rule], PURCHASE, Random(1)) == NO
    assert decide([rule], PURCHASE.with_fields(changed), Random(1)) == Behaviour()


def test_rules_are_for_requests_and_their_repeats_unless_they_say_otherwise() -> None:
    rule = Rule("no", NO)
    assert [decide([rule], Message(mti, {}), Random(1)) == NO for mti in ("0100", "0201", "0220", "0420")] == [
        True,
        True,
        False,
        False,
    ]
    assert decide([Rule("no", NO, types=("0420",))], Message("0421", {}), Random(1)) == NO


def test_the_first_rule_that_applies_decides_and_without_one_it_is_yes() -> None:
    first, second = Behaviour(Act.DECLINE, "51"), Behaviour(Act.DECLINE, "54")
    rules = [Rule("x", NO, amount_endings=(99,)), Rule("first", first), Rule("second", second)]
    assert decide(rules, PURCHASE, Random(1)) == first
    assert decide([], PURCHASE, Random(1)) == Behaviour(Act.APPROVE, "00", 0.0)


def test_a_chance_applies_to_its_share_of_messages() -> None:
    random = Random(4)
    rule = Rule("no", NO, chance=0.25)
    declined = sum(decide([rule], PURCHASE, random) == NO for _ in range(4_000))
    assert 900 < declined < 1_100


def test_a_message_without_the_element_asked_for_matches_no_condition_on_it() -> None:
    assert decide([Rule("no", NO, bins=("4",))], Message("0200", {}), Random(1)) == Behaviour()
