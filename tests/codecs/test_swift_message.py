from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from junctor.codecs.faults import DecodeFault
from junctor.codecs.swift import (
    BasicHeader,
    Field,
    FinMessage,
    InputHeader,
    Mir,
    OutputHeader,
    encode_fin,
    find_basic_header,
    parse_fin,
    parse_fins,
)

MT103 = (Path(__file__).parent / "mt103.txt").read_bytes()
ACK = b"{1:F21BANKBEBBAXXX0057000289}{4:{177:2601171230}{451:0}{108:MUR260117000042}}"
OUTPUT = (
    b"{1:F01BANKDEFFAXXX0101000777}"
    b"{2:O1031230260117BANKBEBBAXXX00570002892601171231N}"
    b"{3:{121:c8b66b47-2bd9-48fe-be90-93c2096f27d2}}"
    b"{4:\r\n:20:REF\r\n-}{5:{CHK:DE1B0D71FA96}{PDM:1230260117BANKDEFFAXXX0101000776}}"
)


def test_bench_message_is_read_into_headers_and_blocks() -> None:
    message = parse_fin(MT103)
    assert message.basic == BasicHeader("F", "01", "BANKBEBBAXXX", "0057", "000289")
    assert message.application == InputHeader("103", "BANKDEFFXXXX", "N", "2", None)
    assert message.user_header == (
        ("103", "EBA"),
        ("113", "NNNN"),
        ("108", "MUR260117000042"),
        ("111", "001"),
        ("121", "c8b66b47-2bd9-48fe-be90-93c2096f27d2"),
    )
    assert message.trailers == (("MAC", "75D138E4"), ("CHK", "DE1B0D71FA96"))
    assert message.service == ()
    assert message.system == ()
    assert message.message_type == "103"
    assert message.variant is None
    assert message.mur == "MUR260117000042"
    assert message.uetr == "c8b66b47-2bd9-48fe-be90-93c2096f27d2"
    assert message.reference == "PAYREFTB54302"
    assert (message.lt, message.session, message.sequence) == ("BANKBEBBAXXX", "0057", "000289")
    assert not message.is_ack_or_nak
    assert not message.is_possible_duplicate


def test_bench_message_is_read_into_fields_with_their_lines() -> None:
    message = parse_fin(MT103)
    assert [field.tag for field in message.text] == [
        "20", "13C", "23B", "23E", "23E", "26T", "32A", "33B", "36", "50F", "52A", "53B", "56A", "57A", "59",
        "70", "71A", "71F", "71F", "72", "77B",
    ]  # fmt: skip
    assert message.text[0] == Field("20", "PAYREFTB54302", 2)
    assert message.find("32A") == Field("32A", "260119EUR1108492,50", 8)
    assert message.find("50") == Field(
        "50F",
        "/BE62510007547061\n1/JOHANN WILLEMS MEDICAL SUPPLY NV\n2/RUE JOSEPH II 19\n3/BE/1040 BRUSSELS",
        11,
    )
    assert message.find("77B") == Field("77B", "/ORDERRES/BE//MEILAAN 1, 9000 GENT", 35)


def test_find_takes_a_number_with_any_option_or_one_tag_exactly() -> None:
    message = parse_fin(MT103)
    assert message.find("59A") is None
    assert message.find("5") is None
    assert message.find("59") is not None
    assert [field.value for field in message.all("71F")] == ["EUR10,", "EUR7,5"]
    assert [field.tag for field in message.all("71")] == ["71A", "71F", "71F"]
    assert message.all("58") == ()


def test_input_message_is_from_block_1_to_block_2() -> None:
    message = parse_fin(MT103)
    assert message.sender_bic == "BANKBEBBXXX"
    assert message.receiver_bic == "BANKDEFFXXX"


