"""Which tables are refused, and with what reason."""

from __future__ import annotations

import itertools
import re

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from junctor.routing import LEDGER, Question, RouteFaults, Row, build_table
from junctor.routing.checks import ROWS_MAX, VALUES_MAX
from junctor.routing.conditions import find_unmet

IDS = ("acme-pos", "blue-bank", "red-bank")
BLUE, RED = ("blue-bank",), ("red-bank",)


def refused(*rows: Row, default: tuple[str, ...] = (LEDGER,)) -> list[str]:
    """The faults of a table, one text each; empty when it is accepted."""
    try:
        build_table(rows, default, IDS)
    except RouteFaults as caught:
        return str(caught).splitlines()
    return []


# ------------------------------------------------------------------------------------------------- unreachable


def test_row_covered_by_an_earlier_one_is_refused_and_names_it() -> None:
    assert refused(Row("wide", BLUE, bins=("47",)), Row("narrow", RED, bins=("4761",))) == [
        "routes[1]: can never be reached: row 'wide' has decided before"
    ]


def test_row_covered_by_several_together_is_refused_and_names_them() -> None:
    assert refused(
        Row("low", BLUE, bins=("400000-449999",)),
        Row("high", RED, bins=("45-49",)),
        Row("other", RED, bins=("5",)),
        Row("all", ("acme-pos",), bins=("4",), overrides=True),
    ) == ["routes[3]: can never be reached: rows 'low', 'high' together have decided before"]


def test_rows_that_share_out_amounts_cover_every_amount() -> None:
    rows = [Row("small", BLUE, amount_minor_max=99), Row("large", RED, amount_minor_min=100)]
    assert refused(*rows, Row("eur", BLUE, currencies=("EUR",))) == [
        "routes[2]: can never be reached: rows 'small', 'large' together have decided before"
    ]


def test_rows_for_every_institution_cover_every_payment() -> None:
    rows = [Row("a", BLUE, institutions=("acme-pos", "blue-bank")), Row("b", RED, institutions=("red-bank",))]
    assert refused(*rows, Row("c", BLUE, bins=("4",))) == [
        "routes[2]: can never be reached: rows 'a', 'b' together have decided before"
    ]


def test_class_covers_its_messages_and_not_the_other_way_round() -> None:
    whole, advices = Row("whole", BLUE, types=("0200",)), Row("advices", RED, types=("0220",))
    assert refused(advices, whole) == []
    assert refused(whole, advices) == ["routes[1]: can never be reached: row 'whole' has decided before"]


def test_one_value_left_over_makes_a_row_reachable() -> None:
    rows = [Row("low", RED, bins=("400-448",)), Row("high", RED, bins=("450-499",))]
    assert refused(*rows, Row("all", BLUE, bins=("4",))) == []


def test_row_without_a_condition_is_the_default_and_refused() -> None:
    assert refused(Row("all", BLUE)) == [
        "routes[0]: has no condition, so that nothing after it is reached: say it as the default"
    ]


@pytest.mark.parametrize(
    "row",
    [
        Row("r", BLUE, bins=("4",), bics=("NORT",)),
        Row("r", BLUE, types=("0200",), bics=("NORT",)),
        Row("r", BLUE, types=("103",), processing_codes=("00",)),
    ],
)
def test_row_for_cards_and_fin_at_once_is_refused(row: Row) -> None:
    assert refused(row) == ["routes[0]: matches nothing: card number, processing code and MTI never meet BIC and MT"]


# ---------------------------------------------------------------------------------------------------- crossing


def test_exception_before_its_rule_is_accepted() -> None:
    assert refused(Row("narrow", BLUE, bins=("4761",), types=("0200",)), Row("wide", RED, bins=("47",))) == []


