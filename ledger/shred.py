"""Taking one card out of the books: what is sealed for it, its masked number and its hash; the payments stay.

Entries, amounts, times and the hash chain stay as they are: the chain covers what is taken out by a salted digest,
and without the salt, which goes too, nothing can be found by trying.
"""

from __future__ import annotations

from contextlib import closing
from typing import Final

import attrs
from sqlalchemy import Connection, Table, delete, func, select, update
from sqlalchemy.exc import DBAPIError

from .connecting import make_engine
from .operations import StoreUnavailable
from .ports import Limits
from .schema import card, dead_letter, delivery, in_flight, message

_WAITING: Final = ((delivery, "deliveries waiting"), (dead_letter, "dead letters not dropped"))


@attrs.frozen
class Shredded:
    """How many messages lost what was sealed for the card, and how many accounts lost the card."""

    messages: int
    accounts: int


@attrs.frozen
class StillOpen:
    """Nothing was changed: what still goes on for the card, and how often."""

    why: str
    count: int


def shred(url: str, card_ref: bytes, limits: Limits | None = None) -> Shredded | StillOpen:
    """Take a card out of the books, in one commit; StoreUnavailable when the database cannot be used.

    On SQLite the place of what was removed is overwritten; on PostgreSQL the old rows are there until VACUUM.
    """
    engine = make_engine(url, limits)
    try:
        with engine.begin() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA secure_delete = ON")
            outcome = _find_open(connection, card_ref) or _remove(connection, card_ref)
        if engine.dialect.name == "sqlite":
            with closing(engine.raw_connection()) as raw:
                raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except DBAPIError as error:
        said = str(error.orig).partition("\n")[0]
        raise StoreUnavailable(f"the database cannot be used: {said}") from None
    return outcome


def _find_open(connection: Connection, card_ref: bytes) -> StillOpen | None:
    on_their_way = select(func.count()).select_from(in_flight).where(in_flight.c.card_ref == card_ref)
    if count := connection.execute(on_their_way).scalar_one():
        return StillOpen("payments on their way", count)
    for table, why in _WAITING:
        if count := _count_of_card(connection, table, card_ref):
            return StillOpen(why, count)
    return None


def _count_of_card(connection: Connection, table: Table, card_ref: bytes) -> int:
    """Count what a message of the card has caused and is still whole."""
    caused = select(func.count()).select_from(table.join(message, message.c.idem_key == table.c.origin))
    whole = caused.where(message.c.card_ref == card_ref, func.length(table.c.body) > 0)
    return int(connection.execute(whole).scalar_one())


def _remove(connection: Connection, card_ref: bytes) -> Shredded:
    nothing = {"response": b"", "pan_masked": None, "card_ref": None, "salt": None}
    emptied = connection.execute(update(message).where(message.c.card_ref == card_ref).values(nothing))
    unlinked = connection.execute(delete(card).where(card.c.card_ref == card_ref))
    return Shredded(emptied.rowcount, unlinked.rowcount)
