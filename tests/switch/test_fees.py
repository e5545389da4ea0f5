"""The fee table: what is charged, to whom, and how it is rounded."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from junctor.codecs.money import Money, get_currency
from junctor.codecs.payment import Payment, Purpose, Step
from junctor.config.settings import FeePayer, FeeSettings
from junctor.ledger.operations import Movement
from junctor.switch.fees import FeeTable, fee_minor
from junctor.switch.movements import movements_for

CARD = b"c" * 16
FEE = FeeSettings(name="cash", currency="EUR", fixed_minor=50, processing_codes=("01",), institutions=("acme",))


def payment(**changes: Any) -> Payment:
    given: dict[str, Any] = {
        "key": b"k" * 16,
        "fingerprint": b"f",
        "source": "acme",
        "type": "0200",
        "step": Step.POST,
        "purpose": Purpose.CASH,
        "amount": Money(100_00, get_currency("EUR")),
        "processing_code": "010000",
    }
    return Payment(**(given | changes))


def charged(asked: Payment, *rows: FeeSettings, destination: str = "ledger") -> tuple[Movement, ...]:
    movements = movements_for(asked, destination, CARD)
    with_fees = FeeTable(rows).charge(asked, destination, movements)
    assert with_fees[: len(movements)] == movements, "the principal stays first"
    return with_fees[len(movements) :]


@pytest.mark.parametrize(
    ("row", "amount", "fee"),
    [
        ({"fixed_minor": 50}, 10_000, 50),
        ({"per_mille": 15}, 10_000, 150),
        ({"per_mille": 15}, 33, 0),  # 0.495
        ({"per_mille": 15}, 34, 1),  # 0.51
        ({"per_mille": 1}, 499, 0),
        ({"per_mille": 1}, 500, 1),  # a half goes up
        ({"fixed_minor": 50, "per_mille": 15}, 10_000, 200),
        ({"per_mille": 15, "minimum_minor": 200}, 10_000, 200),
        ({"per_mille": 15, "maximum_minor": 100}, 10_000, 100),
        ({"per_mille": 15, "minimum_minor": 20, "maximum_minor": 20}, 10, 20),
        ({"per_mille": 1000}, 2**63 - 1, 2**63 - 1),
        ({"maximum_minor": 0, "fixed_minor": 9}, 10, 0),
    ],
)
def test_a_fee_is_fixed_and_share_within_least_and_most(row: dict[str, int], amount: int, fee: int) -> None:
    assert fee_minor(FeeSettings(name="x", currency="EUR", **row), amount) == fee  # type: ignore[arg-type]


def test_the_account_pays_into_the_account_for_fees() -> None:
    assert charged(payment(), FEE) == (Movement(CARD, "fees.EUR", 50, 978, kind="fee"),)


@pytest.mark.parametrize(
    "change",
    [
        {"source": "other"},
        {"processing_code": "000000"},
        {"amount": Money(100_00, get_currency("USD"))},
        {"purpose": Purpose.BALANCE},
    ],
)
def test_a_payment_that_no_row_fits_is_free(change: dict[str, Any]) -> None:
    assert charged(payment(**change), FEE) == ()


def test_every_row_that_fits_adds_its_fee_and_a_fee_of_nothing_none() -> None:
    more = attrs.evolve(FEE, name="more", fixed_minor=0, per_mille=10, account="income.cash", processing_codes=())
    nothing = attrs.evolve(FEE, name="nothing", fixed_minor=0)
    fees = charged(payment(), FEE, nothing, more)
    assert [(fee.credit, fee.amount_minor) for fee in fees] == [("fees.EUR", 50), ("income.cash", 100)]


def test_an_institution_pays_from_its_settlement_account_also_for_what_goes_to_a_peer() -> None:
    paid = attrs.evolve(FEE, payer=FeePayer.INSTITUTION)
    expected = (Movement("acme.settlement.EUR", "fees.EUR", 50, 978, kind="fee"),)
    assert charged(payment(), paid) == charged(payment(), paid, destination="blue") == expected
    assert charged(payment(), FEE, destination="blue") == (), "a peer's cardholder is charged by the peer"


def test_a_refund_is_charged_to_the_account_that_gains() -> None:
    asked = payment(purpose=Purpose.REFUND, processing_code="200000")
    (fee,) = charged(asked, attrs.evolve(FEE, processing_codes=()))
    assert fee.debit == CARD