def test_crossing_ranges_are_refused_with_both_rows_named() -> None:
    told = refused(Row("blue", BLUE, bins=("400000-450000",)), Row("red", RED, bins=("445000-460000",)))
    assert told == [
        "routes[1]: this row and the earlier 'blue' overlap, and neither is an exception of the other: "
        "narrow one of them, or say overrides = true in the earlier one if it is meant to win"
    ]


def test_crossing_conditions_of_different_kinds_are_refused() -> None:
    assert len(refused(Row("blue", BLUE, bins=("4761",)), Row("usd", RED, currencies=("USD",)))) == 1


def test_crossing_is_accepted_when_the_earlier_row_is_meant_to_win() -> None:
    assert refused(Row("usd", RED, currencies=("USD",), overrides=True), Row("blue", BLUE, bins=("4761",))) == []


def test_crossing_is_not_accepted_because_the_later_row_says_so() -> None:
    assert len(refused(Row("usd", RED, currencies=("USD",)), Row("blue", BLUE, bins=("4",), overrides=True))) == 1


def test_crossing_between_equal_destinations_is_accepted() -> None:
    assert refused(Row("a", BLUE, bins=("40-45",)), Row("b", BLUE, bins=("44-49",))) == []


def test_crossing_that_an_earlier_row_settles_is_accepted() -> None:
    both = Row("both", RED, bins=("4761",), currencies=("USD",))
    assert refused(both, Row("blue", BLUE, bins=("4761",)), Row("usd", RED, currencies=("USD",))) == []


def test_cards_and_fin_never_cross() -> None:
    assert refused(Row("blue", BLUE, bins=("4761",)), Row("mail", RED, bics=("NORT",))) == []
    assert refused(Row("cash", BLUE, processing_codes=("01",)), Row("mail", RED, types=("103",))) == []


def test_neighbours_do_not_cross() -> None:
    assert refused(Row("a", BLUE, bins=("400000-449999",)), Row("b", RED, bins=("450000-499999",))) == []
    assert refused(Row("a", BLUE, amount_minor_max=99), Row("b", RED, amount_minor_min=100)) == []


# ------------------------------------------------------------------------------------------------- single rows


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (Row("r", ("green-bank",), bins=("4",)), "routes[0].to: no institution 'green-bank'"),
        (Row("r", (*BLUE, *BLUE), bins=("4",)), "routes[0].to: names a destination twice"),
        (Row("r", (LEDGER, *BLUE), bins=("4",)), "routes[0].to: what stands after ledger is never chosen: our own"),
        (Row("default", BLUE, bins=("4",)), "routes[0].name: the name 'default' is taken"),
        (Row("r", BLUE, bins=("4", "4x")), "routes[0].bins[1]: is not written as one"),
        (Row("r", BLUE, bins=("46-45",)), "routes[0].bins[0]: the ends of a range have the same length, the smaller"),
        (Row("r", BLUE, bins=("4-46",)), "routes[0].bins[0]: the ends of a range have the same length, the smaller"),
        (Row("r", BLUE, bins=("٤",)), "routes[0].bins[0]: is not written as one"),
        (Row("r", BLUE, types=("02",)), "routes[0].types[0]: is not written as one"),
        (Row("r", BLUE, processing_codes=("000",)), "routes[0].processing_codes[0]: is not written as one"),
        (Row("r", BLUE, bics=("nort",)), "routes[0].bics[0]: is not written as one"),
        (Row("r", BLUE, institutions=("green",)), "routes[0].institutions[0]: no institution 'green'"),
        (Row("r", BLUE, currencies=("EUX",)), "routes[0].currencies[0]: no currency 'EUX' in ISO 4217"),
        (Row("r", BLUE, currencies=("978",)), "routes[0].currencies[0]: no currency '978' in ISO 4217"),
        (Row("r", BLUE, amount_minor_min=-1), "routes[0].amount_minor_min: is negative or does not fit 63 bits"),
        (Row("r", BLUE, amount_minor_max=2**63), "routes[0].amount_minor_max: is negative or does not fit 63 bits"),
        (Row("r", BLUE, amount_minor_min=2, amount_minor_max=1), "routes[0].amount_minor_max: is less than"),
    ],
)
def test_mistake_in_a_row_is_told_with_its_place(row: Row, fault: str) -> None:
    (told,) = refused(row)
    assert told.startswith(fault)


