from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from junctor.codecs.faults import DecodeFault, EncodeFault
from junctor.codecs.iso8583 import Message, Spec, Tlv, decode, decode_partial, encode, load_spec, parse_spec, peek_mti
from junctor.codecs.iso8583.bitmap import read_bitmap
from junctor.codecs.iso8583.cache import SIGHTINGS_TO_COMPILE
from junctor.codecs.iso8583.compiler import compile_reader, compile_writer
from junctor.codecs.iso8583.encoding import Misfit
from junctor.codecs.iso8583.message import Value

ASCII_RAW = bytes.fromhex((Path(__file__).parent / "msg_iso87ascii.hex").read_text())
BINARY_RAW = bytes.fromhex((Path(__file__).parent / "msg_iso87binary.hex").read_text())

PURCHASE: dict[int, Value] = {
    2: "4761739001010119",
    3: "000000",
    4: "000000012550",
    7: "0811153045",
    11: "004217",
    12: "153045",
    13: "0811",
    14: "2812",
    18: "5411",
    22: "051",
    25: "00",
    32: "40000123456",
    35: "4761739001010119=28122011234567890",
    37: "622315004217",
    41: "TERM0001",
    42: "MERCHANT0000001",
    43: "ACME SUPERMARKET 42    MONTEVIDEO     UY",
    49: "840",
    55: Tlv.of(
        [
            ("9F26", bytes.fromhex("A1B2C3D4E5F60708")),
            ("9F27", bytes.fromhex("80")),
            ("9F10", bytes.fromhex("06010A03A0B800")),
            ("9F37", bytes.fromhex("12345678")),
        ]
    ),
}
ECHO_TEST: dict[int, Value] = {7: "0811153045", 11: "004217", 70: "301"}
ECHO_ASCII = b"0800" + b"8220000000000000" + b"0400000000000000" + b"0811153045" + b"004217" + b"301"
ECHO_BINARY = bytes.fromhex("0800 8220000000000000 0400000000000000 0811153045 004217 0301")

ASCII = load_spec("iso1987-ascii")
BINARY = load_spec("iso1987-binary")
SPECS = {"a": ASCII, "b": BINARY}


def raw_of(kind: str, text: str) -> bytes:
    """Bytes of a case: characters for the ASCII spec (a blank that matters is ␠), hexadecimal for the binary one."""
    return text.replace(" ", "").replace("␠", " ").encode("latin-1") if kind == "a" else bytes.fromhex(text)


@pytest.mark.parametrize(
    ("spec", "raw", "message"),
    [
        (ASCII, ASCII_RAW, Message("0200", PURCHASE)),
        (BINARY, BINARY_RAW, Message("0200", PURCHASE)),
        (ASCII, ECHO_ASCII, Message("0800", ECHO_TEST)),
        (BINARY, ECHO_BINARY, Message("0800", ECHO_TEST)),
    ],
    ids=["ascii purchase", "binary purchase", "ascii echo", "binary echo"],
)
def test_message_is_read_and_rewritten_byte_for_byte_before_and_after_compiling(
    spec: Spec, raw: bytes, message: Message
) -> None:
    for _ in range(2 * SIGHTINGS_TO_COMPILE):
        assert decode(spec, raw) == message
        assert encode(spec, message) == raw
    assert len(spec.readers) > 0
    assert len(spec.writers) > 0


def test_message_without_elements_is_a_type_and_an_empty_bitmap() -> None:
    for _ in range(2 * SIGHTINGS_TO_COMPILE):
        assert decode(ASCII, b"08000000000000000000") == Message("0800", {})
        assert encode(BINARY, Message("0800", {})) == bytes.fromhex("0800 0000000000000000")


