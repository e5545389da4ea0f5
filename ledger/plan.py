"""What a batch needs to see: the rows to load before its items can be decided.

`first_wants` tells what the items name; `next_wants` what the rows that were loaded name in turn. Both may miss
something: the rules then say what they lack, and it is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from .account_items import BlockAccount, CloseAccount, LimitAccount, UpdateAccount
from .approval_items import Approve, Chargeback, Proposal, Reject, RequestApproval
from .exchange_items import Quote
from .limits import usage_keys
from .operations import (
    Abandon,
    AccountRef,
    Attempt,
    Authorise,
    Bury,
    Capture,
    Conclude,
    Delivered,
    Dispatch,
    Drop,
    ExpireHolds,
    Inquire,
    Item,
    NextSession,
    OpenAccount,
    Postpone,
    Redirect,
    Refuse,
    Reverse,
    Revive,
    Silence,
    SilenceOverdue,
)
from .page import Missing, Page
from .rules import payer
from .settlement_items import CutOver, Reconcile
from .state import LIMITED, LaneSeq, Leg, TotalsKey, UsageKey


@attrs.define
class Sweep:
    """Rows whose time passed before `before_us`, oldest first, no more than `most`."""

    before_us: int
    most: int


@attrs.define
class Wants:
    """Rows to load, by table."""

    references: set[AccountRef] = attrs.field(factory=set)
    codes: set[str] = attrs.field(factory=set)
    cards: set[bytes] = attrs.field(factory=set)
    accounts: set[int] = attrs.field(factory=set)
    holders: set[str] = attrs.field(factory=set)
    account_cards: set[str] = attrs.field(factory=set)
    limits: set[int] = attrs.field(factory=set)
    usages: set[UsageKey] = attrs.field(factory=set)
    limit_uses: set[bytes] = attrs.field(factory=set)
    relations: set[bytes] = attrs.field(factory=set)
    refunded: set[bytes] = attrs.field(factory=set)
    exchanges: set[bytes] = attrs.field(factory=set)
    messages: set[bytes] = attrs.field(factory=set)
    transactions: set[bytes] = attrs.field(factory=set)
    flights: set[bytes] = attrs.field(factory=set)
    lanes: set[str] = attrs.field(factory=set)
    deliveries: set[LaneSeq] = attrs.field(factory=set)
    dead_letters: set[LaneSeq] = attrs.field(factory=set)
    account_id_max: bool = False
    days: bool = False
    closes_day: bool = False
    """The open day is to be locked for a change of it."""
    approvals: set[bytes] = attrs.field(factory=set)
    totals: set[TotalsKey] = attrs.field(factory=set)
    overdue: Sweep | None = None
    expired: Sweep | None = None
    named: set[bytes] = attrs.field(factory=set)
    """Keys whose transactions change: their accounts are wanted in turn."""
    given_back: set[bytes] = attrs.field(factory=set)
    """Keys of payments that are undone or refunded: what was refunded of them is wanted in turn."""
    ended: set[bytes] = attrs.field(factory=set)
    """Keys of open transactions that may end in silence: the lanes of their reversals are wanted in turn."""

    def is_empty(self) -> bool:
        """Tell whether nothing is to be loaded."""
        return not any(getattr(self, table) for table in _LOADED)

    def own_key(self, key: bytes) -> None:
        self.messages.add(key)
        self.flights.add(key)
        self.transactions.add(key)

    def original_key(self, key: bytes) -> None:
        self.own_key(key)
        self.named.add(key)

    def open_key(self, key: bytes) -> None:
        self.messages.add(key)
        self.flights.add(key)
        self.named.add(key)


_LOADED = tuple(
    it.name for it in attrs.fields(Wants) if it.name not in ("named", "given_back", "ended", "closes_day")
)


def first_wants(items: Sequence[Item]) -> Wants:
    """Tell what the items of a batch name."""
    wants = Wants()
    for item in items:
        match item:
            case Authorise() | Dispatch():
                wants.own_key(item.facts.key)
                _movements(wants, item.movements)
                if isinstance(item, Authorise):
                    wants.lanes.update(new.lane for new in item.deliveries)
                    _quotes(wants, item.exchange)
                    if item.adds_to is not None:
                        wants.original_key(item.adds_to)
                    if item.refunds is not None:
                        wants.original_key(item.refunds)
                        wants.given_back.add(item.refunds)
            case Inquire():
                wants.own_key(item.facts.key)
                wants.references.add(item.account)
            case Refuse():
                wants.own_key(item.facts.key)
            case Capture():
                wants.own_key(item.facts.key)
                wants.original_key(item.original_key)
                _movements(wants, item.movements)
                _quotes(wants, item.exchange)
                wants.lanes.update(new.lane for new in item.deliveries)
            case Reverse():
                wants.own_key(item.facts.key)
                wants.original_key(item.original_key)
                wants.ended.add(item.original_key)
                wants.given_back.add(item.original_key)
                wants.relations.add(item.original_key)
            case Conclude() | Abandon():
                wants.open_key(item.key)
            case Silence():
                wants.open_key(item.key)
                wants.ended.add(item.key)
            case Redirect():
                wants.open_key(item.key)
                _movements(wants, item.movements)
            case Delivered() | Attempt() | Postpone() | Bury():
                wants.deliveries.add((item.lane, item.seq))
            case Drop():
                wants.deliveries.add((item.lane, item.seq))
                wants.dead_letters.add((item.lane, item.seq))
            case Revive():
                wants.dead_letters.add((item.lane, item.seq))
                wants.lanes.add(item.lane)
            case NextSession():
                wants.lanes.add(item.lane)
            case OpenAccount():
                wants.holders.add(item.code)
                wants.cards.update(item.cards)
                wants.account_id_max = True
            case UpdateAccount() | BlockAccount() | CloseAccount() | LimitAccount():
                wants.holders.add(item.code)
                wants.references.add(item.code)
                if isinstance(item, CloseAccount) and item.forget:
                    wants.account_cards.add(item.code)
            case RequestApproval():
                wants.approvals.add(item.approval_id)
                wants.messages.add(item.approval_id)
                _proposal(wants, item.proposal)
            case Approve() | Reject():
                wants.approvals.add(item.approval_id)
            case CutOver():
                wants.days = wants.closes_day = True
            case Reconcile():
                wants.own_key(item.facts.key)
                wants.days = True
            case SilenceOverdue():
                wants.overdue = _wider(wants.overdue, item.before_us, item.most + len(item.except_keys) + len(items))
            case ExpireHolds():
                wants.expired = _wider(wants.expired, item.before_us, item.most + len(items))
    return wants


def next_wants(page: Page, first: Wants) -> Wants:
    """Tell what the loaded rows name that is not loaded yet, as far as the items will look at it."""
    wants = Wants()
    keys = set(first.named)
    ended = set(first.ended)
    if first.overdue is not None:
        keys.update(page.flights.loaded)
        ended.update(page.flights.loaded)
    if first.expired is not None:
        keys.update(page.transactions.loaded)
    letters = [page.deliveries.loaded.get(place) for place in first.deliveries]
    letters_dead = [page.dead_letters.loaded.get(place) for place in first.dead_letters]
    for letter in (*letters, *letters_dead):
        if letter is not None and letter.settles is not None:
            keys.add(letter.settles)
            _unless_loaded(wants.transactions, page.transactions.loaded, (letter.settles,))
    for code in first.account_cards:
        _unless_loaded(wants.cards, page.cards.loaded, page.account_cards.loaded.get(code) or ())
    _limits(wants, page)
    _proposals(wants, page, first, keys)
    for key in keys:
        message = page.messages.loaded.get(key)
        if message is not None and message.txn_key != key:
            _unless_loaded(wants.transactions, page.transactions.loaded, (message.txn_key,))
        if message is not None and key in first.given_back:
            _unless_loaded(wants.refunded, page.refunded.loaded, (message.txn_key,))
            relation = page.relations.loaded.get(key)
            if relation is not None:
                _unless_loaded(wants.refunded, page.refunded.loaded, (relation.original,))
        txn = page.transactions.loaded.get(key if message is None else message.txn_key)
        if txn is not None:
            _unless_loaded(wants.accounts, page.accounts.loaded, _accounts(txn.legs))
            paying = page.accounts.loaded.get(payer(txn.legs)[0]) if txn.legs else None
            if paying is not None and paying.flags & LIMITED:
                _unless_loaded(wants.limit_uses, page.limit_uses.loaded, (txn.key,))
        flight = page.flights.loaded.get(key)
        if flight is not None:
            _unless_loaded(wants.accounts, page.accounts.loaded, _accounts(flight.legs))
            if key in ended and flight.reversal is not None:
                _unless_loaded(wants.lanes, page.lanes.loaded, (flight.reversal.lane,))
    return wants


def _proposal(wants: Wants, proposal: Proposal) -> None:
    if isinstance(proposal, Chargeback):
        wants.transactions.add(proposal.original_key)
        wants.named.add(proposal.original_key)
        wants.refunded.add(proposal.original_key)
        wants.references.add(proposal.through)
    else:
        wants.references.update((proposal.debit, proposal.credit))


def _proposals(wants: Wants, page: Page, first: Wants, keys: set[bytes]) -> None:
    """Want what the requests that are to be carried out would change."""
    for approval_id in first.approvals:
        known = page.approvals.loaded.get(approval_id)
        proposal = None if known is None else known.find_proposal()
        if proposal is None:
            continue
        named = Wants()
        _proposal(named, proposal)
        _unless_loaded(wants.transactions, page.transactions.loaded, named.transactions)
        _unless_loaded(wants.refunded, page.refunded.loaded, named.refunded)
        wants.references.update(each for each in named.references if each not in page.codes.loaded)
        keys.update(named.named)


def _limits(wants: Wants, page: Page) -> None:
    """Want the limits of the accounts that have some, and the counters that they and earlier payments name."""
    for number, account in page.accounts.loaded.items():
        if account is not None and account.flags & LIMITED:
            _unless_loaded(wants.limits, page.limits.loaded, (number,))
    for number, limits in page.limits.loaded.items():
        _unless_loaded(wants.usages, page.usages.loaded, usage_keys(number, limits or (), page.bdate))
    for use in page.limit_uses.loaded.values():
        if use is not None:
            _unless_loaded(wants.usages, page.usages.loaded, ((use.account_id, *place) for place in use.places))


def missing_wants(missing: Iterable[Missing], first: Wants) -> Wants:
    """Tell what the rules said they lack."""
    wants = Wants()
    for lack in missing:
        if lack.table in ("account_id_max", "days"):
            setattr(wants, lack.table, True)
        elif lack.table in ("overdue", "expired"):
            setattr(wants, lack.table, getattr(first, lack.table))
        else:
            getattr(wants, lack.table).add(lack.key)
    return wants


def _movements(wants: Wants, movements: Iterable[Any]) -> None:
    for movement in movements:
        wants.references.add(movement.debit)
        wants.references.add(movement.credit)


def _quotes(wants: Wants, quotes: Iterable[Quote]) -> None:
    for quote in quotes:
        wants.references.update((quote.payment_position, quote.position))
        wants.references.update((quote.spread_account, quote.rounding_account))


def _accounts(legs: Iterable[Leg]) -> Iterable[int]:
    for leg in legs:
        yield leg[0]
        yield leg[1]


def _unless_loaded(wanted: set[Any], loaded: dict[Any, Any], keys: Iterable[Any]) -> None:
    for key in keys:
        if key not in loaded:
            wanted.add(key)


def _wider(sweep: Sweep | None, before_us: int, most: int) -> Sweep:
    if sweep is None:
        return Sweep(before_us, most)
    return Sweep(max(sweep.before_us, before_us), sweep.most + most)
