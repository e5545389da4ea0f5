"""A non-blocking TCP or TLS connection with as few layers as can be, for the load generator.

Twisted's own TLS transport costs more per message than the 40 microseconds that a transaction may cost here. This one
reads and writes the socket itself when the reactor says that it can, and does TLS by the standard library's `ssl` in
memory.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from typing import Final
from typing import Protocol as Interface

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorCore, IReactorFDSet, IReactorTime, IReadWriteDescriptor
from twisted.internet.main import CONNECTION_DONE, CONNECTION_LOST
from twisted.python.failure import Failure
from zope.interface import implementer

from ..config.settings import TlsSettings
from ..switch.links.tls import CIPHERS
from .wire import CONNECT_S, Address, Unreachable

_READ_BYTES: Final = 65_536


class LoadReactor(IReactorCore, IReactorFDSet, IReactorTime):
    """What the load generator needs of a reactor: names, sockets and time."""


class SocketOwner(Interface):
    """Who hears a connection."""

    def received(self, data: bytes) -> None: ...
    def went_down(self) -> None: ...


def make_context(tls: TlsSettings) -> ssl.SSLContext:
    """Make the TLS side of a client: 1.2 or later, our certificate, and only peers of the authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.load_verify_locations(cafile=tls.ca_file)
    context.load_cert_chain(tls.certificate_file, tls.key_file)
    return context


@implementer(IReadWriteDescriptor)
class LoadSocket:
    """One connection: `opened` fires when it may be written, or fails with Unreachable."""

    def __init__(
        self, reactor: LoadReactor, owner: SocketOwner, tls: ssl.SSLContext | None, server_name: str
    ) -> None:
        self._reactor = reactor
        self._owner = owner
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = None
        if tls is not None:
            self._tls = tls.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._fd = self._socket.fileno()
        self._unsent = b""
        self._is_connecting = True
        self._is_open = False
        self.opened: Deferred[LoadSocket] = Deferred()

    def dial(self, ip: str, port: int) -> None:
        """Begin to connect to an IPv4 address."""
        code = self._socket.connect_ex((ip, port))
        if code in (0, errno.EINPROGRESS):
            self._reactor.addWriter(self)
        else:
            self._fail(os.strerror(code))

    def send(self, data: bytes) -> None:
        """Write bytes; what the socket does not take at once follows when it can."""
        if self._tls is None:
            self._push(data)
        else:
            self._tls.write(data)
            self._push(self._outgoing.read())

    def close(self) -> None:
        """Close at once; the owner is not told."""
        self._is_open = False
        if self._fd >= 0:
            self._reactor.removeReader(self)
            self._reactor.removeWriter(self)
            self._fd = -1
            self._socket.close()
        if not self.opened.called:
            self.opened.errback(Unreachable("closed"))

    # ------------------------------------------------------------ what the reactor calls

    def fileno(self) -> int:
        return self._fd

    def logPrefix(self) -> str:  # noqa: N802
        return "load"

    def doRead(self) -> Exception | None:  # type: ignore[override]  # noqa: N802  (reactors take exceptions)
        try:
            data = self._socket.recv(_READ_BYTES)
        except BlockingIOError:
            return None
        except OSError:
            return CONNECTION_LOST
        if not data:
            return CONNECTION_DONE
        if self._tls is None:
            self._owner.received(data)
            return None
        self._incoming.write(data)
        return self._read_tls(self._tls)

    def doWrite(self) -> None:  # noqa: N802
        if self._is_connecting:
            self._finish_connecting()
            return
        self._reactor.removeWriter(self)
        unsent, self._unsent = self._unsent, b""
        self._push(unsent)

    def connectionLost(self, reason: Failure) -> None:  # noqa: N802
        was_open = self._is_open
        if not self.opened.called:
            self._fail(str(reason.value))
        self.close()
        if was_open:
            self._owner.went_down()

    # ------------------------------------------------------------ connecting, TLS, and the rest of a write

    def _finish_connecting(self) -> None:
        self._is_connecting = False
        self._reactor.removeWriter(self)
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._fail(os.strerror(code))
            return
        self._reactor.addReader(self)
        if self._tls is None:
            self._open()
        else:
            self._shake_hands(self._tls)

    def _shake_hands(self, tls: ssl.SSLObject) -> None:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            self._push(self._outgoing.read())
        except ssl.SSLError as error:
            self._push(self._outgoing.read())
            self._fail(error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else str(error.reason))
        else:
            self._push(self._outgoing.read())
            self._open()

    def _read_tls(self, tls: ssl.SSLObject) -> Exception | None:
        if not self._is_open:
            self._shake_hands(tls)
            if not self._is_open:
                return None
        pieces: list[bytes] = []
        try:
            while self._incoming.pending or tls.pending():
                piece = tls.read(_READ_BYTES)
                if not piece:
                    return CONNECTION_DONE
                pieces.append(piece)
        except ssl.SSLWantReadError:
            pass  # the rest of a record is still to come
        except ssl.SSLError:
            return CONNECTION_LOST
        if self._outgoing.pending:
            self._push(self._outgoing.read())
        if pieces:
            self._owner.received(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        return None

    def _open(self) -> None:
        self._is_open = True
        self.opened.callback(self)

    def _fail(self, why: str) -> None:
        self.opened.errback(Unreachable(why))
        self.close()

    def _push(self, data: bytes) -> None:
        if self._unsent:
            self._unsent += data
            return
        try:
            taken = self._socket.send(data)
        except BlockingIOError:
            taken = 0
        except OSError:
            return  # the reactor finds out when it reads
        if taken < len(data):
            self._unsent = data[taken:]
            self._reactor.addWriter(self)


async def open_socket(
    reactor: LoadReactor, address: Address, tls: ssl.SSLContext | None, owner: SocketOwner
) -> LoadSocket:
    """Connect, with the TLS handshake. Raises Unreachable, after CONNECT_S at the latest."""
    ip: str = await reactor.resolve(address.host)
    connection = LoadSocket(reactor, owner, tls, address.server_name or address.host)
    late = reactor.callLater(CONNECT_S, connection.close)
    connection.dial(ip, address.port)
    try:
        return await connection.opened
    finally:
        if late.active():
            late.cancel()
