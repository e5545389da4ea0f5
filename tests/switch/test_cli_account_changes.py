"""`junctor account update | block | unblock | close` and what `junctor ledger statement | export` tell afterwards."""

from __future__ import annotations

import csv
import io
import json

import pytest
from junctor.switch.cli.times import write_time_exactly
from office import PAN, Office


def change(office: Office, *words: str) -> str:
    ended = office.run("account", *words, "--reason", "asked by letter", "--by", "olga")
    assert ended.status == 0, ended.err
    return ended.out.strip()


def test_a_credit_line_is_changed_and_a_repeat_changes_nothing(customer: Office) -> None:
    assert change(customer, "update", "customer-1", "--credit-line", "300.00") == "customer-1: event 2"
    assert change(customer, "update", "customer-1", "--credit-line", "300") == "customer-1: nothing to change"
    assert customer.json("account", "show", "customer-1")["balance"]["available"] == 55_000
    change(customer, "update", "customer-1", "--unlimited", "--ceiling", "900.00", "--name", "A. Byron")
    shown = customer.json("account", "show", "customer-1")
    assert (shown["floor_minor"], shown["ceiling_minor"], shown["name"]) == (None, 90_000, "A. Byron")
    change(customer, "update", "customer-1", "--ceiling", "none")
    assert customer.json("account", "show", "customer-1")["ceiling_minor"] is None


def test_an_account_is_blocked_and_unblocked(customer: Office) -> None:
    def takes() -> tuple[bool, bool]:
        shown = customer.json("account", "show", "customer-1")
        return shown["takes_debits"], shown["takes_credits"]

    change(customer, "block", "customer-1")
    assert takes() == (False, False)
    change(customer, "unblock", "customer-1", "--credits")
    assert takes() == (False, True)
    change(customer, "unblock", "customer-1")
    change(customer, "block", "customer-1", "--debits")
    assert takes() == (False, True)


def test_an_account_with_money_is_not_closed_and_an_empty_one_is_forgotten(customer: Office) -> None:
    ended = customer.run("account", "close", "customer-1", "--reason", "left")
    assert (ended.status, ended.err) == (1, "junctor: the account is not empty\n")
    made = customer.run(
        "account", "create", "--code", "gone", "--currency", "EUR", "--name", "Grace", "--card", stdin=PAN
    )
    assert made.status == 0
    assert change(customer, "close", "gone", "--delete") == "gone: event 1"
    shown = customer.json("account", "show", "gone")
    assert (shown["is_closed"], shown["name"]) == (True, "")


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["block", "customer-1"], 2, "Missing option '--reason'"),
        (["block", "nobody", "--reason", "x"], 1, "there is no account nobody"),
        (["update", "nobody", "--name", "x", "--reason", "x"], 1, "there is no account nobody"),
        (["update", "customer-1", "--reason", "x"], 2, "say what is to change"),
        (["update", "customer-1", "--unlimited", "--credit-line", "1", "--reason", "x"], 2, "has no credit line"),
        (["update", "customer-1", "--credit-line", "1.234", "--reason", "x"], 1, "too precise"),
    ],
)
def test_a_change_that_cannot_be_meant_is_refused(customer: Office, words: list[str], status: int, says: str) -> None:
    ended = customer.run("account", *words)
    assert ended.status == status
    assert says in ended.err


def test_a_settlement_account_keeps_its_cap(office: Office) -> None:
    assert (
        office.run(
            "account", "create", "--code", "x.settlement.EUR", "--kind", "settlement", "--currency", "EUR"
        ).status
        == 0
    )
    ended = office.run("account", "update", "x.settlement.EUR", "--credit-line", "5", "--reason", "x")
    assert ended.status == 1
    assert "net debit cap" in ended.err


def test_a_statement_runs_from_its_opening_to_its_closing_balance(paid: Office) -> None:
    whole = paid.json("ledger", "statement", "customer-1")
    entries = whole["entries"]
    assert whole["opening"]["posted_minor"] == 0
    assert whole["closing"]["posted_minor"] == entries[-1]["balance_minor"]
    running = 0
    for entry in entries:
        running += entry["amount_minor"]
        assert entry["balance_minor"] == running
    last = write_time_exactly(entries[-1]["at_us"])
    empty = paid.json("ledger", "statement", "customer-1", "--from", "2999-01-01")
    assert (empty["opening"], empty["entries"]) == (empty["closing"], [])
    out = paid.run("ledger", "statement", "customer-1").out
    assert out.startswith("opening balance 0.00 EUR\nclosing balance ")
    assert last in out
    at = paid.json("ledger", "statement", "customer-1", "--at", "2020-01-01")
    assert (at["posted_minor"], at["seq"]) == (0, 0)
    assert "entries:     0" in paid.run("ledger", "statement", "customer-1", "--at", "2020-01-01").out


def test_a_statement_and_an_export_as_csv_hold_the_same_entries(paid: Office) -> None:
    as_json = paid.json("ledger", "statement", "customer-1")["entries"]
    told = list(csv.DictReader(io.StringIO(paid.run("ledger", "statement", "customer-1", "--csv").out)))
    assert [(row["seq"], row["amount_minor"]) for row in told] == [
        (str(row["seq"]), str(row["amount_minor"])) for row in as_json
    ]
    date = as_json[0]["bdate"]
    rows = list(csv.DictReader(io.StringIO(paid.run("ledger", "export", "--date", date).out)))
    lines = [json.loads(line) for line in paid.run("ledger", "export", "--date", date, "--json").out.splitlines()]
    assert [row["txn_key"] for row in rows] == [row["txn_key"] for row in lines]
    assert sum(int(row["amount_minor"]) for row in rows) == 0
    assert [row["seq"] for row in rows if row["account"] == "customer-1"] == [row["seq"] for row in told]
    assert paid.run("ledger", "export", "--date", date + 1).out.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["statement", "nobody"], 1),
        (["statement", "customer-1", "--json", "--csv"], 2),
        (["statement", "customer-1", "--at", "1d", "--from", "2d"], 2),
        (["statement", "customer-1", "--from", "yesterday"], 1),
        (["export"], 2),
    ],
)
def test_a_statement_that_cannot_be_meant_is_refused(customer: Office, words: list[str], status: int) -> None:
    assert customer.run("ledger", *words).status == status


def test_limits_are_set_shown_and_lifted(customer: Office) -> None:
    words = ["limit", "customer-1", "--processing-code", "01", "--per-transaction", "50.00", "--daily", "100.00"]
    change(customer, *words, "--daily-count", "3")
    limits = customer.json("account", "show", "customer-1")["limits"]
    assert [(it["processing_code"], it["period"], it["amount_minor"], it["count"]) for it in limits] == [
        ("01", "day", 10_000, 3),
        ("01", "transaction", 5_000, None),
    ]
    shown = [line.split() for line in customer.run("account", "show", "customer-1").out.splitlines()]
    assert ["01", "day", "100.00", "3", "0.00", "0"] in shown
    change(customer, "limit", "customer-1", "--processing-code", "01", "--none")
    assert customer.json("account", "show", "customer-1")["limits"] == []


@pytest.mark.parametrize(
    ("words", "status"),
    [(["customer-1"], 2), (["customer-1", "--none", "--daily", "1"], 2), (["nobody", "--daily", "1"], 1)],
)
def test_limits_that_cannot_be_meant_are_refused(customer: Office, words: list[str], status: int) -> None:
    assert customer.run("account", "limit", *words, "--reason", "x").status == status
