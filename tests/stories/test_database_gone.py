"""The database goes away under the switch: 91 at once, nothing approved, and it goes on by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_twisted
from town import BLUE_PAN, PAN, Sender, Town
from twisted.internet import reactor


@pytest_twisted.async_yield_fixture
async def town(postgres_url: str, postgres: Any, tmp_path: Path) -> AsyncIterator[Town]:
    town = Town(reactor, tmp_path, postgres_url)
    town.open_account("anna", 100_000, PAN)
    yield town
    await town.close()


@pytest_twisted.ensureDeferred
async def test_without_a_database_nothing_is_approved_and_it_goes_on_when_it_is_back(
    town: Town, postgres: Any, sender: Sender
) -> None:
    await town.start()
    await town.start_issuer("blue")
    terminal = await town.line()
    assert (await terminal.ask(sender.purchase(10_00)))[39] == "00"

    postgres.kill()
    refused = [sender.purchase(1_00), sender.purchase(2_00), sender.purchase(5_00, BLUE_PAN)]
    for asked in refused:
        assert (await terminal.ask(asked, timeout_s=3.0))[39] == "91"
    assert town.issuers["blue"].counts.requests == 0, "what cannot be written is not sent"
    assert "503" in await town.status_of("/readyz")

    postgres.start()
    assert town.service is not None
    await town.until(lambda: town.service is not None and town.service.books.is_available)
    assert (await terminal.ask(refused[0].with_fields({}, mti="0201")))[39] == "00", "it was never stored"
    assert town.balance("anna") == (100_000 - 10_00 - 1_00, 0)
    assert "200" in await town.status_of("/readyz")
    town.assert_books_balance()
