"""Each check is met by a message that breaks it alone, and mostly by a neighbour that just passes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from junctor.codecs.faults import DecodeFault
from junctor.codecs.swift import check, find_message_format, new_message, parse_fin, parse_fins

RAW = (Path(__file__).parent / "mt103.txt").read_bytes()
ORDERING = (
    b":50F:/BE62510007547061\r\n1/JOHANN WILLEMS MEDICAL SUPPLY NV\r\n2/RUE JOSEPH II 19\r\n3/BE/1040 BRUSSELS\r\n"
)
BENEFICIARY = (
    b":59:/DE89370400440532013000\r\nC. KLEIN UND SOEHNE GMBH\r\nBLUMENSTRASSE 15\r\n60313 FRANKFURT AM MAIN\r\n"
    b"GERMANY\r\n"
)


def _found(raw: bytes) -> list[tuple[str, int | None, str | None]]:
    return [(finding.code, finding.line, finding.tag) for finding in check(parse_fin(raw))]


def _with(old: bytes, new: bytes) -> list[tuple[str, int | None, str | None]]:
    assert RAW.count(old) == 1
    return _found(RAW.replace(old, new))


def test_bench_message_has_nothing_wrong() -> None:
    assert check(parse_fin(RAW)) == ()


def test_shortest_credit_transfer_has_nothing_wrong() -> None:
    message = new_message(
        "103",
        sender="BANKBEBB",
        receiver="BANKDEFF",
        user_header=[("121", "c8b66b47-2bd9-48fe-be90-93c2096f27d2")],
        text=[
            ("20", "R"),
            ("23B", "CRED"),
            ("32A", "260119EUR1,"),
            ("50K", "A"),
            ("59", "B"),
            ("71A", "SHA"),
        ],
    )
    assert check(message) == ()


@pytest.mark.parametrize(
    ("old", "new", "code", "tag"),
    [
        (b"{1:F01", b"{1:A01", "H02", "block 1"),
        (b"{1:F01", b"{1:F02", "H03", "block 1"),
        (b"{1:F01BANKBEBBAXXX", b"{1:F01BANK1EBBAXXX", "H10", "block 1"),
        (b"{2:I103BANKDEFFXXXXN2}", b"", "H25", "block 2"),
        (b"BANKDEFFXXXXN2", b"BANKDEFFAXXXN2", "H50", "block 2"),
        (b"BANKDEFFXXXXN2", b"1ANKDEFFXXXXN2", "H50", "block 2"),
        (b"BANKDEFFXXXXN2", b"BANKDEFFXXXXS2", "H40", "block 2"),
        (b"BANKDEFFXXXXN2", b"BANKDEFFXXXXN1", "H80", "block 2"),
        (b"BANKDEFFXXXXN2", b"BANKDEFFXXXXU2", "H80", "block 2"),
        (b"BANKDEFFXXXXN2", b"BANKDEFFXXXXN2003", "H81", "block 2"),
        (b"BANKDEFFXXXXN2", b"BANKDEFFXXXXU3020", "H81", "block 2"),
    ],
)
def test_header_of_another_content_is_found(old: bytes, new: bytes, code: str, tag: str) -> None:
    assert _with(old, new)[0] == (code, None, tag)


@pytest.mark.parametrize("delivery", [b"", b"U", b"N", b"U1", b"U3", b"U3003", b"N2020"])
def test_delivery_options_of_the_manual_pass(delivery: bytes) -> None:
    assert _with(b"BANKDEFFXXXXN2", b"BANKDEFFXXXX" + delivery) == []


def test_output_message_is_checked_by_its_input_reference() -> None:
    header = b"{2:O1031230260117%s00570002892601171231N}"
    assert _with(b"{2:I103BANKDEFFXXXXN2}", header % b"BANKBEBBAXXX") == []
    assert _with(b"{2:I103BANKDEFFXXXXN2}", header % b"1ANKBEBBAXXX") == [("H98", None, "block 2")]


UETR = b"c8b66b47-2bd9-48fe-be90-93c2096f27d2"


@pytest.mark.parametrize(
    ("old", "new", "tags"),
    [
        (UETR, UETR.upper(), ["121"]),
        (b"-48fe-", b"-18fe-", ["121"]),
        (b"-be90-", b"-ce90-", ["121"]),
        (UETR, UETR[:-1], ["121"]),
        (b"{111:001}{121:" + UETR + b"}", b"", ["121"]),
        (b"{121:" + UETR + b"}", b"", ["121", "111"]),
        (b"{111:001}", b"{111:01}", ["111"]),
        (b"{103:EBA}{113:NNNN}", b"{113:NNNN}{103:EBA}", ["103"]),
        (b"{103:EBA}", b"{103:EBA}{103:EBA}", ["103"]),
        (b"{103:EBA}", b"{999:EBA}", ["999"]),
        (b"{111:001}", b"{119:REMIT}{111:001}", ["119"]),
        (b"{108:MUR260117000042}", b"{108:MUR260117000042XX}", ["108"]),
    ],
)
def test_user_header_of_another_content_is_found(old: bytes, new: bytes, tags: list[str]) -> None:
    assert _with(old, new) == [("U03", None, tag) for tag in tags]


def test_service_type_is_optional() -> None:
    assert _with(b"{111:001}", b"") == []


def test_message_of_just_ten_thousand_bytes_passes_and_one_more_is_too_long() -> None:
    padding = 10_000 - len(RAW)
    lines = b"\r\n".join([b":71F:EUR1,"] * (padding // 12))
    odd = padding - len(lines) - 2
    exact = RAW.replace(b":71F:EUR10,", lines + b"\r\n:71F:EUR10,").replace(b"{CHK:", b"{CHK:" + b"A" * odd)
    assert len(exact) == 10_000
    assert "M50" not in [code for code, _, _ in _found(exact)]
    assert _found(exact.replace(b"{CHK:", b"{CHK:A")) == [("M50", None, None)]
    assert "M50" not in [code for code, _, _ in _found(exact + b"{S:{SAC:}}")]


def test_mandatory_field_that_is_missing_is_found_where_it_should_have_been() -> None:
    assert _with(b":20:PAYREFTB54302\r\n", b"") == [("T13", 2, "20")]
    assert _with(b":23B:CRED\r\n", b"") == [("T13", 4, "23B")]
    assert _with(b":32A:260119EUR1108492,50\r\n", b"") == [("T13", 8, "32A")]
    assert _with(ORDERING, b"") == [("T13", 11, "50a")]
    assert _with(BENEFICIARY, b"") == [("T13", 21, "59a")]
    assert _with(b":71A:SHA\r\n", b"") == [("T13", 29, "71A")]


def test_mandatory_fields_that_the_text_ends_without_are_found_at_its_end() -> None:
    raw = b"{1:F01BANKBEBBAXXX0057000289}{2:I103BANKDEFFXXXX}{3:{121:%s}}{4:\r\n:20:R\r\n:23B:CRED\r\n-}" % UETR
    assert _found(raw) == [("T13", 4, "32A"), ("T13", 4, "50a"), ("T13", 4, "59a"), ("T13", 4, "71A")]
    empty = raw.replace(b":20:R\r\n:23B:CRED\r\n", b"")
    assert [tag for _, _, tag in _found(empty)] == ["20", "23B", "32A", "50a", "59a", "71A"]


def test_optional_fields_may_all_be_absent() -> None:
    for start in (b":13C:", b":26T:", b":70:", b":72:", b":77B:"):
        head, _, tail = RAW.partition(start)
        following = min(at for at in (tail.find(b"\r\n:"), tail.find(b"\r\n-}")) if at >= 0)
        assert _found(head + tail[following + 2 :]) == []


def test_unknown_field_is_found() -> None:
    assert _with(b":70:/ROC", b":69:/ROC") == [("T13", 26, "69")]
    assert _with(b":59:/DE8937", b":59K:/DE8937")[0] == ("T13", 21, "59K")


def test_field_out_of_order_is_found_once() -> None:
    assert _with(b":23B:CRED\r\n:23E:SDVA\r\n", b":23E:SDVA\r\n:23B:CRED\r\n") == [("T13", 5, "23B")]
    assert _with(b":20:PAYREFTB54302\r\n:13C:", b":13C:/CLSTIME/0915+0100\r\n:20:PAYREFTB54302\r\n:13C:") == [
        ("T13", 3, "20")
    ]


def test_field_that_may_be_there_once_is_found_when_repeated() -> None:
    assert _with(b":26T:K90\r\n", b":26T:K90\r\n:26T:K90\r\n") == [("T10", 8, "26T")]
    assert _with(b":71F:EUR10,\r\n", b":71F:EUR10,\r\n:71F:EUR10,\r\n") == []


def test_variant_narrows_the_options() -> None:
    stp = b"{119:STP}{111:001}"
    raw = RAW.replace(b"{111:001}", stp)
    assert _found(raw) == []
    other = raw.replace(b":57A:DEUTDEFFXXX", b":57D:DEUTSCHE BANK")
    assert _found(other) == [("T13", 20, "57D")]
    assert find_message_format("103", "REMIT") is None


def test_characters_outside_the_set_are_found_once_for_each_field() -> None:
    assert _with(b"MEILAAN 1", b"MEILAAN @ %") == [("M60", 35, "77B")]
    assert _with(b"C. KLEIN UND SOEHNE", b"C. KLEIN UND S\xd6HNE") == [("M60", 22, "59")]
    assert _with(b"GERMANY\r\n", b"GERMANY\r\r\n") == [("M60", 25, "59")]
    assert _with(b"MEILAAN 1", b"(-:.,'+?)") == []


def test_bare_line_feed_is_found_where_it_is() -> None:
    assert _with(b"SNDTIME/0915+0100\r\n", b"SNDTIME/0915+0100\n") == [("M60", 3, None)]


def test_line_that_begins_with_a_colon_or_a_hyphen_is_found() -> None:
    assert _with(b"BLUMENSTRASSE 15", b":BLUMENSTRASSE 15") == [("T13", 23, "59")]
    assert _with(b"BLUMENSTRASSE 15", b"-BLUMENSTRASSE 15") == [("T13", 23, "59")]


def test_findings_come_in_the_order_of_the_standard() -> None:
    raw = RAW.replace(b"{1:F01", b"{1:A01").replace(b":71A:SHA", b":71A:XXX").replace(b":23B:CRED", b":23B:BAD ")
    raw = raw.replace(b":36:0,8527\r\n", b"").replace(b"{111:001}", b"{999:A}").replace(b"MEILAAN", b"ME@LAAN")
    codes = [code for code, _, _ in _found(raw)]
    assert codes == ["H02", "U03", "T12", "T08", "M60", "D75"]


def test_finding_quotes_nothing_of_the_message() -> None:
    raw = RAW.replace(b"JOHANN", b"J\xd6HANN").replace(b"BANKBEBBXXX", b"SECRET").replace(b":23B:CRED", b":23B:ABCD")
    findings = check(parse_fin(raw))
    assert [str(finding) for finding in findings] == [
        "T36 line 4 23B code: the code is one of CRED CRTS SPAY SPRI SSTD",
        "M60 line 12 50F: a character is not of character set X",
        "T29 line 16 52A bic: the content has another format",
    ]


def test_acknowledgement_is_not_checked() -> None:
    assert check(parse_fin(b"{1:F21BANKBEBBAXXX0057000289}{4:{177:2601171230}{451:0}}")) == ()


def test_message_type_without_a_format_is_checked_as_far_as_it_goes() -> None:
    message = parse_fin(b"{1:F01BANKBEBBAXXX0057000289}{2:I199BANKDEFFXXXX}{4:\r\n:20:/R\r\n:79:A@\r\n-}")
    assert [(finding.code, finding.tag) for finding in check(message)] == [("T26", "20"), ("M60", "79")]


EDITS = st.lists(
    st.tuples(
        st.integers(110, len(RAW) - 40), st.integers(0, 6), st.sampled_from(["", "A", "/", ",", "\r\n", ":", "9"])
    ),
    min_size=1,
    max_size=4,
)


@given(EDITS)
@settings(deadline=None, max_examples=300)
def test_check_finds_or_passes_and_never_raises(edits: list[tuple[int, int, str]]) -> None:
    raw = RAW
    for start, removed, inserted in edits:
        raw = raw[:start] + inserted.encode() + raw[start + removed :]
    try:
        messages = parse_fins(raw)
    except DecodeFault:
        return
    for message in messages:
        lines = message.raw.count(b"\n")
        for finding in check(message):
            assert len(finding.code) == 3
            assert finding.line is None or 1 < finding.line <= lines + 1
