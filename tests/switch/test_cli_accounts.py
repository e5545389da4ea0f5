"""`junctor account`, on both databases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from junctor.codecs.masking import Pan
from junctor.ledger.operations import Authorise, Movement
from junctor.switch.cli.complaints import Complaint
from junctor.switch.cli.openings import read_opening_line
from office import EUR, PAN, Office, facts


def test_an_account_is_opened_with_balance_credit_line_and_card(customer: Office) -> None:
    (row,) = [row for row in customer.json("account", "list") if row["code"] == "customer-1"]
    assert row["balance"] == {"posted": 25_000, "held": 0, "available": 35_000, "currency": EUR}
    assert (row["kind"], row["floor_minor"], row["currency"]) == ("cardholder", -10_000, "EUR")
    out = customer.run("account", "show", "customer-1").out
    assert "posted:       250.00\n" in out
    assert "floor:        -100.00\n" in out


def test_a_card_number_is_neither_kept_nor_shown(customer: Office, tmp_path: Path) -> None:
    for command in (["account", "show", "customer-1"], ["account", "list"], ["transaction", "find"]):
        assert PAN not in customer.run(*command).out + customer.run(*command, "--json").out
    assert all(PAN.encode() not in path.read_bytes() for path in tmp_path.iterdir() if path.is_file())


def test_the_card_of_an_account_is_found_by_its_number(customer: Office) -> None:
    # The card pays by its hash: the books find the account that it was opened with.
    store, vault = customer.open_store()
    card_ref = vault.card_ref(Pan(PAN))
    movement = Movement(card_ref, "suspense.opening.EUR", 100, EUR)
    store.commit([Authorise(facts=facts(7), movements=(movement,), render=lambda decision: b"")])
    store.close()
    shown = customer.json("account", "show", "customer-1")
    assert shown["balance"]["posted"] == 24_900


def test_opening_again_changes_nothing(customer: Office) -> None:
    again = customer.run(
        "account", "create", "--code", "customer-1", "--currency", "EUR", "--opening", "250.00",
        "--credit-line", "100", "--name", "Ada Byron", "--card", stdin=PAN,
    )  # fmt: skip
    assert again.status == 0
    assert customer.json("account", "show", "customer-1")["balance"]["posted"] == 25_000


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (["--opening", "250.01", "--credit-line", "100"], "with another opening balance"),
        (["--opening", "250.00", "--credit-line", "101"], "exists with other content"),
        (["--opening", "250.00", "--credit-line", "100", "--kind", "fee"], "exists with other content"),
    ],
)
def test_opening_again_with_other_content_is_refused_and_books_nothing(
    customer: Office, changes: list[str], says: str
) -> None:
    ended = customer.run(
        "account", "create", "--code", "customer-1", "--currency", "EUR", "--name", "Ada Byron", *changes
    )
    assert ended.status == 1
    assert says in ended.err
    assert customer.json("account", "show", "customer-1")["balance"]["posted"] == 25_000


def test_a_balance_never_goes_to_an_account_that_could_not_be_opened(office: Office) -> None:
    assert office.run("account", "create", "--code", "a", "--currency", "EUR").status == 0
    ended = office.run(
        "account", "create", "--code", "a", "--kind", "fee", "--currency", "EUR", "--opening", "1.00", "--json"
    )
    assert ended.status == 1
    assert ended.json == [{"code": "a", "why": "the account exists with other content"}]
    assert office.json("ledger", "trial-balance")[0]["credit_minor"] == 0


def test_a_batch_opens_many_accounts(office: Office, tmp_path: Path) -> None:
    lines = [
        {"code": f"c{n}", "currency": "EUR" if n % 2 else "JPY", "opening": "10", "cards": [f"{PAN[:12]}{n:04d}"]}
        for n in range(450)
    ]
    batch = tmp_path / "batch.jsonl"
    batch.write_text("\n".join(json.dumps(line) for line in lines) + "\n\n", encoding="utf-8")
    ended = office.run("account", "create", "--batch", batch)
    assert (ended.status, ended.out) == (0, "450 open, 0 not\n")
    assert office.run("account", "create", "--batch", batch).status == 0, "a batch may be given again"
    sums = {
        row["currency"]: (row["credit_minor"], row["total_minor"]) for row in office.json("ledger", "trial-balance")
    }
    assert sums == {"EUR": (225 * 1_000, 0), "JPY": (225 * 10, 0)}


def test_a_mistake_in_a_batch_opens_nothing(office: Office, tmp_path: Path) -> None:
    batch = tmp_path / "batch.jsonl"
    batch.write_text('{"code": "good", "currency": "EUR"}\n{"code": "bad", "currency": "EUR", "opening": 10.5}\n')
    ended = office.run("account", "create", "--batch", batch)
    assert (ended.status, ended.out) == (1, "")
    assert "batch.jsonl line 2: opening must be a text" in ended.err
    assert office.json("account", "list") == []


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "is not JSON"),
        ("[]", "is not a JSON object"),
        ('{"currency": "EUR"}', "a code has 1 to 64"),
        ('{"code": "a b", "currency": "EUR"}', "a code has 1 to 64"),
        ('{"code": "a"}', "has no currency"),
        ('{"code": "a", "currency": "EUR", "kind": "loan"}', "kind must be one of"),
        ('{"code": "a", "currency": "EUR", "openning": "1"}', "unknown key 'openning'"),
        ('{"code": "a", "currency": "EUR", "opening": "1.005"}', "too precise"),
        ('{"code": "a", "currency": "EUR", "opening": "-1"}', "not an amount"),
        ('{"code": "a", "currency": "EUR", "credit_line": "1", "unlimited": true}', "no credit line"),
        ('{"code": "a", "currency": "EUR", "unlimited": "yes"}', "true or false"),
        ('{"code": "a", "currency": "EUR", "cards": "4761739001010010"}', "must be an array"),
        ('{"code": "a", "currency": "EUR", "cards": ["47617390010100x0"]}', "card 1: a card number has"),
        ('{"code": "a", "currency": "EUR", "cards": [4761739001010010]}', "card 1: a card number has"),
    ],
)
def test_a_line_that_is_no_account_is_refused_without_card_numbers(line: str, says: str) -> None:
    with pytest.raises(Complaint, match=says) as refused:
        read_opening_line(line, "line 1")
    assert "4761739" not in str(refused.value)


def test_a_card_number_on_the_command_line_is_wrong_usage(office: Office) -> None:
    ended = office.run("account", "create", "--code", "a", "--currency", "EUR", "--card", PAN)
    assert ended.status == 2
    assert office.json("account", "list") == []


def test_accounts_are_listed_by_kind_and_institution(customer: Office) -> None:
    assert [row["code"] for row in customer.json("account", "list", "--kind", "suspense")] == ["suspense.opening.EUR"]
    assert customer.json("account", "list", "--institution", "blue-bank") == []


def test_an_unknown_account_is_one_sentence(office: Office) -> None:
    ended = office.run("account", "show", "nobody")
    assert (ended.status, ended.out, ended.err) == (1, "", "junctor: there is no account nobody\n")
