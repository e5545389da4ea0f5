"""PostgreSQL goes away at every bad moment: nothing is assumed, nothing is lost, nothing is done twice."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from cutting_proxy import CuttingProxy
from junctor.ledger import Limits, Vault, open_store
from junctor.ledger.operations import Answered, Decided, OutcomeUnknown, StoreUnavailable
from ledger_items import Bank, approved, purchase
from postgres_server import PostgresServer
from psycopg.conninfo import conninfo_to_dict

LIMITS = Limits(connect_timeout_s=2, reply_timeout_s=0.6)


@pytest.fixture
def proxy(postgres: PostgresServer) -> Iterator[CuttingProxy]:
    with CuttingProxy(postgres.folder) as proxy:
        yield proxy


@pytest.fixture
def bank(postgres_url: str, proxy: CuttingProxy, vault: Vault) -> Iterator[Bank]:
    """A bank whose connection can be cut; what is read goes straight to the server."""
    store = open_store(proxy.url(str(conninfo_to_dict(postgres_url)["dbname"])), vault, LIMITS)
    bank = Bank(store, postgres_url, vault)
    bank.open("anna", 100_000)
    bank.open("shop", kind="settlement", floor_minor=None)
    store.close()
    yield bank
    store.close()


@pytest.mark.parametrize("does_it", [True, False])
def test_a_connection_that_breaks_while_committing_leaves_the_outcome_unknown(
    bank: Bank, proxy: CuttingProxy, does_it: bool
) -> None:
    proxy.cut_at(b"COMMIT", does_it=does_it)
    with pytest.raises(OutcomeUnknown):
        bank.one(purchase(1))
    assert proxy.cuts == 1
    again = bank.one(purchase(1))
    assert isinstance(again, Answered if does_it else Decided)
    assert bank.holds("anna") == (99_900, 0)


def test_a_connection_that_breaks_before_the_commit_is_made_anew(bank: Bank, proxy: CuttingProxy) -> None:
    proxy.cut_at(b"FOR UPDATE", does_it=True)
    assert approved(bank.one(purchase(1))) == 100
    assert proxy.cuts == 1
    assert bank.holds("anna") == (99_900, 0)


def test_a_server_that_is_stopped_makes_the_books_unavailable_until_it_is_back(
    bank: Bank, postgres: PostgresServer
) -> None:
    assert approved(bank.one(purchase(1))) == 100
    postgres.stop()
    try:
        started = time.monotonic()
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                bank.one(purchase(2))
        assert time.monotonic() - started < 3
    finally:
        postgres.start()
    assert isinstance(bank.one(purchase(1)), Answered)
    assert approved(bank.one(purchase(2))) == 100


def test_a_server_that_is_frozen_makes_the_books_unavailable_within_the_limit(
    bank: Bank, postgres: PostgresServer
) -> None:
    assert approved(bank.one(purchase(1))) == 100
    postgres.freeze()
    try:
        started = time.monotonic()
        with pytest.raises((StoreUnavailable, OutcomeUnknown)):
            bank.one(purchase(2))
        with pytest.raises(StoreUnavailable):
            bank.one(purchase(3))
        assert time.monotonic() - started < 6
    finally:
        postgres.thaw()
    assert approved(bank.one(purchase(4))) == 100
    assert isinstance(bank.one(purchase(1)), Answered)
