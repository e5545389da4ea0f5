from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from junctor.codecs.faults import EncodeFault
from junctor.codecs.swift import FIELDS, Field, compile_notation, find_parts, parse_fin, write_field
from junctor.codecs.swift.fields import HEADER_FIELDS, SERVICE_FIELDS, TRAILER_FIELDS
from junctor.codecs.swift.mismatch import Deviation, find_mismatch
from junctor.codecs.swift.notation import Chars, Group, Item, Lines, Literal, Maybe, Notation, Part

MT103 = parse_fin((Path(__file__).parent / "mt103.txt").read_bytes())
BIC = "(4!a2!a2!c[3!c])"


@pytest.mark.parametrize(
    ("notation", "names", "text", "parts"),
    [
        ("16x", "ref", "A/1 (b)", {"ref": "A/1 (b)"}),
        ("4!c", "code", "CRED", {"code": "CRED"}),
        ("2-4a", "code", "ABC", {"code": "ABC"}),
        ("6!n3!a15d", "date currency amount", "260119EUR7,5", {"date": "260119", "currency": "EUR", "amount": "7,5"}),
        ("4!c[/30x]", "code text", "SDVA", {"code": "SDVA"}),
        ("4!c[/30x]", "code text", "PHOB/20", {"code": "PHOB", "text": "20"}),
        (
            "/8c/4!n1!x4!n",
            "code time sign offset",
            "/SNDTIME/0915+0100",
            {"code": "SNDTIME", "time": "0915", "sign": "+", "offset": "0100"},
        ),
        (f"[/1!a][/34x]${BIC}", "side account bic", "BANKBEBB", {"bic": "BANKBEBB"}),
        (f"[/1!a][/34x]${BIC}", "side account bic", "/D\nBANKBEBBXXX", {"side": "D", "bic": "BANKBEBBXXX"}),
        (f"[/1!a][/34x]${BIC}", "side account bic", "/12\nBANKBEBB", {"account": "12", "bic": "BANKBEBB"}),
        (
            f"[/1!a][/34x]${BIC}",
            "side account bic",
            "/C//CH123456\nBANKBEBB",
            {"side": "C", "account": "/CH123456", "bic": "BANKBEBB"},
        ),
        ("[/34x]$4*35x", "account lines", "NAME\nTOWN", {"lines": ("NAME", "TOWN")}),
        ("[/34x]$4*35x", "account lines", "/1\nNAME", {"account": "1", "lines": ("NAME",)}),
        ("[/1!a][/34x]$[35x]", "side account location", "TOWN", {"location": "TOWN"}),
        ("[/1!a][/34x]$[35x]", "side account location", "/D/1", {"side": "D", "account": "1"}),
        ("[/1!a][/34x]$[35x]", "side account location", "", {}),
        ("4*(1!n/33x)", "lines", "1/A\n2/B", {"lines": ("1/A", "2/B")}),
        ("16x[$4!n6!n]", "ref session number", "A\n0001000002", {"ref": "A", "session": "0001", "number": "000002"}),
        ("[ISIN1!e12!c]$[4*35x]", "e isin lines", "ISIN DE0001234567", {"e": " ", "isin": "DE0001234567"}),
        ("5n", "count", "123", {"count": "123"}),
        ("12!h", "sum", "0123456789AB", {"sum": "0123456789AB"}),
        ("", "", "", {}),
    ],
)
def test_notation_reads_and_writes_named_parts(notation: str, names: str, text: str, parts: dict[str, Part]) -> None:
    compiled = compile_notation(notation, names)
    assert compiled.find_parts(text) == parts
    assert compiled.write(parts) == text
    assert find_mismatch(compiled, text) is None


