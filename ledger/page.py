"""The page of the ledger that a batch works on: what was loaded, what changed, and how to take a change back.

A look at something that was not loaded raises `Missing`: whoever keeps the books loads it and runs the batch again.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import Any, Final, Generic, TypeVar

from .account_items import AccountLimit
from .chain import Head
from .exchange_items import Exchange
from .operations import AccountRef, Balance, NewDelivery
from .settlement_items import Total, Totals
from .state import (
    CLOSED,
    INT64_MAX,
    INT64_MIN,
    Account,
    AccountEvent,
    Approval,
    ClassKey,
    Comparison,
    Day,
    DeadLetter,
    Delivery,
    Entry,
    Flight,
    Holder,
    Lane,
    LaneSeq,
    LimitUse,
    Message,
    Relation,
    Sealed,
    TotalsKey,
    Txn,
    Usage,
    UsageKey,
)

K = TypeVar("K")
R = TypeVar("R")

_ABSENT: Final[Any] = object()
_TERMS: Final[Any] = object()
_pack_entry: Final = Struct(">qq").pack


class Missing(Exception):
    """The rules need a row that was not loaded."""

    def __init__(self, table: str, key: Any) -> None:
        super().__init__(table)
        self.table = table
        self.key = key


class Table(Generic[K, R]):
    """Rows by key: loaded ones, None for one known not to exist, and changes above them."""

    __slots__ = ("_undo", "changed", "loaded", "name")

    def __init__(self, name: str, undo: list[tuple[Any, Any, Any]]) -> None:
        self.name = name
        self.loaded: dict[K, R | None] = {}
        self.changed: dict[K, R | None] = {}
        self._undo = undo

    def find(self, key: K) -> R | None:
        if key in self.changed:
            return self.changed[key]
        if key in self.loaded:
            return self.loaded[key]
        raise Missing(self.name, key)

    def put(self, key: K, row: R | None) -> None:
        self._undo.append((self.changed, key, self.changed.get(key, _ABSENT)))
        self.changed[key] = row

    def rows(self) -> Iterator[R]:
        """Give every row that exists now."""
        for key, row in self.loaded.items():
            if row is not None and key not in self.changed:
                yield row
        for row in self.changed.values():
            if row is not None:
                yield row

    def inserted(self) -> list[tuple[K, R]]:
        return [(k, row) for k, row in self.changed.items() if row is not None and self.loaded.get(k) is None]

    def updated(self) -> list[tuple[K, R]]:
        return [(k, row) for k, row in self.changed.items() if row is not None and self.loaded.get(k) is not None]

    def deleted(self) -> list[K]:
        return [k for k, row in self.changed.items() if row is None and self.loaded.get(k) is not None]


class Page:
    """What one batch sees and does. Times in microseconds UTC, the business date as yyyymmdd."""

    def __init__(self, now_us: int, bdate: int) -> None:
        self.now_us = now_us
        self.bdate = bdate
        self.chain_id = self.batch_n = 0
        """The place in the hash chain of what this batch adds."""
        self._undo: list[tuple[Any, Any, Any]] = []
        undo = self._undo
        self.codes: Table[str, int] = Table("codes", undo)
        self.cards: Table[bytes, tuple[int, ...]] = Table("cards", undo)
        self.accounts: Table[int, Account] = Table("accounts", undo)
        self.holders: Table[str, Holder] = Table("holders", undo)
        self.limits: Table[int, tuple[AccountLimit, ...]] = Table("limits", undo)
        self.usages: Table[UsageKey, Usage] = Table("usages", undo)
        self.limit_uses: Table[bytes, LimitUse] = Table("limit_uses", undo)
        self.relations: Table[bytes, Relation] = Table("relations", undo)
        self.exchanges: Table[bytes, Exchange] = Table("exchanges", undo)
        self.refunded: Table[bytes, int] = Table("refunded", undo)
        self.remembered_cards: set[AccountRef] = set()
        """Cards whose accounts were not looked up for this page."""
        self.account_cards: Table[str, tuple[bytes, ...]] = Table("account_cards", undo)
        self.account_events: Table[tuple[int, int], AccountEvent] = Table("account_events", undo)
        self.messages: Table[bytes, Message] = Table("messages", undo)
        self.transactions: Table[bytes, Txn] = Table("transactions", undo)
        self.flights: Table[bytes, Flight] = Table("flights", undo)
        self.lanes: Table[str, Lane] = Table("lanes", undo)
        self.deliveries: Table[LaneSeq, Delivery] = Table("deliveries", undo)
        self.dead_letters: Table[LaneSeq, DeadLetter] = Table("dead_letters", undo)
        self.days: Table[int, Day] = Table("days", undo)
        self.has_days = False
        """Whether the business days are loaded."""
        self.heads: tuple[Head, ...] = ()
        """The ends of all chains before this batch, where it closes a business day."""
        self.totals: Table[TotalsKey, Totals] = Table("totals", undo)
        self.counted: Table[ClassKey, tuple[int, int]] = Table("counted", undo)
        """What this batch adds to the totals: number and amount."""
        self.approvals: Table[bytes, Approval] = Table("approvals", undo)
        self.comparisons: Table[bytes, Comparison] = Table("comparisons", undo)
        self.entries: list[Entry] = []
        self.touched: dict[int, Account] = {}
        self.amended: dict[int, Account] = {}
        self.account_id_max: int | None = None
        self.overdue_before_us: int | None = None
        """Open transactions whose time passed before this are loaded."""
        self.expired_before_us: int | None = None
        """Holds whose time passed before this are loaded."""

    def next(self) -> Page:
        """Give an empty page of the same transaction."""
        page = Page(self.now_us, self.bdate)
        page.chain_id, page.batch_n = self.chain_id, self.batch_n
        return page

    # ------------------------------------------------------------ taking back

    def mark(self) -> tuple[int, int]:
        return len(self._undo), len(self.entries)

    def take_back(self, mark: tuple[int, int]) -> None:
        """Undo every change since the mark."""
        undo = self._undo
        while len(undo) > mark[0]:
            rows, key, old = undo.pop()
            if rows is self:
                self.bdate = old
            elif rows is None:
                key.posted, key.held, key.seq, key.overdraw, key.overfill = old
            elif rows is _TERMS:
                key.floor, key.ceiling, key.flags = old
            elif old is _ABSENT:
                del rows[key]
            else:
                rows[key] = old
        del self.entries[mark[1] :]

    def clear(self) -> None:
        """Undo every change of the batch."""
        self.take_back((0, 0))
        self.touched.clear()
        self.amended.clear()

    # ------------------------------------------------------------ accounts

    def find_account(self, ref: AccountRef) -> Account | None:
        account_id = self.find_account_id(ref)
        if account_id is None:
            return None
        account = self.get_account(account_id)
        if account.flags & CLOSED and ref in self.remembered_cards:
            raise Missing("cards", ref)  # it may have left its card
        return account

    def find_account_id(self, ref: AccountRef) -> int | None:
        """Find the number of an account by its code, by a card (its first account), or by both."""
        if isinstance(ref, str):
            return self.codes.find(ref)
        if isinstance(ref, bytes):
            owned = self.cards.find(ref)
            return owned[0] if owned else None
        account_id = self.codes.find(ref.code)
        return account_id if account_id in (self.cards.find(ref.card_ref) or ()) else None

    def get_account(self, account_id: int) -> Account:
        accounts = self.accounts
        if account_id in accounts.loaded and not accounts.changed:  # the hottest look-up of all
            account = accounts.loaded[account_id]
        else:
            account = accounts.find(account_id)
        assert account is not None, "an account has a balance"
        return account

    def balance_of(self, account_id: int) -> Balance:
        account = self.get_account(account_id)
        left = account.posted - account.held
        return Balance(account.posted, account.held, left - (account.floor or 0), account.currency)

    def move(self, account_id: int, amount: int, held_delta: int, kind: int, txn_key: bytes, must: bool) -> bytes:
        """Add one entry to an account, and give its packed place.

        amount: signed minor units, credit positive. must: the entry is made whatever the limits; without it a
        limit that is crossed is a fault of ours, because the rules check first.
        """
        account = self.get_account(account_id)
        self._undo.append(
            (None, account, (account.posted, account.held, account.seq, account.overdraw, account.overfill))
        )
        self.touched[account_id] = account
        posted = account.posted + amount
        held = account.held + held_delta
        assert 0 <= held <= INT64_MAX, "what is held fits and is never negative"
        assert posted - held >= INT64_MIN, "a balance fits 64 bits"
        assert posted <= INT64_MAX, "a balance fits 64 bits"
        if account.floor is not None:
            short = account.floor - posted + held
            if short > account.overdraw:
                assert must, "only what must be posted passes the floor"
                account.overdraw = short
            elif account.overdraw:
                account.overdraw = max(short, 0)
        if account.ceiling is not None:
            excess = posted - account.ceiling
            if excess > account.overfill:
                assert must, "only what must be posted passes the ceiling"
                account.overfill = excess
            elif account.overfill:
                account.overfill = max(excess, 0)
        account.posted = posted
        account.held = held
        account.seq = seq = account.seq + 1
        self.entries.append(
            (
                account_id, seq, self.bdate, txn_key, kind, amount, posted, held_delta, held, self.now_us,
                self.chain_id, self.batch_n,
            )
        )  # fmt: skip
        return _pack_entry(account_id, seq)

    def amend(self, account: Account, floor: int | None, ceiling: int | None, flags: int) -> None:
        """Give an account other limits or flags."""
        self._undo.append((_TERMS, account, (account.floor, account.ceiling, account.flags)))
        self.amended[account.account_id] = account
        account.floor, account.ceiling, account.flags = floor, ceiling, flags

    def take_account_id(self) -> int:
        """Give the next free account number."""
        assert self.account_id_max is not None, "the highest number is loaded"
        return self.account_id_max + len(self.accounts.changed) + 1

    # ------------------------------------------------------------ business days

    def turn_to(self, bdate: int) -> None:
        """Let what is decided from now on be of another business day."""
        self._undo.append((self, None, self.bdate))
        self.bdate = bdate

    def count(self, key: ClassKey, amount: int) -> None:
        """Add one message to the totals."""
        counted = self.counted.changed
        before = counted.get(key)
        if before is None:
            self._undo.append((counted, key, _ABSENT))
            counted[key] = (1, amount)
        else:
            self._undo.append((counted, key, before))
            counted[key] = (before[0] + 1, before[1] + amount)

    def totals_of(self, key: TotalsKey) -> Totals:
        """Give the totals as they are now, with what this batch adds."""
        totals = dict(self.totals.find(key) or {})
        for (*of, class_), added in self.counted.changed.items():
            if tuple(of) == key and added is not None:
                before = totals.get(class_, Total())
                totals[class_] = Total(before.count + added[0], before.amount_minor + added[1])
        return totals

    # ------------------------------------------------------------ queues

    def append(self, new: NewDelivery, origin: bytes) -> str:
        """Put a delivery at the end of its lane, and give the lane; `origin`: the message that causes it."""
        return self.append_row(new.lane, new.kind, new.body, origin, new.settles, new.expires_us).lane

    def append_row(
        self,
        lane_name: str,
        kind: str,
        body: bytes | Sealed,
        origin: bytes | None,
        settles: bytes | None,
        expires_us: int | None,
    ) -> Delivery:
        lane = self.lanes.find(lane_name)
        tail = 1 if lane is None else lane.tail + 1
        self.lanes.put(lane_name, Lane(lane_name, tail, 0 if lane is None else lane.session))
        delivery = Delivery(
            lane_name,
            tail,
            kind,
            body,
            origin,
            settles,
            self.now_us,
            self.now_us,
            expires_us,
            attempts=0,
            last_result=None,
        )
        self.deliveries.put((lane_name, tail), delivery)
        return delivery
