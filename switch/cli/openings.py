"""Accounts to be opened, as an operator writes them: one by options, or many as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from ...codecs.masking import Pan
from ...codecs.money import Currency
from ...codecs.payment import digest, make_key
from ...ledger.operations import LEDGER, Approved, Authorise, Decision, Facts, Movement, OpenAccount
from .amounts import read_amount, read_currency
from .cards import read_card_number
from .complaints import Complaint

KINDS: Final = ("cardholder", "settlement", "nostro", "vostro", "fee", "suspense", "chargeback", "external")
NAME_CHARS_MAX: Final = 140
CARDS_MAX: Final = 1_000
"""Cards of one account."""

_CODE_CHARS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_/")
_CODE_CHARS_MAX: Final = 64
_KEYS: Final = frozenset(
    {"code", "kind", "currency", "institution", "name", "credit_line", "unlimited", "cards", "opening"}
)


@attrs.frozen
class Opening:
    """One account to be opened. `floor_minor` as in the ledger; `opening_minor` comes out of a suspense account."""

    code: str
    currency: Currency
    kind: str = "cardholder"
    institution: str = ""
    name: str = attrs.field(default="", repr=False)
    floor_minor: int | None = 0
    cards: tuple[Pan, ...] = ()
    opening_minor: int = 0

    def account(self, card_ref: Callable[[Pan], bytes], now_us: int) -> OpenAccount:
        """Give the item that creates the account, or does nothing when it is there with the same content."""
        return OpenAccount(
            code=self.code,
            kind=self.kind,
            currency=self.currency.numeric,
            institution=self.institution,
            created_us=now_us,
            floor_minor=self.floor_minor,
            name=self.name,
            cards=tuple(card_ref(card) for card in self.cards),
        )

    def journal(self, now_us: int) -> Authorise:
        """Give the item that books the opening balance: once, however often the account is opened."""
        movement = Movement(
            debit=suspense_code(self.currency),
            credit=self.code,
            amount_minor=self.opening_minor,
            currency=self.currency.numeric,
        )
        key = make_key(bytes(4), ("opening", self.code))
        facts = Facts(
            key=key,
            fingerprint=digest((self.code, self.currency.alpha, str(self.opening_minor))),
            source="operator",
            destination=LEDGER,
            type="journal",
            received_us=now_us,
            trace=key.hex(),
            amount_minor=self.opening_minor,
            currency=self.currency.numeric,
            purpose="opening balance",
        )
        return Authorise(facts=facts, movements=(movement,), render=_render)


def _render(decision: Decision) -> bytes:
    """What is stored as the answer to a journal: nobody waits for it on a line."""
    return b"booked" if isinstance(decision, Approved) else b"declined"


def suspense_code(currency: Currency) -> str:
    """Give the code of the account from which opening balances of a currency come."""
    return f"suspense.opening.{currency.alpha}"


def suspense_account(currency: Currency, now_us: int) -> OpenAccount:
    """Give the item that creates that account, without a floor: what is opened elsewhere is owed here."""
    return OpenAccount(
        code=suspense_code(currency),
        kind="suspense",
        currency=currency.numeric,
        institution="",
        created_us=now_us,
        floor_minor=None,
        name="Opening balances",
    )


def read_opening(tree: Mapping[str, Any], where: str) -> Opening:
    """Read an account from JSON values; a Complaint tells `where` and what is wrong, and no card number.

    Keys: code, currency, and if wanted kind, institution, name, credit_line and opening (decimal texts), unlimited
    (true: no floor), cards (an array of texts).
    """
    unknown = sorted(set(tree) - _KEYS)
    if unknown:
        raise Complaint(f"{where}: unknown key {unknown[0]!r}; known are {', '.join(sorted(_KEYS))}")
    for key in ("code", "kind", "currency", "institution", "name", "credit_line", "opening"):
        if not isinstance(tree.get(key, ""), str):
            raise Complaint(f"{where}: {key} must be a text, amounts too: a number with a point is no exact amount")
    cards = tree.get("cards", [])
    if not isinstance(cards, list) or len(cards) > CARDS_MAX:
        raise Complaint(f"{where}: cards must be an array of at most {CARDS_MAX} texts")
    code, kind, unlimited = tree.get("code", ""), tree.get("kind", KINDS[0]), tree.get("unlimited", False)
    if not 0 < len(code) <= _CODE_CHARS_MAX or not _CODE_CHARS.issuperset(code):
        raise Complaint(f"{where}: a code has 1 to {_CODE_CHARS_MAX} letters, digits, or any of . - _ /")
    if kind not in KINDS:
        raise Complaint(f"{where}: kind must be one of {', '.join(KINDS)}")
    if not isinstance(unlimited, bool):
        raise Complaint(f"{where}: unlimited must be true or false")
    if unlimited and "credit_line" in tree:
        raise Complaint(f"{where}: an account without a limit has no credit line")
    if len(tree.get("name", "")) > NAME_CHARS_MAX:
        raise Complaint(f"{where}: a name has at most {NAME_CHARS_MAX} characters")
    currency = read_currency(tree.get("currency", ""))
    return Opening(
        code=code,
        currency=currency,
        kind=kind,
        institution=tree.get("institution", ""),
        name=tree.get("name", ""),
        floor_minor=None if unlimited else -read_amount(tree.get("credit_line", "0"), currency),
        cards=tuple(read_card_number(card, f"{where}, card {number}") for number, card in enumerate(cards, start=1)),
        opening_minor=read_amount(tree.get("opening", "0"), currency),
    )


def read_opening_line(line: str, where: str) -> Opening:
    """Read an account from one JSON line."""
    try:
        tree = json.loads(line)
    except (ValueError, RecursionError):
        raise Complaint(f"{where} is not JSON") from None
    if not isinstance(tree, dict):
        raise Complaint(f"{where} is not a JSON object")
    return read_opening(tree, where)
