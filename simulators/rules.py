"""How the issuer simulator decides: an ordered table of rules, the first that applies is the answer."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from random import Random
from typing import Final

import attrs

from ..codecs.iso8583 import Message
from . import scenarios


class Act(Enum):
    """What an issuer does with a request."""

    APPROVE = "approve"
    DECLINE = "decline"
    SILENT = "stay silent"
    LATE = "answer late"
    TWICE = "answer twice"
    GARBLE = "garble"
    DISCONNECT = "disconnect"

    @property
    def is_answered(self) -> bool:
        """True when the asker gets a usable answer in time."""
        return self in (Act.APPROVE, Act.DECLINE, Act.TWICE)


@attrs.frozen
class Behaviour:
    """An act with its response code, and how long the issuer takes before it."""

    act: Act = Act.APPROVE
    code: str = "00"
    delay_s: float = 0.0


REQUESTS: Final = ("0100", "0200")
"""What rules apply to unless they say otherwise: advices and reversals tell what has happened."""


@attrs.frozen
class Rule:
    """A row of the table: every condition given must hold.

    amount_endings: last two digits of DE4. bins: prefixes of DE2. types: MTIs without the repeat digit.
    processing_codes: first two digits of DE3. chance: share of the messages to which a row that matches applies.
    """

    name: str
    behaviour: Behaviour
    amount_endings: tuple[int, ...] = ()
    bins: tuple[str, ...] = ()
    types: tuple[str, ...] = REQUESTS
    processing_codes: tuple[str, ...] = ()
    chance: float = 1.0

    def applies_to(self, message: Message, random: Random) -> bool:
        """Tell whether this row decides about a message; draws from `random` only when its chance is below 1."""
        if message.mti[:3] + "0" not in self.types:
            return False
        if self.bins and not str(message.get(2) or "").startswith(self.bins):
            return False
        if self.processing_codes and not str(message.get(3) or "").startswith(self.processing_codes):
            return False
        if self.amount_endings and int(str(message.get(4) or "0")[-2:] or "0") not in self.amount_endings:
            return False
        return self.chance >= 1.0 or random.random() < self.chance


def decide(rules: Sequence[Rule], message: Message, random: Random) -> Behaviour:
    """Give the behaviour of the first rule that applies, else an approval at once."""
    for rule in rules:
        if rule.applies_to(message, random):
            return rule.behaviour
    return Behaviour()


def signal_rules(delay_s: float, late_s: float) -> tuple[Rule, ...]:
    """Make the rules for the endings that scenarios signal with; `late_s` must exceed the switch's patience."""
    return (
        Rule("funds", Behaviour(Act.DECLINE, "51"), (scenarios.DECLINE_FUNDS,)),
        Rule("expired", Behaviour(Act.DECLINE, "54"), (scenarios.DECLINE_EXPIRED,)),
        Rule("limit", Behaviour(Act.DECLINE, "61"), (scenarios.DECLINE_LIMIT,)),
        Rule("bluntly", Behaviour(Act.DECLINE, "05"), (scenarios.DECLINE_BLUNTLY,)),
        Rule("slow", Behaviour(Act.APPROVE, delay_s=delay_s), (scenarios.DELAY,)),
        Rule("silent", Behaviour(Act.SILENT), (scenarios.SILENT,)),
        Rule("late", Behaviour(Act.LATE, delay_s=late_s), (scenarios.LATE,)),
        Rule("twice", Behaviour(Act.TWICE), (scenarios.TWICE,)),
        Rule("garble", Behaviour(Act.GARBLE), (scenarios.GARBLE,)),
        Rule("disconnect", Behaviour(Act.DISCONNECT), (scenarios.DISCONNECT,)),
    )
