from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from junctor.codecs.faults import EncodeFault
from junctor.codecs.swift import (
    BasicHeader,
    InputHeader,
    Mir,
    OutputHeader,
    build_fin,
    lt_of,
    new_message,
    parse_fin,
    parse_mir,
    possible_duplicate,
    replace_headers,
)

MT103 = (Path(__file__).parent / "mt103.txt").read_bytes()
BASIC = BasicHeader("F", "01", "BANKBEBBAXXX", "0057", "000289")
INPUT = InputHeader("103", "BANKDEFFXXXX", "N")


def test_message_is_composed_from_its_parts() -> None:
    message = new_message(
        "103",
        sender="BANKBEBB",
        receiver="BANKDEFF500",
        session="0001",
        sequence="000007",
        user_header=[("108", "MUR1"), ("121", "c8b66b47-2bd9-48fe-be90-93c2096f27d2")],
        text=[("20", "REF1"), ("59", "/123\nNAME\nSTREET")],
        trailers=[("TNG", "")],
    )
    assert message.raw == (
        b"{1:F01BANKBEBBAXXX0001000007}{2:I103BANKDEFFX500N}"
        b"{3:{108:MUR1}{121:c8b66b47-2bd9-48fe-be90-93c2096f27d2}}"
        b"{4:\r\n:20:REF1\r\n:59:/123\r\nNAME\r\nSTREET\r\n-}{5:{TNG:}}"
    )
    assert message == parse_fin(message.raw)


def test_service_message_is_composed_from_tags() -> None:
    basic = BasicHeader("F", "21", "BANKBEBBAXXX", "0057", "000289")
    assert build_fin(basic, service=[("451", "0")]).raw == b"{1:F21BANKBEBBAXXX0057000289}{4:{451:0}}"
    assert build_fin(basic, service=[]).raw == b"{1:F21BANKBEBBAXXX0057000289}{4:}"
    assert build_fin(basic, text=[]).raw == b"{1:F21BANKBEBBAXXX0057000289}{4:\r\n-}"
    assert build_fin(basic).raw == b"{1:F21BANKBEBBAXXX0057000289}"


def test_parts_of_the_bench_message_compose_the_bench_message() -> None:
    message = parse_fin(MT103)
    again = build_fin(
        message.basic,
        message.application,
        user_header=message.user_header,
        text=message.text,
        trailers=message.trailers,
    )
    assert again.raw == MT103


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("A\n:59:/OTHER", "a line that is a field"),
        ("A\n-}", "the end of the text"),
        ("A\r\nB", "lines are joined by a line feed"),
        ("A\r", "a carriage return at the end"),
        ("\u20ac", "no byte for it"),
    ],
)
def test_value_that_would_change_the_message_is_refused(value: str, why: str) -> None:
    with pytest.raises(EncodeFault):
        build_fin(BASIC, INPUT, text=[("70", value)])


@pytest.mark.parametrize("tag", ["", "5", "59a", "A9", "123", "59A:"])
def test_field_tag_that_would_not_be_read_back_is_refused(tag: str) -> None:
    with pytest.raises(EncodeFault):
        build_fin(BASIC, INPUT, text=[("20", "REF"), (tag, "VALUE")])


@pytest.mark.parametrize("pair", [("108", "}"), ("108", "{"), ("108", "A}{121:B"), ("10", "A"), ("108:", "A")])
def test_tag_that_would_change_the_block_is_refused(pair: tuple[str, str]) -> None:
    with pytest.raises(EncodeFault):
        build_fin(BASIC, INPUT, user_header=[pair])
    with pytest.raises(EncodeFault):
        build_fin(BASIC, INPUT, trailers=[pair])


def test_malformed_headers_are_refused() -> None:
    with pytest.raises(EncodeFault):
        build_fin(BasicHeader("F", "01", "BANKBEBBAXXX", "57", "000289"))
    with pytest.raises(EncodeFault):
        build_fin(BASIC, InputHeader("103", "BANKDEFFXXXX", None, "2"))
    with pytest.raises(EncodeFault):
        new_message("103", sender="BANKBEBB", receiver="BANKDEFFXX", text=[])


def test_courier_rewrites_both_headers_and_nothing_else() -> None:
    sent_on = replace_headers(
        parse_fin(MT103),
        BasicHeader("F", "01", "JUNCGB2LAXXX", "0003", "000012"),
        InputHeader("103", "BANKDEFFXXXX", "N"),
    )
    old_headers = len(b"{1:F01BANKBEBBAXXX0057000289}{2:I103BANKDEFFXXXXN2}")
    assert sent_on.raw == b"{1:F01JUNCGB2LAXXX0003000012}{2:I103BANKDEFFXXXXN}" + MT103[old_headers:]
    assert sent_on.text == parse_fin(MT103).text


