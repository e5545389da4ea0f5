"""Certificates, and a peer that answers, for simulators over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest
import pytest_twisted
from answering import Answering, Replies
from junctor.codecs.iso8583 import Spec, load_spec
from junctor.config.settings import TlsSettings
from junctor.simulators.authority import make_authority
from junctor.simulators.wire import Address


@attrs.frozen
class Identities:
    """TLS settings of a server, of a client it trusts, and of one that it does not."""

    server: TlsSettings
    client: TlsSettings
    stranger: TlsSettings


@pytest.fixture(scope="session")
def identities(tmp_path_factory: pytest.TempPathFactory) -> Identities:
    now = datetime.now(UTC)

    def issue(folder: Path, *names: str) -> list[TlsSettings]:
        authority = make_authority(folder, now)
        issued = [authority.issue(name) for name in names]
        return [TlsSettings(each.certificate_file, each.key_file, authority.ca_file) for each in issued]

    server, client = issue(tmp_path_factory.mktemp("tls"), "switch", "terminal")
    (stranger,) = issue(tmp_path_factory.mktemp("other"), "stranger")
    return Identities(server, client, stranger)


@pytest.fixture(scope="session")
def ascii_spec() -> Spec:
    return load_spec("iso1987-ascii")


MakePeer = Callable[[Replies], Awaitable[tuple[Answering, Address]]]


@pytest_twisted.async_yield_fixture
async def make_peer(ascii_spec: Spec) -> AsyncIterator[MakePeer]:
    """Starts a plain peer that answers as told, closed at the end of the test."""
    peers: list[Answering] = []

    async def make(replies: Replies) -> tuple[Answering, Address]:
        peer = Answering(ascii_spec, replies)
        peers.append(peer)
        return peer, await peer.listen()

    yield make
    for peer in peers:
        await peer.close()
