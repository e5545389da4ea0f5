from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from junctor.codecs.faults import DecodeFault
from junctor.codecs.iso8583 import Tlv, TlvEntry
from junctor.codecs.iso8583.encoding import Misfit
from junctor.codecs.iso8583.tlv import is_plain, is_tag, length_octets, read_entries


def tlv(hex_text: str) -> Tlv:
    return Tlv(bytes.fromhex(hex_text))


def find_fault_place(raw: bytes) -> int | None:
    try:
        Tlv(raw)
    except DecodeFault as fault:
        return fault.offset
    return None


def test_objects_are_read_in_order_with_tags_of_one_to_four_bytes() -> None:
    assert tlv("9F2602A1B2 8201FF DF810101AA DF81800100").entries == (
        TlvEntry("9F26", b"\x02", b"\xa1\xb2"),
        TlvEntry("82", b"\x01", b"\xff"),
        TlvEntry("DF8101", b"\x01", b"\xaa"),
        TlvEntry("DF818001", b"\x00", b""),
    )


def test_long_form_of_a_length_is_read_and_kept() -> None:
    long = bytes.fromhex("9F1081C8") + bytes(200)
    assert Tlv(long).entries == (TlvEntry("9F10", b"\x81\xc8", bytes(200)),)
    assert Tlv(long).raw == long


def test_length_that_is_longer_than_needed_is_kept() -> None:
    assert tlv("82810102").entries == (TlvEntry("82", b"\x81\x01", b"\x02"),)
    assert tlv("828400000001FF").entries == (TlvEntry("82", b"\x84\x00\x00\x00\x01", b"\xff"),)


def test_repeated_tag_keeps_every_object() -> None:
    twice = tlv("9F2601AA 9F2601BB")
    assert twice.find("9F26") == b"\xaa"
    assert twice.find("9F26#1") == b"\xaa"
    assert twice.find("9F26#2") == b"\xbb"
    assert twice.find("9F26#3") is None
    assert twice.find("9F26#0") is None
    assert twice.find("9F26#x") is None
    assert twice.find_all("9F26") == [b"\xaa", b"\xbb"]


def test_ten_thousand_repeats_are_ten_thousand_objects() -> None:
    assert len(Tlv(b"\x82\x01\xff" * 10_000).entries) == 10_000


def test_zero_bytes_between_objects_are_fillers() -> None:
    assert [entry.tag for entry in tlv("00 8201FF 0000 8400").entries] == ["00", "82", "00", "00", "84"]


def test_empty_object_has_a_length_byte() -> None:
    assert Tlv.of([("9F36", b""), ("82", b"\x01")]).raw == bytes.fromhex("9F3600820101")


def test_field_is_made_with_shortest_lengths() -> None:
    made = Tlv.of([("9f26", b"\x01"), ("84", bytes(127)), ("DF8101", bytes(128)), ("71", bytes(256))])
    assert made.raw == (
        bytes.fromhex("9F260101")
        + bytes.fromhex("847F")
        + bytes(127)
        + bytes.fromhex("DF81018180")
        + bytes(128)
        + bytes.fromhex("71820100")
        + bytes(256)
    )


@pytest.mark.parametrize(
    ("hex_text", "path", "offset", "why"),
    [
        ("9F", "", 0, "tag is cut short"),
        ("8201FF 9F81", "", 3, "tag is cut short"),
        ("9F81818101", "", 0, "tag is longer than 4 bytes"),
        ("9F26", "9F26", 2, "length is missing"),
        ("82", "82", 1, "length is missing"),
        ("8280", "82", 1, "form of the length is not allowed"),
        ("8285000000000100", "82", 1, "form of the length is not allowed"),
        ("82FF", "82", 1, "form of the length is not allowed"),
        ("828201", "82", 1, "length is cut short"),
        ("8201FF 9F0209010203", "9F02", 5, "length 9 exceeds the field"),
        ("8284FFFFFFFF00", "82", 1, "length 4294967295 exceeds the field"),
    ],
)
def test_broken_object_is_told_with_its_tag_and_place(hex_text: str, path: str, offset: int, why: str) -> None:
    with pytest.raises(DecodeFault) as caught:
        tlv(hex_text)
    assert (caught.value.path, caught.value.offset, caught.value.why) == (path, offset, why)


@pytest.mark.parametrize(
    ("tag", "is_one"),
    [
        ("82", True),
        ("9F26", True),
        ("DF8101", True),
        ("00", True),
        ("", False),
        ("9F", False),
        ("9F2", False),
        ("9f26", False),
        ("8282", False),
        ("9F26 ", False),
        ("9F8181818101", False),
        ("zz", False),
    ],
)
def test_tag_is_known_by_its_form(tag: str, is_one: bool) -> None:
    assert is_tag(tag) is is_one


def test_card_data_of_the_chip_does_not_print() -> None:
    shown = repr(
        Tlv.of([("5A", b"\x47\x61"), ("57", b"\x47\x61"), ("9F27", b"\x80"), ("DF01", b"\x47"), ("70", b"\x5a\x00")])
    )
    assert shown == "Tlv(5A=<2 bytes>, 57=<2 bytes>, 9F27=80, DF01=<1 bytes>, 70=<2 bytes>)"


def test_chip_data_is_frozen_and_equal_by_its_bytes() -> None:
    one = tlv("8201FF")
    with pytest.raises(AttributeError):
        one.raw = b""
    with pytest.raises(TypeError):
        pickle.dumps(one)
    with pytest.raises(TypeError):
        copy.copy(one)
    assert {one, tlv("8201FF"), tlv("828101FF")} == {one, tlv("828101FF")}
    assert one != b"\x82\x01\xff"


@given(st.binary(max_size=300))
def test_any_bytes_are_objects_or_a_fault_and_are_kept(raw: bytes) -> None:
    fault_at = find_fault_place(raw)
    if fault_at is None:
        assert b"".join(entry.octets for entry in Tlv(raw).entries) == raw
    else:
        assert 0 <= fault_at <= len(raw)


@given(st.binary(max_size=60))
def test_quick_check_takes_nothing_that_the_reader_refuses(raw: bytes) -> None:
    try:
        entries = list(read_entries(raw))
    except Misfit:
        assert is_plain(raw) is None
    else:
        assert (is_plain(raw) is not None) == all(len(entry.length_octets) <= 1 for entry in entries)


@given(st.lists(st.tuples(st.sampled_from(["82", "9F26", "DF8101", "5A"]), st.binary(max_size=300)), max_size=5))
def test_what_is_made_reads_back(objects: list[tuple[str, bytes]]) -> None:
    made = Tlv(Tlv.of(objects).raw)
    assert [(entry.tag, entry.value) for entry in made.entries] == objects


@pytest.mark.parametrize(
    ("length", "octets"), [(0, "00"), (127, "7F"), (128, "8180"), (255, "81FF"), (256, "820100"), (65536, "83010000")]
)
def test_length_has_its_shortest_form(length: int, octets: str) -> None:
    assert length_octets(length) == bytes.fromhex(octets)