def test_output_message_is_from_its_mir_to_block_1() -> None:
    message = parse_fin(OUTPUT)
    assert message.application == OutputHeader(
        "103", "1230", Mir("260117", "BANKBEBBAXXX", "0057", "000289"), "260117", "1231", "N"
    )
    assert message.sender_bic == "BANKBEBBXXX"
    assert message.receiver_bic == "BANKDEFFXXX"
    assert message.is_possible_duplicate


def test_acknowledgement_has_no_sender_and_is_for_block_1() -> None:
    message = parse_fin(ACK)
    assert message.is_ack_or_nak
    assert message.message_type is None
    assert message.sender_bic is None
    assert message.receiver_bic == "BANKBEBBXXX"
    assert message.service == (("177", "2601171230"), ("451", "0"), ("108", "MUR260117000042"))
    assert message.find_service("451") == "0"
    assert message.text == ()


@pytest.mark.parametrize(
    ("header", "read"),
    [
        ("I103BANKDEFFXXXX", InputHeader("103", "BANKDEFFXXXX")),
        ("I103BANKDEFFXXXXU", InputHeader("103", "BANKDEFFXXXX", "U")),
        ("I103BANKDEFFXXXXU3", InputHeader("103", "BANKDEFFXXXX", "U", "3")),
        ("I103BANKDEFFXXXXU3003", InputHeader("103", "BANKDEFFXXXX", "U", "3", "003")),
    ],
)
def test_input_header_has_four_lengths(header: str, read: InputHeader) -> None:
    message = parse_fin(b"{1:F01BANKBEBBAXXX0000000000}{2:%s}" % header.encode())
    assert message.application == read
    assert str(message.application) == header


@pytest.mark.parametrize(
    "header",
    [
        "",
        "I103BANKDEFFXXX",
        "I10ABANKDEFFXXXX",
        "I103BANKDEFFXXXXU30",
        "I103BANKDEFFXXXXU30033",
        "O1031230260117BANKBEBBAXXX0057000289260117123",
        "O1031230260117BANKBEBBAXXX00570002892601171231NN",
    ],
)
def test_application_header_of_another_shape_is_a_fault(header: str) -> None:
    with pytest.raises(DecodeFault) as caught:
        parse_fin(b"{1:F01BANKBEBBAXXX0000000000}{2:%s}" % header.encode())
    assert (caught.value.path, caught.value.offset) == ("2", 32)


def test_ack_and_its_original_are_read_from_one_payload() -> None:
    messages = parse_fins(b"\r\n" + ACK + MT103 + b"\r\n" + ACK + b" \x03\r\n")
    assert [message.raw for message in messages] == [ACK, MT103, ACK]
    assert messages[1] == parse_fin(MT103)
    assert messages[1].find_block("5") == b"{5:{MAC:75D138E4}{CHK:DE1B0D71FA96}}"
    assert parse_fins(b" \r\n") == []


def test_offset_of_a_fault_is_counted_from_the_start_of_the_payload() -> None:
    with pytest.raises(DecodeFault) as caught:
        parse_fins(ACK + b"{1:F01BANK}")
    assert (caught.value.path, caught.value.offset) == ("1", len(ACK) + 3)


def test_line_that_only_looks_like_a_field_continues_the_value() -> None:
    text = "\r\n:72:/ACC/A\r\n:not a field\r\n:2:no\r\n:123:no\r\n-no end\r\n{1:F01}\r\n:59A:next\r\n-}"
    message = parse_fin(b"{1:F01BANKBEBBAXXX0000000000}{2:I103BANKDEFFXXXX}{4:%s" % text.encode())
    assert message.text == (
        Field("72", "/ACC/A\n:not a field\n:2:no\n:123:no\n-no end\n{1:F01}", 2),
        Field("59A", "next", 8),
    )


def test_system_message_may_have_three_digit_text_tags() -> None:
    raw = b"{1:F01BANKBEBBAXXX0000000000}{2:I094SWFTXXXXXXXX}{4:\r\n:130:RT\r\n:134:text\r\n-}"
    assert parse_fin(raw).text == (Field("130", "RT", 2), Field("134", "text", 3))