@pytest.mark.parametrize(
    ("kind", "wire", "de", "value"),
    [
        ("a", "2000000000000000 123456", 3, "123456"),
        ("b", "2000000000000000 123456", 3, "123456"),
        ("a", "4000000000000000 13 4761739001019", 2, "4761739001019"),
        ("b", "4000000000000000 13 47617390010190", 2, "4761739001019"),
        ("b", "4000000000000000 12 476173900101", 2, "476173900101"),
        ("a", "0000000800000000 D00000150", 29, "D00000150"),
        ("b", "0000000800000000 44 00000150", 29, "D00000150"),
        ("b", "0000400000000000 0826", 18, "0826"),
        ("b", "0000200000000000 0858", 19, "858"),
        ("b", "0000002000000000 06", 27, "6"),
        ("a", "0000000020000000 05 47=12", 35, "47=12"),
        ("a", "0000000020000000 05 47D12", 35, "47D12"),
        ("b", "0000000020000000 05 47D120", 35, "47=12"),
        ("b", "0000000020000000 06 47D123", 35, "47=123"),
        ("b", "0000000010000000 0005 47D120", 36, "47=12"),
        ("a", "0000000000001000 0123456789ABCDEF", 52, bytes.fromhex("0123456789ABCDEF")),
        ("b", "0000000000001000 0123456789ABCDEF", 52, bytes.fromhex("0123456789ABCDEF")),
        ("a", "0000000000000200 008 8202FFFF", 55, Tlv(bytes.fromhex("8202FFFF"))),
        ("b", "0000000000000200 0004 8202FFFF", 55, Tlv(bytes.fromhex("8202FFFF"))),
        ("b", "0000000000000200 0000", 55, Tlv(b"")),
        ("a", "0000000000010000 000", 48, ""),
        ("a", "0000000000010000 003 a:~", 48, "a:~"),
        ("b", "0000000000010000 0003 613A7E", 48, "a:~"),
        ("b", "0000000000100000 02 4F4B", 44, "OK"),
        ("a", "0000000000008000 UYU", 49, "UYU"),
        ("b", "0000000000008000 383538", 49, "858"),
        ("a", "0100000000000000 00000001", 8, "00000001"),
        ("a", "0200000000000000 0229235959", 7, "0229235959"),
        ("a", "8000000000000000 0080000000000000 240229", 73, "240229"),
        ("b", "8000000000000000 0000000000000001 0102030405060708", 128, bytes(range(1, 9))),
        ("b", "8000000000000000 0000000080000000 43 0000000000000099", 97, "C0000000000000099"),
    ],
)
def test_element_lies_on_the_wire_as_worked_out_by_hand(kind: str, wire: str, de: int, value: Value) -> None:
    spec = SPECS[kind]
    raw = raw_of(kind, "0200" + wire)
    message = Message("0200", {de: value})
    for _ in range(2 * SIGHTINGS_TO_COMPILE):
        assert decode(spec, raw) == message
        assert encode(spec, message) == raw


