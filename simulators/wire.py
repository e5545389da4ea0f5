"""A framed connection of a simulator: frames in, frames out, over TCP or TLS, dialled or accepted.

Simulators have their own instead of the switch's links, so that they can do what a link never would: answer twice,
garble, hang up in the middle, and notice a second answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from typing import Protocol as Interface

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, serverFromString, wrapClientTLS
from twisted.internet.error import ConnectError, ConnectionDone
from twisted.internet.interfaces import (
    IAddress,
    IConsumer,
    IHandshakeListener,
    IListeningPort,
    IPushProducer,
    IReactorTCP,
    IReactorTime,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
    ITCPTransport,
)
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from ..codecs.framing import Frame, make_framer
from ..config.settings import TlsSettings
from ..switch.links.tls import ClientTls, ServerTls

FRAME_BYTES_MAX: Final = 16_384
CONNECT_S: Final = 10.0
"""From dialling to a finished TLS handshake."""


class SimulatorReactor(IReactorTCP, IReactorTime):
    """What simulators need of a reactor: sockets and time."""


class _Socket(ITCPTransport, IConsumer, IPushProducer):
    """What every TCP and TLS transport is."""


class Unreachable(Exception):
    """No connection could be made; the text says why."""


@attrs.frozen
class Address:
    """A peer to dial. Without `tls` the connection is plain; `server_name` is what its certificate must carry."""

    host: str
    port: int
    tls: TlsSettings | None = None
    server_name: str | None = None


class Ear(Interface):
    """Who hears a wire: up once, then frames, then down once."""

    def wire_up(self, wire: Wire) -> None: ...
    def hear(self, wire: Wire, frame: Frame) -> None: ...
    def wire_down(self, wire: Wire, why: str) -> None: ...


@implementer(IHandshakeListener)
class Wire(Protocol):
    """One connection. It is up once the TLS handshake is done on this side, and down after that at most once."""

    def __init__(self, ear: Ear, framing: str, is_tls: bool, opened: Deferred[Wire] | None = None) -> None:
        self._ear = ear
        self._framer = make_framer(framing, FRAME_BYTES_MAX)
        self._is_tls = is_tls
        self._opened = opened
        self._is_gone = False
        self.is_up = False

    @property
    def _socket(self) -> _Socket:
        transport = self.transport
        assert transport is not None
        return transport  # type: ignore[return-value]  # every transport here is TCP, or TLS over it

    def connectionMade(self) -> None:  # noqa: N802
        self._socket.setTcpNoDelay(True)
        # A peer that does not read what we write is not read either, so that nothing piles up here.
        self._socket.registerProducer(_Reading(self._socket), True)
        if not self._is_tls:
            self._come_up()

    def handshakeCompleted(self) -> None:  # noqa: N802
        self._come_up()

    def _come_up(self) -> None:
        self.is_up = True
        self._ear.wire_up(self)
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.callback(self)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        for frame in self._framer.feed(data):
            if self.is_up and not frame.is_keep_alive:
                self._ear.hear(self, frame)
        if self._framer.fault is not None:
            self._socket.abortConnection()

    def connectionLost(self, reason: Failure | None = None) -> None:  # noqa: N802
        self._is_gone = True
        why = str(self._framer.fault) if self._framer.fault else _explain(reason)
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.errback(Unreachable(why))
        if self.is_up:
            self.is_up = False
            self._ear.wire_down(self, why)

    def send(self, body: bytes, reply_to: bytes = b"") -> None:
        """Write one message; after the wire went down nothing happens."""
        if self.is_up:
            self._socket.write(self._framer.wrap(body, reply_to))

    def hang_up(self) -> None:
        """Close when everything is written; nothing more is heard."""
        self._leave(self._socket.loseConnection)

    def cut(self) -> None:
        """Close at once, whatever is still to be written; nothing more is heard."""
        self._leave(self._socket.abortConnection)

    def _leave(self, close: Callable[[], object]) -> None:
        if self._is_gone:
            return
        was_up, self.is_up = self.is_up, False
        self._socket.unregisterProducer()  # TLS would wait for it before it closes
        close()
        if was_up:
            self._ear.wire_down(self, "hung up")


@implementer(IPushProducer)
class _Reading:
    """A producer that reads from a socket no faster than the peer reads from us."""

    def __init__(self, socket: _Socket) -> None:
        self._socket = socket

    def pauseProducing(self) -> None:  # noqa: N802
        self._socket.pauseProducing()

    def resumeProducing(self) -> None:  # noqa: N802
        self._socket.resumeProducing()

    def stopProducing(self) -> None:  # noqa: N802
        """The connection is going; connectionLost follows."""


class _Wires(Factory):
    noisy = False

    def __init__(self, make: Callable[[], Wire]) -> None:
        self._make = make

    def buildProtocol(self, addr: IAddress | None) -> Wire:  # noqa: N802
        return self._make()


async def dial(reactor: SimulatorReactor, address: Address, framing: str, ear: Ear) -> Wire:
    """Connect and give the wire once it is up. Raises Unreachable, after CONNECT_S at the latest."""
    opened: Deferred[Wire] = Deferred()
    tcp = TCP4ClientEndpoint(reactor, address.host, address.port, timeout=CONNECT_S)
    endpoint: IStreamClientEndpoint = tcp
    if address.tls is not None:
        endpoint = wrapClientTLS(ClientTls(address.tls, address.server_name or address.host), tcp)
    wire = Wire(ear, framing, address.tls is not None, opened)
    try:
        await endpoint.connect(_Wires(lambda: wire))
    except ConnectError as error:
        raise Unreachable(str(error)) from error
    late = reactor.callLater(CONNECT_S, wire.cut)
    try:
        return await opened
    finally:
        if late.active():
            late.cancel()


async def open_door(
    reactor: SimulatorReactor, endpoint: str, tls: TlsSettings | None, framing: str, make_ear: Callable[[], Ear]
) -> IListeningPort:
    """Listen at a Twisted endpoint without TLS (`tcp:8600:interface=127.0.0.1`), every wire with an ear of its own.

    With `tls` peers must show a certificate of the authority that it names.
    """
    wires = _Wires(lambda: Wire(make_ear(), framing, tls is not None))
    factory = wires if tls is None else TLSMemoryBIOFactory(ServerTls(tls), False, wires)
    server: IStreamServerEndpoint = serverFromString(reactor, endpoint)  # type: ignore[no-untyped-call]
    return await server.listen(factory)


def _explain(reason: Failure | None) -> str:
    if reason is None or isinstance(reason.value, ConnectionDone):
        return "closed by the peer"
    return str(reason.value) or type(reason.value).__name__
