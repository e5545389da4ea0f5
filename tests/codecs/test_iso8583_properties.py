"""Whatever comes in: the compiled functions and the table agree, only faults are raised, and bytes are kept."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from junctor.codecs.faults import DecodeFault, EncodeFault
from junctor.codecs.iso8583 import (
    Element,
    Message,
    Spec,
    Tlv,
    decode,
    encode,
    from_flat,
    load_spec,
    respond,
    to_flat,
)
from junctor.codecs.iso8583.bitmap import read_bitmap
from junctor.codecs.iso8583.compiler import compile_reader, compile_writer
from junctor.codecs.iso8583.encoding import Misfit
from junctor.codecs.iso8583.message import Value
from junctor.codecs.iso8583.table_codec import read_message, write_message

ASCII = load_spec("iso1987-ascii")
BINARY = load_spec("iso1987-binary")
ODD = load_spec(Path(__file__).parent / "spec_odd.toml")
SPECS = [ASCII, BINARY, ODD]
BY_NAME = {spec.name: spec for spec in SPECS}
EVERY_SPEC = st.sampled_from(SPECS)
BENCH = [
    (spec, bytes.fromhex((Path(__file__).parent / name).read_text()))
    for spec, name in ((ASCII, "msg_iso87ascii.hex"), (BINARY, "msg_iso87binary.hex"))
]

DIGITS = "0123456789"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz "
SPECIAL = " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
ALPHABETS = {
    "n": [DIGITS],
    "a": [LETTERS],
    "s": [SPECIAL],
    "an": [DIGITS + LETTERS],
    "as": [LETTERS + SPECIAL],
    "ns": [DIGITS + SPECIAL],
    "ans": [DIGITS + LETTERS + SPECIAL],
    "a/n": [DIGITS, LETTERS.strip()],
    "x+n": [DIGITS],
    "z": [DIGITS + "=D"],
}
MONTHS_DAYS = st.sampled_from(["0101", "0131", "0229", "0430", "0811", "1231"])
TIMES = st.sampled_from(["000000", "235959", "153045"])
DATES = {
    "MMDD": MONTHS_DAYS,
    "YYMM": st.sampled_from(["0001", "2812", "9906"]),
    "YYMMDD": st.sampled_from(["000229", "240229", "991231", "260101"]),
    "hhmmss": TIMES,
    "MMDDhhmmss": st.builds(str.__add__, MONTHS_DAYS, TIMES),
}
TAGS = st.sampled_from(["82", "9F26", "5A", "DF8101", "71", "9F10"])


@st.composite
def chip_data(draw: st.DrawFn, length_min: int, length_max: int) -> Tlv:
    """Objects that fill a length between the limits."""
    made = Tlv.of(draw(st.lists(st.tuples(TAGS, st.binary(max_size=length_max)), max_size=4)))
    if length_min <= len(made.raw) <= length_max:
        return made
    filled = draw(st.binary(min_size=length_max - 2, max_size=length_max - 2)) if length_max < 130 else b"\1" * 9
    return Tlv(b"\x82" + bytes([len(filled)]) + filled)


@st.composite
def values(draw: st.DrawFn, element: Element) -> Value:
    longest = min(element.length_max, element.length_min + 150)
    if element.parts is not None:
        return draw(chip_data(element.length_min, longest))
    if element.content.is_binary:
        return draw(st.binary(min_size=element.length_min, max_size=longest))
    if element.calendar is not None:
        return draw(DATES[element.calendar])
    alphabet = draw(st.sampled_from(ALPHABETS[element.content.name]))
    if element.encoding.is_packed:
        alphabet = "".join(character for character in alphabet if character in DIGITS + "=") or DIGITS
    text = draw(st.text(alphabet, min_size=element.length_min, max_size=longest))
    return draw(st.sampled_from("CD")) + text if element.content.name == "x+n" else text


MTIS = st.sampled_from(["0100", "0110", "0121", "0200", "0230", "0400", "0421", "0800", "0610"])


@st.composite
def messages(draw: st.DrawFn, spec: Spec, elements_max: int = 20) -> Message:
    chosen = draw(st.lists(st.sampled_from(sorted(spec.elements)), unique=True, max_size=elements_max))
    return Message(draw(MTIS), {de: draw(values(spec.elements[de])) for de in chosen})


@st.composite
def damaged(draw: st.DrawFn, raw: bytes) -> bytes:
    """A message with a few bytes changed, put in, taken out, or its end cut off."""
    damage = bytearray(raw)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(damage)))
        kind = draw(st.sampled_from(["change", "digit", "insert", "remove", "cut"]))
        if kind == "insert":
            damage[place:place] = draw(st.binary(min_size=1, max_size=3))
        elif kind == "cut":
            del damage[place:]
        else:
            new = draw(st.binary(min_size=1, max_size=1)) if kind == "change" else draw(st.sampled_from([b"0", b"9"]))
            damage[place : place + 1] = b"" if kind == "remove" else new
    return bytes(damage)


@lru_cache(maxsize=2000)
def compiled_reader(name: str, elements: tuple[int, ...]) -> Callable[[bytes], Message | None]:
    return compile_reader(BY_NAME[name], elements)


@lru_cache(maxsize=2000)
def compiled_writer(name: str, elements: tuple[int, ...]) -> Callable[[Message], bytes | None]:
    return compile_writer(BY_NAME[name], elements)


def read_both_ways(spec: Spec, raw: bytes) -> Message | None:
    """Read by the table and by the compiled reader of the bitmap, and check that they agree; None for a fault."""
    mti, fields, fault = read_message(spec, raw)
    by_table = Message(mti, fields) if fault is None else None
    try:
        named, _ = read_bitmap(raw, spec.mti_bytes, spec.bitmap_encoding == "hex")
    except Misfit:
        assert fault is not None
        return None
    if set(named) <= set(spec.elements):
        assert compiled_reader(spec.name, tuple(named))(raw) == by_table
    else:
        assert fault is not None
    return by_table


def write_both_ways(spec: Spec, message: Message) -> bytes | None:
    """Write by the table and by the compiled writer, and check that they agree; None for a fault."""
    by_table: bytes | None
    try:
        by_table = write_message(spec, message)
    except EncodeFault:
        by_table = None
    if set(message) <= set(spec.elements):
        assert compiled_writer(spec.name, tuple(message._fields))(message) == by_table
    return by_table


def check_bytes(spec: Spec, raw: bytes) -> None:
    """Check all that holds of any bytes."""
    message = read_both_ways(spec, raw)
    try:
        decoded = decode(spec, raw)
    except DecodeFault:
        assert message is None
        return
    assert decoded == message
    assert write_both_ways(spec, decoded) == raw
    assert encode(spec, decoded) == raw


@settings(deadline=None, max_examples=200)
@given(spec=EVERY_SPEC, data=st.data())
def test_message_survives_the_wire_both_ways(spec: Spec, data: st.DataObject) -> None:
    message = data.draw(messages(spec))
    raw = write_both_ways(spec, message)
    assert raw is not None
    assert read_both_ways(spec, raw) == message
    assert decode(spec, encode(spec, message)) == message


@settings(deadline=None, max_examples=200)
@given(spec=EVERY_SPEC, data=st.data())
def test_damaged_message_is_a_fault_or_is_kept_byte_for_byte(spec: Spec, data: st.DataObject) -> None:
    message = data.draw(messages(spec, elements_max=8))
    check_bytes(spec, data.draw(damaged(encode(spec, message))))


@settings(deadline=None, max_examples=500)
@given(purchase=st.sampled_from(BENCH), data=st.data())
def test_damaged_purchase_is_a_fault_or_is_kept_byte_for_byte(
    purchase: tuple[Spec, bytes], data: st.DataObject
) -> None:
    spec, raw = purchase
    check_bytes(spec, data.draw(damaged(raw)))


@settings(deadline=None, max_examples=200)
@given(
    spec=EVERY_SPEC,
    garbage=st.binary(max_size=80),
    head=st.sampled_from([b"", b"0200", b"\x02\x00", b"02002000000000000000"]),
)
def test_random_bytes_raise_nothing_but_our_fault(spec: Spec, garbage: bytes, head: bytes) -> None:
    check_bytes(spec, head + garbage)


ANY_VALUE = st.one_of(
    st.text(max_size=30),
    st.text("0123456789 =DC\0\n", max_size=45),
    st.binary(max_size=20),
    st.builds(Tlv.of, st.lists(st.tuples(TAGS, st.binary(max_size=9)), max_size=3)),
)


@settings(deadline=None, max_examples=200)
@given(spec=EVERY_SPEC, data=st.data())
def test_message_of_any_values_is_a_fault_or_survives(spec: Spec, data: st.DataObject) -> None:
    message = data.draw(messages(spec, elements_max=6))
    places = sorted(spec.elements)[:60]
    changes = data.draw(st.dictionaries(st.sampled_from(places), ANY_VALUE, min_size=1, max_size=2))
    changed = message.with_fields(changes)
    raw = write_both_ways(spec, changed)
    if raw is not None:
        assert decode(spec, raw) == changed


@settings(deadline=None, max_examples=100)
@given(spec=EVERY_SPEC, data=st.data())
def test_flat_form_unmasked_reads_back_as_the_message(spec: Spec, data: st.DataObject) -> None:
    message = data.draw(messages(spec))
    assert from_flat(spec, to_flat(spec, message, unmask=True)) == message


@settings(deadline=None, max_examples=50)
@given(messages(ASCII))
def test_masked_forms_hold_no_card_data(message: Message) -> None:
    """Long secrets are looked for where they were put; short ones would be found by chance."""
    marked = message.with_fields(
        {
            2: "4761739001010119",
            35: "4761739001010119=28122011234567890",
            45: "B4761739001010119^DOE/JANE",
            48: "CVV2 739001010119",
            52: b"PINPINPI",
            55: Tlv.of([("5A", bytes.fromhex("4761739001010119")), ("9F1F", b"739001010119"), ("DF01", b"DOE/JANE")]),
            63: "4761739001010119",
            102: "4761739001010119",
        }
    )
    for shown in (repr(marked), repr(marked.fields), str(to_flat(ASCII, marked))):
        for secret in ("739001010", "DOE/JANE", "PINPINPI"):
            assert secret not in shown
            assert secret.encode().hex().upper() not in shown


@settings(deadline=None, max_examples=200)
@given(messages(ASCII))
def test_response_can_be_sent_by_the_spec_of_its_request(request: Message) -> None:
    request = request.with_fields({}, mti="0200")
    response = respond(request, "00")
    assert decode(ASCII, encode(ASCII, response)) == response
