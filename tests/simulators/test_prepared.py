"""Requests made ahead: what is spliced must be what the codec would have written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from junctor.codecs.framing import make_framer
from junctor.codecs.iso8583 import Message, decode, encode, load_spec, respond
from junctor.codecs.masking import Pan
from junctor.simulators.prepared import RRN_MAX, Place, Prepared, Requests, find_place
from junctor.simulators.response_reader import LAYOUTS_MAX, ResponseReader
from junctor.simulators.scenarios import Leg
from junctor.simulators.slips import Card, TerminalProfile, request

AT = datetime(2026, 11, 20, 15, 4, 21, tzinfo=UTC)
SPECS = {name: load_spec(name) for name in ("iso1987-ascii", "iso1987-binary")}
PROFILE = TerminalProfile("TERM0001", "MERCHANT0000001", "12345678901")


def template(pan: str = "4761739001010119") -> Message:
    return request(PROFILE, Card(Pan(pan), "978"), Leg("0200"), 1, "000001", AT)


def unframe(prepared: Prepared, framing: str) -> bytes:
    (frame,) = make_framer(framing, 16_384).feed(prepared[0])
    return frame.body


def test_places_are_found_where_the_bytes_stand() -> None:
    message = Message("0200", {3: "000000", 4: "000000001250", 7: "1120150421", 11: "000042", 37: "632415000042"})
    # 4 bytes of type, 16 of bitmap, DE3; packed: 2, 8 and 3.
    assert find_place(SPECS["iso1987-ascii"], message, 4, 12) == Place(4, 26, 38, is_packed=False)
    assert find_place(SPECS["iso1987-ascii"], message, 11, 6) == Place(11, 48, 54, is_packed=False)
    assert find_place(SPECS["iso1987-binary"], message, 4, 12) == Place(4, 13, 19, is_packed=True)
    assert find_place(SPECS["iso1987-binary"], message, 37, 12) == Place(37, 27, 39, is_packed=False)


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("framing", ["length2", "ascii4", "bcd2-tpdu"])
def test_a_spliced_request_is_the_message_that_the_codec_writes(name: str, framing: str) -> None:
    spec = SPECS[name]
    templates = [template(), template("5413330089010442")]
    requests = Requests(
        spec, framing, templates, AT, first_rrn=999_996, amounts_minor=(5, 123_456_789_012, 7), chunk=2
    )
    for index in range(6):
        rrn = 999_996 + index
        expected = templates[index % 2].with_fields(
            {
                4: ("000000000005", "123456789012", "000000000007")[index % 3],
                7: "1120150421",
                11: f"{rrn % 999_999 + 1:06d}",
                37: f"{rrn:012d}",
            }
        )
        body = unframe(requests.next(), framing)
        assert body == encode(spec, expected)


@given(st.integers(0, RRN_MAX - 1), st.sampled_from(sorted(SPECS)))
def test_any_first_reference_gives_messages_with_identities_of_their_own(first: int, name: str) -> None:
    requests = Requests(SPECS[name], "length2", [template()], AT, first)
    messages = [decode(SPECS[name], unframe(requests.next(), "length2")) for _ in range(3)]
    assert [message[37] for message in messages] == [f"{(first + index) % RRN_MAX:012d}" for index in range(3)]
    assert len({message[11] for message in messages}) == 3
    assert all(1 <= int(str(message[11])) <= 999_999 for message in messages)


def test_what_was_prepared_ahead_comes_out_in_order_and_then_goes_on() -> None:
    requests = Requests(SPECS["iso1987-ascii"], "length2", [template()], AT, first_rrn=41, chunk=2)
    requests.prepare(3)
    assert [requests.next()[1] for _ in range(6)] == [b"%06d" % number for number in range(42, 48)]


@pytest.mark.parametrize("name", SPECS)
def test_a_reader_tells_trace_and_code_of_every_shape_of_response(name: str) -> None:
    spec = SPECS[name]
    reader = ResponseReader(spec, "0210")
    for number in range(3):
        asked = template().with_fields({11: f"00004{number}"})
        for response in (
            respond(asked, "00", {38: "123456"}),
            respond(asked, "51"),
            respond(asked, "00", {38: "654321", 54: "0001978C000000123456"}),
        ):
            stan = f"00004{number}"
            expected = stan.encode() if name == "iso1987-ascii" else bytes.fromhex(stan)
            assert reader.read(encode(spec, response)) == (expected, response[39])


def test_a_reader_takes_neither_other_types_nor_garbage() -> None:
    spec = SPECS["iso1987-ascii"]
    reader = ResponseReader(spec, "0210")
    assert reader.read(encode(spec, respond(template().with_fields({}, mti="0100"), "00"))) is None
    assert reader.read(b"garbage") is None
    assert reader.read(b"") is None


def test_two_shapes_of_equal_length_are_told_apart_by_reading_the_whole() -> None:
    """DE2 longer by one and DE32 shorter by one: a quick look finds the wrong digits, the message has them."""
    spec = SPECS["iso1987-ascii"]
    reader = ResponseReader(spec, "0210")
    usual = respond(template(), "00")
    odd = respond(template("47617390010101194").with_fields({32: "1234567890", 11: "000077"}), "51")
    assert len(encode(spec, usual)) == len(encode(spec, odd))
    reader.read(encode(spec, usual))
    assert reader.read_whole(encode(spec, odd)) == (b"000077", "51")


def test_only_so_many_shapes_are_remembered_and_others_are_read_all_the_same() -> None:
    spec = SPECS["iso1987-ascii"]
    reader = ResponseReader(spec, "0210")
    for length in range(LAYOUTS_MAX + 3):
        response = respond(template(), "00", {44: "X" * (length % 25 + 1), 62: "Y" * (length + 1)})
        assert reader.read(encode(spec, response)) == (b"000001", "00")
    assert len(reader._layouts) == LAYOUTS_MAX