def test_bare_line_feeds_are_read_and_written_back_as_they_came() -> None:
    raw = MT103.replace(b"\r\n", b"\n")
    assert parse_fin(raw).text == parse_fin(MT103).text
    assert encode_fin(parse_fin(raw)) == raw


def test_lone_carriage_return_stays_in_the_value() -> None:
    raw = b"{1:F01BANKBEBBAXXX0000000000}{4:\r\n:20:A\rB\r\r\n-}"
    assert parse_fin(raw).text == (Field("20", "A\rB\r", 2),)


def test_empty_blocks_and_an_empty_text_are_read() -> None:
    raw = b"{1:F01BANKBEBBAXXX0000000000}{2:I103BANKDEFFXXXX}{3:}{4:\r\n-}{5:}{S:}"
    message = parse_fin(raw)
    assert (message.user_header, message.text, message.trailers, message.system) == ((), (), (), ())
    assert message.find_block("S") == b"{S:}"
    assert message.find_block("4") == b"{4:\r\n-}"
    assert parse_fin(raw[:29]).find_block("2") is None


def test_tag_may_hold_a_message_within_its_value() -> None:
    raw = b"{1:F01BANKBEBBAXXX0000000000}{2:I021BANKDEFFXXXX}{4:{280:{1:F01X}{4:y}}{108:M}}"
    assert parse_fin(raw).service == (("280", "{1:F01X}{4:y}"), ("108", "M"))


@pytest.mark.parametrize(
    ("raw", "path", "offset"),
    [
        (b"", "message", 0),
        (b"{2:I103BANKDEFFXXXX}", "message", 0),
        (b"{1:F01BANKBEBBAXXX000000000}", "1", 3),
        (b"{1:F01BANKBEBBAXXX00000000000}", "1", 3),
        (b"{1:F01bankbebbaxxx0000000000}", "1", 3),
        (b"{1:F01BANKBEBBAXXX0000000000", "1", 28),
        (b"{1:F01BANKBEBBAXXX0000000000} ", "message", 29),
        (b"{1:F01BANKBEBBAXXX0000000000}{1:F01BANKBEBBAXXX0000000000}", "message", 29),
        (b"{1:F01BANKBEBBAXXX0000000000}{3:}{2:I103BANKDEFFXXXX}", "message", 33),
        (b"{1:F01BANKBEBBAXXX0000000000}{5:}{5:}", "message", 33),
        (b"{1:F01BANKBEBBAXXX0000000000}{6:}", "message", 29),
        (b"{1:F01BANKBEBBAXXX0000000000}{", "message", 29),
        (b"{1:F01BANKBEBBAXXX0000000000}{3}", "message", 29),
        (b"{1:F01BANKBEBBAXXX0000000000}{2:X103BANKDEFFXXXX}", "2", 32),
        (b"{1:F01BANKBEBBAXXX0000000000}{3:108:A}", "3", 32),
        (b"{1:F01BANKBEBBAXXX0000000000}{3:{108A}}", "3", 32),
        (b"{1:F01BANKBEBBAXXX0000000000}{3:{10a:A}}", "3", 32),
        (b"{1:F01BANKBEBBAXXX0000000000}{3:{108:A} {121:B}}", "3", 39),
        (b"{1:F01BANKBEBBAXXX0000000000}{3:{108:A}", "3", 39),
        (b"{1:F01BANKBEBBAXXX0000000000}{3:{108:{A}", "3.108", 40),
        (b"{1:F01BANKBEBBAXXX0000000000}{4::20:A\r\n-}", "4", 32),
        (b"{1:F01BANKBEBBAXXX0000000000}{4:\r\n:20:A-}", "4", 41),
        (b"{1:F01BANKBEBBAXXX0000000000}{4:\r\nno field\r\n-}", "4", 34),
        (b"{1:F01BANKBEBBAXXX0000000000}{4:\r\nno field\r\n:20:A\r\n-}", "4", 34),
        (b"{1:F01BANKBEBBAXXX0000000000}{4:\rX\n:20:A\r\n-}", "4", 32),
    ],
)
def test_broken_structure_is_a_fault_that_says_where(raw: bytes, path: str, offset: int) -> None:
    with pytest.raises(DecodeFault) as caught:
        parse_fin(raw)
    assert (caught.value.path, caught.value.offset) == (path, offset)


