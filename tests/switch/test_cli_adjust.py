"""Entries by hand from the command line: asked for, listed, approved by another, and chargebacks."""

from __future__ import annotations

from pathlib import Path

import pytest
from junctor.ledger.operations import Authorise, Movement
from office import EUR, Office, facts


@pytest.fixture
def office(tmp_path: Path, sqlite_url: str) -> Office:
    """An office where anna has 100.00 and has paid 12.50 to the shop."""
    office = Office(tmp_path, sqlite_url)
    office.json("account", "create", "--code", "anna", "--currency", "EUR", "--opening", "112.50")
    office.json("account", "create", "--code", "shop", "--currency", "EUR")
    store, _ = office.open_store()
    store.commit([Authorise(facts(1), (Movement("anna", "shop", 1_250, EUR),), lambda _: b"yes")])
    store.close()
    return office


def posted(office: Office, code: str) -> int:
    return int(office.json("account", "show", code)["balance"]["posted"])


def request(office: Office, *arguments: str) -> str:
    asked = office.json("ledger", "adjust", "request", *arguments, "--reason", "a slip", "--by", "ann")
    return str(asked["request"])


def test_an_adjustment_waits_in_the_list_until_another_person_approves_it(office: Office) -> None:
    number = request(office, "--account", "anna", "--direction", "credit", "--currency", "EUR", "--amount", "5.00")
    (row,) = office.json("ledger", "adjust", "list")
    assert (row["approval_id"], row["requested_by"], row["reason"]) == (number, "ann", "a slip")
    assert row["payload"] == {"amount_minor": 500, "credit": "anna", "currency": EUR, "debit": "adjustment.EUR"}
    shown = office.run("ledger", "adjust", "list").out.splitlines()[1]
    assert "adjustment.EUR to anna" in shown
    assert "5.00 EUR" in shown
    own = office.run("ledger", "adjust", "approve", number, "--by", "ann")
    assert (own.status, "whoever asks does not approve" in own.err) == (1, True)
    assert posted(office, "anna") == 10_000
    assert office.json("ledger", "adjust", "approve", number, "--by", "bob") == {"result": "carried out"}
    assert (posted(office, "anna"), posted(office, "adjustment.EUR")) == (10_500, -500)
    again = office.run("ledger", "adjust", "approve", number, "--by", "bob")
    assert (again.status, "carried out before" in again.err) == (1, True)
    assert office.json("ledger", "adjust", "list") == []
    assert [each["state"] for each in office.json("ledger", "adjust", "list", "--all")] == ["carried out"]


def test_a_chargeback_names_its_transaction(office: Office) -> None:
    number = request(office, "--chargeback", "01" * 16, "--amount", "2.50")
    office.json("ledger", "adjust", "approve", number, "--by", "bob")
    assert (posted(office, "anna"), posted(office, "shop"), posted(office, "chargeback.EUR")) == (10_250, 1_000, 0)
    shown = office.json("transaction", "show", "01" * 16)
    assert shown["amount_minor"] == 1_000
    nothing = office.run("ledger", "adjust", "request", "--chargeback", "02" * 16, "--amount", "1", "--reason", "x")
    assert (nothing.status, "no such transaction" in nothing.err) == (1, True)


def test_a_rejected_request_is_over(office: Office) -> None:
    number = request(office, "--account", "anna", "--direction", "debit", "--currency", "EUR", "--amount", "5.00")
    assert office.json("ledger", "adjust", "reject", number, "--by", "ann") == {"result": "rejected"}
    assert office.run("ledger", "adjust", "approve", number, "--by", "bob").status == 1
    assert posted(office, "anna") == 10_000


@pytest.mark.parametrize(
    "arguments",
    [
        ["--amount", "1"],
        ["--amount", "1", "--account", "anna"],
        ["--amount", "1", "--chargeback", "01" * 16, "--account", "anna"],
    ],
)
def test_a_request_says_either_account_or_transaction(office: Office, arguments: list[str]) -> None:
    assert office.run("ledger", "adjust", "request", *arguments, "--reason", "x").status == 2


def test_a_number_that_is_none_is_told(office: Office) -> None:
    ended = office.run("ledger", "adjust", "approve", "12", "--by", "bob")
    assert (ended.status, "32 hexadecimal digits" in ended.err) == (1, True)
