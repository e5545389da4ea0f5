from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_twisted
from town import BLUE_PAN, PAN, Line, Sender, Town
from twisted.internet import reactor


@pytest.fixture
def sender() -> Sender:
    return Sender()


@pytest_twisted.async_yield_fixture
async def town(database_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    """A switch with one customer (1,000.00 EUR on card PAN) and no neighbours yet, on each database."""
    town = Town(reactor, tmp_path, database_url)
    town.open_account("anna", 100_000, PAN)
    town.open_account("bert", 0)
    yield town
    await town.close()


@pytest_twisted.async_fixture
async def terminal(town: Town) -> Line:
    """A terminal's connection to the running switch."""
    await town.start()
    return await town.line()


@pytest.fixture
def blue(sender: Sender) -> Callable[..., object]:
    """Make purchases with a card of the remote issuer."""
    return lambda amount=1_000, **changes: sender.purchase(amount, BLUE_PAN, **changes)
