"""The rules are pure: run again, or under another clock, they decide the same."""

from __future__ import annotations

from contextlib import closing
from copy import deepcopy

import pytest
from junctor.ledger import Vault, open_store
from junctor.ledger.engine import Lacks, decide
from junctor.ledger.operations import Answered, Decided, Decision, Item, NewDelivery, Original
from junctor.ledger.page import Page
from junctor.ledger.state import Account
from junctor.ledger.verify import verify
from ledger_items import EUR, Bank, capture, dispatch, key, purchase, render, reverse
from ledger_soundness import check_sound


class Counted:
    """Renders and forwards, and remembers how often it was asked what."""

    def __init__(self) -> None:
        self.decisions: list[Decision] = []
        self.originals: list[Original] = []

    def render(self, decision: Decision) -> bytes:
        self.decisions.append(decision)
        return render(decision)

    def forward(self, original: Original) -> NewDelivery | None:
        self.originals.append(original)
        return NewDelivery("blue", "tell", original.key)


def items(counted: Counted) -> list[Item]:
    return [
        purchase(1, 50, render=counted.render),
        purchase(2, 60, hold=True, expires_us=9, render=counted.render),
        capture(3, 2, 40, render=counted.render, forward=counted.forward),
        dispatch(4, 30, render=counted.render),
        reverse(5, 4, render=counted.render, forward=counted.forward),
        reverse(6, 1, 20, render=counted.render, forward=counted.forward),
        purchase(1, 50, render=counted.render),
        purchase(7, 10**9, render=counted.render),
        purchase(8, 40, destination="blue", sent_trace="sent", render=counted.render),
        reverse(9, 8, render=counted.render, forward=counted.forward),
    ]


def page_for(asked: list[Item], now_us: int) -> Page:
    page = Page(now_us, 20260102)
    for number, code in enumerate(("anna", "shop", "blue"), 1):
        page.codes.loaded[code] = number
        page.accounts.loaded[number] = Account(number, EUR, 1_000, 0, 0, 0, None, 0, 0, 0)
    while isinstance(lacks := decide(asked, page), Lacks):
        for lack in lacks.rows:
            getattr(page, lack.table).loaded[lack.key] = None
    page.clear()
    return page


def test_a_batch_that_is_run_again_asks_the_same_and_decides_the_same() -> None:
    runs = []
    for now_us in (1_000_000, 5):
        counted = Counted()
        asked = items(counted)
        page = page_for(asked, now_us)
        counted.decisions.clear()
        counted.originals.clear()
        outcomes = decide(asked, page)
        assert not isinstance(outcomes, Lacks)
        balances = [(it.posted, it.held, it.seq) for it in page.accounts.loaded.values() if it is not None]
        runs.append((outcomes, counted.decisions, counted.originals, balances, [row[:9] for row in page.entries]))
    assert runs[0] == runs[1]
    assert [type(it).__name__ for it in runs[0][0]].count("Decided") == 8
    assert [original.key for original in runs[0][2]] == [key(8)]


def test_a_page_that_is_cleared_decides_as_if_it_were_new() -> None:
    counted = Counted()
    asked = items(counted)
    page = page_for(asked, 1)
    before = deepcopy([page.accounts.loaded, page.messages.loaded])
    first = decide(asked, page)
    page.clear()
    assert repr([page.accounts.loaded, page.messages.loaded]) == repr(before)
    assert decide(asked, page) == first


def test_a_clock_that_goes_backwards_changes_no_decision(
    sqlite_url: str, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(open_store(sqlite_url, vault)) as store:
        bank = Bank(store, sqlite_url, vault)
        bank.open("anna", 1_000)
        bank.open("shop", floor_minor=None)
        for number, now_us in ((1, 9_000_000), (2, 3_000_000), (3, 1)):
            monkeypatch.setattr("junctor.ledger.sqlite._CLOCK", f"SELECT {now_us}")
            assert isinstance(bank.one(purchase(number, 100)), Decided)
        assert isinstance(bank.one(purchase(1, 100)), Answered)
        assert isinstance(bank.one(reverse(4, 2)), Decided)
        assert bank.holds("anna") == (800, 0)
        assert [(it.seq, it.balance_minor) for it in bank.see(lambda reader: reader.statement("anna"))][1:] == [
            (2, 900),
            (3, 800),
            (4, 700),
            (5, 800),
        ]
        check_sound(sqlite_url)
        assert verify(sqlite_url, vault).finding is None
