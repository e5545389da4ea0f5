"""`junctor swift parse`: what people and programs are told of a FIN message."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import run_command

MT103 = Path(__file__).resolve().parents[1] / "codecs" / "mt103.txt"
# An ACK as SWIFT writes it: F21, accepted (451:0), then what it acknowledges.
ACK = b"{1:F21BANKBEBBAXXX0057000289}{4:{177:2601191205}{451:0}{108:MUR260117000042}}"


def test_a_message_from_a_file_is_one_json_object() -> None:
    ended = run_command("swift", "parse", MT103, "--json")
    assert (ended.status, ended.err) == (0, "")
    assert ended.json["message_type"] == "103"
    assert ended.json["blocks"]["1"]["lt"] == "BANKBEBBAXXX"
    amount = next(field for field in ended.json["fields"] if field["tag"] == "32A")
    assert amount["parts"] == {"date": "260119", "currency": "EUR", "amount": "1108492,50"}


def test_names_and_accounts_are_masked_unless_asked_for() -> None:
    masked = run_command("swift", "parse", MT103, "--json").out + run_command("swift", "parse", MT103).out
    assert "WILLEMS" not in masked
    assert "DE89370400440532013000" not in masked
    shown = run_command("swift", "parse", MT103, "--unmask").out
    assert "WILLEMS" in shown
    assert "DE89370400440532013000" in shown


def test_people_get_blocks_and_fields_in_columns() -> None:
    out = run_command("swift", "parse", stdin=MT103.read_bytes()).out
    assert out.startswith("MT103\nblock  name")
    assert "   2  20   PAYREFTB54302\n" in out


def test_white_space_around_a_message_is_passed_over() -> None:
    ended = run_command("swift", "parse", "--json", stdin=b"\r\n" + MT103.read_bytes() + b"\n")
    assert ended.status == 0


def test_an_ack_and_what_it_acknowledges_are_an_array() -> None:
    ended = run_command("swift", "parse", "--json", stdin=ACK + MT103.read_bytes())
    assert [message["message_type"] for message in ended.json] == [None, "103"]


def test_what_is_wrong_with_a_message_is_found_and_gives_status_1() -> None:
    # A bank operation code that does not exist is T36, on line 4 of the text.
    broken = MT103.read_bytes().replace(b":23B:CRED", b":23B:ABCD")
    ended = run_command("swift", "parse", "--json", stdin=broken)
    assert ended.status == 1
    assert [(found["code"], found["line"], found["tag"]) for found in ended.json["findings"]] == [("T36", 4, "23B")]
    assert "T36 line 4 23B" in run_command("swift", "parse", stdin=broken).out


@pytest.mark.parametrize("given", [b"", b"hello", MT103.read_bytes()[:300], b"{1:F01", b"\xff" * 20])
def test_what_is_no_message_is_a_fault_with_its_place(given: bytes) -> None:
    ended = run_command("swift", "parse", "--json", stdin=given)
    assert ended.status == 1
    assert set(ended.json["error"]) == {"path", "offset", "why"}
    told = run_command("swift", "parse", stdin=given)
    assert (told.status, told.out) == (1, "")
    assert told.err.startswith("junctor: not a FIN message: ")


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    ended = run_command("swift", "parse", tmp_path / "none.txt")
    assert ended.status == 1
    assert ended.err.endswith("none.txt: No such file or directory\n")


def test_input_beyond_the_limit_is_refused() -> None:
    ended = run_command("swift", "parse", stdin=b"{" * 1_100_000)
    assert ended.status == 1
    assert "longer than" in ended.err
