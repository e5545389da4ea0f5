from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from junctor.codecs.faults import EncodeFault
from junctor.codecs.framing import Frame, make_framer
from junctor.codecs.swift.framing import FinFramer

MT103 = (Path(__file__).parent / "mt103.txt").read_bytes()
ACK = b"{1:F21BANKBEBBAXXX0057000289}{4:{177:2601171230}{451:0}}"
BARE = b"{1:F01BANKBEBBAXXX0057000290}{2:I103BANKDEFFXXXX}{4:\r\n:72:{1:} }} {\r\n-x\r\n-}"
SYSTEM_BLOCK = b"{S:{SAC:}{COP:P}}"
MAX = 2_000


def _bodies(frames: list[Frame]) -> list[bytes]:
    return [frame.body for frame in frames]


def _cut(framer: FinFramer, pieces: list[bytes]) -> list[bytes]:
    return [body for piece in pieces for body in _bodies(framer.feed(piece))]


def test_messages_that_follow_one_another_are_cut() -> None:
    framer = FinFramer(MAX)
    assert _bodies(framer.feed(ACK + MT103 + BARE + MT103)) == [ACK, MT103, BARE, MT103]
    assert not framer.is_mid_frame


def test_frame_has_no_header() -> None:
    assert FinFramer(MAX).feed(MT103) == [Frame(header=b"", body=MT103)]


def test_message_with_block_5_is_given_out_at_once() -> None:
    framer = FinFramer(MAX)
    assert _bodies(framer.feed(MT103[:-1])) == []
    assert framer.is_mid_frame
    assert not framer.is_waiting
    assert _bodies(framer.feed(MT103[-1:])) == [MT103]
    assert not framer.is_mid_frame


@pytest.mark.parametrize("separator", [b"\r", b"\n", b" ", b"\x03"])
def test_separator_completes_a_message_without_block_5(separator: bytes) -> None:
    framer = FinFramer(MAX)
    assert _bodies(framer.feed(BARE)) == []
    assert _bodies(framer.feed(separator)) == [BARE]
    assert not framer.is_mid_frame


def test_next_message_completes_a_message_without_block_5() -> None:
    framer = FinFramer(MAX)
    assert _bodies(framer.feed(ACK + b"{1")) == [ACK]
    assert framer.is_mid_frame


def test_silence_completes_a_message_without_block_5() -> None:
    framer = FinFramer(MAX)
    assert _bodies(framer.feed(ACK)) == []
    assert (framer.is_mid_frame, framer.is_waiting) == (True, True)
    assert _bodies(framer.flush()) == [ACK]
    assert (framer.is_mid_frame, framer.is_waiting) == (False, False)
    assert _bodies(framer.feed(ACK + b"\r\n")) == [ACK]


@pytest.mark.parametrize("tail", [b"{", b"{5", b"{5:", b"{5:{CHK:DE1B0D71FA96}"])
def test_silence_within_a_next_block_completes_nothing(tail: bytes) -> None:
    framer = FinFramer(MAX)
    framer.feed(ACK + tail)
    assert not framer.is_waiting
    assert framer.flush() == []
    rest = b"{5:{CHK:DE1B0D71FA96}}"[len(tail) :]
    assert _bodies(framer.feed(rest)) == [ACK + b"{5:{CHK:DE1B0D71FA96}}"]


def test_flush_of_an_idle_framer_gives_nothing() -> None:
    framer = FinFramer(MAX)
    assert framer.flush() == []
    framer.feed(MT103 + b"\r\n{1")
    assert framer.flush() == []
    assert framer.is_mid_frame


def test_block_s_is_part_of_the_message_where_the_link_expects_it() -> None:
    framer = FinFramer(MAX, with_system_block=True)
    assert _bodies(framer.feed(MT103)) == []
    assert framer.is_waiting
    assert _bodies(framer.feed(SYSTEM_BLOCK)) == [MT103 + SYSTEM_BLOCK]
    assert _bodies(framer.feed(MT103 + b"\r\n")) == [MT103]


def test_block_s_is_a_fault_where_the_link_does_not_expect_it() -> None:
    framer = FinFramer(MAX)
    assert _bodies(framer.feed(MT103 + SYSTEM_BLOCK)) == [MT103]
    assert framer.fault is not None


@pytest.mark.parametrize("garbage", [b"A", b"{2:", b"{}", b"}", b"\x00", b"{x:", b"{1x"])
def test_what_is_no_message_is_a_fault_after_the_frames_before_it(garbage: bytes) -> None:
    framer = FinFramer(MAX)
    assert _bodies(framer.feed(MT103 + ACK + garbage)) == [MT103, ACK]
    assert framer.fault is not None
    assert not framer.is_mid_frame
    assert framer.feed(MT103) == []
    assert framer.flush() == []


