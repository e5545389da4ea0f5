"""What must hold between balances, entries and holds, checked over the whole books in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Connection, Row, Select, cast, func, literal_column, select, tuple_

from .findings import Finding, Tally, Tell
from .rows import unpack_legs
from .schema import balance, entry, in_flight, txn
from .state import Standing

_ROWS_AT_ONCE: Final = 2_000


def check_sound(connection: Connection, tally: Tally, tell: Tell) -> None:
    """Raise the first Finding: a balance unlike its entries, a payment not in balance, a hold without a payment."""
    run = connection.execute
    _check_balances(run, tally, tell)
    _check_sums(run)
    _check_holds(run)


def pages(
    run: Callable[..., Any], found: Select[Any], keys: Sequence[ColumnElement[Any]], most: int
) -> Iterator[Sequence[Row[Any]]]:
    """Give rows in the order of their keys, `most` at a time; the keys are among the columns."""
    found = found.order_by(*keys).limit(most)
    names = [getattr(it, "name", "") for it in keys]
    some = run(found).all()
    while some:
        yield some
        if len(some) < most:
            return
        last = tuple(getattr(some[-1], it) for it in names)
        after = keys[0] > last[0] if len(keys) == 1 else tuple_(*keys) > last
        some = run(found.where(after)).all()


def _each(run: Callable[..., Any], found: Select[Any], keys: Sequence[ColumnElement[Any]]) -> Iterator[Row[Any]]:
    for some in pages(run, found, keys, _ROWS_AT_ONCE):
        yield from some


def _check_balances(run: Callable[..., Any], tally: Tally, tell: Tell) -> None:
    """Walk balances and entries side by side, both in the order of accounts."""
    entries = _each(run, select(entry), (entry.c.account_id, entry.c.seq))
    row = next(entries, None)
    for held in _each(run, select(balance), (balance.c.account_id,)):
        where = f"account {held.account_id}"
        if row is not None and row.account_id < held.account_id:
            break
        posted = held_after = seq = 0
        while row is not None and row.account_id == held.account_id:
            seq, posted, held_after = seq + 1, posted + row.amount, held_after + row.held_delta
            if row.seq != seq:
                raise Finding("missing", f"entry {row.account_id}/{seq}", f"the next one is {row.seq}")
            if (row.balance, row.held) != (posted, held_after):
                raise Finding(
                    "unbalanced",
                    f"entry {row.account_id}/{seq}",
                    "its balance is not the sum of all up to it",
                )
            row = next(entries, None)
        if seq != held.seq:
            what, n = ("missing", seq + 1) if seq < held.seq else ("added", held.seq + 1)
            raise Finding(what, f"entry {held.account_id}/{n}", f"the account has {held.seq} entries")
        if (held.posted, held.held) != (posted, held_after):
            raise Finding("unbalanced", where, "its balance is not the sum of its entries")
        tally.accounts += 1
        if tally.accounts % _ROWS_AT_ONCE == 0:
            tell(tally)
    if row is not None:
        raise Finding("missing", f"balance of account {row.account_id}", "there are entries of it")
    tell(tally)


# Two sums of halves, because a sum of 64-bit amounts may not fit 64 bits.
_HIGH: Final = func.sum(entry.c.amount.op(">>")(literal_column("32")))
_LOW: Final = cast(func.sum(entry.c.amount.op("&")(literal_column("4294967295"))), BigInteger)
_UNIT: Final[ColumnElement[int]] = literal_column("4294967296")
_UNBALANCED: Final = (
    select(entry.c.txn_key, balance.c.currency)
    .join(balance, balance.c.account_id == entry.c.account_id)
    .group_by(entry.c.txn_key, balance.c.currency)
    .having((_LOW.op("%")(_UNIT) != 0) | (_HIGH + _LOW.op("/")(_UNIT) != 0))
    .order_by(entry.c.txn_key, balance.c.currency)
    .limit(1)
)


def _check_sums(run: Callable[..., Any]) -> None:
    row = run(_UNBALANCED).first()
    if row is not None:
        raise Finding(
            "unbalanced", f"transaction {row.txn_key.hex()}", f"its entries in currency {row.currency} are not zero"
        )


def _check_holds(run: Callable[..., Any]) -> None:
    """Compare what accounts hold with what open payments set aside; keeps one number for each such account."""
    holds: Counter[int] = Counter()
    held = select(txn.c.txn_key, txn.c.legs).where(txn.c.state == int(Standing.HELD))
    for found, key in ((held, txn.c.txn_key), (select(in_flight.c.idem_key, in_flight.c.legs), in_flight.c.idem_key)):
        for row in _each(run, found, (key,)):
            for debit, _, amount, _ in unpack_legs(row.legs):
                holds[debit] += amount
    holding = select(balance.c.account_id, balance.c.held).where(balance.c.held != 0)
    for row in _each(run, holding, (balance.c.account_id,)):
        if holds.pop(row.account_id, 0) != row.held:
            raise Finding("unbalanced", f"account {row.account_id}", "what it holds is not what payments set aside")
    for account_id in sorted(it for it, amount in holds.items() if amount):
        raise Finding("unbalanced", f"account {account_id}", "payments set aside what it does not hold")
