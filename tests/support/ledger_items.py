"""Short ways to say what is asked of the books, for the ledger's tests."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from junctor.ledger import Store, Vault, open_reader
from junctor.ledger.operations import (
    Authorise,
    Capture,
    Decided,
    Decision,
    Declined,
    Dispatch,
    Done,
    Facts,
    Item,
    Movement,
    NewDelivery,
    OpenAccount,
    Original,
    Outcome,
    Reason,
    Reverse,
)

EUR, USD = 978, 840
BIG = 2**63 - 1


def key(number: int) -> bytes:
    """The identity of message `number`."""
    return number.to_bytes(16, "big")


def facts(number: int, amount: int = 100, **changes: Any) -> Facts:
    """Facts of message `number`."""
    given: dict[str, Any] = {
        "key": key(number),
        "fingerprint": b"same",
        "source": "acme",
        "destination": "ledger",
        "type": "0200",
        "received_us": 1_000 + number % 1_000_000,
        "trace": f"trace{number}",
        "amount_minor": amount,
        "currency": EUR,
    }
    return Facts(**(given | changes))


def render(decision: Decision) -> bytes:
    """A response that shows what was decided."""
    if isinstance(decision, Declined):
        return f"no {decision.reason.name if decision.reason else decision.code}".encode()
    left = "" if decision.balance is None else f" left {decision.balance.available}"
    return f"yes {decision.amount_minor}{left}".encode()


def nobody(_: Original) -> NewDelivery | None:
    """Forward nothing."""
    return None


def pay(amount: int = 100, debit: Any = "anna", credit: Any = "shop", currency: int = EUR, **more: Any) -> Movement:
    """A movement of a purchase."""
    return Movement(debit, credit, amount, currency, **more)


def purchase(number: int, amount: int = 100, **changes: Any) -> Authorise:
    """A purchase on our own books; with `hold`, a pre-authorisation."""
    about = {name: changes.pop(name) for name in ("fingerprint", "destination", "type", "rrn") if name in changes}
    movements = changes.pop("movements", (pay(amount),))
    return Authorise(facts(number, amount, **about), movements, changes.pop("render", render), **changes)


def dispatch(number: int, amount: int = 100, **changes: Any) -> Dispatch:
    """A purchase that goes to a peer called blue, who owes it to the shop."""
    given: dict[str, Any] = {
        "facts": facts(number, amount, destination="blue", **changes.pop("about", {})),
        "movements": (pay(amount, "blue"),),
        "link": "blue-1",
        "until_us": 1_000_000 + number,
        "silence_response": f"silence {number}".encode(),
        "silence_code": "68",
        "reversal": NewDelivery("blue", "reversal", f"undo {number}".encode()),
        "sent_trace": f"sent {number}",
        "render": render,
    }
    return Dispatch(**(given | changes))


def capture(number: int, original: int, amount: int = 100, **changes: Any) -> Capture:
    """A completion of an earlier hold."""
    given: dict[str, Any] = {
        "facts": facts(number, amount, type="0220", **changes.pop("about", {})),
        "original_key": key(original),
        "amount_minor": amount,
        "movements": (pay(amount),),
        "render": render,
        "forward": nobody,
    }
    return Capture(**(given | changes))


def reverse(number: int, original: int, replacement: int | None = None, **changes: Any) -> Reverse:
    """A reversal, in full or down to a replacement amount."""
    given: dict[str, Any] = {
        "facts": facts(number, 0, type="0420", **changes.pop("about", {})),
        "original_key": key(original),
        "render": render,
        "forward": nobody,
        "replacement_minor": replacement,
    }
    return Reverse(**(given | changes))


class Asked:
    """A forward function that remembers which originals it was asked about, and forwards them to a lane.

    A batch may be run again, so an original is remembered once; how often it is forwarded is seen in the lane.
    """

    def __init__(self, lane: str | None = "blue") -> None:
        self.lane = lane
        self.originals: list[Original] = []

    def __call__(self, original: Original) -> NewDelivery | None:
        if original not in self.originals:
            self.originals.append(original)
        return None if self.lane is None else NewDelivery(self.lane, "advice", b"tell " + original.key[-1:])


class Bank:
    """A store with a few accounts, and what can be seen of it."""

    def __init__(self, store: Store, url: str, vault: Vault) -> None:
        self.store = store
        self.url = url
        self.vault = vault

    def commit(self, *items: Item) -> list[Any]:
        """Commit items as one batch, and give their outcomes."""
        return list(self.store.commit(items))

    def one(self, item: Item) -> Any:
        """Commit one item alone, and give its outcome."""
        (outcome,) = self.store.commit([item])
        return outcome

    def open(self, code: str, opening: int = 0, **changes: Any) -> None:
        """Open an account, with money from nowhere."""
        given: dict[str, Any] = {"kind": "cardholder", "currency": EUR, "institution": "acme", "created_us": 1}
        outcomes = self.commit(OpenAccount(code=code, **(given | changes)))
        assert isinstance(outcomes[0], Done), outcomes
        if opening:
            currency = changes.get("currency", EUR)
            world = f"world.{currency}"
            self.commit(OpenAccount(world, "suspense", currency, "", 1, floor_minor=None))
            number = 2**100 + sum(code.encode()) * 1000 + len(self.accounts())
            moved = self.one(
                Authorise(
                    facts(number, opening), (Movement(world, code, opening, currency),), lambda _: b"", forced=True
                )
            )
            assert isinstance(moved, Decided), moved

    def see(self, look: Callable[[Any], Any]) -> Any:
        """Read something over a reader of its own."""
        with open_reader(self.url, self.vault) as reader:
            return look(reader)

    def accounts(self) -> list[Any]:
        return list(self.see(lambda reader: reader.accounts()))

    def holds(self, code: str) -> tuple[int, int]:
        """What an account holds: posted and held."""
        balance = self.see(lambda reader: reader.account(code)).balance
        return balance.posted, balance.held

    def entries(self, code: str) -> list[tuple[str, int, int]]:
        """An account's entries: kind, amount, held delta."""
        found: Sequence[Any] = self.see(lambda reader: reader.statement(code))
        return [(entry.kind, entry.amount_minor, entry.held_delta_minor) for entry in found]

    def waiting(self, lane: str = "blue") -> list[tuple[int, str]]:
        """The deliveries of a lane: number and kind."""
        return [(row.seq, row.kind) for row in self.see(lambda reader: reader.deliveries(lane))]


def declined(outcome: Outcome) -> Reason | None:
    """Why the books declined; fails for any other outcome."""
    assert isinstance(outcome, Decided), outcome
    assert isinstance(outcome.decision, Declined), outcome
    return outcome.decision.reason


def approved(outcome: Outcome) -> int:
    """The amount approved; fails for any other outcome."""
    assert isinstance(outcome, Decided), outcome
    assert not isinstance(outcome.decision, Declined | type(None)), outcome
    return outcome.decision.amount_minor


@contextmanager
def raw(url: str) -> Iterator[Any]:
    """A connection past the store, to spoil things with; SQL with the parameter mark of neither."""
    if url.startswith("sqlite"):
        connection: Any = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    else:
        connection = psycopg.connect(url, autocommit=True)
    try:
        yield connection
    finally:
        connection.close()