FAULTS = [
    # the type
    ("a", "", "mti", 0, "needs 4 bytes, 0 are left"),
    ("b", "02", "mti", 0, "needs 2 bytes, 1 are left"),
    ("a", "02␠0", "mti", 0, "not four digits"),
    ("a", "02\xb20", "mti", 0, "not four digits"),
    ("b", "0A00", "mti", 0, "not four digits"),
    ("a", "1200", "mti", 0, "version digit is not one of the spec"),
    ("a", "0900", "mti", 0, "class digit is reserved"),
    ("b", "0260", "mti", 0, "function digit is reserved"),
    ("b", "0209", "mti", 0, "origin digit is reserved"),
    # the bitmap
    ("a", "0200", "bitmap", 4, "needs 16 bytes, 0 are left"),
    ("a", "02002000000000", "bitmap", 4, "needs 16 bytes, 10 are left"),
    ("b", "0200 20", "bitmap", 2, "needs 8 bytes, 1 are left"),
    ("a", "0200 200000000000000x", "bitmap", 19, "not upper-case hexadecimal"),
    ("a", "0200 a000000000000000", "bitmap", 4, "not upper-case hexadecimal"),
    ("a", "0200 8000000000000000 00", "bitmap", 20, "needs 16 bytes, 2 are left"),
    ("a", "0200 8000000000000000 0000000000000000", "bitmap", 20, "second bitmap names no element"),
    ("b", "0200 8000000000000000 0000000000000000", "bitmap", 10, "second bitmap names no element"),
    ("a", "0200 A000000000000000 8000000000000000 000000", "bitmap", 4, "bit 65 announces a third bitmap"),
    # a fixed element
    ("a", "0200 2000000000000000 12345", "3", 20, "needs 6 bytes, 5 are left"),
    ("b", "0200 2000000000000000 1234", "3", 10, "needs 3 bytes, 2 are left"),
    ("a", "0200 2020000000000000 123456 12345\xb2", "11", 31, "content is not n"),
    ("a", "0200 2000000000000000 +12345", "3", 20, "content is not n"),
    ("a", "0200 2000000000000000 1_2345", "3", 21, "content is not n"),
    ("b", "0200 2000000000000000 12345E", "3", 12, "content is not n"),
    ("b", "0200 2000000000000000 12D456", "3", 11, "content is not n"),
    ("b", "0200 0000200000000000 1858", "19", 10, "pad nibble is wrong"),
    ("b", "0200 0000200000000000 085A", "19", 11, "content is not n"),
    ("a", "0200 0000000000008000 8A0", "49", 21, "content is not a/n"),
    ("a", "0200 0000000002000000 0_", "39", 21, "content is not an"),
    ("a", "0200 0000000000800000 TERM\x00001", "41", 24, "content is not ans"),
    ("a", "0200 0000000000800000 TERM\xe9001", "41", 24, "content is not ans"),
    ("a", "0200 0000000800000000 X00000150", "29", 20, "content is not x+n"),
    ("a", "0200 0000000800000000 C0000015x", "29", 28, "content is not x+n"),
    ("b", "0200 0000000800000000 45 00000150", "29", 10, "content is not x+n"),
    ("b", "0200 0000000800000000 44 0000015A", "29", 14, "content is not x+n"),
    ("a", "0200 0000000000001000 0123456789abcdef", "52", 30, "not upper-case hexadecimal"),
    # real dates and times
    ("a", "0200 0200000000000000 0230000000", "7", 20, "not a real MMDDhhmmss"),
    ("a", "0200 0200000000000000 0811240000", "7", 20, "not a real MMDDhhmmss"),
    ("a", "0200 0010000000000000 236000", "12", 20, "not a real hhmmss"),
    ("a", "0200 0008000000000000 0431", "13", 20, "not a real MMDD"),
    ("b", "0200 0008000000000000 1301", "13", 10, "not a real MMDD"),
    ("a", "0200 0004000000000000 2813", "14", 20, "not a real YYMM"),
    ("a", "0200 8000000000000000 0080000000000000 230229", "73", 36, "not a real YYMMDD"),
    # a variable element
    ("a", "0200 4000000000000000 1", "2", 20, "needs 2 bytes, 1 are left"),
    ("a", "0200 4000000000000000 1␠4", "2", 20, "length prefix is not digits"),
    ("a", "0200 4000000000000000 -1", "2", 20, "length prefix is not digits"),
    ("b", "0200 4000000000000000 1A", "2", 10, "length prefix is not digits"),
    ("a", "0200 4000000000000000 20 4761", "2", 20, "length 20 is not from 1 to 19"),
    ("a", "0200 4000000000000000 00", "2", 20, "length 0 is not from 1 to 19"),
    ("a", "0200 4000000000000000 16 4761", "2", 22, "needs 16 bytes, 4 are left"),
    ("a", "0200 4000000000000000 03 4x6", "2", 23, "content is not n"),
    ("b", "0200 4000000000000000 03 4761", "2", 12, "pad nibble is wrong"),
    ("b", "0200 0000000020000000 05 47E120", "35", 12, "content is not z"),
    ("b", "0200 0000000000010000 1003", "48", 10, "length 1003 is not from 0 to 999"),
    ("a", "0200 0000000000010000 003 a\x1fb", "48", 24, "content is not ans"),
    ("a", "0200 0000000000010000 004 abc", "48", 23, "needs 4 bytes, 3 are left"),
    # chip data
    ("a", "0200 0000000000000200 007 8202FFF", "55", 20, "length 7 splits a byte"),
    ("a", "0200 0000000000000200 512 ", "55", 20, "length 512 is not from 0 to 510"),
    ("a", "0200 0000000000000200 008 8203FFFF", "55.82", 25, "length 3 exceeds the field"),
    ("b", "0200 0000000000000200 0007 8201FF 9F0209FF", "55.9F02", 17, "length 9 exceeds the field"),
    ("a", "0200 0000000000000200 008 8202ffFF", "55", 27, "not upper-case hexadecimal"),
    # the end
    ("a", "0200 2000000000000000 123456 7", "end", 26, "1 bytes trail"),
    ("b", "0200 2000000000000000 123456 000000", "end", 13, "3 bytes trail"),
    ("a", "0200 0000000000010000 001ab", "end", 24, "1 bytes trail"),
]


def find_compiled(spec: Spec, raw: bytes) -> Callable[[bytes], Message | None] | None:
    """Compile the reader that a message's bitmap asks for; None when the bitmap is broken."""
    try:
        named, _ = read_bitmap(raw, spec.mti_bytes, spec.bitmap_encoding == "hex")
    except Misfit:
        return None
    return compile_reader(spec, named) if set(named) <= set(spec.elements) else None


