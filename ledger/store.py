"""The store: what a batch of items does to the books, as one database transaction.

Batches are run again when other writers disturb them; an item that cannot be written is found and fails alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from .engine import Lacks, decide
from .migrate import expected_version
from .operations import Failed, Item, Outcome, StoreUnavailable
from .page import Page
from .plan import first_wants, missing_wants, next_wants
from .ports import Database, Limits, Poisoned, Retry
from .postgresql import PostgresqlDatabase
from .sqlite import SqliteDatabase, sqlite_path
from .vault import Vault

_LOADS_MAX = 8
"""Rows name rows: message, transaction, account, lane. More rounds than this mean a fault of ours."""


class Store:
    """The books, open for writing, to be used by one thread at a time."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits

    def commit(self, items: Sequence[Item]) -> list[Outcome]:
        """Decide items in order, store all that follows in one commit, and give an outcome for each.

        StoreUnavailable: nothing was written. OutcomeUnknown: the batch was written whole or not at all.
        """
        if not items:
            return []
        most = self._limits.attempts_max
        apart = False
        for attempt in range(most):
            try:
                return self._commit_apart(items) if apart else self._commit_together(items)
            except Retry as retry:
                self._database.rollback()
                # A key that clashes again and again clashes within the batch, not with another writer.
                apart = apart or (retry.may_be_content and 2 * (attempt + 1) >= most)
            except Poisoned:
                self._database.rollback()
                apart = True
            except BaseException:
                self._database.rollback()  # whatever stops us, no transaction stays open
                raise
        raise StoreUnavailable("other writers were in the way too often")

    def clock_us(self) -> int:
        """Tell the time by the database's clock, in microseconds UTC: the one by which holds expire."""
        for _ in range(self._limits.attempts_max):
            try:
                return self._database.clock_us()
            except Retry:
                self._database.rollback()
        raise StoreUnavailable("the connection broke again and again")

    def close(self) -> None:
        """Close the connection."""
        self._database.close()

    def _commit_together(self, items: Sequence[Item]) -> list[Outcome]:
        page, outcomes = self._decide(items, None)
        self._database.write(page, commit=True)
        return outcomes

    def _commit_apart(self, items: Sequence[Item]) -> list[Outcome]:
        """Write item by item within one transaction, so that only what cannot be written fails."""
        outcomes: list[Outcome] = []
        page = self._database.begin(first_wants(()))
        for item in items:
            self._database.set_savepoint()
            try:
                page, (outcome,) = self._decide((item,), page)
                self._database.write(page, commit=False)
            except (Poisoned, Retry) as poison:
                if isinstance(poison, Retry) and not poison.may_be_content:
                    raise
                self._database.return_to_savepoint()
                outcome = Failed(f"{poison} in {type(item).__name__}")
            outcomes.append(outcome)
        self._database.commit()
        return outcomes

    def _decide(self, items: Sequence[Item], begun: Page | None) -> tuple[Page, list[Outcome]]:
        """Load what the items need and decide them; `begun`: the transaction's page, when there is one."""
        wants = first = first_wants(items)
        if begun is None:
            page = self._database.begin(wants)
        else:
            page = begun.next()
            self._database.load(page, wants)
        for _ in range(_LOADS_MAX):
            wants = next_wants(page, first)
            if not wants.is_empty():
                self._database.load(page, wants)
                continue
            outcomes = decide(items, page)
            if not isinstance(outcomes, Lacks):
                return page, outcomes
            self._database.load(page, missing_wants(outcomes.rows, first))
        raise Poisoned("rows name rows without end")


def open_store(url: str, vault: Vault, limits: Limits | None = None) -> Store:
    """Open the books at `sqlite:///path` or `postgresql://...`; StoreUnavailable when they cannot be used."""
    limits = limits or Limits()
    store = Store(_database(url, vault, limits), limits)
    store.clock_us()
    return store


def _database(url: str, vault: Vault, limits: Limits) -> Database:
    kind = url.partition(":")[0]
    version = expected_version()
    if kind == "sqlite":
        return SqliteDatabase(sqlite_path(url), vault, limits, version)
    if kind in ("postgresql", "postgres"):
        return PostgresqlDatabase(url, vault, limits, version)
    raise ValueError("a ledger lives at sqlite:///path or postgresql://...")
