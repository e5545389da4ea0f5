"""The content of each field: one message that breaks one check, and the nearest that passes."""

from __future__ import annotations

from pathlib import Path

import pytest
from junctor.codecs.swift import build_fin, check, parse_fin
from junctor.codecs.swift.contents import is_date

MT103 = parse_fin((Path(__file__).parent / "mt103.txt").read_bytes())


def _found(tag: str, value: str) -> list[tuple[str, int, str | None]]:
    """Give code, line within the field and component for the bench message with another field of that number."""
    old = MT103.find(tag) or MT103.find(tag[:2])
    assert old is not None
    text = [(tag, value) if field == old else (field.tag, field.value) for field in MT103.text]
    message = build_fin(MT103.basic, MT103.application, user_header=MT103.user_header, text=text)
    findings = check(message)
    assert all(finding.tag == tag for finding in findings)
    return [(finding.code, (finding.line or 0) - old.line, finding.component) for finding in findings]


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("20", "A/B"),
        ("20", "A" * 16),
        ("13C", "/CLSTIME/2359-1359"),
        ("23B", "SPRI"),
        ("23E", "HOLD/TEXT"),
        ("32A", "240229EUR1,"),
        ("33B", "JPY1000,"),
        ("36", "0,123456789"),
        ("50A", "/1\nBANKBEBB"),
        ("50A", "BANKBEBB500"),
        ("50K", "/1\nNAME"),
        ("50K", "NAME\nSTREET\nTOWN\nCOUNTRY"),
        ("50F", "/1\n1/NAME"),
        ("50F", "/1\n1/NAME\n1/AND MORE\n2/STREET\n3/BE/TOWN"),
        ("50F", "NIDN/DE/121231234342\n1/NAME\n3/DE\n6/DE/ISSUER/99\n8/MORE"),
        ("50F", "CUST/US/BANK/1\n1/NAME\n4/19700101\n5/US/TOWN\n7/US/1"),
        ("52A", "/C/1\nBANKBEBB"),
        ("52D", "//BL12345678\nNAME\nTOWN"),
        ("53A", "BANKBEBB"),
        ("53B", "/D/1"),
        ("53B", "TOWN"),
        ("56C", "//FW123456789"),
        ("57B", "/1\nTOWN"),
        ("57C", "/1"),
        ("59", "NAME"),
        ("59A", "/1\nDEUTDEFF"),
        ("59F", "/1\n1/NAME\n2/STREET\n3/US/TOWN"),
        ("59F", "1/NAME\n2/STREET"),
        ("70", "/RFB/1\nTEXT"),
        ("72", "/ACC/1\n//2\n//3\n//4\n//5\n//6"),
    ],
)
def test_value_that_just_passes(tag: str, value: str) -> None:
    assert _found(tag, value) == []


