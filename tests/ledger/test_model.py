"""Whatever is asked, in whatever batches, the books answer and stand as a naive model says; and they stay sound."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from copy import deepcopy
from pathlib import Path
from typing import Any, cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from junctor.ledger import Store, Vault, open_store
from junctor.ledger.connecting import make_engine
from junctor.ledger.operations import (
    Abandon,
    Attempt,
    Bury,
    Conclude,
    Delivered,
    Drop,
    ExpireHolds,
    Inquire,
    Item,
    NewDelivery,
    NextSession,
    OpenAccount,
    Original,
    Outcome,
    Postpone,
    Redirect,
    Refuse,
    Revive,
    Silence,
    SilenceOverdue,
)
from junctor.ledger.schema import business_day, message, txn
from junctor.ledger.settlement_items import CutOver
from junctor.ledger.state import Standing
from junctor.ledger.verify import verify
from junctor.ledger.views import words
from ledger_items import EUR, USD, Bank, capture, dispatch, facts, key, pay, purchase, render, reverse
from ledger_model import Holder, Model
from ledger_soundness import check_sound
from postgres_server import PostgresServer
from sqlalchemy import select

ACCOUNTS: dict[str, tuple[int, int | None]] = {
    "anna": (EUR, -60),
    "bert": (EUR, 0),
    "blue": (EUR, -90),
    "shop": (EUR, None),
    "dora": (USD, -50),
}
LANES = ("blue", "north")

amounts = st.sampled_from([0, 1, 7, 20, 20, 40, 40, 59, 61, 100])
codes = st.sampled_from(["anna", "anna", "anna", "bert", "blue", "blue", "shop", "shop", "dora", "nobody"])
times = st.integers(0, 12)
rarely = st.integers(0, 9).map(lambda drawn: drawn == 9)


def forward(original: Original) -> NewDelivery | None:
    return NewDelivery("blue", f"tell {original.amount_minor} {original.sent_trace}", b"tell")


class Asker:
    """Draws what is asked next, mostly about something that the model knows to be there."""

    def __init__(self, draw: st.DrawFn, model: Model) -> None:
        self.draw = draw
        self.model = model

    def item(self) -> Item:
        kinds = [self.own_books, self.correction, self.flight, self.ending, self.ending, self.chore, self.sweep]
        return self.draw(st.sampled_from(kinds))()

    def batch(self, most: int) -> list[tuple[Item, Outcome]]:
        """Items that come one after the other, and what the model answers."""
        drawn = []
        for _ in range(self.draw(st.integers(1, most))):
            item = self.item()
            drawn.append((item, self.model.apply(item)))
        return drawn

    def number(self) -> int:
        return self.draw(st.integers(1, 25))

    def new(self) -> int:
        """A number that is new, mostly."""
        known = {*self.model.known, *self.model.open}
        fresh = [it for it in range(1, 26) if key(it) not in known]
        return self.draw(st.sampled_from(fresh)) if fresh and not self.draw(rarely) else self.number()

    def one_of(self, keys: Iterable[bytes]) -> int:
        """A number among these, mostly."""
        found = sorted(int.from_bytes(it, "big") for it in keys)
        return self.draw(st.sampled_from(found)) if found and not self.draw(rarely) else self.number()

    def about(self) -> dict[str, Any]:
        return {"fingerprint": b"other"} if self.draw(rarely) else {}

    def movements(self, amount: int, debit: str | None = None) -> tuple[Any, ...]:
        first = pay(amount, debit or self.draw(codes), self.draw(st.sampled_from(["shop", "shop", "anna", "bert"])))
        extra = self.draw(st.integers(0, 5))
        if extra == 0:
            return ()
        return (first, pay(self.draw(amounts), self.draw(codes), "shop", kind="fee")) if extra == 1 else (first,)

    def own_books(self) -> Item:
        number, amount, about = self.new(), self.draw(amounts), self.about()
        moved = self.movements(amount)
        match self.draw(st.integers(0, 5)):
            case 0 | 1:
                return purchase(number, amount, movements=moved, forced=self.draw(rarely), **about)
            case 2 | 3:
                return purchase(number, amount, movements=moved, hold=True, expires_us=self.draw(times), **about)
            case 4:
                letter = NewDelivery("north", "fin", b"letter", settles=key(number))
                return purchase(number, amount, movements=moved, hold=True, deliveries=(letter,), destination="north")
            case _:
                asked = Inquire(facts(number, 0, **about), self.draw(codes), render)
                refusal = Refuse(facts(number, amount, **about), b"no road", "92")
                return asked if self.draw(st.booleans()) else refusal

    def correction(self) -> Item:
        number, about = self.new(), self.about()
        original = self.one_of([*self.model.known, *self.model.open])
        if self.draw(st.booleans()):
            left = self.draw(st.sampled_from([None, None, 0, 5, 20, 200]))
            return reverse(number, original, left, forward=forward, about=about)
        amount = self.draw(amounts)
        about["destination"] = self.draw(st.sampled_from(["ledger", "blue"]))
        own = (NewDelivery("blue", "own", b"own"),)
        moved = self.movements(amount)
        return capture(number, original, amount, movements=moved, forward=forward, deliveries=own, about=about)

    def flight(self) -> Item:
        amount = self.draw(amounts)
        return dispatch(
            self.new(),
            amount,
            movements=self.movements(amount, "blue"),
            until_us=self.draw(times),
            reversal=self.draw(st.sampled_from([None, NewDelivery("blue", "undo", b"undo")])),
            keeps_hold=self.draw(st.booleans()),
            expires_us=self.draw(times),
            about=self.about(),
        )

    def ending(self) -> Item:
        name, amount = key(self.one_of(self.model.open)), self.draw(amounts)
        match self.draw(st.integers(0, 6)):
            case 0 | 1 | 2:
                return Conclude(name, not self.draw(rarely), amount, "00", b"peer %d" % amount)
            case 3:
                return Conclude(name, False, 0, "05", b"peer no")
            case 4:
                return Silence(name)
            case 5:
                return Abandon(name, b"abandoned", "91")
            case _:
                undo = self.draw(st.sampled_from([None, NewDelivery("north", "undo", b"undo")]))
                moved = self.movements(amount)
                return Redirect(name, "green-1", self.draw(times), "green", moved, undo, "green trace", render)

    def chore(self) -> Item:
        dead = sorted(self.model.dead)
        there = sorted(self.model.waiting) + dead
        if not there or self.draw(rarely):
            there = [(lane, seq) for lane in LANES for seq in range(1, 5)]
        lane, seq = self.draw(st.sampled_from(there))
        chores: list[Item] = [
            Delivered(lane, seq),
            Delivered(lane, seq),
            Attempt(lane, seq, 5),
            Postpone(lane, seq, 5, "no answer"),
            Bury(lane, seq, "given up", releases=True),
            Bury(lane, seq, "given up", releases=False),
            Revive(lane, seq),
            Drop(lane, seq, "not wanted"),
            NextSession(lane),
        ]
        if dead:
            chores += [Revive(*self.draw(st.sampled_from(dead)))] * 3
        return self.draw(st.sampled_from(chores))

    def sweep(self) -> Item:
        spared = frozenset([key(self.one_of(self.model.open))]) if self.draw(st.booleans()) else frozenset[bytes]()
        if self.draw(st.integers(0, 3)) == 0:
            return CutOver(f"cutover {self.draw(times)}", self.draw(st.sampled_from([None, None, 20260102])))
        before, most = self.draw(times), self.draw(st.integers(0, 3))
        return ExpireHolds(before, most) if self.draw(st.booleans()) else SilenceOverdue(before, most, spared)


Script = list[list[tuple[Item, Outcome]]]


def new_model() -> Model:
    model = Model()
    for code, (currency, floor) in ACCOUNTS.items():
        model.holders[code] = Holder(currency, floor)
    return model


@st.composite
def scripts(draw: st.DrawFn) -> tuple[Script, Model]:
    """Batches of items, each with what the model answers, and the model at the end."""
    model = new_model()
    asker = Asker(draw, model)
    script: Script = []
    for size in draw(st.lists(st.integers(1, 8), min_size=2, max_size=7)):
        batch = []
        for _ in range(size):
            item = asker.item()
            batch.append((item, model.apply(item)))
        script.append(batch)
    return script, model


OPENING = [
    OpenAccount(code, "cardholder", currency, "acme", 1, floor_minor=floor)
    for code, (currency, floor) in ACCOUNTS.items()
]


def check_against_model(url: str, vault: Vault, script: Script, model: Model) -> None:
    store = open_store(url, vault)
    try:
        store.commit(OPENING)
        begin_day(url)
        for batch in script:
            assert store.commit([item for item, _ in batch]) == [outcome for _, outcome in batch]
            check_sound(url)
        assert verify(url, vault).finding is None
        check_same(Bank(store, url, vault), model)
    finally:
        store.close()


def check_same(bank: Bank, model: Model) -> None:
    """The books stand where the model stands."""
    assert {it.code: (it.balance.posted, it.balance.held) for it in bank.accounts()} == {
        code: (holder.posted, holder.held) for code, holder in model.holders.items()
    }
    waiting = bank.see(lambda reader: reader.deliveries())
    assert {(it.lane, it.seq): (it.kind, it.attempts, it.settles) for it in waiting} == {
        place: (letter.kind, letter.attempts, letter.settles) for place, letter in model.waiting.items()
    }
    dead = bank.see(lambda reader: reader.dead_letters(dropped=True))
    assert {(it.lane, it.seq) for it in dead if it.dropped_us is None} == set(model.dead)
    assert {(it.lane, it.seq) for it in dead if it.dropped_us is not None} == model.dropped
    assert {it.key for it in bank.see(lambda reader: reader.open_transactions())} == set(model.open)
    with make_engine(bank.url).connect() as connection:
        stored = {row.txn_key: (words(Standing(row.state)), row.amount) for row in connection.execute(select(txn))}
    assert stored == {name: (payment.state, payment.amount) for name, payment in model.payments.items()}
    assert days_of(bank.url) == model.days
    for lane in LANES:
        head = bank.see(lambda reader, lane=lane: reader.lane_head(lane))  # type: ignore[misc]
        first = min((seq for name, seq in model.waiting if name == lane), default=None)
        assert (None if head is None else head.seq) == first


def begin_day(url: str) -> None:
    with make_engine(url).begin() as connection:
        connection.execute(business_day.update().values(bdate=20260101))


def days_of(url: str) -> dict[bytes, int]:
    """Under which business date each message was decided."""
    with make_engine(url).connect() as connection:
        return {row.idem_key: row.bdate for row in connection.execute(select(message.c.idem_key, message.c.bdate))}


OFTEN = settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


def fresh(migrated: Path, folder: Path) -> str:
    """A migrated SQLite database under a name that is used again."""
    for stale in folder.glob("model.db*"):
        stale.unlink()
    return f"sqlite:///{shutil.copy(migrated, folder / 'model.db')}"


@OFTEN
@given(drawn=scripts())
def test_sqlite_books_do_what_the_model_does(
    drawn: tuple[Script, Model], migrated_sqlite: Path, tmp_path: Path, vault: Vault
) -> None:
    check_against_model(fresh(migrated_sqlite, tmp_path), vault, *drawn)


@settings(OFTEN, max_examples=15)
@given(drawn=scripts())
def test_postgresql_books_do_what_the_model_does(
    drawn: tuple[Script, Model], postgres: PostgresServer, migrated_postgres: str, vault: Vault
) -> None:
    name = postgres.create_database(migrated_postgres)
    try:
        check_against_model(postgres.url(name), vault, *drawn)
    finally:
        postgres.drop_database(name)


@settings(OFTEN, max_examples=30)
@given(drawn=scripts())
def test_how_items_are_cut_into_batches_changes_nothing(
    drawn: tuple[Script, Model], migrated_sqlite: Path, tmp_path: Path, vault: Vault
) -> None:
    pairs = [pair for batch in drawn[0] for pair in batch]
    for cut in ([[pair] for pair in pairs], [pairs]):
        url = fresh(migrated_sqlite, tmp_path)
        store = open_store(url, vault)
        store.commit(OPENING)
        begin_day(url)
        outcomes = [outcome for batch in cut for outcome in store.commit([item for item, _ in batch])]
        store.close()
        assert days_of(url) == drawn[1].days
        assert outcomes == [outcome for _, outcome in pairs]


class Crowded(Asker):
    """Draws what two writers may be asked in the same moment: what sweeps and chores find depends on who is first."""

    def item(self) -> Item:
        return self.draw(
            st.sampled_from([self.own_books, self.own_books, self.correction, self.flight, self.ending])
        )()


def together(writers: tuple[Store, Store], draw: st.DrawFn, model: Model, bank: Bank) -> Model:
    """Two writers commit in the same moment: what they answer and leave is what one order of the two gives."""
    batches = [[item for item, _ in Crowded(draw, deepcopy(model)).batch(5)] for _ in writers]
    with ThreadPoolExecutor(2) as threads:
        answered = list(threads.map(lambda pair: pair[0].commit(pair[1]), zip(writers, batches, strict=True)))
    faults = []
    for order in ((0, 1), (1, 0)):
        after = deepcopy(model)
        told = {writer: [after.apply(item) for item in batches[writer]] for writer in order}
        try:
            assert [told[0], told[1]] == answered
            check_same(bank, after)
        except AssertionError as fault:
            faults.append(str(fault))
        else:
            return after
    raise AssertionError(f"neither order gives {answered}: {faults}")


def check_two_writers(url: str, vault: Vault, data: st.DataObject) -> None:
    model, draw = new_model(), cast(st.DrawFn, data.draw)
    with ExitStack() as stack:
        writers = (
            stack.enter_context(closing(open_store(url, vault))),
            stack.enter_context(closing(open_store(url, vault))),
        )
        writers[0].commit(OPENING)
        begin_day(url)
        bank = Bank(writers[0], url, vault)
        for _ in range(data.draw(st.integers(2, 6))):
            if data.draw(st.booleans()):
                model = together(writers, draw, model, bank)
            else:
                batch = Asker(draw, model).batch(6)
                writer = data.draw(st.sampled_from([0, 1]))
                assert writers[writer].commit([item for item, _ in batch]) == [outcome for _, outcome in batch]
            check_sound(url)
        check_same(bank, model)
        assert verify(url, vault).finding is None


@settings(OFTEN, max_examples=8)
@given(data=st.data())
def test_two_writers_on_sqlite_do_what_one_order_of_them_does(
    data: st.DataObject, migrated_sqlite: Path, tmp_path: Path, vault: Vault
) -> None:
    check_two_writers(fresh(migrated_sqlite, tmp_path), vault, data)


@settings(OFTEN, max_examples=8)
@given(data=st.data())
def test_two_writers_on_postgresql_do_what_one_order_of_them_does(
    data: st.DataObject, postgres: PostgresServer, migrated_postgres: str, vault: Vault
) -> None:
    name = postgres.create_database(migrated_postgres)
    try:
        check_two_writers(postgres.url(name), vault, data)
    finally:
        postgres.drop_database(name)
