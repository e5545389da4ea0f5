from __future__ import annotations

from pathlib import Path

import iso8583.specs
import pytest
from junctor.codecs.iso8583 import Sensitivity, SpecError, load_spec, parse_spec, spec_names

HEAD = """
name = "house"
title = "A house dialect"
[mti]
encoding = "ascii"
versions = "0"
[bitmap]
encoding = "hex"
[de]
"""
STAN = '11 = { name = "STAN", content = "n", length = 6, encoding = "ascii", sensitivity = "open" }\n'


def findings(text: str) -> list[str]:
    with pytest.raises(SpecError) as caught:
        parse_spec(text, "house.toml")
    return [str(finding) for finding in caught.value.findings]


def element(**changes: object) -> str:
    row: dict[str, object] = {"name": "x", "content": "n", "length": 6, "encoding": "ascii", "sensitivity": "open"}
    row |= changes
    cells = (f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}" for key, value in row.items())
    return f"{HEAD}48 = {{ {', '.join(cells)} }}\n"


@pytest.mark.parametrize("name", ["iso1987-ascii", "iso1987-binary"])
def test_both_specs_define_every_element_but_the_bitmaps(name: str) -> None:
    spec = load_spec(name)
    assert list(spec.elements) == [de for de in range(2, 129) if de != 65]
    assert spec.name == name


def test_specs_that_come_with_the_package_are_listed() -> None:
    assert spec_names() == ["iso1987-ascii", "iso1987-binary"]


def test_both_specs_agree_on_all_but_the_wire() -> None:
    ascii_spec, binary_spec = load_spec("iso1987-ascii"), load_spec("iso1987-binary")
    for de, ours in ascii_spec.elements.items():
        other = binary_spec.elements[de]
        for field in ("name", "content", "length_min", "length_max", "calendar", "parts", "sensitivity"):
            assert getattr(ours, field) == getattr(other, field), (de, field)


def test_lengths_are_those_of_another_published_table() -> None:
    """pyiso8583 ships its own table of ISO 8583:1987 in ASCII. DE54 is an..120 in the 1987 standard, not 240."""
    for de, element in load_spec("iso1987-ascii").elements.items():
        other = iso8583.specs.default_ascii[str(de)]
        length = 240 if de == 54 else element.wire_bytes(element.length_max)
        digits = element.prefix.digits if element.prefix is not None else 0
        assert (length, digits) == (other["max_len"], other["len_type"]), de


def test_card_data_is_marked_in_both_specs() -> None:
    for name in spec_names():
        marked = {de: element.sensitivity for de, element in load_spec(name).elements.items()}
        assert {de for de, level in marked.items() if level is Sensitivity.TRACK} == {35, 36, 45}
        assert {de for de, level in marked.items() if level is Sensitivity.PAN} == {2, 34, 102, 103}
        assert {de for de, level in marked.items() if level is Sensitivity.PIN} == {52}
        assert {de for de, level in marked.items() if level is Sensitivity.EMV} == {55}
        private = {14, 40, 44, 46, 47, 48, 53, 64, 92, 96, 98, 101, 104, 128, *range(56, 64), *range(105, 128)}
        assert {de for de, level in marked.items() if level is Sensitivity.PRIVATE} == private


def test_spec_is_loaded_from_a_path(tmp_path: Path) -> None:
    path = tmp_path / "house.toml"
    path.write_text(HEAD + STAN)
    assert load_spec(path).name == "house"
    assert load_spec(str(path)).elements[11].length_max == 6
    assert repr(load_spec(path)) == "Spec(house, 1 elements)"


def test_missing_file_and_unknown_name_are_told(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="file: cannot be read: FileNotFoundError"):
        load_spec(tmp_path / "none.toml")
    with pytest.raises(SpecError, match="no spec of this name comes with the package: iso1987-ascii, iso1987-binary"):
        load_spec("iso1993")


def test_name_cannot_reach_out_of_the_package() -> None:
    with pytest.raises(SpecError, match="cannot be read"):
        load_spec("../iso1987-ascii")


def test_text_that_is_not_toml_is_told() -> None:
    assert findings("name = ")[0].startswith("file: is not TOML")


