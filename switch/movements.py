"""Which account pays which: a payment and its destination as movements between accounts.

Settlement accounts stand for institutions: `<id>.settlement.<currency>`. A payment for a peer moves value between
the two institutions' settlement accounts; one for our own books between the holder's account and the sender's.
"""

from __future__ import annotations

from ..codecs.payment import Payment, Purpose
from ..ledger.operations import LEDGER, AccountRef, CardAccount, Movement


def settlement(institution: str, currency: str) -> str:
    """Give the code of an institution's settlement account (currency as letters)."""
    return f"{institution}.settlement.{currency}"


def account_asked(payment: Payment, card_ref: bytes | None) -> AccountRef:
    """Tell whose balance an inquiry asks for: the account named, if the card may see it, else the card's."""
    return _holder(payment.from_account, card_ref)


def movements_for(payment: Payment, destination: str, card_ref: bytes | None) -> tuple[Movement, ...]:
    """Say what an approval moves.

    A card reaches its own accounts only: an account named beside a card (DE102) must be one of the card's.
    """
    if payment.purpose.is_inquiry:
        return ()
    alpha = payment.amount.currency.alpha
    sender: AccountRef = settlement(payment.source, alpha)
    holder: AccountRef
    if destination == LEDGER:
        holder = _holder(payment.from_account, card_ref)
        if payment.purpose is Purpose.TRANSFER:
            return (_movement(payment, holder, _named(payment.to_account)),)
        if payment.purpose in (Purpose.PAYMENT, Purpose.CREDIT_TRANSFER) and payment.to_account is not None:
            debit = sender if payment.purpose is Purpose.CREDIT_TRANSFER else holder
            return (_movement(payment, debit, _named(payment.to_account)),)
        if payment.purpose.is_credit:
            holder = _holder(payment.to_account or payment.from_account, card_ref)
    else:
        if payment.purpose is Purpose.TRANSFER:
            return ()  # between two accounts of the same peer: nothing moves between institutions
        holder = settlement(destination, alpha)
        if payment.purpose is Purpose.CREDIT_TRANSFER:
            return (_movement(payment, sender, holder),)
    return (_movement(payment, sender, holder) if payment.purpose.is_credit else _movement(payment, holder, sender),)


def _movement(payment: Payment, debit: AccountRef, credit: AccountRef) -> Movement:
    return Movement(debit, credit, payment.amount.amount_minor, payment.amount.currency.numeric)


def _holder(account: str | None, card_ref: bytes | None) -> AccountRef:
    if card_ref is None:
        return _named(account)
    return card_ref if account is None else CardAccount(card_ref, _named(account))


def _named(account: str | None) -> str:
    """A peer names customers' accounts only: the switch's own have a dot in their code, and stay unknown to it."""
    return "" if account is None or "." in account else account
