"""What the switch writes down of messages: listed elements, and nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from junctor.codecs.iso8583 import Message, Tlv, Value
from junctor.codecs.iso8583.compose import STORED, answer_from, renamed, reversal_of, storable
from junctor.codecs.iso8583.response import ECHOED

NEVER = (14, 34, 35, 36, 45, 52, 53, 55, 64, 96, 128)
"""Expiry, the extended card number, tracks, PIN, security data, chip data, and authentication codes."""
UNKNOWN = (46, 47, 48, *range(56, 64), *range(104, 128))
"""Elements for additional, national, reserved and private use."""


def test_neither_credentials_nor_what_is_private_is_on_the_list() -> None:
    assert STORED.isdisjoint(NEVER)
    assert STORED.isdisjoint(UNKNOWN)


def test_what_a_response_echoes_may_be_stored() -> None:
    assert ECHOED <= STORED


@given(st.dictionaries(st.integers(2, 128), st.text("0123456789", min_size=1, max_size=20)))
def test_only_listed_elements_are_left(fields: dict[int, str]) -> None:
    kept = storable(Message("0220", fields))
    assert dict(kept.fields) == {element: value for element, value in fields.items() if element in STORED}
    assert kept.mti == "0220"


def test_of_chip_data_only_what_the_issuer_answers_is_left() -> None:
    pin_change = b"\x9f\x18\x04\x00\x00\x00\x01\x86\x15\x84\x24"
    chip = Tlv.of(
        [("9F26", b"\xaa" * 8), ("91", b"\xbb" * 10), ("5A", b"\x47\x61"), ("71", pin_change), ("8A", b"00")]
    )
    assert storable(Message("0210", {39: "00", 55: chip})) == Message(
        "0210", {39: "00", 55: Tlv.of([("91", b"\xbb" * 10), ("8A", b"00")])}
    )


def test_chip_data_without_an_issuers_answer_is_left_out_whole() -> None:
    chip = Tlv.of([("9F26", b"\xaa" * 8), ("9F37", b"\xcc" * 4)])
    assert 55 not in storable(Message("0200", {55: chip}))
    assert 55 not in storable(Message("0200", {55: b"\x91\x02\x00\x00"})), "nor what nobody has taken apart"


def full(mti: str) -> Message:
    fields: dict[int, Value] = {element: f"{element:010d}" for element in range(2, 129) if element != 55}
    return Message(mti, fields | {55: Tlv.of([("9F26", b"\xaa" * 8)])})


def test_an_answer_a_reversal_and_an_advice_on_its_way_carry_nothing_else() -> None:
    for written in (
        answer_from(full("0200"), full("0210")),
        reversal_of(full("0200"), "1120164200", "000001"),
        renamed(full("0220"), "0200" + "1" * 38, "1120164200", "000001", "12345678901"),
    ):
        assert STORED.issuperset(written), written.mti
