"""Reading the books beside whoever writes them, over a connection of its own that cannot change them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, Self

import attrs
from sqlalchemy import ColumnElement, Connection, FromClause, Select, Table, func, literal_column, select, tuple_
from sqlalchemy.exc import SQLAlchemyError

from . import history, views
from .approval_rows import Approvals
from .connecting import make_engine
from .operations import StoreUnavailable
from .ports import Limits
from .positions import Positions
from .reports import (
    AccountEventReport,
    AccountReport,
    BalanceReport,
    DeadLetterReport,
    DeliveryReport,
    EntryReport,
    ExportReport,
    HeadReport,
    LaneReport,
    LimitReport,
    MessageReport,
    TransactionReport,
    TrialBalance,
)
from .rows import place_row, unpack_legs, unpack_places
from .schema import account, balance, card, dead_letter, delivery, entry, in_flight, lane, message, txn
from .vault import Vault
from .windows import Windows

_ENTRIES_AT_ONCE = 400
"""Entries asked for in one statement: below the databases' limits on parameters."""


class Reader:
    """The books, open for reading, to be used by one thread at a time.

    Each answer is of one state of the books. StoreUnavailable when they cannot be read.
    """

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault
        self.windows: Final = Windows(self._reading)
        self.approvals: Final = Approvals(self._reading)
        self.positions: Final = Positions(self._reading)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; never raises."""
        with suppress(SQLAlchemyError):
            self._connection.close()

    # ------------------------------------------------------------ transactions

    def find_transactions(
        self,
        *,
        stan: str | None = None,
        rrn: str | None = None,
        terminal: str | None = None,
        reference: str | None = None,
        card_ref: bytes | None = None,
        since_us: int | None = None,
        most: int = 100,
    ) -> list[MessageReport]:
        """Find messages that match all that is given, open ones too, the newest first."""
        wanted = {"stan": stan, "rrn": rrn, "terminal": terminal, "reference": reference, "card_ref": card_ref}

        def matching(table: Table) -> Select[Any]:
            found = select(table).order_by(table.c.received_us.desc(), table.c.idem_key).limit(most)
            for name, value in wanted.items():
                if value is not None:
                    found = found.where(table.c[name] == value)
            return found if since_us is None else found.where(table.c.received_us >= since_us)

        with self._reading() as run:
            ended = [views.message(row) for row in run(matching(message))]
            opened = [views.open_message(row) for row in run(matching(in_flight))]
        found = sorted([*opened, *ended], key=lambda report: report.received_us, reverse=True)
        return found[:most]

    def show_transaction(self, key: bytes) -> TransactionReport | None:
        """Show the payment of which a message with this key is part: its messages, entries and deliveries."""
        with self._reading() as run:
            named = run(select(message.c.txn_key).where(message.c.idem_key == key)).first()
            txn_key = key if named is None else named.txn_key
            stored = run(select(txn).where(txn.c.txn_key == txn_key)).first()
            flight = run(select(in_flight).where(in_flight.c.idem_key == txn_key)).first()
            if named is None and stored is None and flight is None:
                return None
            messages = [views.message(row) for row in run(_ordered(message, message.c.txn_key == txn_key))]
            if flight is not None:
                messages.append(views.open_message(flight))
            holds = stored if stored is not None else flight
            legs = () if holds is None else unpack_legs(holds.legs)
            places = [] if holds is None else unpack_places(holds.entries)
            codes = self._codes(run, {number for leg in legs for number in leg[:2]} | {it[0] for it in places})
            origins = {txn_key, *(report.key for report in messages)}
            shown = views.transaction(
                txn_key,
                stored,
                messages,
                tuple(views.leg(it, codes) for it in legs),
                tuple(self._entries(run, places, codes)),
                tuple(views.delivery(row) for row in run(_caused(delivery, origins))),
                tuple(views.dead_letter(row) for row in run(_caused(dead_letter, origins))),
            )
            return attrs.evolve(
                shown, related=history.related(run, txn_key), exchange=history.exchanged(run, txn_key)
            )

    def open_transactions(self, most: int = 1000) -> list[MessageReport]:
        """List transactions whose answer is awaited, the oldest first."""
        return self.overdue(None, most)

    def overdue(self, before_us: int | None, most: int = 1000) -> list[MessageReport]:
        """List open transactions whose time passed before that, the oldest first."""
        found = select(in_flight).order_by(in_flight.c.until_us, in_flight.c.idem_key).limit(most)
        if before_us is not None:
            found = found.where(in_flight.c.until_us < before_us)
        with self._reading() as run:
            return [views.open_message(row) for row in run(found)]

    def open_count(self) -> int:
        """Count transactions whose answer is awaited."""
        with self._reading() as run:
            return int(run(select(func.count()).select_from(in_flight)).scalar_one())

    # ------------------------------------------------------------ accounts

    def accounts(self) -> list[AccountReport]:
        """List every account, by code."""
        with self._reading() as run:
            return [views.account(row) for row in run(_ACCOUNTS.order_by(account.c.code))]

    def account(self, code: str) -> AccountReport | None:
        """Find an account by its code."""
        with self._reading() as run:
            row = run(_ACCOUNTS.where(account.c.code == code)).first()
            return None if row is None else views.account(row)

    def card_accounts(self, card_ref: bytes) -> list[AccountReport]:
        """List a card's accounts, its first account first."""
        with self._reading() as run:
            joined = _ACCOUNTS.join(card, card.c.account_id == account.c.account_id)
            rows = run(joined.where(card.c.card_ref == card_ref).order_by(card.c.ordinal))
            return [views.account(row) for row in rows]

    def statement(self, code: str, *, after_seq: int = 0, most: int = 1000) -> list[EntryReport]:
        """List an account's entries after one of them, the oldest first."""
        with self._reading() as run:
            rows = run(
                select(entry, account.c.code)
                .join(account, account.c.account_id == entry.c.account_id)
                .where(account.c.code == code, entry.c.seq > after_seq)
                .order_by(entry.c.seq)
                .limit(most)
            )
            return [views.entry(row, row.code) for row in rows]

    def balance_at(self, code: str, before_us: int | None = None) -> BalanceReport | None:
        """Give what an account held just before that time, or now; None when there is no such account."""
        with self._reading() as run:
            return history.balance_at(run, code, before_us)

    def account_events(self, code: str) -> list[AccountEventReport]:
        """List what operators changed about an account, the oldest first."""
        with self._reading() as run:
            return history.account_events(run, code)

    def account_limits(self, code: str) -> list[LimitReport]:
        """List an account's limits, and what counts towards each now."""
        with self._reading() as run:
            return history.account_limits_now(run, code)

    def exported(
        self, first: int, last: int, *, after: tuple[str, int] = ("", 0), most: int = 1000
    ) -> list[ExportReport]:
        """List entries of business dates (yyyymmdd), by account code and number, from after one of them."""
        with self._reading() as run:
            return history.exported(run, first, last, after, most)

    def trial_balance(self) -> list[TrialBalance]:
        """Add up all accounts, for each currency."""
        with self._reading() as run:
            return views.trial_balances(run(select(balance.c.currency, balance.c.posted, balance.c.held)))

    def imbalance(self) -> dict[str, int]:
        """Give the sum of all balances of each currency in minor units: zero in sound books."""
        # Two sums of halves, because a sum of 64-bit amounts may not fit 64 bits.
        high = balance.c.posted.op(">>")(literal_column("32"))
        low = balance.c.posted.op("&")(0xFFFFFFFF)
        sums = select(balance.c.currency, func.sum(high), func.sum(low)).group_by(balance.c.currency)
        with self._reading() as run:
            return {views.letters(code): (int(top) << 32) + int(bottom) for code, top, bottom in run(sums)}

    # ------------------------------------------------------------ queues

    def lanes(self) -> list[LaneReport]:
        """List the queues, by name."""
        with self._reading() as run:
            return [
                LaneReport(
                    row.lane,
                    row.depth or 0,
                    row.oldest_us,
                    row.attempts or 0,
                    row.next_us,
                    row.dead or 0,
                    row.session,
                )
                for row in run(_LANES)
            ]

    def delivery_heads(self) -> list[DeliveryReport]:
        """List the first delivery of each lane."""
        with self._reading() as run:
            return [views.delivery(row) for row in run(_HEADS.order_by(delivery.c.lane))]

    def deliveries(self, lane_name: str | None = None, *, most: int = 1000) -> list[DeliveryReport]:
        """List deliveries that wait, in their order."""
        found = select(delivery).order_by(delivery.c.lane, delivery.c.seq).limit(most)
        with self._reading() as run:
            return [views.delivery(row) for row in run(_of_lane(found, delivery, lane_name))]

    def lane_head(self, lane_name: str) -> HeadReport | None:
        """Find the first delivery of a lane, with its body."""
        with self._reading() as run:
            row = run(
                select(delivery)
                .join(lane, lane.c.lane == delivery.c.lane)
                .where(delivery.c.lane == lane_name, delivery.c.seq > lane.c.head_seq)
                .order_by(delivery.c.seq)
                .limit(1)
            ).first()
        if row is None:
            return None
        place = place_row(row.lane, row.seq)
        body = self._vault.open(row.body, table="delivery", column="body", row=place)
        return HeadReport(
            row.lane, row.seq, row.kind, body, row.attempts, row.not_before_us, row.created_us, row.expires_us
        )

    def dead_letters(self, lane_name: str | None = None, *, dropped: bool = False) -> list[DeadLetterReport]:
        """List what was given up, in its order; with `dropped`, the record of what was dropped for good too."""
        found = select(dead_letter).order_by(dead_letter.c.lane, dead_letter.c.seq)
        if not dropped:
            found = found.where(dead_letter.c.dropped_us.is_(None))
        with self._reading() as run:
            return [views.dead_letter(row) for row in run(_of_lane(found, dead_letter, lane_name))]

    # ------------------------------------------------------------ within

    @contextmanager
    def _reading(self) -> Iterator[Any]:
        try:
            with self._connection.begin():
                yield self._connection.execute
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", None) or error
            raise StoreUnavailable(f"the books cannot be read: {type(cause).__name__}") from None

    def _codes(self, run: Any, numbers: set[int]) -> dict[int, str]:
        rows = run(select(account.c.account_id, account.c.code).where(account.c.account_id.in_(numbers)))
        return {row.account_id: row.code for row in rows}

    def _entries(self, run: Any, places: list[tuple[int, int]], codes: dict[int, str]) -> Iterator[EntryReport]:
        for start in range(0, len(places), _ENTRIES_AT_ONCE):
            some = places[start : start + _ENTRIES_AT_ONCE]
            wanted = tuple_(entry.c.account_id, entry.c.seq).in_(some)
            found = {(row.account_id, row.seq): row for row in run(select(entry).where(wanted))}
            for place in some:
                yield views.entry(found[place], codes[place[0]])