def test_sender_of_a_broken_message_is_still_found() -> None:
    assert find_basic_header(b"\r\n" + MT103[:200]) == BasicHeader("F", "01", "BANKBEBBAXXX", "0057", "000289")
    assert find_basic_header(b"{1:F01BANKBEBBAXXX005700028}") is None
    assert find_basic_header(b"{1:F01bankBEBBAXXX0057000289}") is None
    assert find_basic_header(b"{2:}") is None


def test_repr_shows_headers_and_reference_and_no_value() -> None:
    message = parse_fin(MT103)
    shown = repr(message) + str(message.text) + str(message.user_header) + f"{message.trailers} {message.blocks}"
    assert "PAYREFTB54302" in shown
    assert "F01BANKBEBBAXXX0057000289" in shown
    for value in ("JOHANN", "BE62510007547061", "1108492", "KLEIN", "c8b66b47", "MEILAAN", "75D138E4"):
        assert value not in shown


def test_repr_masks_a_card_number_in_the_reference() -> None:
    raw = b"{1:F01BANKBEBBAXXX0000000000}{2:I103BANKDEFFXXXX}{4:\r\n:20:4111111111111111\r\n-}"
    assert "411111******1111" in repr(parse_fin(raw))
    assert "4111111111111111" not in repr(parse_fin(raw))


def test_nine_thousand_character_value_is_read() -> None:
    value = "A" * 9_999
    raw = b"{1:F01BANKBEBBAXXX0000000000}{2:I103BANKDEFFXXXX}{4:\r\n:77T:%s\r\n-}" % value.encode()
    assert parse_fin(raw).text == (Field("77T", value, 2),)


def _assert_only_our_fault(raw: bytes) -> None:
    try:
        message = parse_fin(raw)
    except DecodeFault:
        return
    assert isinstance(message, FinMessage)
    assert encode_fin(message) == raw
    assert parse_fins(raw) == [message]
    repr(message)


TOKENS = st.sampled_from(
    [
        b"{1:F01BANKBEBBAXXX0057000289}", b"{2:I103BANKDEFFXXXXN2}", b"{3:", b"{4:", b"{4:\r\n", b"{5:", b"{S:",
        b"{", b"}", b"}}", b"-}", b"\r\n-}", b"\r", b"\n", b"\r\n", b":20:", b":59A:", b"{108:", b"{121:x}", b"A",
        b":", b"\x00", b"\xff", b"A" * 9_999,
    ]
)  # fmt: skip


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_any_bytes_are_read_or_are_a_fault(raw: bytes) -> None:
    _assert_only_our_fault(raw)
    _assert_only_our_fault(b"{1:F01BANKBEBBAXXX0057000289}" + raw)


@given(st.lists(TOKENS, max_size=14).map(b"".join))
@settings(deadline=None, max_examples=400)
def test_brace_soup_is_read_or_is_a_fault(raw: bytes) -> None:
    _assert_only_our_fault(raw)
    _assert_only_our_fault(b"{1:F01BANKBEBBAXXX0057000289}" + raw)


@given(
    st.lists(
        st.tuples(st.integers(0, len(MT103) - 1), st.integers(0, 4), st.one_of(TOKENS, st.binary(max_size=3))),
        min_size=1,
        max_size=4,
    )
)
@settings(deadline=None, max_examples=400)
def test_mutated_bench_message_is_read_or_is_a_fault(edits: list[tuple[int, int, bytes]]) -> None:
    raw = MT103
    for start, removed, inserted in edits:
        raw = raw[:start] + inserted + raw[start + removed :]
    _assert_only_our_fault(raw)
