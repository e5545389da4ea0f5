"""The route table: which row decides, and why."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from junctor.routing import LEDGER, Question, Road, RouteFaults, RouteTable, Row, build_table

IDS = ("acme-pos", "blue-bank", "red-bank", "north-bank")


def ask(**changes: object) -> Question:
    """A purchase of 12.50 EUR from acme-pos with a card of 476173."""
    known: dict[str, object] = {
        "institution": "acme-pos",
        "type": "0200",
        "processing_code": "000000",
        "currency": "EUR",
        "amount_minor": 1250,
        "pan": "4761730000000011",
    }
    return Question(**(known | changes))  # type: ignore[arg-type]


def ask_fin(**changes: object) -> Question:
    """An MT103 to North Bank."""
    return ask(**({"type": "103", "processing_code": "", "pan": None, "bic": "NORTDEFFXXX"} | changes))


def way(row: Row, question: Question) -> str:
    """Which of one row and the default a question takes."""
    return build_table([row], (LEDGER,), IDS).find(question).route


def test_payment_that_no_row_matches_takes_the_default() -> None:
    table = build_table([Row("usd", ("blue-bank",), currencies=("USD",))], (LEDGER,), IDS)
    assert table.find(ask()) == Road("default", (LEDGER,))


def test_empty_table_is_its_default() -> None:
    assert build_table([], ("red-bank", LEDGER), IDS).find(ask()) == Road("default", ("red-bank", LEDGER))


def test_first_row_that_matches_decides() -> None:
    rows = [
        Row("cash-of-blue", ("red-bank",), bins=("476173",), processing_codes=("01",)),
        Row("blue", ("blue-bank", LEDGER), bins=("476173",)),
    ]
    table = build_table(rows, (LEDGER,), IDS)
    assert table.find(ask(processing_code="010000")) == Road("cash-of-blue", ("red-bank",))
    assert table.find(ask()) == Road("blue", ("blue-bank", LEDGER))
    assert len(table) == 2


@pytest.mark.parametrize(
    ("row", "question", "matches"),
    [
        (Row("r", (), bins=("476173",)), ask(), True),
        (Row("r", (), bins=("476174",)), ask(), False),
        (Row("r", (), bins=("4761730000000011",)), ask(), True),
        (Row("r", (), bins=("47617300000000110",)), ask(pan="4761730000000012"), False),
        (Row("r", (), bins=("476172-476174",)), ask(), True),
        (Row("r", (), bins=("476173-476173",)), ask(), True),
        (Row("r", (), bins=("476174-476180",)), ask(), False),
        (Row("r", (), bins=("476100-476172",)), ask(pan="4761729999999999"), True),
        (Row("r", (), bins=("476100-476172",)), ask(), False),
        (Row("r", (), bins=("9",)), ask(pan="9999999999999999999"), True),
        (Row("r", (), bins=("90-99",)), ask(pan="9999999999999999999"), True),
        (Row("r", (), bins=("0",)), ask(pan="0000000000000"), True),
        (Row("r", (), bins=("000-009",)), ask(pan="0099999999999"), True),
        (Row("r", (), bins=("000-009",)), ask(pan="0100000000000"), False),
        (Row("r", (), bins=("0-9",)), ask(pan=None), False),
        (Row("r", (), institutions=("acme-pos",)), ask(), True),
        (Row("r", (), institutions=("blue-bank",)), ask(), False),
        (Row("r", (), institutions=("blue-bank",)), ask(institution="unheard-of"), False),
        (Row("r", (), processing_codes=("00",)), ask(), True),
        (Row("r", (), processing_codes=("01",)), ask(), False),
        (Row("r", (), processing_codes=("000000",)), ask(), True),
        (Row("r", (), processing_codes=("002000",)), ask(), False),
        (Row("r", (), processing_codes=("002000", "00")), ask(processing_code="002030"), True),
        (Row("r", (), processing_codes=("002000", "00")), ask(processing_code="002000"), True),
        (Row("r", (), types=("0200",)), ask(), True),
        (Row("r", (), types=("0200",)), ask(type="0220"), True),
        (Row("r", (), types=("0200",)), ask(type="0100"), False),
        (Row("r", (), types=("0200",)), ask(type="1200"), False),
        (Row("r", (), types=("0220",)), ask(type="0220"), True),
        (Row("r", (), types=("0220",)), ask(), False),
        (Row("r", (), types=("103",)), ask_fin(), True),
        (Row("r", (), types=("1100",)), ask_fin(type="110"), False),
        (Row("r", (), types=("103",)), ask_fin(type="202"), False),
        (Row("r", (), currencies=("USD", "EUR")), ask(), True),
        (Row("r", (), currencies=("USD",)), ask(), False),
        (Row("r", (), amount_minor_min=1250), ask(), True),
        (Row("r", (), amount_minor_min=1251), ask(), False),
        (Row("r", (), amount_minor_max=1250), ask(), True),
        (Row("r", (), amount_minor_max=1249), ask(), False),
        (Row("r", (), amount_minor_min=0, amount_minor_max=0), ask(amount_minor=0), True),
        (Row("r", (), amount_minor_max=0), ask(amount_minor=1), False),
        (Row("r", (), amount_minor_max=2**63 - 1), ask(amount_minor=2**63 - 1), True),
        (Row("r", (), bics=("NORTDEFF",)), ask_fin(), True),
        (Row("r", (), bics=("NORTDEFFXXX",)), ask_fin(bic="NORTDEFF"), True),
        (Row("r", (), bics=("NORTDEFF123",)), ask_fin(), False),
        (Row("r", (), bics=("NORT", "JUNC")), ask_fin(bic="JUNCDEFF"), True),
        (Row("r", (), bics=("A",)), ask(), False),
    ],
)
def test_condition_is_met_by_what_it_says(row: Row, question: Question, matches: bool) -> None:
    table = build_table([row], (LEDGER,), IDS)
    assert table.find(question).route == ("r" if matches else "default")
    assert (table.explain(question).rows[0][1] is None) == matches


def test_all_conditions_of_a_row_must_hold() -> None:
    row = Row("r", ("blue-bank",), bins=("476173",), currencies=("EUR",), amount_minor_max=2000, types=("0200",))
    assert way(row, ask()) == "r"
    for change in ({"pan": "5000000000000000"}, {"currency": "USD"}, {"amount_minor": 2001}, {"type": "0100"}):
        assert way(row, ask(**change)) == "default"


def test_explanation_names_the_condition_on_which_each_row_fails() -> None:
    rows = [
        Row("usd", ("red-bank",), bins=("476173",), currencies=("USD",)),
        Row("large", ("red-bank",), bins=("476173",), currencies=("EUR",), amount_minor_min=100_000),
        Row("blue", ("blue-bank",), bins=("476173",)),
        Row("mail", ("north-bank",), bics=("NORT",)),
    ]
    told = build_table(rows, (LEDGER,), IDS).explain(ask())
    assert told.road == Road("blue", ("blue-bank",))
    assert told.rows == (
        ("usd", "currencies"),
        ("large", "amount_minor_min"),
        ("blue", None),
        ("mail", "bics"),
        ("default", None),
    )


def test_question_does_not_print_its_card_number() -> None:
    assert "4761730000000011" not in repr(ask())


# -------------------------------------------------------------------------------------- against the plain reading

digits = st.sampled_from("0147")
bins = st.one_of(
    st.text("014", min_size=1, max_size=3),
    st.tuples(st.text("0149", min_size=2, max_size=2), st.text("0149", min_size=2, max_size=2)).map(
        lambda ends: "-".join(sorted(ends))
    ),
)


def some(values: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.one_of(st.just(()), st.lists(values, min_size=1, max_size=3, unique=True).map(tuple))


rows_of_tables = st.lists(
    st.builds(
        Row,
        name=st.just("r"),
        to=st.sampled_from([("blue-bank",), ("red-bank",), (LEDGER,)]),
        bins=some(bins),
        institutions=some(st.sampled_from(IDS)),
        processing_codes=some(st.sampled_from(["00", "01", "000000", "002000"])),
        types=some(st.sampled_from(["0100", "0200", "0220", "103"])),
        currencies=some(st.sampled_from(["EUR", "USD"])),
        amount_minor_min=st.one_of(st.none(), st.integers(0, 4)),
        amount_minor_max=st.one_of(st.none(), st.integers(4, 8)),
        overrides=st.just(True),
    ),
    max_size=6,
).map(lambda rows: [attrs.evolve(row, name=f"r{index}") for index, row in enumerate(rows)])

questions = st.builds(
    Question,
    institution=st.sampled_from([*IDS, "unheard-of"]),
    type=st.sampled_from(["0100", "0200", "0220", "0400", "103", "202", ""]),
    processing_code=st.sampled_from(["000000", "002000", "003000", "010000", "", "0"]),
    currency=st.sampled_from(["EUR", "USD", "JPY"]),
    amount_minor=st.integers(0, 9),
    pan=st.one_of(st.none(), st.text("01459", min_size=12, max_size=19)),
)


@given(rows_of_tables, st.lists(questions, min_size=1, max_size=20))
@settings(max_examples=300, deadline=None)
def test_compiled_table_answers_as_the_rows_read_one_by_one(rows: list[Row], asked: list[Question]) -> None:
    table = _table_of_sound_rows(rows)
    for question in asked:
        assert table.find(question) == table.explain(question).road


def _table_of_sound_rows(rows: list[Row]) -> RouteTable:
    """Build from the rows without those that are refused."""
    while True:
        try:
            return build_table(rows, (LEDGER,), IDS)
        except RouteFaults as caught:
            refused = {int(fault.path.partition("[")[2].partition("]")[0]) for fault in caught.faults}
            rows = [row for index, row in enumerate(rows) if index not in refused]