@pytest.mark.parametrize(
    ("notation", "names", "text", "deviation", "part", "offset"),
    [
        ("16x", "ref", "", Deviation.MISSING, None, 0),
        ("16x", "ref", "A" * 17, Deviation.TOO_LONG, "ref", 16),
        ("16x", "ref", "AB\u00e9", Deviation.CHARACTER, "ref", 2),
        ("16x", "ref", "A\nB", Deviation.TOO_MANY_LINES, "ref", 2),
        ("4!c", "code", "CRE", Deviation.TOO_SHORT, "code", 3),
        ("4!c", "code", "CREDX", Deviation.TOO_LONG, "code", 4),
        ("4!c", "code", "CReD", Deviation.CHARACTER, "code", 2),
        ("6!n3!a15d", "date currency amount", "260119", Deviation.MISSING, "currency", 6),
        ("6!n3!a15d", "date currency amount", "260119EUR100", Deviation.COMMA, "amount", 9),
        ("6!n3!a15d", "date currency amount", "260119EUR1,0,", Deviation.COMMA, "amount", 12),
        ("6!n3!a15d", "date currency amount", "260119EUR,5", Deviation.NO_DIGIT, "amount", 9),
        ("6!n3!a15d", "date currency amount", "260119EUR1.5", Deviation.COMMA, "amount", 9),
        ("6!n3!a15d", "date currency amount", "260119EUR1234567890123,45", Deviation.TOO_LONG, "amount", 9),
        ("6!n3!a15d", "date currency amount", "26O119EUR1,", Deviation.CHARACTER, "date", 2),
        ("4!c[/30x]", "code text", "PHOB/", Deviation.MISSING, "text", 5),
        ("/8c/4!n1!x4!n", "code time sign offset", "/SNDTIME/915+0100", Deviation.CHARACTER, "time", 12),
        ("/8c/4!n1!x4!n", "code time sign offset", "/SND+0915+0100", Deviation.SEPARATOR, "code", 4),
        (f"[/1!a][/34x]${BIC}", "side account bic", "/D/12", Deviation.SEPARATOR, "account", 5),
        (f"[/1!a][/34x]${BIC}", "side account bic", f"/{'1' * 35}\nBANKBEBB", Deviation.TOO_LONG, "account", 35),
        (f"[/1!a][/34x]${BIC}", "side account bic", "/1\nBANKBEB", Deviation.CONTENT, "bic", 3),
        (f"[/1!a][/34x]${BIC}", "side account bic", "BANKBEBB\nX", Deviation.TOO_MANY_LINES, "bic", 9),
        ("[/34x]$4*35x", "account lines", "/1", Deviation.SEPARATOR, "account", 2),
        ("[/34x]$4*35x", "account lines", "A\nB\nC\nD\nE", Deviation.TOO_MANY_LINES, "lines", 8),
        ("[/34x]$4*35x", "account lines", "A\n" + "B" * 36, Deviation.TOO_LONG, "lines", 37),
        ("[/34x]$4*35x", "account lines", "A\n\nB", Deviation.MISSING, "lines", 2),
        ("[/34x]$4*35x", "account lines", "A\nB\u00e9", Deviation.CHARACTER, "lines", 3),
        ("4*(1!n/33x)", "lines", "NAME", Deviation.CONTENT, "lines", 0),
        ("4*(1!n/33x)", "lines", "1/A\nNAME", Deviation.CONTENT, "lines", 4),
    ],
)
def test_mismatch_says_where_and_how_a_value_leaves_its_format(
    notation: str, names: str, text: str, deviation: Deviation, part: str | None, offset: int
) -> None:
    compiled = compile_notation(notation, names)
    assert compiled.find_parts(text) is None
    mismatch = find_mismatch(compiled, text)
    assert mismatch is not None
    assert (mismatch.deviation, mismatch.part, mismatch.offset) == (deviation, part, offset)
    assert mismatch.line == text.count("\n", 0, offset)


def test_writer_names_the_part_that_is_wrong() -> None:
    party = compile_notation(f"[/1!a][/34x]${BIC}", "side account bic")
    cases: list[tuple[dict[str, Part], str]] = [
        ({"side": "D"}, "bic"),
        ({"bic": "BANKBEB"}, "bic"),
        ({"bic": "BANKBEBB", "branch": "XXX"}, "branch"),
        ({"bic": ("BANKBEBB",)}, "bic"),
        ({"bic": "BANKBEBB", "account": "D"}, "account"),
    ]
    for parts, name in cases:
        with pytest.raises(EncodeFault) as caught:
            party.write(parts)
        assert caught.value.path == name


@pytest.mark.parametrize(
    ("notation", "names"),
    [("16x", ""), ("16x", "a b"), ("[16x", "a"), ("16x]", "a"), ("(16x", "a"), ("16q!", "a"), ("16x16x", "a a")],
)
def test_malformed_notation_is_our_own_mistake(notation: str, names: str) -> None:
    with pytest.raises((AssertionError, KeyError)):
        compile_notation(notation, names)


