from __future__ import annotations

import json

import pytest
from junctor.codecs.faults import EncodeFault
from junctor.codecs.iso8583 import Message, Tlv, encode, from_flat, load_spec, to_flat
from junctor.codecs.iso8583.emv import SHOWN_TAGS

NO_TAG = "has a key that is not a tag in upper-case hexadecimal"
NO_LENGTH = "its length is not that of its value"
SPEC = load_spec("iso1987-ascii")
CHIP = Tlv.of([("9F26", b"\xaa\xbb"), ("5A", b"\x47\x61"), ("9F26", b"\xcc"), ("DF8101", b"\x01")])
MESSAGE = Message(
    "0200",
    {
        2: "4761739001010119",
        3: "000000",
        35: "4761739001010119=2812",
        48: "CVV 123",
        52: bytes(8),
        55: CHIP,
        64: bytes(8),
        102: "4761739001010119",
        103: "12345678",
    },
)


def test_flat_form_is_masked_by_the_sensitivity_of_the_spec() -> None:
    assert to_flat(SPEC, MESSAGE) == {
        "mti": "0200",
        "fields": {
            "2": "476173******0119",
            "3": "000000",
            "35": "*" * 21,
            "48": "*******",
            "52": {"hex": "*" * 16},
            "55.9F26": {"hex": "AABB"},
            "55.5A": {"hex": "****"},
            "55.9F26#2": {"hex": "CC"},
            "55.DF8101": {"hex": "**"},
            "64": {"hex": "*" * 16},
            "102": "476173******0119",
            "103": "********",
        },
    }


def test_unmasked_flat_form_shows_everything_and_reads_back() -> None:
    flat = to_flat(SPEC, MESSAGE, unmask=True)
    assert flat["fields"]["2"] == "4761739001010119"
    assert flat["fields"]["55.5A"] == {"hex": "4761"}
    assert from_flat(SPEC, json.loads(json.dumps(flat))) == MESSAGE


def test_element_that_the_spec_does_not_know_is_starred() -> None:
    assert to_flat(SPEC, Message("0200", {129: "4761", 130: b"\x01"}))["fields"] == {
        "129": "****",
        "130": {"hex": "**"},
    }


@pytest.mark.parametrize(
    "tag", ["5A", "57", "56", "5F20", "5F24", "5F30", "9F0B", "9F1F", "9F20", "9F6B", "70", "71", "72", "77"]
)
def test_tag_that_may_hold_card_data_is_never_shown(tag: str) -> None:
    assert tag not in SHOWN_TAGS
    fields = to_flat(SPEC, Message("0200", {55: Tlv.of([(tag, b"\x01\x02")])}))["fields"]
    assert fields == {f"55.{tag}": {"hex": "****"}}


@pytest.mark.parametrize(
    ("raw", "fields"),
    [
        ("", {"55": {"hex": ""}}),
        ("9F360182 9F360182", {"55.9F36": {"hex": "82"}, "55.9F36#2": {"hex": "82"}}),
        ("9F36810182", {"55.9F36": {"hex": "82", "length_hex": "8101"}}),
        (
            "00 9F360182 0000",
            {"55.00": {"hex": ""}, "55.9F36": {"hex": "82"}, "55.00#2": {"hex": ""}, "55.00#3": {"hex": ""}},
        ),
        ("9F3600", {"55.9F36": {"hex": ""}}),
    ],
)
def test_chip_data_keeps_every_byte_through_the_flat_form(raw: str, fields: dict[str, object]) -> None:
    message = Message("0200", {55: Tlv(bytes.fromhex(raw))})
    flat = to_flat(SPEC, message)
    assert flat["fields"] == fields
    assert from_flat(SPEC, flat) == message


def test_chip_data_may_be_given_whole() -> None:
    assert from_flat(SPEC, {"mti": "0200", "fields": {"55": {"hex": "9f360182"}}})["55.9F36"] == b"\x82"


