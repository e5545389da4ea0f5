"""The books in PostgreSQL 15 or later: two round trips per batch.

READ COMMITTED: balances are locked in the order of their numbers, and what is looked up by key is looked up after
that, so that whatever another writer decided meanwhile is seen.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final, TypeVar

import psycopg
from psycopg import errors, pq
from psycopg.abc import PQGen

from . import literals, rows, settling_postgresql
from . import statements as sql
from .kept_postgresql import kept_changes, kept_queries
from .look_ups import Query, look_up, look_up_places
from .operations import OutcomeUnknown, StoreUnavailable
from .own_chain import OwnChain
from .page import Page
from .pipeline import Pipeline
from .plan import Wants
from .ports import Limits, Poisoned, Retry, wrong_version
from .references import References, accounts_of, keep_account_cards
from .state import Account
from .vault import Vault

RV = TypeVar("RV")

# The driver logs errors that it ignores, and a server's error may hold content: they are raised to us anyway.
logging.getLogger("psycopg").setLevel(logging.CRITICAL)

# Plans made on an empty table stay; these settings leave the planner only the ones that stay good.
SETTINGS: Final = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
    "synchronous_commit": "on",
    "default_transaction_isolation": "read committed",
}

# SQLSTATE classes that are the server's trouble and not the batch's: connection, resources, operator, system.
_UNAVAILABLE: Final = ("08", "25", "28", "42501", "53", "55P03", "57", "58", "XX")

_LOST: Final = (errors.AdminShutdown, errors.CrashShutdown)


class _Connection(psycopg.Connection[Any]):
    """A connection on which no round trip takes for ever."""

    reply_timeout_s: float = 10.0
    is_silent: bool = False

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        try:
            return super().wait(gen, interval, self.reply_timeout_s if timeout is None else timeout)
        except errors._WaitTimeout:
            # Whatever is said after this would be an answer to another question.
            self.is_silent = True
            self.pgconn.finish()
            raise


class PostgresqlDatabase:
    """See `ports.Database`."""

    def __init__(self, url: str, vault: Vault, limits: Limits, version: str) -> None:
        self._url = url
        self._vault = vault
        self._limits = limits
        self._version = version
        self._references = References(limits.references_max)
        self._chain = OwnChain()
        self._connection: _Connection | None = None
        self._pipeline: Pipeline | None = None

    # ------------------------------------------------------------ the connection

    def _connect(self) -> _Connection:
        if self._connection is None:
            try:
                connection = _Connection.connect(
                    self._url, autocommit=True, connect_timeout=self._limits.connect_timeout_s
                )
            except psycopg.Error as error:
                raise StoreUnavailable(f"no connection: {_name(error)}") from None
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
            self._pipeline = Pipeline(connection)
        return self._connection

    def _prepare(self, connection: _Connection) -> None:
        connection.reply_timeout_s = self._limits.reply_timeout_s
        settings = {
            **SETTINGS,
            "statement_timeout": f"{self._limits.statement_timeout_s * 1000:.0f}",
            "lock_timeout": f"{self._limits.lock_timeout_s * 1000:.0f}",
        }
        chosen = ", ".join("set_config(%s, %s, false)" for _ in settings)
        connection.execute(f"SELECT {chosen}", [part for setting in settings.items() for part in setting])
        found = None
        if connection.execute("SELECT to_regclass('alembic_version') IS NOT NULL").fetchone() == (True,):
            (found,) = connection.execute("SELECT version_num FROM alembic_version").fetchone() or (None,)
        if found != self._version:
            raise StoreUnavailable(wrong_version(found, self._version))

    @contextlib.contextmanager
    def _blaming(self, *, committing: bool = False) -> Iterator[None]:
        """Turn what the driver raises into what `ports` says."""
        try:
            yield
        except psycopg.Error as error:
            raise self._blame(error, committing) from None
        except (StoreUnavailable, Poisoned, Retry):
            raise
        except Exception as error:  # what cannot be written is looked for item by item
            raise Poisoned(type(error).__name__) from None

    def _blame(self, error: psycopg.Error, committing: bool) -> Exception:
        connection = self._connection
        is_silent = connection is not None and connection.is_silent
        if _is_lost(connection) or isinstance(error, _LOST) or _is_of_the_driver(error):
            self.close()
            if committing:
                return OutcomeUnknown(f"the connection broke while committing: {_name(error)}")
            return StoreUnavailable("the server does not answer") if is_silent else Retry(_name(error))
        if isinstance(error, errors.SerializationFailure | errors.DeadlockDetected):
            return Retry(_name(error))
        if isinstance(error, errors.UniqueViolation):
            return Retry(_name(error), may_be_content=True)
        if (error.sqlstate or "").startswith(_UNAVAILABLE):
            self.rollback()
            return StoreUnavailable(_name(error))
        return Poisoned(_name(error))

    def clock_us(self) -> int:
        with self._blaming():
            found = self._connect().execute(sql.CLOCK).fetchone()
            assert found is not None
            return int(found[0])

    def commit(self) -> None:
        queries: list[Query] = [*self._chaining(), ("COMMIT", (), None)]
        with self._blaming(committing=True):
            self._run(queries)

    def _chaining(self) -> Iterator[Query]:
        """Put what this transaction added into the hash chain."""
        for batch, advance in self._chain.close():
            yield sql.INSERT_BATCHES.sql, sql.INSERT_BATCHES.parameters([batch]), None
            yield sql.CHAIN_ADVANCE, advance, None

    def rollback(self) -> None:
        self._references.clear()
        self._chain.roll_back()
        connection = self._connection
        if connection is None:
            return
        try:
            if connection.pgconn.transaction_status != pq.TransactionStatus.IDLE:
                connection.execute("ROLLBACK")
        except psycopg.Error:
            self.close()

    def set_savepoint(self) -> None:
        with self._blaming():
            self._connect().execute("SAVEPOINT item")
            self._chain.set_savepoint()

    def return_to_savepoint(self) -> None:
        with self._blaming():
            self._connect().execute("ROLLBACK TO item")
            self._chain.return_to_savepoint()

    def close(self) -> None:
        self._references.clear()
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                self._chain.release(partial(_ask, connection))
            with contextlib.suppress(psycopg.Error):
                connection.close()

    def _run(self, queries: Iterable[Query]) -> None:
        """Send statements in one round trip, and give each one's rows to its reader."""
        self._connect()
        assert self._pipeline is not None, "a connection has a pipeline"
        self._pipeline.run(queries)

    # ------------------------------------------------------------ reading

    def begin(self, wants: Wants) -> Page:
        page = Page(0, 0)

        def date(found: list[Any]) -> None:
            for row in found:
                page.now_us, page.bdate = row

        if self._chain.chain_id is None:
            now_us = self.clock_us()
            with self._blaming():
                self._chain.take(partial(_ask, self._connect()), now_us)
        day = settling_postgresql.DAY_TO_CLOSE if wants.closes_day else settling_postgresql.DAY
        with self._blaming():
            head = (sql.CHAIN_HEAD, (self._chain.chain_id,), partial(self._chain.begin, page))
            self._load(page, wants, [("BEGIN", (), None), (day, (), date), head])
            if not page.bdate:
                self._run([(settling_postgresql.NEXT_DAY, (), settling_postgresql.wait_for_day)])
        return page

    def load(self, page: Page, wants: Wants) -> None:
        with self._blaming():
            self._load(page, wants, [])

    def _load(self, page: Page, wants: Wants, queries: list[Query]) -> None:
        unknown = self._resolve(page, wants)
        if unknown:
            self._run([*queries, *unknown])
            queries = []
        queries += self._account_queries(page, wants)
        queries += self._queue_queries(page, wants)
        queries += self._key_queries(page, wants)
        queries += [*settling_postgresql.load(page, wants), *kept_queries(page, wants)]
        if queries:
            self._run(queries)

    def _resolve(self, page: Page, wants: Wants) -> list[Query]:
        """Look up codes and cards that are not remembered."""
        codes, cards = self._references.resolve(wants, page)
        queries: list[Query] = []
        if codes:
            queries.append(
                (sql.ACCOUNT_IDS, (literals.texts(codes),), partial(self._references.keep_codes, page, codes))
            )
        if cards:
            queries.append(
                (sql.CARD_ACCOUNTS, (literals.blobs(cards),), partial(self._references.keep_cards, page, cards))
            )
        return queries

    def _account_queries(self, page: Page, wants: Wants) -> Iterator[Query]:
        accounts = accounts_of(wants, page)
        yield from look_up(sql.BALANCES, page.accounts.loaded, accounts, lambda row: Account(*row), literals.integers)
        yield from look_up(sql.HOLDERS, page.holders.loaded, wants.holders, rows.holder_in, literals.texts, at=1)
        if wants.account_cards:
            asked = list(wants.account_cards)
            yield sql.ACCOUNT_CARDS, (literals.texts(asked),), partial(keep_account_cards, page, asked)
        if wants.account_id_max and page.account_id_max is None:

            def read(found: list[Any]) -> None:
                page.account_id_max = found[0][0]

            yield sql.ACCOUNT_ID_MAX, (), read

    def _queue_queries(self, page: Page, wants: Wants) -> Iterator[Query]:
        vault = self._vault
        yield from look_up(sql.LANES, page.lanes.loaded, wants.lanes, rows.lane_in, literals.texts)
        yield from look_up_places(
            sql.DELIVERIES, page.deliveries.loaded, wants.deliveries, lambda row: rows.delivery_in(row, vault)
        )
        yield from look_up_places(
            sql.DEAD_LETTERS,
            page.dead_letters.loaded,
            wants.dead_letters,
            lambda row: rows.dead_letter_in(row, vault),
        )

    def _key_queries(self, page: Page, wants: Wants) -> Iterator[Query]:
        vault = self._vault

        def read_overdue(found: list[Any]) -> None:
            for row in found:
                page.flights.loaded[row[0]] = rows.flight_in(row, vault)

        def read_expired(found: list[Any]) -> None:
            for row in found:
                page.transactions.loaded[row[0]] = rows.txn_in(row)

        if wants.overdue is not None:
            page.overdue_before_us = wants.overdue.before_us
            yield sql.OVERDUE, (wants.overdue.before_us, wants.overdue.most), read_overdue
        if wants.expired is not None:
            page.expired_before_us = wants.expired.before_us
            yield sql.EXPIRED, (wants.expired.before_us, wants.expired.most), read_expired
        yield from look_up(
            sql.FLIGHTS, page.flights.loaded, wants.flights, lambda row: rows.flight_in(row, vault), literals.blobs
        )
        yield from look_up(sql.TXNS, page.transactions.loaded, wants.transactions, rows.txn_in, literals.blobs)
        yield from look_up(
            sql.MESSAGES,
            page.messages.loaded,
            wants.messages,
            lambda row: rows.message_in(row, vault),
            literals.blobs,
        )

    # ------------------------------------------------------------ writing

    def write(self, page: Page, *, commit: bool) -> None:
        # The server works on one statement while the next one is being encoded.
        with self._blaming(committing=commit):
            self._run(self._changes(page, commit))

    def _changes(self, page: Page, commit: bool) -> Iterator[Query]:
        for changes in (self._books(page), self._queues(page), settling_postgresql.write(page), kept_changes(page)):
            for statement, values in changes:
                if values:
                    yield statement.sql, statement.parameters(values), None
        gone = sorted({lane for lane, _ in page.deliveries.deleted()})
        if gone:
            yield sql.HEADS, (literals.texts(gone),), None
        if commit:
            yield from self._chaining()
            yield "COMMIT", (), None

    def _books(self, page: Page) -> Iterator[tuple[sql.Statement, Sequence[rows.Row]]]:
        vault = self._vault
        new = page.accounts.changed
        yield sql.INSERT_ACCOUNTS, [rows.account_out(row) for _, row in page.holders.inserted()]
        yield sql.UPDATE_NAMES, [(code, row.name) for code, row in page.holders.updated()]
        yield sql.DELETE_CARDS, rows.cards_anew(page)
        yield sql.INSERT_CARDS, rows.cards_out(page)
        yield sql.INSERT_BALANCES, [rows.balance_out(row) for row in new.values() if row is not None]
        yield (
            sql.UPDATE_BALANCES,
            [
                (row.account_id, row.posted, row.held, row.seq, row.overdraw, row.overfill)
                for row in page.touched.values()
                if row.account_id not in new and row.account_id not in page.amended
            ],
        )
        amended = [row for row in page.amended.values() if row.account_id not in new]
        yield sql.AMEND_BALANCES, [rows.amended_out(row) for row in amended]
        events = [rows.account_event_out(row) for _, row in page.account_events.inserted()]
        yield sql.INSERT_ACCOUNT_EVENTS, events
        messages = [rows.message_out(row, page, vault) for _, row in page.messages.inserted()]
        yield sql.INSERT_ENTRIES, page.entries
        yield sql.INSERT_MESSAGES, messages
        self._chain.add(messages, page.entries, events)
        yield sql.INSERT_TXNS, [rows.txn_out(row, page) for _, row in page.transactions.inserted()]
        yield sql.UPDATE_TXNS, [rows.txn_out(row, page) for _, row in page.transactions.updated()]
        redirected = page.flights.updated()
        yield sql.DELETE_FLIGHTS, [(key,) for key in (*page.flights.deleted(), *(key for key, _ in redirected))]
        yield (
            sql.INSERT_FLIGHTS,
            [rows.flight_out(row, vault) for _, row in (*page.flights.inserted(), *redirected)],
        )

    def _queues(self, page: Page) -> Iterator[tuple[sql.Statement, Sequence[rows.Row]]]:
        vault = self._vault
        yield sql.INSERT_LANES, [(*rows.lane_out(row), 0) for _, row in page.lanes.inserted()]
        yield sql.UPDATE_LANES, [rows.lane_out(row) for _, row in page.lanes.updated()]
        yield sql.INSERT_DELIVERIES, [rows.delivery_out(row, vault) for _, row in page.deliveries.inserted()]
        yield (
            sql.UPDATE_DELIVERIES,
            [(*place, row.not_before_us, row.attempts, row.last_result) for place, row in page.deliveries.updated()],
        )
        yield sql.DELETE_DELIVERIES, page.deliveries.deleted()
        yield sql.DELETE_DEAD_LETTERS, page.dead_letters.deleted()
        yield (
            sql.INSERT_DEAD_LETTERS,
            [rows.dead_letter_out(row, vault) for _, row in page.dead_letters.inserted()],
        )
        yield (
            sql.UPDATE_DEAD_LETTERS,
            [(*place, None, row.reason, row.dropped_us) for place, row in page.dead_letters.updated()],
        )


def _ask(connection: _Connection, text: str, values: Sequence[Any]) -> list[Any]:
    return connection.execute(text.replace("?", "%s"), values).fetchall()


def _is_lost(connection: _Connection | None) -> bool:
    return connection is None or connection.closed or connection.pgconn.status != pq.ConnStatus.OK


def _is_of_the_driver(error: psycopg.Error) -> bool:
    """Tell whether the driver, not the server, found the connection in a state in which nothing can be asked."""
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) and error.sqlstate is None


def _name(error: psycopg.Error) -> str:
    """Name an error without its text, which may hold content."""
    return f"{type(error).__name__} {error.sqlstate}" if error.sqlstate else type(error).__name__
