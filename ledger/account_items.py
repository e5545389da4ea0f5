"""What an operator may ask of an account, once it is open: the items, and nothing that decides them.

Each of them names who asks and why: both are kept, with what changed, in an `account_event` that is only ever added.
Outcomes: Done (`number` is the event's, or 0 when there was nothing to change), Gone, Failed.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

import attrs


class Keep(Enum):
    """The one value that leaves a thing as it is, where None means something."""

    KEEP = "keep"


KEEP: Final = Keep.KEEP


@attrs.frozen
class UpdateAccount:
    """Change an account's limits or name.

    floor_minor: the lowest (posted - held): minus a credit line, None for no limit. ceiling_minor: the highest posted
    balance, None for no limit. What an account has spent already stands: a floor above it is marked as overdraft.
    """

    code: str
    who: str
    reason: str = attrs.field(repr=False)
    floor_minor: int | Keep | None = KEEP
    ceiling_minor: int | Keep | None = KEEP
    name: str | Keep = attrs.field(default=KEEP, repr=False)


@attrs.frozen
class BlockAccount:
    """Refuse debits or credits of an account (True), or allow them again (False); None leaves them as they are."""

    code: str
    who: str
    reason: str = attrs.field(repr=False)
    debits: bool | None = None
    credits: bool | None = None


@attrs.frozen
class CloseAccount:
    """Close an account for good, which must be empty: nothing posted, nothing held.

    With `forget` its holder's name is erased and its cards no longer lead to it; its entries stay. An account that is
    closed may be forgotten later.
    """

    code: str
    who: str
    reason: str = attrs.field(repr=False)
    forget: bool = False


class Period(Enum):
    """Over what a limit counts."""

    TRANSACTION = "transaction"
    DAY = "day"
    MONTH = "month"
    TOTAL = "total"


@attrs.frozen
class AccountLimit:
    """What may be paid from an account within a period, by payments whose processing code (DE3) begins so.

    amount_minor, count: the most of each, None for no limit; one of them is given, and no count per transaction.
    """

    processing_code: str
    period: Period
    amount_minor: int | None = None
    count: int | None = None


@attrs.frozen
class LimitAccount:
    """Set an account's limits for a processing code, instead of those that it had for it; none lifts them.

    `processing_code` is that of each limit: "" (all), two digits, or six. What counts is what is paid from now on.
    """

    code: str
    who: str
    reason: str = attrs.field(repr=False)
    processing_code: str
    limits: tuple[AccountLimit, ...]


AccountItem = UpdateAccount | BlockAccount | CloseAccount | LimitAccount