def test_message_of_just_the_limit_passes_and_one_byte_more_is_a_fault() -> None:
    exact = FinFramer(len(MT103))
    assert _bodies(exact.feed(MT103)) == [MT103]
    assert exact.fault is None
    short = FinFramer(len(MT103) - 1)
    assert _bodies(short.feed(MT103)) == []
    assert short.fault is not None
    assert short.fault.why == f"a message is longer than {len(MT103) - 1} bytes"


@pytest.mark.parametrize(
    "endless",
    [b"{1:", b"{1:F01}{3:", b"{1:F01}{4:\r\n", b"{1:F01}{4:{", b"{1:F01}{2:}{5:{CHK:"],
)
def test_endless_message_is_a_fault_at_the_limit_and_buffers_no_more(endless: bytes) -> None:
    framer = FinFramer(100)
    framer.feed(endless + b"A" * (100 - len(endless)))
    assert (framer.fault, framer.is_mid_frame) == (None, True)
    framer.feed(b"A")
    assert framer.fault is not None
    assert not framer.is_mid_frame


def test_separators_without_end_are_not_buffered() -> None:
    framer = FinFramer(10)
    for _ in range(50):
        assert framer.feed(b"\r\n \x03") == []
        assert not framer.is_mid_frame
    assert framer.fault is None


def test_wrapped_message_is_given_out_without_waiting() -> None:
    framer = FinFramer(MAX)
    assert framer.wrap(ACK) == ACK + b"\r\n"
    assert _bodies(framer.feed(framer.wrap(ACK))) == [ACK]


def test_empty_body_is_a_keep_alive_that_the_peer_skips() -> None:
    framer = FinFramer(MAX)
    assert framer.wrap(b"") == b"\r\n"
    assert framer.feed(framer.wrap(b"")) == []


def test_wrap_refuses_what_the_peer_could_not_cut() -> None:
    with pytest.raises(EncodeFault):
        FinFramer(MAX).wrap(b"A")
    with pytest.raises(EncodeFault):
        FinFramer(len(MT103) - 1).wrap(MT103)
    assert FinFramer(len(MT103)).wrap(MT103)[: len(MT103)] == MT103


def test_fin_is_a_kind_of_framing_that_configuration_can_name() -> None:
    assert isinstance(make_framer("fin", MAX), FinFramer)


STREAM = ACK + b"\r\n" + MT103 + BARE + ACK + b"{5:{CHK:DE1B0D71FA96}}" + BARE + b"\x03" + MT103 + ACK + b"\r\n"
WHOLE = [ACK, MT103, BARE, ACK + b"{5:{CHK:DE1B0D71FA96}}", BARE, MT103, ACK]


def test_stream_byte_by_byte_gives_the_same_frames() -> None:
    assert _cut(FinFramer(MAX), [bytes([byte]) for byte in STREAM]) == WHOLE


@given(st.lists(st.integers(0, len(STREAM)), max_size=40))
@settings(deadline=None)
def test_any_split_of_a_stream_gives_the_same_frames(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    assert _cut(FinFramer(MAX), [STREAM[start:end] for start, end in pairwise(edges)]) == WHOLE


TOKENS = st.sampled_from(
    [
        b"{1:", b"{1:F01}", b"{2:", b"{3:", b"{4:", b"{4:\r\n", b"{5:", b"{S:", b"{", b"}", b"}}", b"\n-}", b"-}",
        b"\r\n", b"A", b"\x00", b"\xff", b" ", b"A" * 60,
    ]
)  # fmt: skip


@given(st.lists(TOKENS, max_size=20).map(b"".join), st.booleans(), st.lists(st.integers(0, 400), max_size=10))
@settings(deadline=None, max_examples=400)
def test_any_split_of_brace_soup_gives_the_same_frames(soup: bytes, with_s: bool, cuts: list[int]) -> None:
    stream = b"{1:F01}" + soup
    once, split, single = (FinFramer(120, with_s) for _ in range(3))
    whole = _bodies(once.feed(stream))
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    assert _cut(split, [stream[start:end] for start, end in pairwise(edges)]) == whole
    assert _cut(single, [bytes([byte]) for byte in stream]) == whole
    for other in (split, single):
        assert (other.fault is None) == (once.fault is None)
        assert other.is_mid_frame == once.is_mid_frame
    assert _bodies(split.flush()) == _bodies(single.flush()) == _bodies(once.flush())
    assert all(len(body) <= 120 for body in whole)


def _seconds_for(size: int, chunk: int) -> float:
    framer = FinFramer(10_000_000)
    data = b"{1:F01}{4:\r\n" + b"A\n" * (size // 2)
    started = time.process_time()
    for start in range(0, len(data), chunk):
        framer.feed(data[start : start + chunk])
    return time.process_time() - started


def test_cost_is_linear_in_the_bytes_of_a_message() -> None:
    small = min(_seconds_for(20_000, 1) for _ in range(3))
    large = min(_seconds_for(160_000, 1) for _ in range(3))
    assert large < small * 32  # eight times the bytes; a quadratic scan would take 64 times
