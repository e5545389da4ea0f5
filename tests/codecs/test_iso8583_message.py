from __future__ import annotations

import copy
import pickle

import pytest
from junctor.codecs.iso8583 import Message, Tlv, respond
from junctor.codecs.iso8583.message import SHOWN_ELEMENTS, Value
from junctor.codecs.iso8583.response import ECHOED

CHIP = Tlv.of([("9F26", b"\xaa"), ("9F26", b"\xbb"), ("5A", b"\x47\x61\x73")])
MESSAGE = Message("0200", {4: "000000001000", 2: "4761739001010119", 55: CHIP, 52: b"12345678"})


def test_element_is_reached_by_number_and_by_path() -> None:
    assert MESSAGE[4] == MESSAGE["4"] == "000000001000"
    assert MESSAGE[55] == CHIP
    assert MESSAGE["55.9F26"] == b"\xaa"
    assert MESSAGE["55.9F26#2"] == b"\xbb"


@pytest.mark.parametrize("key", [3, "3", "55.82", "55.9F26#3", "4.1", "x", "", ".", "4x", 0, -1])
def test_element_that_is_not_there_is_found_as_none_and_got_as_an_error(key: int | str) -> None:
    assert MESSAGE.get(key) is None
    assert key not in MESSAGE
    with pytest.raises(KeyError):
        MESSAGE[key]


def test_message_holds_what_it_has() -> None:
    assert 4 in MESSAGE
    assert "55.5A" in MESSAGE
    assert None not in MESSAGE


def test_fields_ascend_however_the_message_was_made() -> None:
    assert list(MESSAGE) == list(MESSAGE.fields) == [2, 4, 52, 55]
    assert len(MESSAGE.fields) == 4
    assert MESSAGE.fields[52] == b"12345678"
    assert dict(MESSAGE.fields) == {2: "4761739001010119", 4: "000000001000", 52: b"12345678", 55: CHIP}


def test_changed_message_leaves_the_first_as_it_was() -> None:
    changed = MESSAGE.with_fields({3: "000000", 4: "000000002000"}, drop=(52, 53), mti="0220")
    assert changed == Message("0220", {2: "4761739001010119", 3: "000000", 4: "000000002000", 55: CHIP})
    assert MESSAGE[4] == "000000001000"
    assert MESSAGE.with_fields({}) == MESSAGE


def test_fields_that_a_message_was_made_of_may_change_without_it() -> None:
    fields: dict[int, Value] = {3: "000000"}
    message = Message("0200", fields)
    fields[4] = "000000001000"
    assert 4 not in message


def test_message_is_frozen_and_equal_by_content() -> None:
    with pytest.raises(AttributeError):
        MESSAGE.mti = "0100"
    with pytest.raises(TypeError):
        MESSAGE.fields[3] = "x"  # type: ignore[index]
    other = Message("0200", dict(MESSAGE.fields))
    assert (other, hash(other)) == (MESSAGE, hash(MESSAGE))
    assert other != Message("0201", dict(MESSAGE.fields))
    assert other != MESSAGE.with_fields({3: "000000"})
    assert MESSAGE != "0200"


def test_message_is_neither_pickled_nor_copied() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(MESSAGE)
    with pytest.raises(TypeError):
        copy.deepcopy(MESSAGE)


def test_repr_masks_the_card_and_shows_only_what_is_harmless() -> None:
    added: dict[int, Value] = {35: "4761739001010119=2812", 39: "00", 14: "2812", 48: "4761739001010119", 200: "4761"}
    shown = repr(MESSAGE.with_fields(added))
    assert shown == (
        "Message(0200, 2=476173******0119, 4=000000001000, 14=<4 characters>, 35=<21 characters>, 39=00, "
        "48=<16 characters>, 52=<8 bytes>, 55=Tlv(9F26=AA, 9F26=BB, 5A=<3 bytes>), 200=<4 characters>)"
    )


def test_view_of_the_fields_is_masked_too() -> None:
    fields = Message("0200", {2: "4761739001010119", 43: "ACME"}).fields
    assert repr(fields) == "2=476173******0119, 43=<4 characters>"


def test_type_that_is_no_type_does_not_print() -> None:
    assert repr(Message("", {})) == "Message(mti unknown)"
    assert repr(Message("4761739001010119", {})) == "Message(mti unknown)"


def test_no_element_of_card_data_is_shown() -> None:
    assert not SHOWN_ELEMENTS & {2, 14, 20, 34, 35, 36, 43, 44, 45, 48, 52, 53, 55, 102, 103, 104}
    assert not SHOWN_ELEMENTS & {*range(56, 66), *range(104, 129)}


def test_response_echoes_what_identifies_the_request_and_nothing_of_the_card_but_its_number() -> None:
    fields: dict[int, Value] = {de: "x" for de in range(2, 129) if de not in (55, 65)}
    response = respond(Message("0201", {**fields, 55: CHIP}), "00")
    assert response.mti == "0210"
    assert response[39] == "00"
    assert set(response) == ECHOED | {39}
    assert set(response) == {
        2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 15, 24, 25, 32, 33, 37, 39, 41, 42, 49, 50, 51, 66, 70, 90, 95,
        99, 100, 102, 103,
    }  # fmt: skip


def test_response_echoes_only_what_the_request_has() -> None:
    assert respond(Message("0800", {7: "0811153045", 11: "004217", 70: "301"}), "00") == Message(
        "0810", {7: "0811153045", 11: "004217", 39: "00", 70: "301"}
    )


def test_response_takes_fields_over_the_echo() -> None:
    response = respond(MESSAGE, "10", {4: "000000000500", 38: "123456", 39: "11"})
    assert response == Message("0210", {2: "4761739001010119", 4: "000000000500", 38: "123456", 39: "11"})


def test_response_to_a_response_is_a_bug() -> None:
    with pytest.raises(AssertionError):
        respond(Message("0210", {}), "00")


def test_text_of_an_element_that_is_missing_or_no_text_is_empty() -> None:
    message = Message("0200", {11: "000001", 52: b"12345678"})
    assert [message.text(element) for element in (11, 52, 37)] == ["000001", "", ""]
