"""Business days from the command line: close one, and see what was exchanged and reconciled."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest
from junctor.ledger.operations import Authorise, Movement
from junctor.ledger.settlement_items import Reconcile, Role
from office import EUR, Office, facts


@pytest.fixture
def busy(tmp_path: Path, sqlite_url: str) -> Office:
    """An office with one purchase of 12.50 and two reconciliations, the second of which differs in one figure."""
    office = Office(tmp_path, sqlite_url)
    office.json("account", "create", "--code", "anna", "--currency", "EUR", "--opening", "100.00")
    office.json("account", "create", "--code", "shop", "--currency", "EUR", "--unlimited")
    store, _ = office.open_store()
    paid = attrs.evolve(facts(1), processing_code="000000")
    store.commit([Authorise(paid, (Movement("anna", "shop", 1_250, EUR),), lambda _: b"yes")])
    for number, count in ((2, 1), (3, 2)):
        asked = attrs.evolve(facts(number, "0500", 0), fingerprint=b"r" * 16)
        store.commit([Reconcile(asked, Role.ACQUIRER, None, ((76, count), (88, 1_250)), lambda _: b"told")])
    store.close()
    return office


def test_cutover_closes_the_open_day_once_when_the_day_is_named(busy: Office) -> None:
    (before,) = busy.json("ledger", "days")
    day = str(before["bdate"])
    assert busy.json("ledger", "cutover", "--closes", day, "--opens", "2099-01-31") == {"open": 20990131}
    again = busy.run("ledger", "cutover", "--closes", day)
    assert (again.status, again.out) == (1, "")
    assert "is not the open business day" in again.err
    new, old = busy.json("ledger", "days")
    assert (new["bdate"], new["state"], old["state"]) == (20990131, "open", "cut over")
    assert busy.run("ledger", "days").out.splitlines()[1].split()[:2] == ["20990131", "open"]


def test_a_date_that_is_none_is_wrong_usage(busy: Office) -> None:
    assert busy.run("ledger", "cutover", "--closes", "2026-02-30").status == 2


def test_totals_show_number_and_amount_by_class(busy: Office) -> None:
    (row,) = busy.json("ledger", "totals", "--institution", "acme-pos")
    assert (row["role"], row["total_class"], row["count"], row["amount_minor"]) == ("acquirer", "debits", 1, 1_250)
    assert busy.run("ledger", "totals").out.splitlines()[1].split()[-2:] == ["1", "12.50"]
    assert busy.json("ledger", "totals", "--date", "2001-01-01") == []


def test_reconcile_lists_what_differs_with_status_1(busy: Office) -> None:
    ended = busy.run("ledger", "reconcile", "--json")
    assert ended.status == 1
    told = sorted((row["breaks"] for row in ended.json), key=len)
    assert told == [[], [{"element": 76, "theirs": 2, "ours": 1}]]
    lines = busy.run("ledger", "reconcile").out.splitlines()[1:]
    assert sorted("differs" in line for line in lines) == [False, True]
    assert sorted("in balance" in line for line in lines) == [False, True]
    nobody = busy.run("ledger", "reconcile", "--institution", "blue")
    assert nobody.status == 1
    assert "blue has not reconciled" in nobody.err