@pytest.mark.parametrize(
    ("tag", "value", "finding"),
    [
        ("20", "", ("T12", 0, None)),
        ("20", "/A", ("T26", 0, "reference")),
        ("20", "A/", ("T26", 0, "reference")),
        ("20", "A//B", ("T26", 0, "reference")),
        ("20", "A" * 17, ("T33", 0, "reference")),
        ("13C", "/SNDTIME/2400+0100", ("T38", 0, "time")),
        ("13C", "/SNDTIME/0960+0100", ("T38", 0, "time")),
        ("13C", "/SNDTIME/0915?0100", ("T15", 0, "sign")),
        ("13C", "/SNDTIME/0915+1400", ("T16", 0, "offset")),
        ("13C", "/SNDTIME/0915+0160", ("T16", 0, "offset")),
        ("13C", "SNDTIME/0915+0100", ("T31", 0, "code")),
        ("23B", "CRE", ("T34", 0, "code")),
        ("23B", "ABCD", ("T36", 0, "code")),
        ("23E", "ABCD", ("T47", 0, "code")),
        ("32A", "260229EUR1,", ("T50", 0, "date")),
        ("32A", "261301EUR1,", ("T50", 0, "date")),
        ("32A", "26X119EUR1,", ("T50", 0, "date")),
        ("32A", "260119EUX1,", ("T52", 0, "currency")),
        ("32A", "260119eur1,", ("T52", 0, "currency")),
        ("32A", "260119EUR1,234", ("C03", 0, "amount")),
        ("32A", "260119EUR100", ("T43", 0, "amount")),
        ("32A", "260119EUR,50", ("T40", 0, "amount")),
        ("32A", "260119EUR1234567890123,45", ("T33", 0, "amount")),
        ("33B", "JPY1000,5", ("C03", 0, "amount")),
        ("33B", "XXZ1,", ("T52", 0, "currency")),
        ("36", "1", ("T43", 0, "rate")),
        ("50A", "BANKBEBBXXXX", ("T28", 0, "bic")),
        ("50A", "/1\nBANKBEBBAXXX", ("T28", 1, "bic")),
        ("50A", "/1\nBANKBEB", ("T29", 1, "bic")),
        ("50A", "/1\nBANKZZBB", ("T27", 1, "bic")),
        ("50A", "BANKZZBB", ("T27", 0, "bic")),
        ("50K", "NAME\n" + "A" * 36, ("T33", 1, "lines")),
        ("50K", "1\n2\n3\n4\n5", ("T30", 4, "lines")),
        ("50K", "/1", ("T31", 0, "account")),
        ("50F", "1/NAME", ("T54", 0, "account")),
        ("50F", "ABCD/BE/1\n1/NAME", ("T55", 0, "code")),
        ("50F", "CCPT/ZZ/1\n1/NAME", ("T73", 0, "country")),
        ("50F", "/1\nNAME", ("T56", 1, "lines")),
        ("50F", "/1\n2/STREET\n3/BE/TOWN", ("T56", 1, "lines")),
        ("50F", "/1\n1/NAME\n9/X", ("T56", 2, "lines")),
        ("50F", "/1\n1/NAME\n3/BE/TOWN\n2/STREET", ("T56", 3, "lines")),
        ("50F", "/1\n1/NAME\n2/STREET", ("T56", 2, "lines")),
        ("50F", "/1\n1/NAME\n4/19700101", ("T56", 2, "lines")),
        ("50F", "/1\n1/NAME\n5/BE/TOWN", ("T56", 2, "lines")),
        ("50F", "/1\n1/NAME\n4/19700230\n5/BE/TOWN", ("T50", 2, "lines")),
        ("50F", "/1\n1/NAME\n4/700101\n5/BE/TOWN", ("T50", 2, "lines")),
        ("50F", "/1\n1/NAME\n6/BE/I/1\n6/BE/I/2", ("T56", 3, "lines")),
        ("50F", "/1\n1/NAME\n6/BE", ("T56", 2, "lines")),
        ("50F", "/1\n1/NAME\n3/ZZ/TOWN", ("T73", 2, "lines")),
        ("52A", "BANKBEBB\nX", ("T30", 1, "bic")),
        ("53B", "", ("T12", 0, None)),
        ("56C", "FW123456789", ("T31", 0, "account")),
        ("59", "/1", ("T31", 0, "account")),
        ("59A", "DEUTZZFF", ("T27", 0, "bic")),
        ("59F", "/1\n2/STREET", ("T56", 1, "lines")),
        ("59F", "1/NAME\n4/19700101", ("T56", 1, "lines")),
        ("59F", "1/NAME\n3/ZZ/TOWN", ("T73", 1, "lines")),
        ("59F", "1/NAME\n2/", ("T56", 1, "lines")),
        ("70", "1\n2\n3\n4\n5", ("T30", 4, "lines")),
        ("70", "1\n\n3", ("T12", 1, "lines")),
        ("71A", "ALL", ("T08", 0, "code")),
        ("72", "A\n" * 6 + "A", ("T30", 6, "lines")),
    ],
)
def test_value_that_breaks_one_check(tag: str, value: str, finding: tuple[str, int, str | None]) -> None:
    assert _found(tag, value) == [finding]


def test_two_digits_of_a_year_turn_at_eighty() -> None:
    assert is_date("000229")  # 2000 has a leap day
    assert is_date("800229")  # so has 1980
    assert not is_date("790229")  # 2079 has none
    assert not is_date("990229")  # nor has 1999
    assert is_date("20240229")
    assert not is_date("19000229")
    assert not is_date("00000101")
