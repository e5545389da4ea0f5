from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from junctor.codecs.faults import EncodeFault
from junctor.codecs.framing import FRAMINGS, LAYOUTS, Frame, Framer, make_framer

KINDS = tuple(LAYOUTS)
TPDU = bytes.fromhex("6012345678")
SWAPPED_TPDU = bytes.fromhex("6056781234")


def feed_all(framer: Framer, pieces: Sequence[bytes]) -> list[Frame]:
    return [frame for piece in pieces for frame in framer.feed(piece)]


def bytewise(stream: bytes) -> list[bytes]:
    return [stream[index : index + 1] for index in range(len(stream))]


@pytest.mark.parametrize(
    ("kind", "wire", "frame"),
    [
        ("length2", b"\x00\x050800A", Frame(b"", b"0800A")),
        ("length4", b"\x00\x00\x00\x050800A", Frame(b"", b"0800A")),
        ("ascii4", b"00050800A", Frame(b"", b"0800A")),
        ("bcd2-tpdu", b"\x00\x10" + TPDU + b"0800A", Frame(TPDU, b"0800A")),
    ],
)
def test_each_framing_cuts_what_is_written_by_hand(kind: str, wire: bytes, frame: Frame) -> None:
    assert make_framer(kind, 1000).feed(wire) == [frame]


@pytest.mark.parametrize(
    ("kind", "wire"),
    [
        ("length2", b"\x00\x03abc"),
        ("length4", b"\x00\x00\x00\x03abc"),
        ("ascii4", b"0003abc"),
        ("bcd2-tpdu", b"\x00\x08\x60\x00\x00\x00\x00abc"),
    ],
)
def test_each_framing_wraps_as_written_by_hand(kind: str, wire: bytes) -> None:
    assert make_framer(kind, 1000).wrap(b"abc") == wire


def test_long_length_is_counted_in_two_bcd_bytes() -> None:
    body = b"x" * 1229
    assert make_framer("bcd2-tpdu", 2000).wrap(body)[:2] == b"\x12\x34"  # 5 + 1229


def test_reply_swaps_the_addresses_of_the_tpdu() -> None:
    assert make_framer("bcd2-tpdu", 1000).wrap(b"0810", reply_to=TPDU) == b"\x00\x09" + SWAPPED_TPDU + b"0810"


@pytest.mark.parametrize("kind", ["length2", "length4", "ascii4"])
def test_framing_without_header_ignores_the_header_to_reply_to(kind: str) -> None:
    framer = make_framer(kind, 1000)
    assert framer.wrap(b"0810", reply_to=b"") == framer.wrap(b"0810", reply_to=TPDU)


@pytest.mark.parametrize(
    ("kind", "wire"), [("length2", b"\0\0"), ("length4", b"\0\0\0\0"), ("ascii4", b"0000"), ("bcd2-tpdu", b"\0\0")]
)
def test_frame_of_no_length_is_a_keep_alive_both_ways(kind: str, wire: bytes) -> None:
    framer = make_framer(kind, 1000)
    assert framer.feed(wire) == [Frame(b"", b"")]
    assert framer.feed(wire)[0].is_keep_alive
    assert framer.wrap(b"") == wire
    assert not framer.is_mid_frame


def test_tpdu_without_a_message_is_a_frame_of_its_own() -> None:
    frames = make_framer("bcd2-tpdu", 1000).feed(b"\x00\x05" + TPDU)
    assert frames == [Frame(TPDU, b"")]
    assert not frames[0].is_keep_alive


@pytest.mark.parametrize(
    ("kind", "wire", "why"),
    [
        ("length2", b"\x00\x0b", "frame length exceeds the limit of 10 bytes"),
        ("length4", b"\x00\x00\x00\x0b", "frame length exceeds the limit of 10 bytes"),
        ("length4", b"\xff\xff\xff\xff", "frame length exceeds the limit of 10 bytes"),
        ("ascii4", b"0011", "frame length exceeds the limit of 10 bytes"),
        ("bcd2-tpdu", b"\x00\x11", "frame length exceeds the limit of 10 bytes"),
        ("ascii4", b"00 5", "length prefix is not ASCII digits"),
        ("ascii4", b"+005", "length prefix is not ASCII digits"),
        ("ascii4", b"1_00", "length prefix is not ASCII digits"),
        ("ascii4", b"\xb2\xb2\xb2\xb2", "length prefix is not ASCII digits"),
        ("bcd2-tpdu", b"\x00\x0a", "length prefix has a nibble above 9"),
        ("bcd2-tpdu", b"\xe0\x01", "length prefix has a nibble above 9"),
        ("bcd2-tpdu", b"\x00\x04", "frame is shorter than its TPDU"),
    ],
)
def test_bad_prefix_ends_the_stream_with_a_reason(kind: str, wire: bytes, why: str) -> None:
    framer = make_framer(kind, 10)
    assert framer.feed(wire) == []
    assert framer.fault is not None
    assert framer.fault.why == why
    assert not framer.is_mid_frame
    assert framer.feed(b"\x00\x01a") == []


def test_frames_before_a_fault_are_given() -> None:
    framer = make_framer("ascii4", 100)
    assert framer.feed(b"0001a0002bcGET / HTTP") == [Frame(b"", b"a"), Frame(b"", b"bc")]
    assert framer.fault is not None


