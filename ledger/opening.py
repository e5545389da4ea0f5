"""Opening accounts."""

from __future__ import annotations

from ..codecs.money import find_currency
from .operations import Done, Failed, OpenAccount, Outcome
from .page import Missing, Page
from .state import INT64_MIN, Account, Holder


def open_account(page: Page, item: OpenAccount) -> Outcome:
    """Create an account, or find that it is there with the same content; add cards to it."""
    holder = page.holders.find(item.code)
    owned = {card: page.cards.find(card) or () for card in item.cards}
    if holder is None:
        if find_currency(item.currency) is None:
            return Failed("the currency is not in ISO 4217")
        if item.floor_minor is not None and not INT64_MIN <= item.floor_minor <= 0:
            return Failed("a floor is zero or below, and fits 64 bits")
        holder = _create(page, item)
    elif _content(holder) != (item.kind, item.currency, item.institution, item.name, item.floor_minor):
        return Failed("the account exists with other content")
    for card, accounts in owned.items():
        if holder.account_id not in accounts:
            page.cards.put(card, (*accounts, holder.account_id))
    return Done(number=holder.account_id)


def _content(holder: Holder) -> tuple[str, int, str, str, int | None]:
    return holder.kind, holder.currency, holder.institution, holder.name, holder.floor


def _create(page: Page, item: OpenAccount) -> Holder:
    if page.account_id_max is None:
        raise Missing("account_id_max", item.code)
    account_id = page.take_account_id()
    holder = Holder(
        account_id,
        item.code,
        item.kind,
        item.currency,
        item.institution,
        item.name,
        item.floor_minor,
        item.created_us,
    )
    page.holders.put(item.code, holder)
    page.codes.put(item.code, account_id)
    page.accounts.put(account_id, Account(account_id, item.currency, 0, 0, 0, item.floor_minor, None, 0, 0, 0))
    return holder
