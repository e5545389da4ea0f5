"""A process that asks the books one thing after the other and says what was acknowledged; made to be killed.

What is asked is a function of its number alone, so that whoever reads the acknowledgements can work out each answer.
Arguments: the database's URL, the number of the first item. It prints, after each commit and never before, a line
for each item: its number and what it was told. While the database is away it asks again, as a switch does.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from random import Random
from typing import Any, Final

from junctor.ledger import Limits, Store, Vault, open_store
from junctor.ledger.operations import Answered, Decided, Item, OutcomeUnknown, StoreUnavailable
from ledger_items import capture, pay, purchase, reverse

VAULT: Final = Vault(b"d" * 32, b"c" * 32)
LIMITS: Final = Limits(connect_timeout_s=2, reply_timeout_s=5)
BATCH_MAX: Final = 32
CUSTOMERS: Final = ("anna", "bert", "cleo")
FLOOR_MINOR: Final = -3_000


def item_of(number: int) -> Item:
    """Give the item that has this number: some are repeats of earlier ones, a few of those with other content."""
    random = Random(number)
    kind, amount, earlier = random.random(), random.randrange(1, 500), max(1, number - random.randrange(1, 12))
    customer = random.choice(CUSTOMERS)
    movement = pay(amount, customer) if random.random() < 0.6 else pay(amount, "shop", customer)
    if kind < 0.4 or number < 12:
        return purchase(number, amount, movements=(movement,))
    if kind < 0.6:
        return purchase(number, amount, movements=(pay(amount, customer),), hold=True)
    if kind < 0.75:
        return capture(number, earlier, amount, movements=(movement,))
    if kind < 0.85:
        return reverse(number, earlier, random.choice([None, None, 5]))
    if kind < 0.97:
        return item_of(earlier)
    return purchase(earlier, amount, fingerprint=b"other")


def told(outcome: Any) -> str:
    """Say what a peer hears: the response, the same for a decision and its repeat; else the kind of outcome."""
    return outcome.response.hex() if isinstance(outcome, Decided | Answered) else type(outcome).__name__


def batch_from(first: int) -> range:
    """Give the numbers of the batch that begins here."""
    return range(first, first + Random(-first).randrange(1, BATCH_MAX + 1))


class Stubborn:
    """Commits a batch however often it takes."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.store: Store | None = None
        self._pause = threading.Event()

    def commit(self, numbers: range) -> list[str]:
        items = [item_of(number) for number in numbers]
        while True:
            try:
                if self.store is None:
                    self.store = open_store(self.url, VAULT, LIMITS)
                return [told(outcome) for outcome in self.store.commit(items)]
            except (OutcomeUnknown, StoreUnavailable):
                self.close()
                self._pause.wait(0.05)

    def close(self) -> None:
        store, self.store = self.store, None
        if store is not None:
            store.close()


def main(url: str, first: int) -> None:
    """Ask until killed."""
    writer = Stubborn(url)
    while True:
        numbers = batch_from(first)
        for number, heard in zip(numbers, writer.commit(numbers), strict=True):
            print(number, heard)
        sys.stdout.flush()
        first = numbers.stop


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main(sys.argv[1], int(sys.argv[2]))
