"""What a payment in one currency costs an account in another: worked out beside the books, chosen by them."""

from __future__ import annotations

import attrs


@attrs.frozen
class Quote:
    """A payment's price in an account's currency, in minor units, and the accounts through which it is exchanged.

    customer_minor is what the account pays or gains; of it, mid_minor is the amount at the rate itself, spread_minor
    the margin, and what both leave is rounding. `rate`: units of the account's currency for one of the payment's, as
    decimal text, without the spread.
    """

    currency: int
    customer_minor: int
    mid_minor: int
    spread_minor: int
    rate: str
    payment_position: str
    position: str
    spread_account: str
    rounding_account: str


@attrs.frozen
class Exchange:
    """What is kept of a payment that was exchanged: both amounts, and how one came from the other."""

    key: bytes
    currency: int
    amount_minor: int
    account_currency: int
    customer_minor: int
    mid_minor: int
    spread_minor: int
    rate: str
