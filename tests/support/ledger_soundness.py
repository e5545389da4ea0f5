"""What must hold in the ledger's tables after every commit, whatever was asked."""

from __future__ import annotations

from collections import Counter
from typing import Any

from junctor.ledger.connecting import make_engine
from junctor.ledger.rows import unpack_legs, unpack_places
from junctor.ledger.schema import account_event, balance, dead_letter, delivery, entry, in_flight, message, txn
from junctor.ledger.state import Standing
from sqlalchemy import select

SOUND = (account_event, balance, entry, txn, in_flight, message, delivery, dead_letter)


def check_sound(url: str) -> None:
    """What must hold in the tables after every commit, whatever was asked."""
    with make_engine(url).connect() as connection:
        tables = {it.name: connection.execute(select(it)).fetchall() for it in SOUND}
    balances = {row.account_id: row for row in tables["balance"]}
    holds: Counter[int] = Counter()
    placed: list[tuple[int, int]] = []
    for row in (*tables["txn"], *tables["in_flight"]):
        if getattr(row, "state", Standing.HELD) == Standing.HELD:
            for debit, _, amount, _ in unpack_legs(row.legs):
                holds[debit] += amount
        placed += unpack_places(row.entries)
    placed += [(row.account_id, row.seq) for row in tables["account_event"]]
    by_account: dict[int, list[Any]] = {number: [] for number in balances}
    sums: Counter[tuple[bytes, int]] = Counter()
    for row in sorted(tables["entry"], key=lambda it: (it.account_id, it.seq)):
        by_account[row.account_id].append(row)
        sums[row.txn_key, balances[row.account_id].currency] += row.amount
    assert set(sums.values()) <= {0}, "entries sum to zero per payment and currency"
    assert sorted(placed) == sorted((it.account_id, it.seq) for it in tables["entry"]), "each entry is its payment's"
    for number, row in balances.items():
        posted = held = 0
        for seq, it in enumerate(by_account[number], 1):
            posted, held = posted + it.amount, held + it.held_delta
            assert (it.seq, it.balance, it.held) == (seq, posted, held), "each entry tells the balance after it"
        assert (row.posted, row.held, row.seq) == (posted, held, len(by_account[number]))
        assert row.held == holds[number], "what is held is the sum of open holds"
        assert row.floor is None or row.overdraw == max(0, row.floor - posted + held), "the mark is exact"
    keys = [row.idem_key for row in (*tables["message"], *tables["in_flight"])]
    assert len(keys) == len(set(keys)), "one outcome per key"
    letters = [(row.lane, row.seq) for row in (*tables["delivery"], *tables["dead_letter"])]
    assert len(letters) == len(set(letters)), "a delivery waits or is dead, not both"