_ACCOUNTS = select(account, *(it for it in balance.c if it.name not in ("account_id", "currency"))).join(
    balance, balance.c.account_id == account.c.account_id
)
_FIRST = select(delivery.c.lane, func.min(delivery.c.seq).label("seq")).group_by(delivery.c.lane).subquery()
_HEADS = select(delivery).join(_FIRST, (_FIRST.c.lane == delivery.c.lane) & (_FIRST.c.seq == delivery.c.seq))
_DEPTHS = (
    select(delivery.c.lane, func.count().label("depth"), func.min(delivery.c.created_us).label("oldest_us"))
    .group_by(delivery.c.lane)
    .subquery()
)
_HEAD_ROWS = _HEADS.subquery()
_DEAD = (
    select(dead_letter.c.lane, func.count().label("dead"))
    .where(dead_letter.c.dropped_us.is_(None))
    .group_by(dead_letter.c.lane)
    .subquery()
)
_LANES = (
    select(
        lane.c.lane,
        lane.c.session,
        _DEPTHS.c.depth,
        _DEPTHS.c.oldest_us,
        _HEAD_ROWS.c.attempts,
        _HEAD_ROWS.c.not_before_us.label("next_us"),
        _DEAD.c.dead,
    )
    .outerjoin(_DEPTHS, _DEPTHS.c.lane == lane.c.lane)
    .outerjoin(_HEAD_ROWS, _HEAD_ROWS.c.lane == lane.c.lane)
    .outerjoin(_DEAD, _DEAD.c.lane == lane.c.lane)
    .order_by(lane.c.lane)
)


def _ordered(table: Table, condition: ColumnElement[bool]) -> Select[Any]:
    return select(table).where(condition).order_by(table.c.decided_us, table.c.received_us)


def _caused(table: Table, origins: set[bytes]) -> Select[Any]:
    return select(table).where(table.c.origin.in_(origins)).order_by(table.c.lane, table.c.seq)


def _of_lane(found: Select[Any], table: FromClause, lane_name: str | None) -> Select[Any]:
    return found if lane_name is None else found.where(table.c.lane == lane_name)


def open_reader(url: str, vault: Vault, limits: Limits | None = None) -> Reader:
    """Open the books for reading; StoreUnavailable when they cannot be used."""
    try:
        return Reader(make_engine(url, limits, reading=True).connect(), vault)
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        raise StoreUnavailable(f"the books cannot be read: {type(cause).__name__}") from None