def test_courier_writes_an_output_header_with_the_input_reference() -> None:
    header = OutputHeader("103", "0930", parse_mir("260117BANKBEBBAXXX0057000289"), "260117", "0931", "N")
    sent_on = replace_headers(parse_fin(MT103), BasicHeader("F", "01", "BANKDEFFAXXX", "0001", "000001"), header)
    assert sent_on.raw.startswith(
        b"{1:F01BANKDEFFAXXX0001000001}{2:O1030930260117BANKBEBBAXXX00570002892601170931N}{3:{103:EBA}"
    )
    assert sent_on.sender_bic == "BANKBEBBXXX"
    assert sent_on.receiver_bic == "BANKDEFFXXX"


def test_resent_message_says_that_it_may_be_a_duplicate() -> None:
    message = parse_fin(MT103)
    first = Mir("260117", "BANKBEBBAXXX", "0057", "000289")
    basic = BasicHeader("F", "01", "BANKBEBBAXXX", "0058", "000001")
    resent = replace_headers(message, basic, INPUT, possible_duplicate(message.trailers, "1231", first))
    assert resent.raw.endswith(b"\r\n-}{5:{MAC:75D138E4}{CHK:DE1B0D71FA96}{PDE:1231260117BANKBEBBAXXX0057000289}}")
    assert resent.is_possible_duplicate
    assert resent.find_block("4") == message.find_block("4")
    assert resent.find_block("3") == message.find_block("3")
    again = replace_headers(resent, basic, INPUT, possible_duplicate(resent.trailers))
    assert again.raw.endswith(b"0057000289}{PDE:}}")


def test_trailers_may_be_given_up_or_added_to_a_message_without_any() -> None:
    bare = new_message("103", sender="BANKBEBB", receiver="BANKDEFF", text=[("20", "R")])
    assert replace_headers(bare, BASIC, INPUT).raw.endswith(b"-}")
    assert replace_headers(bare, BASIC, INPUT, possible_duplicate(())).raw.endswith(b"-}{5:{PDE:}}")
    assert replace_headers(parse_fin(MT103), BASIC, INPUT, ()).raw.endswith(b"\r\n-}")


def test_block_s_stays_at_the_interface_it_came_through() -> None:
    message = parse_fin(MT103 + b"{S:{SAC:}{COP:P}}")
    assert message.system == (("SAC", ""), ("COP", "P"))
    sent_on = replace_headers(message, message.basic, InputHeader("103", "BANKDEFFXXXX", "N", "2"))
    assert sent_on.raw == MT103


def test_malformed_header_of_a_courier_is_refused() -> None:
    with pytest.raises(EncodeFault):
        replace_headers(parse_fin(MT103), BasicHeader("F", "01", "BANKBEBBAXXX", "1", "2"), INPUT)
    with pytest.raises(EncodeFault):
        replace_headers(parse_fin(MT103), BASIC, INPUT, [("PDE", "}")])


def test_logical_terminal_is_a_bic_with_a_terminal_code() -> None:
    assert lt_of("BANKBEBB") == "BANKBEBBXXXX"
    assert lt_of("BANKBEBB500", "A") == "BANKBEBBA500"
    with pytest.raises(EncodeFault):
        lt_of("bankbebb")


VALUE_LINE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, blacklist_characters=":-"), max_size=20)
FIELD = st.tuples(
    st.from_regex(r"[0-9]{2}[A-Z]?", fullmatch=True), st.lists(VALUE_LINE, min_size=1, max_size=4).map("\n".join)
)
SUB_BLOCK = st.tuples(
    st.from_regex(r"[0-9A-Z]{3}", fullmatch=True),
    st.text(st.characters(min_codepoint=0, max_codepoint=0xFF, blacklist_characters="{}"), max_size=20),
)


@given(st.lists(FIELD, max_size=6), st.lists(SUB_BLOCK, max_size=3), st.lists(SUB_BLOCK, max_size=3))
@settings(deadline=None)
def test_composed_message_reads_back_as_its_parts(
    text: list[tuple[str, str]], header: list[tuple[str, str]], trailers: list[tuple[str, str]]
) -> None:
    message = parse_fin(build_fin(BASIC, INPUT, user_header=header, text=text, trailers=trailers).raw)
    assert (message.basic, message.application) == (BASIC, INPUT)
    assert [(field.tag, field.value) for field in message.text] == text
    assert list(message.user_header) == header
    assert list(message.trailers) == trailers