def test_order_of_elements_in_the_flat_form_does_not_matter() -> None:
    flat = {"mti": "0800", "fields": {"70": "301", "11": "004217"}}
    assert encode(SPEC, from_flat(SPEC, flat)) == b"0800" + b"8020000000000000" + b"0400000000000000" + b"004217301"


@pytest.mark.parametrize(
    ("flat", "path", "why"),
    [
        ([], "message", "is not an object"),
        ({"mti": "0200", "fields": {}, "x": 1}, "message", "has a key that is neither mti nor fields"),
        ({"fields": {}}, "mti", "is not text"),
        ({"mti": 200, "fields": {}}, "mti", "is not text"),
        ({"mti": "0200"}, "fields", "is not an object"),
        ({"mti": "0200", "fields": []}, "fields", "is not an object"),
        ({"mti": "0200", "fields": {"pan 4761": "x"}}, "fields", "the spec has no such element"),
        ({"mti": "0200", "fields": {"": "x"}}, "fields", "the spec has no such element"),
        ({"mti": "0200", "fields": {"03": "x"}}, "fields", "the spec has no such element"),
        ({"mti": "0200", "fields": {"65": "x"}}, "65", "the spec has no such element"),
        ({"mti": "0200", "fields": {"129": "x"}}, "129", "the spec has no such element"),
        ({"mti": "0200", "fields": {"1" * 5000: "x"}}, "fields", "the spec has no such element"),
        ({"mti": "0200", "fields": {"3.1": "x"}}, "3", "has no parts"),
        ({"mti": "0200", "fields": {"3": 0}}, "3", "is not text"),
        ({"mti": "0200", "fields": {"3": {"hex": "00"}}}, "3", "is not text"),
        ({"mti": "0200", "fields": {"52": "00"}}, "52", 'is not an object with "hex"'),
        ({"mti": "0200", "fields": {"52": {"hex": 0}}}, "52", 'is not an object with "hex"'),
        ({"mti": "0200", "fields": {"52": {"hex": "***"}}}, "52", '"hex" is not hexadecimal'),
        ({"mti": "0200", "fields": {"55.": {"hex": "00"}}}, "55", NO_TAG),
        ({"mti": "0200", "fields": {"55.9f26": {"hex": "0"}}}, "55", NO_TAG),
        ({"mti": "0200", "fields": {"55.82#x": {"hex": "0"}}}, "55", NO_TAG),
        ({"mti": "0200", "fields": {"55.82": {"hex": "0"}}}, "55.82", '"hex" is not hexadecimal'),
        (
            {"mti": "0200", "fields": {"55.82": {"hex": "00", "length_hex": "05"}}},
            "55.82",
            "length 5 exceeds the field",
        ),
        ({"mti": "0200", "fields": {"55.82": {"hex": "008400", "length_hex": "00"}}}, "55.82", NO_LENGTH),
        ({"mti": "0200", "fields": {"55.00": {"hex": "84"}}}, "55.84", "length is missing"),
        ({"mti": "0200", "fields": {"55.00": {"hex": "8400"}}}, "55.00", NO_LENGTH),
        ({"mti": "0200", "fields": {"55": {"hex": "8205"}}}, "55.82", "length 5 exceeds the field"),
        (
            {"mti": "0200", "fields": {"55": {"hex": ""}, "55.82": {"hex": "00"}}},
            "55",
            "is given whole and in parts",
        ),
    ],
)
def test_flat_form_that_is_none_is_told_by_its_key(flat: object, path: str, why: str) -> None:
    with pytest.raises(EncodeFault) as caught:
        from_flat(SPEC, flat)
    assert (caught.value.path, caught.value.why) == (path, why)


def test_masked_form_is_refused_by_the_encoder_and_not_sent() -> None:
    flat = to_flat(SPEC, Message("0200", {2: "4761739001010119"}))
    with pytest.raises(EncodeFault, match="2: content is not n"):
        encode(SPEC, from_flat(SPEC, flat))
