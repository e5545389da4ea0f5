"""Who gets in: mutual TLS against the running switch."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import pytest_twisted
from junctor.config.settings import TlsSettings
from junctor.simulators.authority import make_authority
from junctor.simulators.wire import Address, Unreachable
from town import Line, Sender, Town


async def is_let_in(town: Town, tls: TlsSettings | None) -> bool:
    """In TLS 1.3 a client is connected before the server has looked: an answer is what counts."""
    line = Line()
    try:
        await line.open(town.reactor, Address("127.0.0.1", town.ports["terminals"], tls))
    except Unreachable:
        return False
    try:
        line.send(Sender().purchase(1_00))
        for _ in range(100):
            await town.pause(0.02)
            if line.frames.pending:
                return True
            if line.lost.called:
                return False
        raise AssertionError("neither answered nor closed")
    finally:
        line.close()


def with_certificate(town: Town, name: str, days: int = 30) -> TlsSettings:
    issued = town.authority.issue(name, days=days)
    return TlsSettings(issued.certificate_file, issued.key_file, town.authority.ca_file)


@pytest_twisted.ensureDeferred
async def test_the_institutions_own_certificate_is_let_in(town: Town) -> None:
    await town.start()
    assert await is_let_in(town, town.tls("acme"))


@pytest.mark.parametrize("case", ["plain", "stranger", "expired", "other authority", "revoked"])
@pytest_twisted.ensureDeferred
async def test_whoever_is_none_of_ours_is_refused(town: Town, case: str) -> None:
    tls: TlsSettings | None
    match case:
        case "plain":
            tls = None
        case "stranger":
            tls = with_certificate(town, "stranger")
        case "expired":
            tls = with_certificate(town, "acme", days=-1)
        case "other authority":
            other = make_authority(town.folder / "other", datetime.now(UTC))
            issued = other.issue("acme")
            tls = TlsSettings(issued.certificate_file, issued.key_file, town.authority.ca_file)
        case _:
            tls = town.tls("acme")
            town.authority.revoke(town.issued["acme"])
    await town.start()
    assert not await is_let_in(town, tls)
    assert town.balance("anna") == (100_000, 0)


@pytest_twisted.ensureDeferred
async def test_another_institutions_certificate_does_not_open_a_door_that_is_not_its(town: Town) -> None:
    town.configure(('name = "terminals"', 'name = "terminals"\ninstitution = "acme"'))
    await town.start()
    assert await is_let_in(town, town.tls("acme"))
    assert not await is_let_in(town, town.tls("green"))


@pytest_twisted.ensureDeferred
async def test_an_institution_speaks_for_itself_only(town: Town) -> None:
    """The same message over another institution's link is another message: it finds no answer to replay."""
    await town.start()
    acme, green = await town.line("acme"), await town.line("green")
    asked = Sender().purchase(10_00)
    first = await acme.ask_raw(asked)
    assert await acme.ask_raw(asked) == first
    assert (await green.ask(asked))[39] == "00"
    assert town.balance("acme.settlement.EUR") == (10_00, 0)
    assert town.balance("green.settlement.EUR") == (10_00, 0)


@pytest_twisted.ensureDeferred
async def test_an_issuer_whose_certificate_carries_another_name_is_not_spoken_to(town: Town) -> None:
    port = f"port = {town.ports['blue']}"
    town.configure((port, f'{port}\nserver_name = "blue.example"'))
    await town.start()
    issuer = await town.start_issuer("blue", until_live=False)
    await town.pause(0.8)
    assert "blue" not in town.live()
    assert issuer.counts.network == 0, "not even a sign-on was sent"
