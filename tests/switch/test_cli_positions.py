"""Positions, prefunding and the settlement file from the command line."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from command_line import Ended
from office import Office

SETTLED = "blue.settlement.EUR"


@pytest.fixture
def office(tmp_path: Path, sqlite_url: str) -> Office:
    """An office with an institution whose cap is 100.00."""
    office = Office(tmp_path, sqlite_url)
    text = office.config_file.read_text() + '\n[[institutions]]\nid = "blue"\nnet_debit_cap_minor = 10000\n'
    office.config_file.write_text(text + 'pins = ["' + "a" * 64 + '"]\n')
    office.json(
        "account", "create", "--code", SETTLED, "--kind", "settlement", "--institution", "blue", "--currency", "EUR",
        "--credit-line", "100.00",
    )  # fmt: skip
    return office


def prefund(office: Office, direction: str, amount: str, reference: str) -> Ended:
    return office.run(
        "ledger", "prefund", direction, "blue", amount, "--currency", "EUR", "--reference", reference, "--by", "ann",
        "--json",
    )  # fmt: skip


def now(office: Office) -> int:
    (row,) = office.json("ledger", "position", "--institution", "blue")
    return int(row["position_minor"])


def test_money_that_was_paid_in_is_booked_once_per_reference(office: Office) -> None:
    first, again = prefund(office, "in", "50.00", "A1"), prefund(office, "in", "50.00", "A1")
    assert (first.json["result"], again.json["result"]) == ("booked", "booked before")
    assert first.json["transaction"] == again.json["transaction"]
    other = prefund(office, "in", "60.00", "A1")
    assert (other.status, "another amount" in other.err) == (1, True)
    assert now(office) == 5_000


def test_money_is_paid_out_only_as_far_as_the_cap_leaves_it(office: Office) -> None:
    assert prefund(office, "out", "100.01", "B1").status == 1
    assert prefund(office, "out", "100.01", "B1").err.strip().endswith("give another reference")
    assert prefund(office, "out", "100.00", "B2").status == 0
    assert now(office) == -10_000
    shown = office.run("ledger", "position").out.splitlines()[1].split()
    assert shown == ["blue", SETTLED, "EUR", "-100.00", "0.00", "100.00", "100", "%"]


def test_an_institution_that_is_not_configured_gets_no_prefunding(office: Office) -> None:
    ended = office.run(
        "ledger", "prefund", "in", "green", "1.00", "--currency", "EUR", "--reference", "x", "--by", "ann"
    )
    assert (ended.status, "no settlement account" in ended.err) == (1, True)


def test_the_file_of_a_closed_day_is_the_same_whenever_it_is_written(office: Office, tmp_path: Path) -> None:
    prefund(office, "in", "50.00", "A1")
    day = office.json("ledger", "days")[0]["bdate"]
    open_ = office.run("ledger", "settlement-file", "--date", day, "--to", tmp_path)
    assert (open_.status, "still open" in open_.err) == (1, True)
    assert office.run("ledger", "settlement-file", "--date", "2001-01-01").status == 1
    office.json("ledger", "cutover", "--opens", "2099-01-01")
    prefund(office, "in", "7.00", "A2")
    first = office.json("ledger", "settlement-file", "--date", day, "--to", tmp_path)
    written = tmp_path / f"settlement-{day}.csv"
    assert written.read_text().splitlines() == [
        "bdate,institution,account,currency,opening_minor,debits_minor,credits_minor,net_minor,closing_minor,entries",
        f"{day},blue,{SETTLED},EUR,0,0,5000,5000,5000,1",
    ]
    assert first["sha256"] == hashlib.sha256(written.read_bytes()).hexdigest()
    assert (tmp_path / f"settlement-{day}.csv.sha256").read_text() == f"{first['sha256']}  {written.name}\n"
    again = office.json("ledger", "settlement-file", "--date", day, "--to", tmp_path)
    assert again == first | {"new": False}
    (row,) = office.json("ledger", "position", "--date", "20990101")
    assert (row["opening_minor"], row["credits_minor"], row["closing_minor"]) == (5_000, 700, 5_700)
    written.write_text("spoiled")
    spoiled = office.run("ledger", "settlement-file", "--date", day, "--to", tmp_path)
    assert (spoiled.status, "other content" in spoiled.err) == (1, True)
