"""What a database must offer to keep the books, and how it says what went wrong."""

from __future__ import annotations

from typing import Protocol

import attrs

from .page import Page
from .plan import Wants


class Retry(Exception):
    """Another writer was in the way, or the connection broke before the commit: run the batch again.

    may_be_content: it may also lie in the batch, when it does not go away.
    """

    def __init__(self, why: str, *, may_be_content: bool = False) -> None:
        super().__init__(why)
        self.may_be_content = may_be_content


class Poisoned(Exception):
    """The batch cannot be written as it is, for a reason that lies in its content or in our code."""


def wrong_version(found: str | None, expected: str) -> str:
    """Say that a database has another schema than this program expects."""
    return f"the schema has version {found or 'none'}, and {expected} is expected: run junctor migrate"


@attrs.frozen
class Limits:
    """How long and how often the store tries before it says that it cannot; times in seconds.

    connect_timeout_s, statement_timeout_s, lock_timeout_s: of the database server. reply_timeout_s: how long one
    round trip may take, as measured here; a server that does not answer at all is found by this. attempts_max: runs
    of a batch that other writers disturb. references_max: account codes and cards whose account is remembered.
    """

    connect_timeout_s: int = 3
    statement_timeout_s: float = 5.0
    lock_timeout_s: float = 3.0
    reply_timeout_s: float = 10.0
    attempts_max: int = 8
    references_max: int = 200_000


class Database(Protocol):
    """One connection to the books, used by one thread at a time.

    Every method may raise Retry, Poisoned, or StoreUnavailable; only `write` with `commit`, and `commit`, may raise
    OutcomeUnknown.
    """

    def begin(self, wants: Wants) -> Page:
        """Begin a transaction, and give a page with what is wanted, locked."""

    def load(self, page: Page, wants: Wants) -> None:
        """Load more rows into a page, locked; rows that are there already stay as they are."""

    def write(self, page: Page, *, commit: bool) -> None:
        """Write what changed on a page."""

    def commit(self) -> None:
        """Make what was written last."""

    def rollback(self) -> None:
        """End the transaction, if there is one, as if it had not been; never raises."""

    def set_savepoint(self) -> None:
        """Remember this place of the transaction, forgetting the last one."""

    def return_to_savepoint(self) -> None:
        """Take back what was written since the savepoint."""

    def clock_us(self) -> int:
        """Tell the time by the database's clock, in microseconds UTC."""

    def close(self) -> None:
        """Close the connection; never raises."""
