"""What payment terminals do, as data: scenarios of one or more legs, and how often each comes.

An ordinary amount ends in 00 to 49 (its last two digits). From 50 on the ending is a signal to the issuer simulator,
which knows the same table: so a scenario can ask for silence and know what must come of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from random import Random
from typing import Final

import attrs

ORDINARY_ENDINGS: Final = range(50)

DECLINE_FUNDS: Final = 51
DECLINE_EXPIRED: Final = 54
DECLINE_LIMIT: Final = 61
DECLINE_BLUNTLY: Final = 65
DELAY: Final = 80
SILENT: Final = 90
LATE: Final = 91
TWICE: Final = 92
GARBLE: Final = 93
DISCONNECT: Final = 94


class Tie(Enum):
    """How a leg belongs to the first leg of its scenario."""

    NONE = "a message of its own"
    REPEATS = "the same message again, marked as a repeat"
    COMPLETES = "names the first leg in DE90 and tells the final amount"
    REVERSES = "names the first leg in DE90 and undoes it"


@attrs.frozen
class Leg:
    """One message of a scenario and what may come back.

    percent: of the scenario's amount; for a reversal below 100 what remains standing (DE95 appears below 100 only).
    codes: the response codes that are right; nothing else is. elements: what an approval must carry.
    cut: the terminal hangs up as soon as it has written, and never hears the answer.
    """

    mti: str
    processing_code: str = "00"
    tie: Tie = Tie.NONE
    percent: int = 100
    codes: frozenset[str] = frozenset({"00"})
    elements: tuple[int, ...] = ()
    cut: bool = False


@attrs.frozen
class Scenario:
    """A story that a terminal plays from its first leg on; tied legs are left out when the first was not approved.

    group: which cards it is for ("" any). ending: the last two digits of its amounts, None for an ordinary one.
    """

    name: str
    legs: tuple[Leg, ...]
    group: str = ""
    ending: int | None = None
    amount_minor_min: int = 100
    amount_minor_max: int = 20_000

    @property
    def is_prompt(self) -> bool:
        """False when it asks the issuer to be slow or silent."""
        return self.ending not in (DELAY, SILENT, LATE, GARBLE, DISCONNECT)

    def amount_minor(self, random: Random) -> int:
        """Draw an amount with the ending that the scenario asks for, at least 100."""
        ending = random.choice(ORDINARY_ENDINGS) if self.ending is None else self.ending
        hundreds = random.randint(self.amount_minor_min // 100, self.amount_minor_max // 100)
        return max(1, hundreds) * 100 + ending


@attrs.frozen
class Weighted:
    """A scenario and its share among others."""

    scenario: Scenario
    weight: int


class Mix:
    """Draws scenarios in proportion to their weights."""

    def __init__(self, rows: Iterable[Weighted]) -> None:
        self.rows: Final = tuple(row for row in rows if row.weight > 0)
        assert self.rows, "a mix needs a scenario with a weight above zero"
        self._scenarios: Final = [row.scenario for row in self.rows]
        self._weights: Final = [row.weight for row in self.rows]

    def draw(self, random: Random) -> Scenario:
        return random.choices(self._scenarios, self._weights)[0]


def _codes(*codes: str) -> frozenset[str]:
    return frozenset(codes)


_FIRST_0200: Final = Leg("0200", codes=_codes("00", "51"))

SCENARIOS: Final[tuple[Scenario, ...]] = (
    Scenario("purchase", (_FIRST_0200,)),
    Scenario("withdrawal", (Leg("0200", "01", codes=_codes("00", "51")),)),
    Scenario("deposit", (Leg("0200", "21"),)),
    Scenario("transfer", (Leg("0200", "40", codes=_codes("00", "51")),), group="own"),
    Scenario("payment", (Leg("0200", "50", codes=_codes("00", "51")),)),
    Scenario("balance", (Leg("0200", "31", elements=(54,)),)),
    Scenario(
        "pre-authorisation and completion",
        (Leg("0100", codes=_codes("00", "51")), Leg("0220", tie=Tie.COMPLETES, percent=80)),
    ),
    Scenario("refund", (Leg("0200", "20"),)),
    Scenario("reversal", (_FIRST_0200, Leg("0400", tie=Tie.REVERSES))),
    Scenario("partial reversal", (_FIRST_0200, Leg("0420", tie=Tie.REVERSES, percent=40))),
    Scenario(
        "pre-authorisation reversed",
        (Leg("0100", codes=_codes("00", "51")), Leg("0420", tie=Tie.REVERSES)),
    ),
    Scenario("reversal after no answer", (Leg("0200", cut=True), Leg("0420", tie=Tie.REVERSES))),
    Scenario("repeat", (_FIRST_0200, Leg("0201", tie=Tie.REPEATS, codes=_codes("00", "51")))),
    Scenario("advice", (Leg("0220"),)),
    Scenario(
        "too expensive",
        (Leg("0200", codes=_codes("51")),),
        group="own",
        amount_minor_min=900_000_000,
        amount_minor_max=990_000_000,
    ),
    Scenario("declined for funds", (Leg("0200", codes=_codes("51")),), group="issuer", ending=DECLINE_FUNDS),
    Scenario("declined as expired", (Leg("0200", codes=_codes("54")),), group="issuer", ending=DECLINE_EXPIRED),
    Scenario("declined above limit", (Leg("0100", codes=_codes("61")),), group="issuer", ending=DECLINE_LIMIT),
    Scenario("issuer slow", (Leg("0200"),), group="issuer", ending=DELAY),
    Scenario("issuer silent", (Leg("0200", codes=_codes("91")),), group="issuer", ending=SILENT),
    Scenario("issuer late", (Leg("0200", codes=_codes("91")),), group="issuer", ending=LATE),
    Scenario("issuer answers twice", (Leg("0200"),), group="issuer", ending=TWICE),
    Scenario("issuer garbles", (Leg("0200", codes=_codes("91")),), group="issuer", ending=GARBLE),
    Scenario("issuer disconnects", (Leg("0200", codes=_codes("91")),), group="issuer", ending=DISCONNECT),
)
"""Every scenario; where the issuer does not answer in time the switch must say 91 and reverse."""

_BY_NAME: Final = {scenario.name: scenario for scenario in SCENARIOS}


def get_scenario(name: str) -> Scenario:
    """Give a scenario by its name; KeyError when there is none."""
    return _BY_NAME[name]


def make_mix(weights: Sequence[tuple[str, int]]) -> Mix:
    """Make a mix from names and weights; KeyError names a scenario that does not exist."""
    return Mix(Weighted(get_scenario(name), weight) for name, weight in weights)


EVERYDAY: Final[tuple[tuple[str, int], ...]] = (
    ("purchase", 40),
    ("withdrawal", 8),
    ("deposit", 4),
    ("transfer", 4),
    ("payment", 4),
    ("balance", 6),
    ("pre-authorisation and completion", 8),
    ("refund", 3),
    ("reversal", 3),
    ("partial reversal", 2),
    ("pre-authorisation reversed", 2),
    ("reversal after no answer", 2),
    ("repeat", 4),
    ("advice", 2),
    ("too expensive", 2),
    ("declined for funds", 2),
    ("declined as expired", 1),
    ("declined above limit", 1),
    ("issuer slow", 2),
    ("issuer silent", 1),
    ("issuer late", 1),
    ("issuer answers twice", 1),
    ("issuer garbles", 1),
)
"""Ordinary business with a share of everything that goes wrong."""
