"""Quotes are worked out in integers, in the decimals of each currency, and rounded half up."""

from __future__ import annotations

import pytest
from junctor.config.settings import RateSettings
from junctor.switch.rates import quote


@pytest.mark.parametrize(
    ("rate", "spread", "amount", "gains", "customer", "mid", "margin"),
    [
        (("USD", "EUR", "0.9215"), 20, 100_00, False, 93_99, 92_15, 1_84),
        (("USD", "EUR", "0.9215"), 20, 100_00, True, 90_31, 92_15, 1_84),
        (("USD", "EUR", "0.9215"), 0, 100_00, False, 92_15, 92_15, 0),
        (("JPY", "EUR", "0.0061"), 0, 1_000, False, 6_10, 6_10, 0),  # yen have no decimals
        (("EUR", "JPY", "163.5"), 0, 10_00, False, 1_635, 1_635, 0),
        (("EUR", "KWD", "0.3301"), 0, 1_00, False, 330, 330, 0),  # dinars have three
        (("USD", "EUR", "0.5"), 0, 1, False, 1, 1, 0),  # half a cent goes up
        (("USD", "EUR", "0.49"), 0, 1, False, 0, 0, 0),
        (("USD", "EUR", "1"), 5, 1_00, False, 1_01, 1_00, 1),  # 1.005
        (("USD", "EUR", "2.000000001"), 0, 10**17, False, 2 * 10**17 + 10**8, 2 * 10**17 + 10**8, 0),
    ],
)
def test_a_quote_is_the_amount_at_the_rate_and_its_margin(
    rate: tuple[str, str, str], spread: int, amount: int, gains: bool, customer: int, mid: int, margin: int
) -> None:
    found = quote(RateSettings(*rate, spread_per_mille=spread), amount, gains=gains)
    assert (found.customer_minor, found.mid_minor, found.spread_minor) == (customer, mid, margin)
    assert (found.rate, found.payment_position, found.position) == (
        rate[2],
        f"fx.position.{rate[0]}",
        f"fx.position.{rate[1]}",
    )
