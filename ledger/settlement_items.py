"""What may be asked of the books about settlement: to close a business day, and to compare a day's totals.

A business date is an integer yyyymmdd. An institution has two roles: it sends messages (acquirer), and messages are
passed on to it (issuer); totals are kept for each, because each is reconciled by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from .operations import Facts


class Role(IntEnum):
    """In which role an institution has its part in a message."""

    ACQUIRER = 1
    """It sent the message."""
    ISSUER = 2
    """The message was passed on to it."""


class TotalClass(IntEnum):
    """A class of messages whose number and amount is kept per day (ISO 8583:1987, DE74 to DE81 and DE86 to DE89)."""

    CREDITS = 1
    CREDIT_REVERSALS = 2
    DEBITS = 3
    DEBIT_REVERSALS = 4
    TRANSFERS = 5
    TRANSFER_REVERSALS = 6
    INQUIRIES = 7
    AUTHORISATIONS = 8


@attrs.frozen
class Total:
    """How many messages of a class, and the sum of their amounts in minor units."""

    count: int = 0
    amount_minor: int = 0


Totals = dict[int, Total]
"""Totals by class; a class that is not there is zero."""


@attrs.frozen
class Break:
    """A figure that the partner and we tell differently; `element` is its number in ISO 8583:1987."""

    element: int
    theirs: int
    ours: int


@attrs.frozen
class Reconciled:
    """The books' side of a reconciliation; `bdate` is None, and nothing is compared, when there is no such day."""

    bdate: int | None
    figures: tuple[tuple[int, int], ...] = ()
    """Our figures by element: counts, amounts in minor units, and the net amount (DE97) with its sign."""
    breaks: tuple[Break, ...] = ()


@attrs.frozen
class CutOver:
    """Close the open business day and open a later one, without stopping traffic.

    Messages decided before it stay in the closed day, those after it are in the new one. `by` names who asked, and
    the asking: the same words again change nothing. closes: the day that must be open; None: whichever is. opens:
    the new day; None: the day after the closed one; when it is open already, or passed, nothing changes. Outcomes:
    Done(number of the open day), Gone when another day than `closes` is open, Failed when `opens` is no date.
    """

    by: str
    closes: int | None = None
    opens: int | None = None


@attrs.frozen
class Reconcile:
    """Compare an institution's totals of a day with ours, note every break, and store the response.

    figures: the partner's, by element of ISO 8583:1987; only these are compared. month_day: the settlement date
    (DE15, MMDD) as a number; None: the day that was closed last, or the open one before the first cutover.
    Outcomes: Decided, Answered, InProgress, Conflict.
    """

    facts: Facts
    role: Role
    month_day: int | None
    figures: tuple[tuple[int, int], ...]
    render: Callable[[Reconciled], bytes] = attrs.field(repr=False)
