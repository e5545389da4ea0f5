"""What a terminal puts on the wire, held against messages written by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import attrs
import pytest
from junctor.codecs.iso8583 import Message, decode, encode, load_spec
from junctor.codecs.masking import Pan
from junctor.simulators.scenarios import Leg, Tie, get_scenario
from junctor.simulators.slips import (
    Card,
    Stans,
    TerminalProfile,
    find_mismatch,
    follow_up,
    make_rrn,
    original_data,
    repeat,
    request,
)

AT = datetime(2026, 11, 20, 15, 4, 21, tzinfo=UTC)
LATER = datetime(2026, 11, 20, 15, 5, 0, tzinfo=UTC)
PROFILE = TerminalProfile("TERM0001", "MERCHANT0000001", "12345", location="CORNER SHOP".ljust(40))
CARD = Card(Pan("4761739001010119"), "978", account="anna", expires="2812")


def test_a_purchase_says_who_what_where_and_when() -> None:
    message = request(PROFILE, CARD, Leg("0200"), 1_250, "000042", AT)
    assert message == Message(
        "0200",
        {
            2: "4761739001010119",
            3: "000000",
            4: "000000001250",
            7: "1120150421",
            11: "000042",
            12: "150421",
            13: "1120",
            14: "2812",
            18: "5411",
            22: "051",
            25: "00",
            32: "12345",
            35: "4761739001010119=28122011234",
            37: "632415000042",
            41: "TERM0001",
            42: "MERCHANT0000001",
            43: "CORNER SHOP                             ",
            49: "978",
        },
    )


def test_a_reference_number_tells_year_day_hour_and_trace() -> None:
    assert make_rrn("000042", AT) == "632415000042"  # 2026, day 324, 15 hours


def test_a_transfer_names_both_accounts_and_a_balance_inquiry_no_amount() -> None:
    transfer = request(PROFILE, CARD, Leg("0200", "40"), 500, "000001", AT, to="bert")
    assert (transfer[3], transfer[102], transfer[103]) == ("400000", "anna", "bert")
    assert request(PROFILE, CARD, Leg("0200", "31"), 500, "000001", AT)[4] == "000000000000"


def test_de90_names_the_original_with_its_acquirer_right_justified() -> None:
    message = request(PROFILE, CARD, Leg("0100"), 1_250, "000042", AT)
    assert original_data(message) == "0100" + "000042" + "1120150421" + "00000012345" + "00000000000"


def test_a_reversal_keeps_acquirer_terminal_and_reference_and_has_its_own_time_and_trace() -> None:
    original = request(PROFILE, CARD, Leg("0200"), 1_250, "000042", AT)
    reversal = follow_up(original, Leg("0400", tie=Tie.REVERSES), 1_250, "000043", LATER)
    assert reversal.mti == "0400"
    assert [reversal[element] for element in (2, 3, 4, 32, 37, 41, 42)] == [
        original[element] for element in (2, 3, 4, 32, 37, 41, 42)
    ]
    assert (reversal[7], reversal[11]) == ("1120150500", "000043")
    assert reversal[90] == original_data(original)
    assert 95 not in reversal.fields
    assert 35 not in reversal.fields


def test_a_partial_reversal_tells_what_remains() -> None:
    original = request(PROFILE, CARD, Leg("0200"), 1_250, "000042", AT)
    reversal = follow_up(original, Leg("0420", tie=Tie.REVERSES, percent=40), 1_250, "000043", LATER)
    assert reversal[95] == "000000000500" + "0" * 30
    assert reversal[4] == "000000001250"


def test_a_completion_tells_the_final_amount() -> None:
    original = request(PROFILE, CARD, Leg("0100"), 1_250, "000042", AT)
    completion = follow_up(original, Leg("0220", tie=Tie.COMPLETES, percent=80), 1_250, "000043", LATER)
    assert (completion.mti, completion[4], completion[90]) == ("0220", "000000001000", original_data(original))


def test_a_repeat_differs_in_its_type_alone() -> None:
    original = request(PROFILE, CARD, Leg("0200"), 1_250, "000042", AT)
    assert repeat(original) == Message("0201", original.fields)
    assert follow_up(original, get_scenario("repeat").legs[1], 1_250, "000043", LATER) == repeat(original)
    assert repeat(repeat(original)) == repeat(original)


@pytest.mark.parametrize("name", ["iso1987-ascii", "iso1987-binary"])
def test_everything_a_terminal_says_can_be_written_in_both_specs(name: str) -> None:
    spec = load_spec(name)
    original = request(PROFILE, CARD, Leg("0200"), 1_250, "000042", AT, to="bert")
    for leg in (
        Leg("0400", tie=Tie.REVERSES),
        Leg("0420", tie=Tie.REVERSES, percent=40),
        Leg("0220", tie=Tie.COMPLETES),
        Leg("0201", tie=Tie.REPEATS),
    ):
        message = follow_up(original, leg, 1_250, "000043", LATER)
        assert decode(spec, encode(spec, message)) == message


def test_trace_numbers_count_to_the_end_and_begin_again_at_one() -> None:
    stans = Stans(999_997)
    assert [next(stans) for _ in range(3)] == ["999998", "999999", "000001"]


def test_a_response_belongs_to_its_request_only_if_type_and_echoes_agree() -> None:
    asked = request(PROFILE, CARD, Leg("0201"), 1_250, "000042", AT)
    response = Message("0210", {11: "000042", 37: asked[37], 39: "00", 41: "TERM0001"})
    assert find_mismatch(asked, response) is None
    assert find_mismatch(asked, response.with_fields({}, mti="0230")) == "mti 0230 does not answer 0201"
    assert find_mismatch(asked, response.with_fields({11: "000041"})) == "DE11 is not the one asked with"
    assert find_mismatch(asked, response.with_fields({}, drop=[41])) == "DE41 is not the one asked with"


def test_a_card_and_a_profile_do_not_print_the_card_number() -> None:
    assert "4761739001010119" not in repr(CARD) + str(attrs.asdict(CARD))
