"""What an operator changes about an account: limits, name, blocks, closing; each change journalled."""

from __future__ import annotations

import json
from struct import Struct
from typing import Any, Final

import attrs

from .account_items import (
    AccountItem,
    AccountLimit,
    BlockAccount,
    CloseAccount,
    Keep,
    LimitAccount,
    Period,
    UpdateAccount,
)
from .limits import write_limits
from .operations import Done, Failed, Gone, Outcome
from .page import Page
from .state import (
    CLOSED,
    INT64_MAX,
    INT64_MIN,
    LIMITED,
    NO_CREDITS,
    NO_DEBITS,
    Account,
    AccountEvent,
    EntryKind,
    Holder,
)

WHO_CHARS_MAX: Final = 64
REASON_CHARS_MAX: Final = 500
LIMITS_MAX: Final = 64
"""Limits of one account: each is looked at for every payment."""

_event_key: Final = Struct(">qq").pack
Change = dict[str, Any]
"""What an event tells: each thing that changed, from what to what; of a name only that it changed."""


def update_account(page: Page, item: UpdateAccount) -> Outcome:
    """Change limits or name."""
    found = _find(page, item)
    if not isinstance(found, tuple):
        return found
    holder, account = found
    if account.flags & CLOSED:
        return Failed("the account is closed")
    floor = account.floor if isinstance(item.floor_minor, Keep) else item.floor_minor
    ceiling = account.ceiling if isinstance(item.ceiling_minor, Keep) else item.ceiling_minor
    if floor is not None and not INT64_MIN <= floor <= 0:
        return Failed("a floor is zero or below, and fits 64 bits")
    if ceiling is not None and not 0 <= ceiling <= INT64_MAX:
        return Failed("a ceiling is zero or above, and fits 64 bits")
    change = _differences(floor_minor=(account.floor, floor), ceiling_minor=(account.ceiling, ceiling))
    if not isinstance(item.name, Keep) and item.name != holder.name:
        page.holders.put(holder.code, attrs.evolve(holder, name=item.name))
        change["name"] = "changed"
    page.amend(account, floor, ceiling, account.flags)
    return _journal(page, account, item, "update", change)


def block_account(page: Page, item: BlockAccount) -> Outcome:
    """Refuse debits or credits, or allow them again."""
    found = _find(page, item)
    if not isinstance(found, tuple):
        return found
    _, account = found
    if account.flags & CLOSED:
        return Failed("the account is closed")
    flags = account.flags
    for wanted, flag in ((item.debits, NO_DEBITS), (item.credits, NO_CREDITS)):
        if wanted is not None:
            flags = flags | flag if wanted else flags & ~flag
    change = _differences(
        debits_blocked=(bool(account.flags & NO_DEBITS), bool(flags & NO_DEBITS)),
        credits_blocked=(bool(account.flags & NO_CREDITS), bool(flags & NO_CREDITS)),
    )
    page.amend(account, account.floor, account.ceiling, flags)
    return _journal(page, account, item, "block" if item.debits or item.credits else "unblock", change)


def limit_account(page: Page, item: LimitAccount) -> Outcome:
    """Set the limits for a processing code."""
    found = _find(page, item)
    if not isinstance(found, tuple):
        return found
    holder, account = found
    if account.flags & CLOSED:
        return Failed("the account is closed")
    if holder.kind == "settlement":
        return Failed("a settlement account has a cap instead of limits")
    if not all(_is_limit(limit, item.processing_code) for limit in item.limits):
        return Failed("a limit has a processing code of none, two or six digits, and an amount or count that fits")
    if len({limit.period for limit in item.limits}) < len(item.limits):
        return Failed("a period has one limit")
    before = page.limits.find(account.account_id) or ()
    after = tuple(it for it in before if it.processing_code != item.processing_code) + item.limits
    after = tuple(sorted(after, key=lambda it: (it.processing_code, it.period.value)))
    if len(after) > LIMITS_MAX:
        return Failed(f"an account has at most {LIMITS_MAX} limits")
    if after != before:
        page.limits.put(account.account_id, after)
    change = _differences(limits=(json.loads(write_limits(before)), json.loads(write_limits(after))))
    page.amend(account, account.floor, account.ceiling, account.flags | LIMITED)
    return _journal(page, account, item, "limit", change)


def _is_limit(limit: AccountLimit, processing_code: str) -> bool:
    code, amount, count = limit.processing_code, limit.amount_minor, limit.count
    return (
        code == processing_code
        and (code == "" or (len(code) in (2, 6) and code.isascii() and code.isdigit()))
        and (amount is not None or count is not None)
        and (amount is None or 0 <= amount <= INT64_MAX)
        and (count is None or (0 <= count <= INT64_MAX and limit.period is not Period.TRANSACTION))
    )


def close_account(page: Page, item: CloseAccount) -> Outcome:
    """Close an account, and forget whose it was if asked."""
    found = _find(page, item)
    if not isinstance(found, tuple):
        return found
    holder, account = found
    if account.posted or account.held:
        return Failed("the account is not empty")
    change = _differences(closed=(bool(account.flags & CLOSED), True))
    if item.forget:
        cards = page.account_cards.find(holder.code) or ()
        owned = [(card, page.cards.find(card) or ()) for card in cards]
        for card, accounts in owned:
            page.cards.put(card, tuple(number for number in accounts if number != account.account_id))
        if cards:
            page.account_cards.put(holder.code, ())
            change["cards"] = f"{len(cards)} forgotten"
        if holder.name:
            page.holders.put(holder.code, attrs.evolve(holder, name=""))
            change["name"] = "erased"
    page.amend(account, account.floor, account.ceiling, account.flags | CLOSED)
    return _journal(page, account, item, "forget" if item.forget else "close", change)


def _find(page: Page, item: AccountItem) -> tuple[Holder, Account] | Failed | Gone:
    """Find whom an item concerns; who asks and why must be told, in bounded words."""
    if not 0 < len(item.who) <= WHO_CHARS_MAX or not 0 < len(item.reason) <= REASON_CHARS_MAX:
        return Failed(f"who (to {WHO_CHARS_MAX} characters) and reason (to {REASON_CHARS_MAX}) must be told")
    holder = page.holders.find(item.code)
    if holder is None:
        return Gone()
    return holder, page.get_account(holder.account_id)


def _differences(**values: tuple[Any, Any]) -> Change:
    return {name: [before, after] for name, (before, after) in values.items() if before != after}


def _journal(page: Page, account: Account, item: AccountItem, action: str, change: Change) -> Done:
    """Write the event down, and give it a place among the account's entries: an entry of no amount."""
    if not change:
        return Done()
    number = account.seq + 1
    page.move(account.account_id, 0, 0, int(EntryKind.LIMIT), _event_key(account.account_id, number), True)
    page.account_events.put(
        (account.account_id, number),
        AccountEvent(
            account.account_id,
            number,
            page.bdate,
            page.now_us,
            item.who,
            action,
            item.reason,
            json.dumps(change, sort_keys=True),
        ),
    )
    return Done(number=number)
