"""Removing what was kept of people, once it is old: cards and responses of messages, names of closed accounts.

Amounts, times, entries and the hash chains stay: the chain covers what goes by a salted digest, and the salt goes
too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs
from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select, update
from sqlalchemy.exc import DBAPIError

from .connecting import make_engine
from .operations import StoreUnavailable
from .ports import Limits
from .schema import account, balance, card, entry, message
from .state import CLOSED

ROWS_AT_ONCE: Final = 500
_NOTHING: Final = {"response": b"", "pan_masked": None, "card_ref": None, "salt": None}


@attrs.frozen
class Purged:
    """What was removed, or would be: messages that lost card and response, accounts that lost their names, cards."""

    before_us: int
    messages: int
    names: int
    cards: int


def purge(url: str, before_us: int, limits: Limits | None = None, *, dry_run: bool = False) -> Purged:
    """Remove what is older than `before_us`, in commits of at most `ROWS_AT_ONCE` messages; may be run again.

    A message counts from its decision, a closed account from its last entry. On PostgreSQL `url` is that of the
    tables' owner, and old versions of rows stay until VACUUM. StoreUnavailable when the database cannot be used.
    """
    engine = make_engine(url, limits)

    def commit(work: Callable[[Connection], int]) -> int:
        with engine.begin() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA secure_delete = ON")
            return work(connection)

    try:
        if dry_run:
            with make_engine(url, limits, reading=True).connect() as connection:
                return _count(connection, before_us)
        messages = _purge_messages(commit, before_us)
        old = _old_accounts(before_us)
        cards = commit(lambda it: it.execute(delete(card).where(card.c.account_id.in_(old))).rowcount)
        nameless = update(account).where(account.c.name != "", account.c.account_id.in_(old)).values(name="")
        names = commit(lambda it: it.execute(nameless).rowcount)
    except DBAPIError as error:
        raise StoreUnavailable(f"the database refused: {type(error.orig).__name__}") from None
    return Purged(before_us, messages, names, cards)


def _purge_messages(commit: Callable[[Callable[[Connection], int]], int], before_us: int) -> int:
    total, after = 0, b""
    while True:
        keys: list[bytes] = []

        def work(connection: Connection, after: bytes = after, keys: list[bytes] = keys) -> int:
            old = select(message.c.idem_key).where(message.c.idem_key > after, _is_personal(before_us))
            keys += connection.execute(old.order_by(message.c.idem_key).limit(ROWS_AT_ONCE)).scalars()
            if not keys:
                return 0
            return connection.execute(update(message).where(message.c.idem_key.in_(keys)).values(_NOTHING)).rowcount

        total += commit(work)
        if len(keys) < ROWS_AT_ONCE:
            return total
        after = keys[-1]


def _is_personal(before_us: int) -> ColumnElement[bool]:
    kept = or_(
        func.length(message.c.response) > 0,
        message.c.pan_masked.is_not(None),
        message.c.card_ref.is_not(None),
        message.c.salt.is_not(None),
    )
    return and_(message.c.decided_us < before_us, kept)


def _old_accounts(before_us: int) -> ColumnElement[int]:
    """Closed accounts whose last entry is older; the last is known by its number."""
    last = (entry.c.account_id == balance.c.account_id) & (entry.c.seq == balance.c.seq)
    found = select(balance.c.account_id).join(entry, last)
    is_closed = balance.c.flags.op("&")(CLOSED) != 0
    return found.where(is_closed, entry.c.at_us < before_us).scalar_subquery()


def _count(connection: Connection, before_us: int) -> Purged:
    old = _old_accounts(before_us)
    counted = (
        select(func.count()).select_from(message).where(_is_personal(before_us)),
        select(func.count()).select_from(account).where(account.c.name != "", account.c.account_id.in_(old)),
        select(func.count()).select_from(card).where(card.c.account_id.in_(old)),
    )
    return Purged(before_us, *(connection.execute(it).scalar_one() for it in counted))
