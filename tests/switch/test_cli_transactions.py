"""`junctor transaction`, on both databases."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import attrs
import pytest
from junctor.codecs.masking import Pan, is_luhn
from junctor.ledger.operations import Authorise, Decision, Movement, Reverse
from junctor.switch.cli.complaints import Complaint
from junctor.switch.cli.times import read_since, write_time, write_time_exactly
from office import EUR, OTHER_PAN, PAN, RECEIVED_US, Office, facts


@pytest.mark.parametrize(
    "conditions",
    [["--stan", "004217"], ["--rrn", "622315004217"], ["--terminal", "TERM0001"], ["--since", "2023-11-14"]],
)
def test_a_payment_is_found_by_what_people_know_of_it(paid: Office, conditions: list[str]) -> None:
    found = [row for row in paid.json("transaction", "find", *conditions) if row["type"] == "0200"]
    assert [row["key"] for row in found] == ["01" * 16]
    assert (found[0]["result"], found[0]["response_code"]) == ("approved", "00")
    assert found[0]["pan_masked"] == "476173******0010"


@pytest.mark.parametrize("conditions", [["--stan", "999999"], ["--reference", "none"], ["--since", "2099-01-01"]])
def test_what_does_not_match_is_not_found(paid: Office, conditions: list[str]) -> None:
    assert paid.json("transaction", "find", *conditions) == []
    assert paid.run("transaction", "find", *conditions).out == "no messages\n"


def test_a_payment_is_found_by_its_card(paid: Office) -> None:
    store, vault = paid.open_store()
    movement = Movement("customer-1", "shop", 5, EUR)
    with_card = attrs.evolve(facts(9), card_ref=vault.card_ref(Pan(OTHER_PAN)))
    store.commit([Authorise(facts=with_card, movements=(movement,), render=lambda decision: b"")])
    store.close()
    ended = paid.run("transaction", "find", "--card", "--json", stdin=f"{OTHER_PAN}\n")
    assert [row["key"] for row in ended.json] == ["09" * 16]
    assert paid.run("transaction", "find", "--card", "--json", stdin=f"{PAN}\n").json == []


def test_the_response_code_follows_from_our_own_decision(customer: Office) -> None:
    store, _ = customer.open_store()
    too_much, unknown = (
        Authorise(
            facts(key, amount_minor=amount), (Movement(account, "suspense.opening.EUR", amount, EUR),), bytes_of
        )
        for key, account, amount in ((3, "customer-1", 35_001), (4, "nobody", 1))
    )
    store.commit([too_much, unknown])
    store.close()
    found = {row["key"][:2]: row for row in customer.json("transaction", "find", "--stan", "004217")}
    assert (found["03"]["response_code"], found["03"]["reason"]) == ("51", "EXCEEDS_FUNDS")
    assert (found["04"]["response_code"], found["04"]["reason"]) == ("14", "UNKNOWN_ACCOUNT")
    assert "available funds do not suffice" in customer.run("transaction", "show", "03" * 16).out


def bytes_of(decision: Decision) -> bytes:
    return repr(decision).encode()


def test_references_are_shown_whole_unless_they_may_be_a_card_number(customer: Office) -> None:
    # Twelve digits that pass Luhn are a good RRN; sixteen of them in a free text may be a card.
    rrn, uetr = "622315004219", "12345678-1234-4234-8234-123456789015"
    store, _ = customer.open_store()
    for key, reference in ((5, f"CARD {PAN}"), (6, uetr)):
        told = attrs.evolve(facts(key), rrn=rrn, reference=reference)
        store.commit([Authorise(told, (Movement("customer-1", "suspense.opening.EUR", 1, EUR),), bytes_of)])
    store.close()
    assert is_luhn(rrn)
    for out in (customer.run("transaction", "find").out, customer.run("transaction", "find", "--json").out):
        assert rrn in out
        assert PAN not in out
    found = {row["key"][:2]: row["reference"] for row in customer.json("transaction", "find", "--rrn", rrn)}
    assert found == {"05": "CARD 476173******0010", "06": uetr}


def reverse_payment(office: Office) -> None:
    store, _ = office.open_store()
    original_key = bytes([1]) * 16
    store.commit([Reverse(facts(2, "0400"), original_key, lambda decision: b"", lambda original: None)])
    store.close()


def test_a_payment_is_shown_with_its_messages_entries_and_deliveries(paid: Office) -> None:
    reverse_payment(paid)
    shown = paid.json("transaction", "show", "01" * 16)
    assert [(row["type"], row["result"]) for row in shown["messages"]] == [("0200", "approved"), ("0400", "approved")]
    assert (shown["state"], shown["amount_minor"]) == ("reversed", 0)
    assert [row["amount_minor"] for row in shown["entries"] if row["account"] == "shop"] == [1_250, -1_250]
    assert [row["seq"] for row in shown["deliveries"]] == [3]
    assert [row["reason"] for row in shown["dead_letters"]] == ["refused: 30"] * 2
    out = paid.run("transaction", "show", "01" * 16).out
    for text in ("Messages", "Movements", "Entries", "Deliveries", "dead: refused: 30", "-12.50", "476173******0010"):
        assert text in out
    assert PAN not in out + json.dumps(shown)


def test_the_payment_is_shown_by_the_key_of_any_of_its_messages(paid: Office) -> None:
    reverse_payment(paid)
    assert paid.json("transaction", "show", "02" * 16) == paid.json("transaction", "show", "01" * 16)


def test_an_unknown_key_and_a_wrong_one_are_told_apart(office: Office) -> None:
    assert office.run("transaction", "show", "0f" * 16).status == 1
    assert office.run("transaction", "show", "no hex").status == 2


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("90m", "2026-01-19 10:30:00"),
        ("2d", "2026-01-17 12:00:00"),
        ("30s", "2026-01-19 11:59:30"),
        ("2026-01-18", "2026-01-18 00:00:00"),
        ("2026-01-18T10:00:00+02:00", "2026-01-18 08:00:00"),
    ],
)
def test_times_are_read_as_people_write_them(text: str, at: str) -> None:
    assert write_time(read_since(text, datetime(2026, 1, 19, 12, tzinfo=UTC))) == at


def test_times_are_written_to_the_millisecond_where_order_matters() -> None:
    assert write_time_exactly(RECEIVED_US + 1_999) == "2023-11-14 22:13:20.001"
    assert write_time_exactly(None) == "-"


@pytest.mark.parametrize("text", ["", "d", "-1d", "yesterday", "9999999d", "²d"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Complaint, match="is no time"):
        read_since(text, datetime(2026, 1, 19, 12, tzinfo=UTC))