def test_every_mistake_is_told() -> None:
    told = refused(Row("r", BLUE, bins=("x",)), Row("r", RED, currencies=("EUX",)), default=("green-bank",))
    assert [line.partition(":")[0] for line in told] == [
        "default",
        "routes[0].bins[0]",
        "routes[1].name",
        "routes[1].currencies[0]",
    ]


def test_table_has_a_limit_of_rows() -> None:
    rows = [Row(f"r{number}", BLUE, bins=(f"{number:06d}",)) for number in range(ROWS_MAX)]
    assert refused(*rows) == []
    assert refused(*rows, Row("one-more", BLUE, bins=("9",))) == [
        "routes: more than 5000 rows, or 50000 values in them"
    ]


def test_table_has_a_limit_of_values() -> None:
    bins = tuple(f"{number:06d}" for number in range(VALUES_MAX))
    assert refused(Row("r", BLUE, bins=bins)) == []
    assert len(refused(Row("r", BLUE, bins=bins), Row("s", RED, types=("103",)))) == 1


# --------------------------------------------------------------- against every payment of a small world

PAYMENTS = [
    Question(institution, type_, code, currency, amount, pan)
    for institution in IDS
    for type_, code in (("0200", "000000"), ("0220", "000000"), ("0100", "010000"))
    for currency in ("EUR", "USD")
    for amount in range(3)
    for pan in (None, "400000000000", "440000000000", "450000000000", "500000000000")
]

small_rows = st.builds(
    Row,
    name=st.just("r"),
    to=st.sampled_from([BLUE, RED]),
    bins=st.sampled_from([(), (), ("4",), ("40-44",), ("44-45",), ("40", "5"), ("45", "5")]),
    institutions=st.sampled_from([(), (), ("acme-pos",), ("blue-bank", "red-bank")]),
    types=st.sampled_from([(), (), ("0200",), ("0220", "0100"), ("0220",)]),
    currencies=st.sampled_from([(), (), ("EUR",), ("USD",)]),
    amount_minor_min=st.sampled_from([None, None, 1]),
    amount_minor_max=st.sampled_from([None, None, 1]),
    overrides=st.booleans(),
).filter(lambda row: any((row.bins, row.institutions, row.types, row.currencies, row.amount_minor_min is not None)))


@given(st.lists(small_rows, min_size=2, max_size=5))
@settings(max_examples=400, deadline=None)
def test_rows_are_refused_for_payments_that_exist(rows: list[Row]) -> None:
    rows = [attrs.evolve(row, name=f"r{index}") for index, row in enumerate(rows)]
    matched = [{number for number, asked in enumerate(PAYMENTS) if find_unmet(row, asked) is None} for row in rows]
    told = refused(*rows)
    dead = {int(line[7]) for line in told if "never be reached" in line}
    crossing = {(int(line[7]), re.sub(r".* earlier 'r(\d)'.*", r"\1", line)) for line in told if "overlap" in line}

    for index in dead:  # what is refused as unreachable decides no payment of this world
        assert matched[index] <= set().union(*matched[:index])
    for later, name in crossing:  # what is refused as crossing has a payment that only the order decides
        earlier = int(name)
        assert matched[earlier] & matched[later] - set().union(*matched[:earlier])
    for earlier, later in itertools.combinations(range(len(rows)), 2):  # and such a payment is always refused
        undecided = matched[earlier] & matched[later] - set().union(*matched[:earlier])
        is_exception = matched[earlier] <= matched[later]
        is_meant = rows[earlier].overrides or rows[earlier].to == rows[later].to
        if undecided and not is_exception and not is_meant and later not in dead:
            assert (later, str(earlier)) in crossing
