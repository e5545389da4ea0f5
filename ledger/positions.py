"""Settlement positions: what each institution owes or is owed, now and on a business day.

The business dates of an account's entries never go back, so a day's first and last entry are found by halving.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import attrs
from sqlalchemy import case, func, select

from . import views
from .schema import account, balance, entry

SETTLEMENT = "settlement"
"""The kind of account whose balance is an institution's position."""


@attrs.frozen
class CurrentPosition:
    """What a settlement account holds after what is set aside, and how far below zero it may go (None: no limit)."""

    institution: str
    account: str
    currency: str
    position_minor: int
    held_minor: int
    cap_minor: int | None


@attrs.frozen
class WindowPosition:
    """How a settlement account went through a business day: debits and credits are positive sums."""

    bdate: int
    institution: str
    account: str
    currency: str
    opening_minor: int
    debits_minor: int
    credits_minor: int
    net_minor: int
    closing_minor: int
    entries: int


class Positions:
    """Positions, over the connection of a reader."""

    def __init__(self, reading: Callable[[], AbstractContextManager[Any]]) -> None:
        self._reading = reading

    def current(self, institution: str | None = None) -> list[CurrentPosition]:
        """List the positions as they are now, by institution and account."""
        wanted = (
            _SETTLING.add_columns(balance.c.posted, balance.c.held, balance.c.floor)
            .join(balance, balance.c.account_id == account.c.account_id)
            .where(account.c.institution == institution if institution is not None else account.c.institution != "")
        )
        with self._reading() as run:
            return [
                CurrentPosition(
                    row.institution,
                    row.code,
                    views.letters(row.currency),
                    row.posted - row.held,
                    row.held,
                    None if row.floor is None else -row.floor,
                )
                for row in run(wanted)
            ]

    def of_day(self, bdate: int, institution: str | None = None) -> list[WindowPosition]:
        """List how settlement accounts went through a day; one that had no entry until its end is left out."""
        wanted = _SETTLING.where(
            account.c.institution == institution if institution is not None else account.c.institution != ""
        )
        with self._reading() as run:
            positions = [_of_day(run, row, bdate) for row in run(wanted).fetchall()]
        return [each for each in positions if each is not None]


_SETTLING = (
    select(account.c.account_id, account.c.code, account.c.currency, account.c.institution)
    .where(account.c.kind == SETTLEMENT)
    .order_by(account.c.institution, account.c.code)
)
_DEBITS = func.coalesce(func.sum(case((entry.c.amount < 0, entry.c.amount), else_=0)), 0)
_CREDITS = func.coalesce(func.sum(case((entry.c.amount > 0, entry.c.amount), else_=0)), 0)


def _of_day(run: Any, row: Any, bdate: int) -> WindowPosition | None:
    number = row.account_id
    top = run(select(func.coalesce(func.max(entry.c.seq), 0)).where(entry.c.account_id == number)).scalar_one()
    last = _last_until(run, number, bdate, top)
    if not last:
        return None
    before = _last_until(run, number, bdate - 1, last)
    sums = select(_DEBITS, _CREDITS).where(entry.c.account_id == number, entry.c.seq > before, entry.c.seq <= last)
    debits, credits_ = (int(sum_) for sum_ in run(sums).one())
    opening = _balance_after(run, number, before)
    return WindowPosition(
        bdate,
        row.institution,
        row.code,
        views.letters(row.currency),
        opening,
        -debits,
        credits_,
        debits + credits_,
        opening + debits + credits_,
        last - before,
    )


def _last_until(run: Any, number: int, bdate: int, top: int) -> int:
    """Give the number of the last entry of that day or an earlier one, 0 when there is none."""
    low, high = 0, top
    while low < high:
        middle = (low + high + 1) // 2
        found = run(select(entry.c.bdate).where(entry.c.account_id == number, entry.c.seq == middle)).scalar_one()
        low, high = (middle, high) if found <= bdate else (low, middle - 1)
    return low


def _balance_after(run: Any, number: int, seq: int) -> int:
    if not seq:
        return 0
    found = select(entry.c.balance).where(entry.c.account_id == number, entry.c.seq == seq)
    return int(run(found).scalar_one())
