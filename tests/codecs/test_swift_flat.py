from __future__ import annotations

import json
from pathlib import Path

from junctor.codecs.swift import parse_fin, to_flat

RAW = (Path(__file__).parent / "mt103.txt").read_bytes()
MT103 = parse_fin(RAW)
HIDDEN = (
    "JOHANN", "RUE JOSEPH", "BRUSSELS", "BE62510007547061", "BE68539007547034", "DE89370400440532013000", "CH123456",
    "KLEIN", "BLUMENSTRASSE", "E2E-2026", "4711", "BENEFICIARY", "MEILAAN", "20.527.19.60",
)  # fmt: skip
VISIBLE = (
    "PAYREFTB54302", "CRED", "1108492,50", "1300000,", "0,8527", "SHA", "BANKBEBBXXX", "CHASUS33XXX", "DEUTDEFFXXX",
    "c8b66b47-2bd9-48fe-be90-93c2096f27d2", "BANKDEFFXXXX", "PHOB",
)  # fmt: skip


def _field(raw: bytes, tag: str, unmask: bool = False) -> object:
    fields = to_flat(parse_fin(raw), unmask)["fields"]
    return next(field for field in fields if field["tag"] == tag)


def test_personal_content_is_starred_and_the_payment_is_legible() -> None:
    shown = json.dumps(to_flat(MT103))
    assert [value for value in HIDDEN if value in shown] == []
    assert [value for value in VISIBLE if value not in shown] == []


def test_everything_is_legible_on_demand() -> None:
    shown = json.dumps(to_flat(MT103, unmask=True))
    assert [value for value in (*HIDDEN, *VISIBLE) if value not in shown] == []


def test_headers_and_fields_have_their_parts_by_name() -> None:
    flat = to_flat(MT103)
    assert flat["message_type"] == "103"
    assert flat["blocks"]["1"] == {
        "application": "F", "service": "01", "lt": "BANKBEBBAXXX", "session": "0057", "sequence": "000289",
    }  # fmt: skip
    assert flat["blocks"]["2"] == {
        "direction": "input", "message_type": "103", "receiver_lt": "BANKDEFFXXXX", "priority": "N",
        "monitoring": "2", "obsolescence": None,
    }  # fmt: skip
    assert flat["fields"][6] == {
        "tag": "32A",
        "line": 8,
        "value": "260119EUR1108492,50",
        "parts": {"date": "260119", "currency": "EUR", "amount": "1108492,50"},
    }
    assert flat["findings"] == []


def test_party_shows_its_bic_and_not_its_account() -> None:
    assert _field(RAW, "52A") == {
        "tag": "52A", "line": 15, "value": "****", "parts": {"side": "D", "account": "****", "bic": "BANKBEBBXXX"},
    }  # fmt: skip
    assert _field(RAW, "57A") == {
        "tag": "57A", "line": 20, "value": "DEUTDEFFXXX", "parts": {"bic": "DEUTDEFFXXX"},
    }  # fmt: skip
    assert _field(RAW, "59", unmask=True) == {
        "tag": "59",
        "line": 21,
        "value": "/DE89370400440532013000\nC. KLEIN UND SOEHNE GMBH\nBLUMENSTRASSE 15\n"
        "60313 FRANKFURT AM MAIN\nGERMANY",
        "parts": {
            "account": "DE89370400440532013000",
            "lines": ["C. KLEIN UND SOEHNE GMBH", "BLUMENSTRASSE 15", "60313 FRANKFURT AM MAIN", "GERMANY"],
        },
    }


def test_value_that_does_not_follow_its_format_is_starred_whole() -> None:
    broken = RAW.replace(b":32A:260119EUR1108492,50", b":32A:JOHANN WILLEMS")
    assert _field(broken, "32A") == {"tag": "32A", "line": 8, "value": "****"}
    assert _field(broken, "32A", unmask=True) == {"tag": "32A", "line": 8, "value": "JOHANN WILLEMS"}


def test_unknown_tags_are_starred_whole() -> None:
    raw = RAW.replace(b":20:", b":99Z:JOHANN\r\n:20:").replace(b"{111:001}", b"{999:JOHANN}")
    assert "JOHANN" not in json.dumps(to_flat(parse_fin(raw)))
    assert _field(raw, "99Z") == {"tag": "99Z", "line": 2, "value": "****"}


def test_card_number_in_a_reference_is_masked() -> None:
    raw = RAW.replace(b":20:PAYREFTB54302", b":20:4111111111111111")
    assert "4111111111111111" not in json.dumps(to_flat(parse_fin(raw)))
    assert "411111******1111" in json.dumps(to_flat(parse_fin(raw)))


def test_acknowledgement_shows_its_verdict() -> None:
    raw = b"{1:F21BANKBEBBAXXX0057000289}{4:{177:2601171230}{451:1}{405:T27005}{108:MUR1}}{S:{SAC:secret}}"
    flat = to_flat(parse_fin(raw))
    assert flat["message_type"] is None
    assert flat["blocks"]["4"] == [
        {"tag": "177", "value": "2601171230", "parts": {"date": "260117", "time": "1230"}},
        {"tag": "451", "value": "1", "parts": {"verdict": "1"}},
        {"tag": "405", "value": "T27005", "parts": {"code": "T27", "line": "005"}},
        {"tag": "108", "value": "MUR1", "parts": {"reference": "MUR1"}},
    ]
    assert flat["blocks"]["S"] == [{"tag": "SAC", "value": "****"}]


def test_findings_are_listed_with_their_place() -> None:
    flat = to_flat(parse_fin(RAW.replace(b":71A:SHA", b":71A:XXX")))
    assert flat["findings"] == [
        {"code": "T08", "line": 29, "tag": "71A", "component": "code", "text": "the code is one of BEN OUR SHA"}
    ]