@pytest.mark.parametrize("kind", KINDS)
def test_largest_frame_passes_and_one_byte_more_does_not(kind: str) -> None:
    header = 5 if kind == "bcd2-tpdu" else 0
    framer = make_framer(kind, 50)
    wire = framer.wrap(b"x" * (50 - header))
    assert [len(frame.header + frame.body) for frame in framer.feed(wire)] == [50]
    with pytest.raises(EncodeFault, match="51 bytes exceed the limit of 50"):
        framer.wrap(b"x" * (51 - header))


@pytest.mark.parametrize(("kind", "most"), [("length2", 65535), ("ascii4", 9999), ("bcd2-tpdu", 9994)])
def test_wrap_refuses_what_the_prefix_cannot_say(kind: str, most: int) -> None:
    framer = make_framer(kind, 10**6)
    framer.wrap(b"x" * most)
    with pytest.raises(EncodeFault, match="exceed the limit"):
        framer.wrap(b"x" * (most + 1))


def test_unfinished_frame_is_seen_until_its_last_byte() -> None:
    framer = make_framer("length2", 100)
    assert not framer.is_mid_frame
    for byte in bytewise(b"\x00\x02a"):
        framer.feed(byte)
        assert framer.is_mid_frame
    framer.feed(b"b")
    assert not framer.is_mid_frame


def test_every_kind_that_is_offered_can_be_made_but_no_other() -> None:
    assert {type(make_framer(kind, 100)).__name__ for kind in KINDS} == {"LengthFramer"}
    assert set(FRAMINGS) == {"length2", "length4", "ascii4", "bcd2-tpdu", "fin"}
    with pytest.raises(KeyError):
        make_framer("length3", 100)


def test_frame_does_not_print_what_it_carries() -> None:
    assert repr(Frame(TPDU, b"4761739001010119")) == "Frame(header=<5 bytes>, body=<16 bytes>)"


@st.composite
def splits(draw: st.DrawFn) -> tuple[str, list[tuple[bytes, bytes]], list[bytes]]:
    kind = draw(st.sampled_from(KINDS))
    tpdus = st.binary(min_size=5, max_size=5) if kind == "bcd2-tpdu" else st.just(b"")
    sent = draw(st.lists(st.tuples(tpdus, st.binary(max_size=60)), max_size=8))
    stream = b"".join(make_framer(kind, 100).wrap(body, reply_to=header) for header, body in sent)
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    return kind, sent, pieces


@given(splits())
def test_any_split_of_the_stream_gives_the_same_frames(
    case: tuple[str, list[tuple[bytes, bytes]], list[bytes]],
) -> None:
    kind, sent, pieces = case
    whole = feed_all(make_framer(kind, 100), [b"".join(pieces)])
    assert feed_all(make_framer(kind, 100), pieces) == whole
    assert feed_all(make_framer(kind, 100), bytewise(b"".join(pieces))) == whole
    assert [frame.body for frame in whole] == [body for _, body in sent]


@given(st.sampled_from(KINDS), st.binary(max_size=200), st.integers(1, 20))
def test_garbage_gives_the_same_frames_and_fault_however_it_is_split(kind: str, garbage: bytes, size: int) -> None:
    whole, pieces = make_framer(kind, 64), make_framer(kind, 64)
    cut = [garbage[start : start + size] for start in range(0, len(garbage), size)]
    assert feed_all(pieces, cut) == whole.feed(garbage)
    assert (pieces.fault is None) == (whole.fault is None)
    if whole.fault is not None and pieces.fault is not None:
        assert pieces.fault.why == whole.fault.why


@given(st.sampled_from(KINDS), st.lists(st.binary(max_size=80), max_size=20))
def test_buffer_never_holds_more_than_one_frame_and_its_prefix(kind: str, pieces: list[bytes]) -> None:
    framer = make_framer(kind, 64)
    for piece in pieces:
        framer.feed(piece)
        assert len(framer._buffer) < 64 + LAYOUTS[kind].prefix_bytes  # type: ignore[attr-defined]


def cost_s(stream: bytes, piece_bytes: int, frames: int, runs: int = 3) -> float:
    """Give the least CPU time of a few runs over a stream in pieces."""
    pieces = [stream[start : start + piece_bytes] for start in range(0, len(stream), piece_bytes)]
    times = []
    for _ in range(runs):
        framer = make_framer("length4", 1_000_000)
        start = time.thread_time()
        assert len(feed_all(framer, pieces)) == frames
        times.append(time.thread_time() - start)
    return min(times)


def test_cost_of_a_megabyte_at_once_is_linear() -> None:
    """Eight times the frames take a linear framer eight times as long, and a quadratic one 64 times."""
    frame = make_framer("length4", 1000).wrap(b"x" * 400)
    assert cost_s(frame * 2400, 1_000_000, 2400) < 24 * cost_s(frame * 300, 1_000_000, 300) + 0.001


def test_cost_of_a_long_frame_byte_by_byte_is_linear() -> None:
    """Even a framer that only copies its buffer for every byte takes some 30 times as long for eight times."""
    framer = make_framer("length4", 1_000_000)
    long, short = framer.wrap(b"x" * 480_000), framer.wrap(b"x" * 60_000)
    assert cost_s(long, 1, 1, runs=1) < 18 * cost_s(short, 1, 1) + 0.001
