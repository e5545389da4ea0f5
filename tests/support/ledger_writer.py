"""A process that writes purchases into the books for ever and says which were acknowledged; made to be killed.

Arguments: the database's URL, the number of the first purchase, how many in a batch. It prints, after each commit
and never before, a line for each purchase: its number and the response.
"""

from __future__ import annotations

import sys

from junctor.ledger import Vault, open_store
from junctor.ledger.operations import Answered, Decided
from ledger_items import purchase


def main(url: str, first: int, size: int) -> None:
    """Write until killed."""
    store = open_store(url, Vault(b"d" * 32, b"c" * 32))
    while True:
        numbers = range(first, first + size)
        outcomes = store.commit([purchase(number, 1, hold=number % 3 == 0) for number in numbers])
        for number, outcome in zip(numbers, outcomes, strict=True):
            assert isinstance(outcome, Decided | Answered), outcome
            print(number, outcome.response.decode())
        sys.stdout.flush()
        first += size


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
