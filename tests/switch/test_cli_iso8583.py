"""`junctor iso8583`: hex to flat JSON and back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import run_command
from hypothesis import given
from hypothesis import strategies as st

CODECS = Path(__file__).resolve().parents[1] / "codecs"
ASCII = (CODECS / "msg_iso87ascii.hex").read_text().strip()
BINARY = (CODECS / "msg_iso87binary.hex").read_text().strip()

# 0800 with bitmap 8220000000000000 0400000000000000 (bits 1, 7, 11 and 70), by hand.
ECHO = "30383030" + b"82200000000000000400000000000000".hex() + b"0811153045".hex() + b"004217".hex() + b"301".hex()
ECHO_FLAT = {"mti": "0800", "fields": {"7": "0811153045", "11": "004217", "70": "301"}}


@pytest.mark.parametrize("spread", [[ECHO], [ECHO[:10], ECHO[10:]], [ECHO.upper()]])
def test_decode_reads_hex_from_the_arguments(spread: list[str]) -> None:
    ended = run_command("iso8583", "decode", "--spec", "iso1987-ascii", *spread)
    assert (ended.status, ended.json, ended.err) == (0, ECHO_FLAT, "")


@pytest.mark.parametrize("given", [ECHO, f"{ECHO}\n", f"  {ECHO[:20]}\n{ECHO[20:]}\n", json.dumps({"raw": ECHO})])
def test_decode_reads_hex_from_the_standard_input(given: str) -> None:
    ended = run_command("iso8583", "decode", "--spec", "iso1987-ascii", stdin=given)
    assert (ended.status, ended.json) == (0, ECHO_FLAT)


def test_encode_reads_flat_json_from_argument_or_input() -> None:
    for ended in (
        run_command("iso8583", "encode", "--spec", "iso1987-ascii", json.dumps(ECHO_FLAT)),
        run_command("iso8583", "encode", "--spec", "iso1987-ascii", stdin=json.dumps(ECHO_FLAT, indent=2)),
    ):
        assert (ended.status, ended.json) == (0, {"raw": ECHO})


def test_card_data_is_masked_unless_asked_for() -> None:
    masked = run_command("iso8583", "decode", "--spec", "iso1987-ascii", ASCII)
    assert masked.json["fields"]["2"] == "476173******0119"
    assert set(masked.json["fields"]["35"]) == {"*"}
    assert masked.json["fields"]["55.9F26"] == {"hex": "A1B2C3D4E5F60708"}
    assert "4761739001010119" not in masked.out
    shown = run_command("iso8583", "decode", "--unmask", "--spec", "iso1987-ascii", ASCII)
    assert shown.json["fields"]["2"] == "4761739001010119"
    assert shown.json["fields"]["35"] == "4761739001010119=28122011234567890"


@pytest.mark.parametrize(("spec", "raw"), [("iso1987-ascii", ASCII), ("iso1987-binary", BINARY)])
def test_unmasked_output_encodes_to_the_same_bytes(spec: str, raw: str) -> None:
    flat = run_command("iso8583", "decode", "--unmask", "--spec", spec, raw)
    back = run_command("iso8583", "encode", "--spec", spec, stdin=flat.out)
    assert (back.status, back.json["raw"].upper()) == (0, raw.upper())


def test_fault_is_told_with_path_offset_and_reason() -> None:
    # DE11 holds a letter: it begins after MTI (4), both bitmaps (32) and DE7 (10).
    broken = ECHO.replace(b"004217".hex(), b"0042X7".hex())
    ended = run_command("iso8583", "decode", "--spec", "iso1987-ascii", broken)
    assert ended.status == 1
    error = ended.json["error"]
    assert (error["path"], set(error)) == ("11", {"path", "offset", "why"})
    assert 46 <= error["offset"] <= 50
    assert "0042X7" not in ended.out


def test_what_cannot_be_encoded_is_told_with_its_path() -> None:
    flat = {"mti": "0800", "fields": {"11": "12345"}}
    ended = run_command("iso8583", "encode", "--spec", "iso1987-ascii", json.dumps(flat))
    assert ended.status == 1
    assert (ended.json["error"]["path"], ended.json["error"]["offset"]) == ("11", None)


@pytest.mark.parametrize("given", ["zz", "303", '{"raw": 5}', '{"raw": "3"}', "{", '["30"]'])
def test_input_that_is_no_hex_is_a_fault(given: str) -> None:
    ended = run_command("iso8583", "decode", "--spec", "iso1987-ascii", stdin=given)
    assert ended.status == 1
    assert ended.json["error"]["path"] == "raw"


@pytest.mark.parametrize(
    "given", ["", "[]", "1", "{", "[" * 100_000, '{"mti": "0800", "mti": "0810", "fields": {}}', "{}"]
)
def test_input_that_is_no_flat_message_is_a_fault(given: str) -> None:
    ended = run_command("iso8583", "encode", "--spec", "iso1987-ascii", stdin=given)
    assert ended.status == 1
    assert set(ended.json["error"]) == {"path", "offset", "why"}


def test_lines_get_one_result_each_and_status_0() -> None:
    lines = "\n".join([json.dumps({"raw": ECHO}), json.dumps({"raw": "00"}), "no json", json.dumps({"raw": ECHO})])
    ended = run_command("iso8583", "decode", "--spec", "iso1987-ascii", "--jsonl", stdin=lines + "\n")
    results = [json.loads(line) for line in ended.out.splitlines()]
    assert ended.status == 0
    assert [set(result) for result in results] == [{"mti", "fields"}, {"error"}, {"error"}, {"mti", "fields"}]


def test_lines_are_encoded_one_by_one() -> None:
    lines = [json.dumps(ECHO_FLAT), '{"mti": "0800", "fields": {"11": "x"}}', json.dumps(ECHO_FLAT)]
    ended = run_command("iso8583", "encode", "--spec", "iso1987-ascii", "--jsonl", stdin="\n".join(lines))
    results = [json.loads(line) for line in ended.out.splitlines()]
    assert ended.status == 0
    assert [results[0], results[2]] == [{"raw": ECHO}, {"raw": ECHO}]
    assert results[1]["error"]["path"] == "11"


def test_a_line_beyond_the_limit_is_a_fault_of_that_line_alone() -> None:
    lines = "\n".join(['{"mti": "' + "0" * 1_100_000 + '"}', json.dumps(ECHO_FLAT)])
    ended = run_command("iso8583", "encode", "--spec", "iso1987-ascii", "--jsonl", stdin=lines)
    results = [json.loads(line) for line in ended.out.splitlines()]
    assert "longer than" in results[0]["error"]["why"]
    assert results[1:] == [{"raw": ECHO}]


def test_a_document_beyond_the_limit_is_refused() -> None:
    ended = run_command("iso8583", "decode", "--spec", "iso1987-ascii", stdin="30" * 600_000)
    assert ended.status == 1
    assert "longer than" in ended.err


def test_a_spec_of_ones_own_is_read_from_its_file(tmp_path: Path) -> None:
    package = Path(__file__).resolve().parents[2] / "codecs" / "iso8583" / "specs"
    own = tmp_path / "own.toml"
    own.write_text((package / "iso1987-ascii.toml").read_text(encoding="utf-8"), encoding="utf-8")
    assert run_command("iso8583", "decode", "--spec", own, ECHO).json == ECHO_FLAT


def test_an_unknown_spec_is_wrong_usage(tmp_path: Path) -> None:
    for name in ("iso2093", str(tmp_path / "missing.toml")):
        ended = run_command("iso8583", "decode", "--spec", name, ECHO)
        assert (ended.status, ended.out) == (2, "")
        assert "Traceback" not in ended.err


@given(st.one_of(st.binary(max_size=300).map(lambda raw: raw.hex().encode()), st.binary(max_size=300)))
def test_no_input_ends_in_anything_but_a_result(given: bytes) -> None:
    ended = run_command("iso8583", "decode", "--spec", "iso1987-binary", stdin=given)
    assert ended.status in (0, 1)
    assert set(ended.json) in ({"mti", "fields"}, {"error"})
