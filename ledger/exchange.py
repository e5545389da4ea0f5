"""Foreign exchange: a payment in one currency on an account in another, through a position account in each.

The payment's own currency moves between the institution and its position, the account's between the holder and the
other position, from which the spread and the rounding go to accounts of their own: so every currency adds up by
itself. The first leg stays the principal, in the payment's currency; the holder's leg is the second.
"""

from __future__ import annotations

import attrs

from .exchange_items import Exchange, Quote
from .operations import AccountRef, Authorise, Capture, Movement
from .page import Page


def exchange(page: Page, item: Authorise | Capture) -> tuple[tuple[Movement, ...], Quote | None]:
    """Give the movements of a payment, exchanged when its holder's account has another currency that is quoted."""
    if not item.exchange or not item.movements:
        return item.movements, None
    principal, fees = item.movements[0], item.movements[1:]
    debit, credit = page.find_account(principal.debit), page.find_account(principal.credit)
    if debit is None or credit is None:
        return item.movements, None
    takes, gives = debit.currency != principal.currency, credit.currency != principal.currency
    if takes == gives:
        return item.movements, None
    holder_currency = debit.currency if takes else credit.currency
    quote = next((it for it in item.exchange if it.currency == holder_currency), None)
    if quote is None:
        return item.movements, None
    holder = principal.debit if takes else principal.credit
    ours = quote.payment_position
    first = attrs.evolve(principal, debit=ours) if takes else attrs.evolve(principal, credit=ours)
    paid = tuple(attrs.evolve(fee, debit=ours) if fee.debit == holder else fee for fee in fees)
    return (first, *_through(quote, holder, takes), *paid), quote


def _through(quote: Quote, holder: AccountRef, takes: bool) -> tuple[Movement, ...]:
    """Move the holder's amount to or from the position, and what is earned or lost by it from there."""
    earned = quote.customer_minor - quote.mid_minor if takes else quote.mid_minor - quote.customer_minor
    rounding = earned - quote.spread_minor
    position = quote.position
    moves: list[tuple[AccountRef, AccountRef, int]] = [
        (holder, position, quote.customer_minor) if takes else (position, holder, quote.customer_minor),
        (position, quote.spread_account, quote.spread_minor),
        (position, quote.rounding_account, rounding),
        (quote.rounding_account, position, -rounding),
    ]
    return tuple(
        Movement(debit, credit, amount, quote.currency, "fx") for debit, credit, amount in moves if amount > 0
    )


def note_exchange(page: Page, item: Authorise | Capture, quote: Quote | None) -> None:
    """Keep the rate and both amounts."""
    if quote is not None:
        facts = item.facts
        page.exchanges.put(
            facts.key,
            Exchange(
                facts.key,
                facts.currency,
                facts.amount_minor,
                quote.currency,
                quote.customer_minor,
                quote.mid_minor,
                quote.spread_minor,
                quote.rate,
            ),
        )
