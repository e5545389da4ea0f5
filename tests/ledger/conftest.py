from __future__ import annotations

import pytest
from junctor.ledger import Store, Vault
from ledger_items import Bank


@pytest.fixture
def bank(store: Store, database_url: str, vault: Vault) -> Bank:
    """Books with a customer of 1,000.00 EUR, a shop, and a peer with a cap of 500.00 EUR, on each database."""
    bank = Bank(store, database_url, vault)
    bank.open("anna", 100_000)
    bank.open("shop", kind="settlement", floor_minor=None)
    bank.open("blue", kind="settlement", institution="blue", floor_minor=-50_000)
    return bank