def test_every_field_of_the_bench_message_is_read_and_written_back() -> None:
    for field in MT103.text:
        parts = find_parts(field)
        assert parts is not None
        assert write_field(field.tag, parts) == (field.tag, field.value)
    for tag, value in MT103.user_header:
        assert HEADER_FIELDS[tag].find_parts(value) is not None
    for tag, value in MT103.trailers:
        assert TRAILER_FIELDS[tag].find_parts(value) is not None


def test_ordering_customer_is_named_by_account_or_by_identifier() -> None:
    account = FIELDS["50F"].find_parts("/BE62510007547061\n1/NAME")
    assert account == {"account": "BE62510007547061", "lines": ("1/NAME",)}
    passport = FIELDS["50F"].find_parts("CCPT/BE/X-1234\n1/NAME")
    assert passport == {"code": "CCPT", "country": "BE", "identifier": "X-1234", "lines": ("1/NAME",)}
    assert write_field("50F", {"code": "CCPT", "country": "BE", "identifier": "X-1234", "lines": ("1/NAME",)}) == (
        "50F",
        "CCPT/BE/X-1234\n1/NAME",
    )


def test_field_without_a_format_has_no_parts() -> None:
    assert find_parts(Field("99Z", "A", 2)) is None
    with pytest.raises(EncodeFault):
        write_field("99Z", {})
    with pytest.raises(EncodeFault):
        write_field("20", {"bic": "BANKBEBB"})


_CHARACTERS = {
    "n": "0123456789",
    "a": "ABCXYZ",
    "c": "AZ09",
    "h": "0189AF",
    "x": "AZaz09/-?:().,'+ ",
    "z": "Az09/=!%@#_{",
    "e": " ",
}


def _values(item: Item, draw: Callable[[st.SearchStrategy[str]], str]) -> str:
    if isinstance(item, Literal):
        return item.text
    if isinstance(item, Chars):
        if item.charset == "d":
            return draw(st.from_regex(rf"[0-9]{{1,{item.length_max - 3}}},[0-9]{{0,2}}", fullmatch=True))
        return draw(st.text(_CHARACTERS[item.charset], min_size=item.length_min, max_size=item.length_max))
    if isinstance(item, Lines):
        count = draw(st.integers(1, item.count_max).map(str))
        return "\n".join(_values(item.item, draw) for _ in range(int(count)))
    assert isinstance(item, Maybe | Group)
    if isinstance(item, Maybe) and draw(st.sampled_from(["", "there"])) == "":
        return ""
    return "".join(_values(part, draw) for part in item.items)


_ROWS: list[tuple[str, Notation]] = [
    (row.tag, notation)
    for table in (FIELDS, HEADER_FIELDS, SERVICE_FIELDS, TRAILER_FIELDS)
    for row in table.values()
    for notation in row.alternatives
]


@given(st.data())
@settings(deadline=None, max_examples=300)
def test_whatever_a_notation_reads_it_writes_back(data: st.DataObject) -> None:
    _, notation = data.draw(st.sampled_from(_ROWS))
    rows = ["".join(_values(item, data.draw) for item in row) for row in notation.rows]
    text = "\n".join(row for row in rows if row)
    parts = notation.find_parts(text)
    mismatch = find_mismatch(notation, text)
    assert (parts is None) == (mismatch is not None)
    if parts is not None:
        assert notation.write(parts) == text
        assert notation.find_parts(notation.write(parts)) == parts


@given(st.data())
@settings(deadline=None, max_examples=300)
def test_parts_that_can_be_written_are_read_back(data: st.DataObject) -> None:
    _, notation = data.draw(st.sampled_from([row for row in _ROWS if row[1].names]))
    line = st.text("AB1/,", max_size=6)
    value = st.one_of(line, st.lists(line, max_size=3).map(tuple))
    parts: dict[str, Part] = data.draw(st.dictionaries(st.sampled_from(notation.names), value))
    try:
        text = notation.write(parts)
    except EncodeFault:
        return
    assert notation.find_parts(text) == parts


@given(st.sampled_from(_ROWS), st.text("AZ09/,:\n \r\u00e9", max_size=60))
@settings(deadline=None, max_examples=300)
def test_any_value_is_read_or_has_a_mismatch(row: tuple[str, Notation], text: str) -> None:
    tag, notation = row
    assert tag
    parts = notation.find_parts(text)
    mismatch = find_mismatch(notation, text)
    assert (parts is None) == (mismatch is not None)
    if mismatch is not None:
        assert 0 <= mismatch.offset <= len(text)
        assert mismatch.line == text.count("\n", 0, mismatch.offset)
