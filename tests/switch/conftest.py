"""An operator's office in three stages: empty books, a customer, and a customer who has paid."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from junctor.ledger.operations import Authorise, Bury, Done, Movement, NewDelivery
from office import EUR, PAN, Office, facts


@pytest.fixture
def office(tmp_path: Path, database_url: str) -> Office:
    return Office(tmp_path, database_url)


@pytest.fixture
def customer(office: Office) -> Office:
    """An office with one customer: 250.00 EUR, a credit line of 100.00, and a card."""
    ended = office.run(
        "account", "create", "--code", "customer-1", "--currency", "EUR", "--opening", "250.00",
        "--credit-line", "100", "--name", "Ada Byron", "--card", stdin=f"{PAN}\n",
    )  # fmt: skip
    assert (ended.status, ended.err) == (0, "")
    return office


@pytest.fixture
def paid(customer: Office) -> Iterator[Office]:
    """An office whose customer paid 12.50 to a shop, with two dead letters that tell a peer of it."""
    assert customer.run("account", "create", "--code", "shop", "--currency", "EUR").status == 0
    store, _ = customer.open_store()
    purchase = Authorise(
        facts=facts(1),
        movements=(Movement("customer-1", "shop", 1_250, EUR),),
        render=lambda decision: b"response with 4761739001010010",
        deliveries=tuple(NewDelivery("blue-bank", "advice", b"advice with 4761739001010010") for _ in range(3)),
    )
    store.commit([purchase])
    assert store.commit([Bury("blue-bank", seq, "refused: 30") for seq in (1, 2)]) == [Done(), Done()]
    yield customer
    store.close()
