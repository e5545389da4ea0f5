from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from junctor.codecs.faults import DecodeFault, EncodeFault
from junctor.codecs.money import CURRENCIES, Currency, Money, get_currency
from junctor.codecs.swift import read_money, write_amount


@pytest.mark.parametrize(
    ("currency", "amount", "amount_minor"),
    [
        ("EUR", "1108492,50", 110849250),
        ("EUR", "7,5", 750),
        ("EUR", "100,", 10000),
        ("EUR", "0,", 0),
        ("EUR", "00012,34", 1234),
        ("JPY", "1000,", 1000),
        ("KWD", "1,234", 1234),
        ("CLF", "1,2345", 12345),
        ("EUR", "12345678901234,", 1234567890123400),
    ],
)
def test_amount_is_read_exactly(currency: str, amount: str, amount_minor: int) -> None:
    assert read_money(currency, amount) == Money(amount_minor, get_currency(currency))


@pytest.mark.parametrize(
    ("currency", "amount"),
    [
        ("EUR", "100"),
        ("EUR", ",5"),
        ("EUR", "1.5"),
        ("EUR", "1,5,"),
        ("EUR", "-1,"),
        ("EUR", " 1,"),
        ("EUR", ""),
        ("EUR", "1,234"),
        ("EUR", "\u0661,"),
        ("JPY", "1,0"),
        ("EUR", "123456789012345,"),
        ("EUX", "1,"),
        ("978", "1,"),
        ("eur", "1,"),
        ("", "1,"),
    ],
)
def test_amount_that_is_none_is_a_fault_at_its_path(currency: str, amount: str) -> None:
    with pytest.raises(DecodeFault) as caught:
        read_money(currency, amount, "4.32A", 17)
    assert (caught.value.path, caught.value.offset) == ("4.32A", 17)


@pytest.mark.parametrize(
    ("currency", "amount_minor", "amount"),
    [
        ("EUR", 110849250, "1108492,50"),
        ("EUR", 5, "0,05"),
        ("EUR", 0, "0,00"),
        ("JPY", 1000, "1000,"),
        ("KWD", 1, "0,001"),
    ],
)
def test_amount_is_written_with_all_decimals_of_its_currency(currency: str, amount_minor: int, amount: str) -> None:
    assert write_amount(Money(amount_minor, get_currency(currency))) == amount


def test_amount_that_fifteen_characters_cannot_hold_is_refused() -> None:
    assert write_amount(Money(99_999_999_999_999, get_currency("EUR"))) == "999999999999,99"
    with pytest.raises(EncodeFault):
        write_amount(Money(100_000_000_000_000, get_currency("JPY")))
    assert write_amount(Money(99_999_999_999_999, get_currency("JPY"))) == "99999999999999,"
    with pytest.raises(EncodeFault):
        write_amount(Money(-1, get_currency("EUR")))


@given(st.integers(0, 99_999_999_999_999), st.sampled_from(CURRENCIES))
def test_whatever_is_written_reads_back(amount_minor: int, currency: Currency) -> None:
    money = Money(amount_minor, currency)
    try:
        amount = write_amount(money)
    except EncodeFault:
        assert amount_minor >= 10 ** (14 - currency.exponent) * 10**currency.exponent
        return
    assert read_money(currency.alpha, amount) == money
