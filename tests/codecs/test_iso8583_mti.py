from __future__ import annotations

import pytest
from junctor.codecs.iso8583 import (
    describe_mti,
    find_response_mti,
    is_advice,
    is_repeat,
    is_request,
    is_response,
    repeat_mti,
    response_mti,
)
from junctor.codecs.iso8583.mti import find_mti_problem, valid_mtis


@pytest.mark.parametrize(
    ("mti", "answer"),
    [
        ("0100", "0110"),
        ("0101", "0110"),
        ("0120", "0130"),
        ("0121", "0130"),
        ("0200", "0210"),
        ("0201", "0210"),
        ("0202", "0212"),
        ("0203", "0212"),
        ("0205", "0214"),
        ("0220", "0230"),
        ("0221", "0230"),
        ("0400", "0410"),
        ("0401", "0410"),
        ("0420", "0430"),
        ("0421", "0430"),
        ("0800", "0810"),
        ("1804", "1814"),
    ],
)
def test_response_type_follows_from_the_request_and_is_no_repeat(mti: str, answer: str) -> None:
    assert response_mti(mti) == answer
    assert find_response_mti(mti) == answer


@pytest.mark.parametrize("mti", ["0210", "0230", "0240", "0810"])
def test_response_and_notification_are_not_answered(mti: str) -> None:
    assert find_response_mti(mti) is None
    with pytest.raises(AssertionError):
        response_mti(mti)


@pytest.mark.parametrize(
    ("mti", "repeat"), [("0200", "0201"), ("0420", "0421"), ("0421", "0421"), ("0222", "0223"), ("0804", "0805")]
)
def test_repeat_form_marks_the_origin(mti: str, repeat: str) -> None:
    assert repeat_mti(mti) == repeat


def test_roles_of_a_type_are_told_by_its_digits() -> None:
    roles = {
        mti: (is_request(mti), is_advice(mti), is_response(mti)) for mti in ("0200", "0221", "0210", "0430", "0240")
    }
    assert roles == {
        "0200": (True, False, False),
        "0221": (False, True, False),
        "0210": (False, False, True),
        "0430": (False, False, True),
        "0240": (False, False, False),
    }
    assert [is_repeat(mti) for mti in ("0200", "0201", "0202", "0203", "0204", "0205")] == [False, True] * 3


@pytest.mark.parametrize(
    ("mti", "why"),
    [
        ("020", "not four digits"),
        ("02000", "not four digits"),
        ("02 0", "not four digits"),
        ("02\xb20", "not four digits"),
        ("1200", "version digit is not one of the spec"),
        ("0000", "class digit is reserved"),
        ("0900", "class digit is reserved"),
        ("0250", "function digit is reserved"),
        ("0290", "function digit is reserved"),
        ("0206", "origin digit is reserved"),
    ],
)
def test_type_outside_the_standard_is_told_by_its_first_wrong_digit(mti: str, why: str) -> None:
    assert find_mti_problem(mti, "0") == why


def test_version_of_1987_has_eight_classes_five_functions_and_six_origins() -> None:
    assert len(valid_mtis("0")) == 8 * 5 * 6


def test_version_of_2003_adds_three_functions() -> None:
    assert valid_mtis("2") - {f"2{mti[1:]}" for mti in valid_mtis("0")} == {
        f"2{message_class}{function}{origin}"
        for message_class in "12345678"
        for function in "567"
        for origin in "012345"
    }


def test_type_is_said_in_words() -> None:
    assert describe_mti("0421") == "reversal advice, acquirer repeat (ISO 8583:1987)"
