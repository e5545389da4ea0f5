"""Which accounts a code or a card names, remembered up to a limit.

An account keeps its code, and a card its accounts until one is closed and forgotten: a card that leads to a closed
account is looked up again, as is what was not found, which may have been opened meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeVar

from .operations import CardAccount
from .page import Page
from .plan import Wants

K = TypeVar("K")
V = TypeVar("V")


class References:
    """Codes and cards that were looked up; `most` of each."""

    def __init__(self, most: int) -> None:
        self._most: Final = most
        self._codes: dict[str, int] = {}
        self._cards: dict[bytes, tuple[int, ...]] = {}

    def __len__(self) -> int:
        return len(self._codes) + len(self._cards)

    def clear(self) -> None:
        """Forget everything."""
        self._codes.clear()
        self._cards.clear()

    def resolve(self, wants: Wants, page: Page) -> tuple[list[str], list[bytes]]:
        """Put what is remembered on the page, and give the codes and cards that are to be looked up."""
        codes, cards = set(wants.codes), set(wants.cards)
        anew = set(wants.cards)
        for ref in wants.references:
            if isinstance(ref, str):
                codes.add(ref)
            elif isinstance(ref, bytes):
                cards.add(ref)
            else:
                codes.add(ref.code)
                cards.add(ref.card_ref)
                if not self._is_known(ref):
                    anew.add(ref.card_ref)
        for code in codes - page.codes.loaded.keys():
            if code in self._codes:
                page.codes.loaded[code] = self._codes[code]
        for card in cards - page.cards.loaded.keys() - anew:
            if card in self._cards:
                page.cards.loaded[card] = self._cards[card]
                page.remembered_cards.add(card)
        unknown = (cards - page.cards.loaded.keys()) | {card for card in anew if card in page.remembered_cards}
        return list(codes - page.codes.loaded.keys()), list(unknown)

    def keep_codes(self, page: Page, asked: Iterable[str], found: Iterable[tuple[str, int]]) -> None:
        """Put codes that were looked up on the page, and remember those that exist."""
        page.codes.loaded.update(dict.fromkeys(asked))
        for code, account_id in found:
            page.codes.loaded[code] = account_id
            self._remember(self._codes, code, account_id)

    def keep_cards(self, page: Page, asked: Iterable[bytes], found: Iterable[tuple[bytes, int]]) -> None:
        """Put cards that were looked up on the page; `found`: card and account, a card's first account first."""
        owned: dict[bytes, tuple[int, ...]] = {}
        for card, account_id in found:
            owned[card] = (*owned.get(card, ()), account_id)
        page.cards.loaded.update(dict.fromkeys(asked))
        page.remembered_cards.difference_update(asked)
        page.cards.loaded.update(owned)
        for card, accounts in owned.items():
            self._remember(self._cards, card, accounts)

    def _is_known(self, pair: CardAccount) -> bool:
        account_id = self._codes.get(pair.code)
        return account_id is not None and account_id in self._cards.get(pair.card_ref, ())

    def _remember(self, known: dict[K, V], key: K, value: V) -> None:
        if key not in known and len(known) >= self._most:
            del known[next(iter(known))]
        known[key] = value


def keep_account_cards(page: Page, asked: Iterable[str], found: Iterable[tuple[str, bytes]]) -> None:
    """Put the cards of accounts on the page; `found`: an account's code and one of its cards."""
    owned: dict[str, tuple[bytes, ...]] = dict.fromkeys(asked, ())
    for code, card in found:
        owned[code] = (*owned[code], card)
    page.account_cards.loaded.update(owned)


def accounts_of(wants: Wants, page: Page) -> set[int]:
    """Give the accounts that are wanted, by number or by a reference that is resolved."""
    accounts = set(wants.accounts)
    for ref in wants.references:
        account_id = page.find_account_id(ref)
        if account_id is not None:
            accounts.add(account_id)
    return accounts
