from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from junctor.codecs.faults import DecodeFault
from junctor.codecs.swift import (
    Ack,
    BasicHeader,
    ack,
    build_fin,
    code_of_fault,
    nak,
    nak_basic,
    new_message,
    parse_fin,
    read_ack,
)

MT103 = parse_fin((Path(__file__).parent / "mt103.txt").read_bytes())
AT = datetime(2026, 1, 17, 12, 30, 59, tzinfo=UTC)
TO = {"lt": "BANKBEBBAXXX", "session": "0057", "sequence": "000289"}


def test_ack_repeats_the_header_and_the_user_reference() -> None:
    assert ack(MT103, AT) == (b"{1:F21BANKBEBBAXXX0057000289}{4:{177:2601171230}{451:0}{108:MUR260117000042}}")


def test_nak_states_reason_and_line() -> None:
    assert nak(MT103, AT, "T27", 5) == (
        b"{1:F21BANKBEBBAXXX0057000289}{4:{177:2601171230}{451:1}{405:T27005}{108:MUR260117000042}}"
    )
    assert nak(MT103, AT, "H50") == (
        b"{1:F21BANKBEBBAXXX0057000289}{4:{177:2601171230}{451:1}{405:H50}{108:MUR260117000042}}"
    )


def test_nak_leaves_out_a_line_that_three_digits_cannot_name() -> None:
    assert b"{405:T27999}" in nak(MT103, AT, "T27", 999)
    assert b"{405:T27}" in nak(MT103, AT, "T27", 1000)


def test_ack_of_a_duplicate_carries_a_trailer_and_is_otherwise_the_same() -> None:
    assert ack(MT103, AT, is_duplicate=True) == ack(MT103, AT) + b"{5:{PDM:}}"
    assert read_ack(parse_fin(ack(MT103, AT, is_duplicate=True))).is_duplicate
    assert not read_ack(parse_fin(ack(MT103, AT))).is_duplicate


def test_time_is_written_in_utc() -> None:
    at = datetime(2026, 1, 1, 0, 15, tzinfo=timezone(timedelta(hours=1)))
    assert b"{177:2512312315}" in ack(MT103, at)


def test_message_without_user_reference_is_acknowledged_without() -> None:
    bare = new_message("103", sender="BANKBEBB", receiver="BANKDEFF", text=[("20", "R")])
    assert ack(bare, AT) == b"{1:F21BANKBEBBAXXX0000000000}{4:{177:2601171230}{451:0}}"


@pytest.mark.parametrize("mur", ["", "A" * 17, "A{B}", "A\nB", "A@"])
def test_malformed_user_reference_is_not_echoed(mur: str) -> None:
    raw = b"{1:F01BANKBEBBAXXX0000000000}{3:{108:%s}}{4:\r\n-}" % mur.encode()
    assert nak(parse_fin(raw), AT, "T13") == (b"{1:F21BANKBEBBAXXX0000000000}{4:{177:2601171230}{451:1}{405:T13}}")


def test_message_whose_rest_is_broken_is_still_refused_by_its_header() -> None:
    raw = MT103.raw.replace(b"{4:\r\n", b"{4:")
    with pytest.raises(DecodeFault) as caught:
        parse_fin(raw)
    assert nak_basic(MT103.basic, AT, code_of_fault(caught.value)) == (
        b"{1:F21BANKBEBBAXXX0057000289}{4:{177:2601171230}{451:1}{405:T13}}"
    )


@pytest.mark.parametrize(
    ("path", "code"),
    [("1", "H01"), ("2", "H25"), ("4", "T13"), ("4.177", "T13"), ("3.108", "H98"), ("message", "H98")],
)
def test_broken_block_has_a_reason_for_the_nak(path: str, code: str) -> None:
    assert code_of_fault(DecodeFault(path, 0, "why")) == code


def test_ack_is_read() -> None:
    assert read_ack(parse_fin(ack(MT103, AT))) == Ack(
        accepted=True, code=None, line=None, mur="MUR260117000042", time="2601171230", is_duplicate=False, **TO
    )


def test_published_nak_is_read() -> None:
    raw = b"{1:F21FOOLHKH0AXXX0304009999}{4:{177:2205051127}{451:1}{405:H10}{108:REFERENCE}}"
    assert read_ack(parse_fin(raw)) == Ack(
        accepted=False,
        code="H10",
        line=None,
        lt="FOOLHKH0AXXX",
        session="0304",
        sequence="009999",
        mur="REFERENCE",
        time="2205051127",
        is_duplicate=False,
    )


def test_line_of_a_nak_is_read() -> None:
    read = read_ack(parse_fin(nak(MT103, AT, "T27", 5)))
    assert (read.accepted, read.code, read.line) == (False, "T27", 5)


@pytest.mark.parametrize(
    ("service", "path"),
    [
        ([], "4.177"),
        ([("177", "26011712"), ("451", "0")], "4.177"),
        ([("177", "26011712AB"), ("451", "0")], "4.177"),
        ([("177", "2601171230")], "4.451"),
        ([("177", "2601171230"), ("451", "2")], "4.451"),
        ([("177", "2601171230"), ("451", "1")], "4.405"),
        ([("177", "2601171230"), ("451", "1"), ("405", "T2")], "4.405"),
        ([("177", "2601171230"), ("451", "1"), ("405", "T2705")], "4.405"),
        ([("177", "2601171230"), ("451", "0"), ("405", "T27 05")], "4.405"),
    ],
)
def test_acknowledgement_that_says_it_wrongly_is_a_fault(service: list[tuple[str, str]], path: str) -> None:
    message = build_fin(BasicHeader("F", "21", "BANKBEBBAXXX", "0057", "000289"), service=service)
    with pytest.raises(DecodeFault) as caught:
        read_ack(message)
    assert caught.value.path == path


def test_message_that_is_no_acknowledgement_is_a_fault() -> None:
    with pytest.raises(DecodeFault) as caught:
        read_ack(MT103)
    assert caught.value.path == "1"
