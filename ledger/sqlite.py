"""The books in SQLite: one writer at a time by BEGIN IMMEDIATE, durable by WAL with synchronous=FULL."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote, unquote

from . import rows, settling_sqlite
from .chain import BATCH
from .kept_sqlite import load_kept, write_kept
from .operations import OutcomeUnknown, StoreUnavailable
from .own_chain import ADVANCE, HEAD, OwnChain
from .page import Page
from .plan import Sweep, Wants
from .ports import Limits, Poisoned, Retry, wrong_version
from .references import References, accounts_of
from .state import Account
from .vault import Vault

T = TypeVar("T")

# Result codes of https://www.sqlite.org/rescode.html that are not the batch's fault.
_UNAVAILABLE: Final = {
    5: "locked by another writer",
    6: "locked by another writer",
    8: "read-only",
    9: "interrupted",
    10: "input or output failed",
    11: "the file is damaged",
    13: "the disk is full",
    14: "the file cannot be opened",
    23: "not permitted",
    26: "not a database",
}
_IOERR: Final = 10


def _columns(names: Iterable[str]) -> str:
    return ", ".join(names)


def _insert(table: str, names: tuple[str, ...]) -> str:
    return f"INSERT INTO {table} ({_columns(names)}) VALUES ({_columns('?' * len(names))})"


def _select(table: str, names: tuple[str, ...], where: str) -> str:
    return f"SELECT {_columns(names)} FROM {table} WHERE {where}"


_BALANCE: Final = _select("balance", rows.BALANCE, "account_id = ?")
_MESSAGE: Final = _select("message", rows.KNOWN_MESSAGE, "idem_key = ?")
_TXN: Final = _select("txn", rows.TXN, "txn_key = ?")
_FLIGHT: Final = _select("in_flight", rows.FLIGHT, "idem_key = ?")
_LANE: Final = _select("lane", rows.LANE, "lane = ?")
_DELIVERY: Final = _select("delivery", rows.DELIVERY, "lane = ? AND seq = ?")
_DEAD_LETTER: Final = _select("dead_letter", rows.DEAD_LETTER, "lane = ? AND seq = ?")
_ACCOUNT_ID: Final = "SELECT code, account_id FROM account WHERE code = ?"
_CARD_ACCOUNTS: Final = "SELECT card_ref, account_id FROM card WHERE card_ref = ? ORDER BY ordinal"
_ACCOUNT_CARDS: Final = "SELECT card_ref FROM card WHERE account_id = (SELECT account_id FROM account WHERE code = ?)"
_HOLDER: Final = (
    f"SELECT {_columns('a.' + name for name in rows.ACCOUNT)}, b.floor FROM account a"
    " JOIN balance b USING (account_id) WHERE a.code = ?"
)
_OVERDUE: Final = _select("in_flight", rows.FLIGHT, "until_us < ? ORDER BY until_us, idem_key LIMIT ?")
_EXPIRED: Final = _select(
    "txn",
    rows.TXN,
    "state = 0 AND expires_us IS NOT NULL AND expires_us < ? ORDER BY expires_us, txn_key LIMIT ?",
)
_HEAD: Final = (
    "UPDATE lane SET head_seq = coalesce((SELECT min(d.seq) FROM delivery d WHERE d.lane = lane.lane"
    " AND d.seq > lane.head_seq), tail_seq + 1) - 1 WHERE lane = ?"
)
_CLOCK: Final = "SELECT CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER)"


class SqliteDatabase:
    """See `ports.Database`."""

    def __init__(self, path: Path, vault: Vault, limits: Limits, version: str) -> None:
        self._path = path
        self._version = version
        self._vault = vault
        self._limits = limits
        self._references = References(limits.references_max)
        self._chain = OwnChain()
        self._connection: sqlite3.Connection | None = None

    # ------------------------------------------------------------ the connection

    def _connect(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = sqlite3.connect(
                f"file:{quote(str(self._path))}?mode=rw",
                uri=True,
                timeout=self._limits.lock_timeout_s,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=256,
            )
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA journal_mode=WAL").fetchone()
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA wal_autocheckpoint=4000").fetchone()
        connection.execute("PRAGMA trusted_schema=OFF")
        found = None
        if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'alembic_version'").fetchone():
            (found,) = connection.execute("SELECT version_num FROM alembic_version").fetchone() or (None,)
        if found != self._version:
            raise StoreUnavailable(wrong_version(found, self._version))

    @contextlib.contextmanager
    def _blaming(self, *, committing: bool = False) -> Iterator[None]:
        """Turn what SQLite raises into what `ports` says."""
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code == _IOERR and committing:
                # The commit may have reached the log although its flush failed.
                self.close()
                raise OutcomeUnknown(_UNAVAILABLE[_IOERR]) from error
            if code in _UNAVAILABLE:
                self.rollback()
                if code not in (5, 6):
                    self.close()
                raise StoreUnavailable(_UNAVAILABLE[code]) from error
            raise Poisoned(type(error).__name__) from None
        except (StoreUnavailable, Retry):
            raise
        except Exception as error:  # what cannot be written is looked for item by item
            raise Poisoned(type(error).__name__) from None

    def clock_us(self) -> int:
        with self._blaming():
            (now_us,) = self._connect().execute(_CLOCK).fetchone()
            return int(now_us)

    def commit(self) -> None:
        with self._blaming():
            for batch, advance in self._chain.close():
                self._connect().execute(_insert("journal_batch", BATCH), batch)
                self._connect().execute(ADVANCE, advance)
        with self._blaming(committing=True):
            self._connect().execute("COMMIT")

    def rollback(self) -> None:
        self._references.clear()
        self._chain.roll_back()
        connection = self._connection
        if connection is None:
            return
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
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
            with contextlib.suppress(sqlite3.Error):
                self._chain.release(lambda sql, values: connection.execute(sql, values).fetchall())
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    # ------------------------------------------------------------ reading

    def begin(self, wants: Wants) -> Page:
        with self._blaming():
            connection = self._connect()
            if self._chain.chain_id is None:
                (now_us,) = connection.execute(_CLOCK).fetchone()
                self._chain.take(lambda sql, values: connection.execute(sql, values).fetchall(), now_us)
            connection.execute("BEGIN IMMEDIATE")
            day = connection.execute("SELECT max(bdate) FROM business_day WHERE state = 0").fetchone()
            if day[0] is None:
                raise StoreUnavailable("no business day is open")
            (now_us,) = connection.execute(_CLOCK).fetchone()
            page = Page(now_us, day[0])
            self._chain.begin(page, connection.execute(HEAD, (self._chain.chain_id,)).fetchall())
        self.load(page, wants)
        return page

    def load(self, page: Page, wants: Wants) -> None:
        with self._blaming():
            self._load_accounts(page, wants)
            self._load_keys(page, wants)
            self._load_queues(page, wants)
            settling_sqlite.load(self._connect(), page, wants)
            load_kept(self._connect(), page, wants)

    def _load_accounts(self, page: Page, wants: Wants) -> None:
        connection = self._connect()
        codes, cards = self._references.resolve(wants, page)
        found_codes = [row for it in codes for row in connection.execute(_ACCOUNT_ID, (it,))]
        found_cards = [row for it in cards for row in connection.execute(_CARD_ACCOUNTS, (it,))]
        self._references.keep_codes(page, codes, found_codes)
        self._references.keep_cards(page, cards, found_cards)
        accounts = accounts_of(wants, page)
        _fetch(connection, _BALANCE, ((it,) for it in accounts), page.accounts.loaded, lambda row: Account(*row))
        _fetch(connection, _HOLDER, ((it,) for it in wants.holders), page.holders.loaded, rows.holder_in)
        for code in wants.account_cards:
            page.account_cards.loaded[code] = tuple(card for (card,) in connection.execute(_ACCOUNT_CARDS, (code,)))
        if wants.account_id_max and page.account_id_max is None:
            (page.account_id_max,) = connection.execute("SELECT coalesce(max(account_id), 0) FROM account").fetchone()

    def _load_keys(self, page: Page, wants: Wants) -> None:
        connection, vault = self._connect(), self._vault
        if wants.overdue is not None:
            for row in self._sweep(_OVERDUE, wants.overdue):
                page.flights.loaded.setdefault(row[0], rows.flight_in(row, vault))
            page.overdue_before_us = wants.overdue.before_us
        if wants.expired is not None:
            for row in self._sweep(_EXPIRED, wants.expired):
                page.transactions.loaded.setdefault(row[0], rows.txn_in(row))
            page.expired_before_us = wants.expired.before_us
        _fetch(
            connection, _FLIGHT, ((it,) for it in wants.flights), page.flights.loaded,
            lambda row: rows.flight_in(row, vault),
        )  # fmt: skip
        _fetch(connection, _TXN, ((it,) for it in wants.transactions), page.transactions.loaded, rows.txn_in)
        _fetch(
            connection, _MESSAGE, ((it,) for it in wants.messages), page.messages.loaded,
            lambda row: rows.message_in(row, vault),
        )  # fmt: skip

    def _load_queues(self, page: Page, wants: Wants) -> None:
        connection, vault = self._connect(), self._vault
        _fetch(connection, _LANE, ((it,) for it in wants.lanes), page.lanes.loaded, rows.lane_in)
        _fetch(
            connection, _DELIVERY, wants.deliveries, page.deliveries.loaded,
            lambda row: rows.delivery_in(row, vault),
        )  # fmt: skip
        _fetch(
            connection, _DEAD_LETTER, wants.dead_letters, page.dead_letters.loaded,
            lambda row: rows.dead_letter_in(row, vault),
        )  # fmt: skip

    def _sweep(self, sql: str, sweep: Sweep) -> list[rows.Row]:
        return self._connect().execute(sql, (sweep.before_us, sweep.most)).fetchall()

    # ------------------------------------------------------------ writing

    def write(self, page: Page, *, commit: bool) -> None:
        with self._blaming():
            self._write_books(page)
            self._write_queues(page)
            settling_sqlite.write(self._connect(), page)
            write_kept(self._connect(), page)
        if commit:
            self.commit()

    def _write_books(self, page: Page) -> None:
        many, vault = self._connect().executemany, self._vault
        new_accounts = page.accounts.changed
        many(_insert("account", rows.ACCOUNT), [rows.account_out(row) for _, row in page.holders.inserted()])
        many("UPDATE account SET name = ? WHERE code = ?", [(row.name, code) for code, row in page.holders.updated()])
        many("DELETE FROM card WHERE card_ref = ?", rows.cards_anew(page))
        many(_insert("card", rows.CARD), rows.cards_out(page))
        many(
            _insert("balance", rows.BALANCE),
            [rows.balance_out(row) for row in new_accounts.values() if row is not None],
        )
        many(
            "UPDATE balance SET posted = ?, held = ?, seq = ?, overdraw = ?, overfill = ? WHERE account_id = ?",
            [
                (row.posted, row.held, row.seq, row.overdraw, row.overfill, row.account_id)
                for row in page.touched.values()
                if row.account_id not in new_accounts and row.account_id not in page.amended
            ],
        )
        many(
            f"UPDATE balance SET {', '.join(f'{name} = ?' for name in rows.AMENDED)} WHERE account_id = ?",
            [
                (*values, number)
                for number, *values in map(rows.amended_out, page.amended.values())
                if number not in new_accounts
            ],
        )
        events = [rows.account_event_out(row) for _, row in page.account_events.inserted()]
        many(_insert("account_event", rows.ACCOUNT_EVENT), events)
        messages = [rows.message_out(row, page, vault) for _, row in page.messages.inserted()]
        many(_insert("entry", rows.ENTRY), page.entries)
        many(_insert("message", rows.MESSAGE), messages)
        self._chain.add(messages, page.entries, events)
        many(_insert("txn", rows.TXN), [rows.txn_out(row, page) for _, row in page.transactions.inserted()])
        many(
            f"UPDATE txn SET {', '.join(f'{name} = ?' for name in rows.TXN[1:])} WHERE txn_key = ?",
            [(*rows.txn_out(row, page)[1:], key) for key, row in page.transactions.updated()],
        )
        changed = page.flights.updated()
        many("DELETE FROM in_flight WHERE idem_key = ?", [(key,) for key in page.flights.deleted()])
        many("DELETE FROM in_flight WHERE idem_key = ?", [(key,) for key, _ in changed])
        many(
            _insert("in_flight", rows.FLIGHT),
            [rows.flight_out(row, vault) for _, row in (*page.flights.inserted(), *changed)],
        )

    def _write_queues(self, page: Page) -> None:
        many, vault = self._connect().executemany, self._vault
        many(
            "INSERT INTO lane (lane, tail_seq, session, head_seq) VALUES (?, ?, ?, 0)",
            [rows.lane_out(row) for _, row in page.lanes.inserted()],
        )
        many(
            "UPDATE lane SET tail_seq = ?, session = ? WHERE lane = ?",
            [(row.tail, row.session, row.lane) for _, row in page.lanes.updated()],
        )
        many(
            _insert("delivery", rows.DELIVERY),
            [rows.delivery_out(row, vault) for _, row in page.deliveries.inserted()],
        )
        many(
            "UPDATE delivery SET not_before_us = ?, attempts = ?, last_result = ? WHERE lane = ? AND seq = ?",
            [(row.not_before_us, row.attempts, row.last_result, *place) for place, row in page.deliveries.updated()],
        )
        gone = page.deliveries.deleted()
        many("DELETE FROM delivery WHERE lane = ? AND seq = ?", gone)
        many("DELETE FROM dead_letter WHERE lane = ? AND seq = ?", page.dead_letters.deleted())
        many(
            _insert("dead_letter", rows.DEAD_LETTER),
            [rows.dead_letter_out(row, vault) for _, row in page.dead_letters.inserted()],
        )
        many(
            "UPDATE dead_letter SET body = NULL, reason = ?, dropped_us = ? WHERE lane = ? AND seq = ?",
            [(row.reason, row.dropped_us, *place) for place, row in page.dead_letters.updated()],
        )
        many(_HEAD, [(lane,) for lane in sorted({lane for lane, _ in gone})])


def sqlite_path(url: str) -> Path:
    """Give the file of `sqlite:///path` (`sqlite:////absolute/path`)."""
    path = url.removeprefix("sqlite:///")
    if path == url or not path:
        raise ValueError("an SQLite ledger is a file: sqlite:///path")
    return Path(unquote(path))


def _fetch(
    connection: sqlite3.Connection,
    sql: str,
    keys: Iterable[tuple[Any, ...]],
    loaded: dict[Any, T | None],
    read: Callable[[Any], T],
) -> None:
    """Load one row per key; a key without a row is known to have none."""
    for key in keys:
        name = key[0] if len(key) == 1 else key
        if name not in loaded:
            row = connection.execute(sql, key).fetchone()
            loaded[name] = None if row is None else read(row)