def test_everything_wrong_with_a_file_is_told_at_once() -> None:
    text = """
titel = "misspelt"
name = 4
[mti]
encoding = "utf"
versions = "07"
[bitmap]
[de]
1 = { name = "x" }
65 = { name = "x" }
129 = { name = "x" }
x = { name = "x" }
2 = 7
3 = { name = "x", content = "nn", length = "6", encoding = "asci", sensitivity = "open", paddin = "left 0" }
"""
    assert findings(text) == [
        "titel: unknown key; did you mean 'title'?",
        "title: is missing",
        "bitmap.encoding: is missing",
        "name: is not text",
        "mti.encoding: unknown value; one of ascii, bcd",
        "mti.versions: has a digit that is none of 01289",
        "de.1: is not the number of an element, 2 to 128",
        "de.65: announces a third bitmap and is never an element",
        "de.129: is not the number of an element, 2 to 128",
        "de.x: is not the number of an element, 2 to 128",
        "de.2: is not a table",
        "de.3.paddin: unknown key; did you mean 'pad'?",
        "de.3.content: unknown value; did you mean 'n'?",
        "de.3.encoding: unknown value; did you mean 'ascii'?",
        'de.3.length: is neither a number from 1 to 9999 nor a range like "..19" or "1..19"',
    ]


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (element(content="b"), "de.48.encoding: does not carry content b"),
        (element(encoding="hex"), "de.48.encoding: does not carry content n"),
        (element(content="an", encoding="bcd"), "de.48.encoding: cannot pack content an"),
        (element(length="..9"), "de.48.prefix: is missing: the length varies"),
        (element(prefix="ascii LL"), "de.48.prefix: has nothing to say: the length is fixed"),
        (element(length="..100", prefix="ascii LL"), "de.48.prefix: has too few digits for the longest value"),
        (
            element(content="b", length="..50", encoding="hex", prefix="ascii LL", counts="wire"),
            "de.48.prefix: has too few digits for the longest value",
        ),
        (
            element(encoding="bcd", length="..9", prefix="bcd LL", counts="wire", pad="left 0"),
            "de.48.counts: cannot tell an odd number of digits",
        ),
        (element(encoding="bcd", length=3), "de.48.pad: is missing: the number of digits can be odd"),
        (
            element(encoding="bcd", length="..4", prefix="bcd LL"),
            "de.48.pad: is missing: the number of digits can be odd",
        ),
        (element(encoding="bcd", length=3, pad="right space"), "de.48.pad: is not a nibble"),
        (element(content="b", encoding="raw", pad="right 0"), "de.48.pad: has nothing to fill"),
        (element(format="MMDD"), "de.48.format: needs content n and its own fixed length"),
        (element(format="MMDD", length=4, content="an"), "de.48.format: needs content n and its own fixed length"),
        (element(parts="ber-tlv", sensitivity="emv"), "de.48.parts: needs content b"),
        (
            element(content="b", encoding="raw", parts="ber-tlv"),
            "de.48.sensitivity: emv and parts ber-tlv go together",
        ),
        (element(sensitivity="emv"), "de.48.sensitivity: emv and parts ber-tlv go together"),
        (element(length="9..3", prefix="ascii LL"), "de.48.length: is an empty range"),
        (element(length="..0", prefix="ascii LL"), "de.48.length: is an empty range"),
        (element(name=7), "de.48.name: is not text"),
        (HEAD.replace("[de]", "de = 3").replace("[mti]", "[x]\n[mti]"), "x: unknown key; one of name, title, mti"),
    ],
)
def test_choices_that_do_not_go_together_are_told(text: str, finding: str) -> None:
    assert any(told.startswith(finding) for told in findings(text))


def test_errors_are_printed_one_a_line_under_the_name_of_the_file() -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec(element(length=0, content="q"), "house.toml")
    assert str(caught.value).splitlines()[0] == "house.toml:"
    assert len(str(caught.value).splitlines()) == 3


def test_shorter_value_is_fitted_as_its_pad_says() -> None:
    elements = load_spec("iso1987-ascii").elements
    assert elements[4].fit("1255") == "000000001255"
    assert elements[28].fit("C5") == "C00000005"
    assert elements[41].fit("TERM1") == "TERM1   "
    assert elements[35].fit("4761D2812") == "4761=2812"
    assert elements[2].fit("4761") == "4761"
    assert elements[49].fit("84") == "84"
    assert elements[4].fit("1234567890123") == "1234567890123"
    assert load_spec("iso1987-binary").elements[22].fit("51") == "051"