@pytest.mark.parametrize(("kind", "text", "path", "offset", "why"), FAULTS)
def test_broken_message_is_told_by_path_offset_and_reason(
    kind: str, text: str, path: str, offset: int, why: str
) -> None:
    spec, raw = SPECS[kind], raw_of(kind, text)
    with pytest.raises(DecodeFault) as caught:
        decode(spec, raw)
    assert (caught.value.path, caught.value.offset, caught.value.why) == (path, offset, why)
    compiled = find_compiled(spec, raw)
    assert compiled is None or compiled(raw) is None


def test_bit_that_the_spec_does_not_define_is_a_fault_of_the_bitmap() -> None:
    text = (
        'name = "few"\ntitle = "Few"\nmti = {encoding = "ascii", versions = "0"}\nbitmap = {encoding = "hex"}\n'
        'de.3 = {name = "x", content = "n", length = 6, encoding = "ascii", sensitivity = "open"}\n'
    )
    few = parse_spec(text, "few")
    assert decode(few, b"02002000000000000000123456")[3] == "123456"
    with pytest.raises(DecodeFault, match=r"^bitmap at byte 4: bit 11 is not defined by the spec$"):
        decode(few, b"02002020000000000000123456004217")
    with pytest.raises(EncodeFault, match=r"^11: the spec has no such element$"):
        encode(few, Message("0200", {3: "123456", 11: "004217"}))


def test_what_stands_before_the_fault_is_read() -> None:
    raw = b"0200" + b"2020000000000000" + b"123456" + b"00421x"
    message, fault = decode_partial(ASCII, raw)
    assert message == Message("0200", {3: "123456"})
    assert (fault.path, fault.offset) == ("11", 31)


def test_elements_before_an_undefined_one_are_read() -> None:
    raw = b"0200" + b"A000000000000000" + b"8000000000000000" + b"123456" + b"?"
    message, fault = decode_partial(ASCII, raw)
    assert message == Message("0200", {3: "123456"})
    assert fault.why == "bit 65 announces a third bitmap"


def test_fault_of_the_bitmap_comes_before_that_of_an_element() -> None:
    _, fault = decode_partial(ASCII, b"0200" + b"A000000000000000" + b"8000000000000000" + b"12345x")
    assert fault.path == "bitmap"


def test_message_of_unknown_type_has_no_part() -> None:
    message, fault = decode_partial(ASCII, b"GET / HTTP/1.1")
    assert (message, fault.path) == (Message("", {}), "mti")


def test_part_of_a_good_message_is_never_asked_for() -> None:
    with pytest.raises(AssertionError):
        decode_partial(ASCII, ASCII_RAW)


@pytest.mark.parametrize(
    ("kind", "text", "mti"),
    [("a", "0200garbage", "0200"), ("b", "0421FF", "0421"), ("a", "020", None), ("a", "9200", None), ("b", "", None)],
)
def test_type_is_peeked_at_in_a_broken_message(kind: str, text: str, mti: str | None) -> None:
    assert peek_mti(SPECS[kind], raw_of(kind, text)) == mti


ENCODE_FAULTS: list[tuple[Spec, str, dict[int, object], str, str]] = [
    (ASCII, "200", {}, "mti", "not four digits"),
    (ASCII, "0\xb200", {}, "mti", "not four digits"),
    (BINARY, "1200", {}, "mti", "version digit is not one of the spec"),
    (ASCII, "0200", {1: "x"}, "1", "the spec has no such element"),
    (ASCII, "0200", {65: b"x"}, "65", "the spec has no such element"),
    (ASCII, "0200", {129: "x"}, "129", "the spec has no such element"),
    (ASCII, "0200", {300: "x"}, "300", "the spec has no such element"),
    (ASCII, "0200", {-1: "x"}, "-1", "the spec has no such element"),
    (ASCII, "0200", {3: b"123456"}, "3", "is not text"),
    (ASCII, "0200", {3: 123456}, "3", "is not text"),
    (ASCII, "0200", {3: "12345"}, "3", "length 5 is not 6"),
    (BINARY, "0200", {3: "1234567"}, "3", "length 7 is not 6"),
    (ASCII, "0200", {3: "12345\xb2"}, "3", "content is not n"),
    (ASCII, "0200", {3: "12\x0056"}, "3", "length 5 is not 6"),
    (ASCII, "0200", {3: "12\x003456"}, "3", "length 7 is not 6"),
    (BINARY, "0200", {3: "12345a"}, "3", "content is not n"),
    (BINARY, "0200", {3: "12345="}, "3", "content is not n"),
    (ASCII, "0200", {3: "123456", 4: "12"}, "4", "length 2 is not 12"),
    (ASCII, "0200", {3: "12345", 4: "0000000000012"}, "3", "length 5 is not 6"),
    (ASCII, "0200", {2: ""}, "2", "length 0 is not from 1 to 19"),
    (ASCII, "0200", {2: "1" * 20}, "2", "length 20 is not from 1 to 19"),
    (BINARY, "0200", {48: "x" * 1000}, "48", "length 1000 is not from 0 to 999"),
    (ASCII, "0200", {41: "TERM\u0661001"}, "41", "content is not ans"),
    (ASCII, "0200", {41: "TERM\ud800001"}, "41", "content is not ans"),
    (ASCII, "0200", {49: "8A0"}, "49", "content is not a/n"),
    (ASCII, "0200", {29: "X00000150"}, "29", "content is not x+n"),
    (BINARY, "0200", {29: "C0000015"}, "29", "length 7 is not 8"),
    (ASCII, "0200", {29: ""}, "29", "length 0 is not 8"),
    (BINARY, "0200", {29: ""}, "29", "length 0 is not 8"),
    (ASCII, "0200", {13: "0230"}, "13", "not a real MMDD"),
    (BINARY, "0200", {12: "240000"}, "12", "not a real hhmmss"),
    (BINARY, "0200", {35: "47D12"}, "35", "content is not z"),
    (ASCII, "0200", {52: "0123456789ABCDEF"}, "52", "is not bytes"),
    (ASCII, "0200", {52: b"1234567"}, "52", "length 7 is not 8"),
    (BINARY, "0200", {64: b"123456789"}, "64", "length 9 is not 8"),
    (ASCII, "0200", {55: b"\x82\x02\xff\xff"}, "55", "is not chip data (Tlv)"),
    (BINARY, "0200", {55: Tlv.of([("84", bytes(254))])}, "55", "length 257 is not from 0 to 255"),
]


@pytest.mark.parametrize(("spec", "mti", "fields", "path", "why"), ENCODE_FAULTS)
def test_message_that_the_spec_cannot_carry_is_told(
    spec: Spec, mti: str, fields: dict[int, Value], path: str, why: str
) -> None:
    message = Message(mti, fields)
    with pytest.raises(EncodeFault) as caught:
        encode(spec, message)
    assert (caught.value.path, caught.value.why) == (path, why)
    if set(fields) <= set(spec.elements):
        assert compile_writer(spec, list(fields))(message) is None


@pytest.mark.parametrize("spec", [ASCII, BINARY])
def test_order_in_which_a_message_was_made_does_not_show_on_the_wire(spec: Spec) -> None:
    raw = ASCII_RAW if spec is ASCII else BINARY_RAW
    backwards = Message("0200", dict(reversed(PURCHASE.items())))
    for _ in range(2 * SIGHTINGS_TO_COMPILE):
        assert encode(spec, backwards) == raw


def test_fault_never_repeats_the_content() -> None:
    secret = "4761739001010119"
    with pytest.raises(DecodeFault) as decoding:
        decode(ASCII, b"0200" + b"4000000000000000" + b"16" + secret[:-1].encode() + b"x")
    with pytest.raises(EncodeFault) as encoding:
        encode(ASCII, Message("0200", {2: secret * 2}))
    for fault in (decoding.value, encoding.value):
        assert secret[:6] not in str(fault) + repr(fault)


def test_compiled_functions_are_bounded_and_the_table_goes_on() -> None:
    """DE3 to DE23, each alone: more bitmaps than the store holds, each hot enough while there is room."""
    spec = load_spec("iso1987-ascii", compiled_max=4)
    for de in range(3, 24):
        element = spec.elements[de]
        fields: dict[int, Value] = {de: PURCHASE.get(de, element.fit("0101" if element.calendar else "1"))}
        message = Message("0200", fields)
        for _ in range(2 * SIGHTINGS_TO_COMPILE):
            assert decode(spec, encode(spec, message)) == message
        assert len(spec.readers) <= 4
        assert len(spec.writers) <= 4
    assert len(spec.readers) == 4
