"""One connection: bytes to frames and back, within its limits. What frames mean is the session's business.

The wire stops reading while the session has too much in hand or while the peer does not read what we write, and it
ends the connection when a limit of `LinkLimits` is passed. One timer serves all limits: it is set for the earliest
that might pass, and looks again when it fires, so that no message costs a timer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, Protocol, cast

from cryptography import x509
from OpenSSL import SSL
from twisted.internet import protocol
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IHandshakeListener,
    IPushProducer,
    IReactorTime,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from ...codecs.framing import Frame, Framer
from ...codecs.swift.framing import FinFramer
from ...config.settings import LinkLimits
from .endings import Ending, ending_of, trouble_of

FLUSH_S: Final = 0.05
"""How long a FIN message that may be complete waits for another block, where braces are the only framing."""

_ROUNDING_S: Final = 1e-6


class Connection(Protocol):
    """What a wire needs of its transport; TCP and TLS have it."""

    def write(self, data: bytes) -> None: ...
    def loseConnection(self) -> None: ...  # noqa: N802
    def abortConnection(self) -> None: ...  # noqa: N802
    def pauseProducing(self) -> None: ...  # noqa: N802
    def resumeProducing(self) -> None: ...  # noqa: N802
    def registerProducer(self, producer: object, streaming: bool) -> None: ...  # noqa: N802
    def unregisterProducer(self) -> None: ...  # noqa: N802
    def getPeer(self) -> IAddress: ...  # noqa: N802
    def getHandle(self) -> SSL.Connection: ...  # noqa: N802


class Session(Protocol):
    """What a wire tells whoever speaks over it."""

    def begin(self) -> None:
        """The wire is ready, and this session's."""

    def hear(self, frame: Frame, now_s: float) -> None:
        """A frame came; `now_s` is the clock when its last byte did."""

    def wire_lost(self, ending: Ending) -> None:
        """The connection is gone; it is said once."""


@implementer(IHandshakeListener, IPushProducer)
class Wire(protocol.Protocol):
    """One connection of ours or of a peer's.

    `ready` is asked once, when the peer may be judged (connected, under TLS after the handshake), and gives the
    session, or None after it has cut the wire. `failed` is told when the connection ends before that. A wire with a
    `refusal` is cut as soon as it is connected.
    """

    def __init__(
        self,
        framer: Framer,
        limits: LinkLimits,
        clock: IReactorTime,
        is_tls: bool,
        ready: Callable[[Wire], Session | None],
        failed: Callable[[Wire, Ending, str], None],
        refusal: Ending | None = None,
    ) -> None:
        self.address = ""
        """Of the peer: `host:port`."""
        self.tls_version = ""
        self.tls_cipher = ""
        self.last_in_s = 0.0
        self.last_out_s = 0.0
        self.has_heard = False
        """True once a byte of the peer came: only then is it sure that it has taken our certificate."""
        self.is_choked = False
        """True while the peer does not read what we write."""
        self.is_lost = False
        self._framer = framer
        self._flushing = framer if isinstance(framer, FinFramer) else None
        self._limits = limits
        self._clock = clock
        self._is_tls = is_tls
        self._ready = ready
        self._failed = failed
        self._refusal = refusal
        self._session: Session | None = None
        self._ending: Ending | None = None
        self._is_cut = False
        self._is_held = False
        self._is_reading = True
        self._held: deque[tuple[Frame, float]] = deque()
        self._waiting_bytes = 0
        self._handshake_since_s: float | None = 0.0
        self._frame_since_s: float | None = None
        self._choked_since_s: float | None = None
        self._closing_since_s: float | None = None
        self._timer: IDelayedCall | None = None
        self._flush_timer: IDelayedCall | None = None

    # ------------------------------------------------------------ what the session asks of it

    @property
    def is_open(self) -> bool:
        """True while what is sent may reach the peer."""
        return not self.is_lost and self._ending is None

    def send(self, body: bytes, reply_to: bytes = b"") -> bool:
        """Write a message, and tell whether it was; raises EncodeFault when the framing cannot carry it.

        On a wire that is lost or closing nothing is written. Beyond `write_bytes_max` the connection ends.
        """
        framed = self._framer.wrap(body, reply_to)
        if not self.is_open:
            return False
        if self.is_choked:
            self._waiting_bytes += len(framed)
            if self._waiting_bytes > self._limits.write_bytes_max:
                self.abort(Ending.UNREAD)
                return False
        self.last_out_s = self._clock.seconds()
        self._connection.write(framed)
        return True

    def settle(self) -> None:
        """End the handshake time: the session is where it can stay."""
        self._handshake_since_s = None

    def hold(self) -> None:
        """Read and hear nothing more until `release`."""
        self._is_held = True
        self._adjust_reading()

    def release(self) -> None:
        """Go on hearing: first, and not within this call, what was already read."""
        if not self._is_held:
            return
        self._is_held = False
        if self._held:
            self._clock.callLater(0, self._hear_held)
        else:
            self._adjust_reading()

    def close(self, ending: Ending) -> None:
        """Write what waits, then close; within `close_s` the connection is cut."""
        if not self.is_open:
            return
        self._ending = ending
        self._closing_since_s = self._clock.seconds()
        if self._session is not None:
            # A transport does not close while a producer is registered.
            self._connection.unregisterProducer()
        self._connection.loseConnection()
        self._set_timer()

    def abort(self, ending: Ending) -> None:
        """Cut the connection now."""
        if self.is_lost or self._is_cut:
            return
        self._is_cut = True
        self._ending = self._ending or ending
        self._connection.abortConnection()

    def peer_certificate(self) -> x509.Certificate | None:
        """Give the certificate that the peer showed, verified, once the TLS handshake is done."""
        return self._connection.getHandle().get_peer_certificate(as_cryptography=True) if self._is_tls else None

    # ------------------------------------------------------------ what the transport tells

    def connectionMade(self) -> None:  # noqa: N802
        self._connection = cast(Connection, self.transport)
        set_no_delay = getattr(self.transport, "setTcpNoDelay", None)
        if set_no_delay is not None:
            # A response must not wait in the kernel for the acknowledgement of what was written just before it.
            set_no_delay(True)
        self.address = _words_of(self._connection.getPeer())
        now_s = self._clock.seconds()
        self.last_in_s = now_s
        self._handshake_since_s = now_s
        if self._refusal is not None:
            self.abort(self._refusal)
            return
        self._set_timer()
        if not self._is_tls:
            self._begin()

    def handshakeCompleted(self) -> None:  # noqa: N802
        if self._ending is not None:
            return
        tls = self._connection.getHandle()
        self.tls_version = tls.get_protocol_version_name()
        self.tls_cipher = tls.get_cipher_name() or ""
        self._begin()

    def _begin(self) -> None:
        session = self._ready(self)
        if session is None:
            self.abort(Ending.CLOSED)
            return
        self._session = session
        self._connection.registerProducer(self, True)
        session.begin()

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        if self._ending is not None:
            return
        now_s = self._clock.seconds()
        self.last_in_s = now_s
        self.has_heard = True
        framer = self._framer
        frames = framer.feed(data)
        if framer.is_mid_frame:
            if frames or self._frame_since_s is None:
                self._frame_since_s = now_s
                self._set_timer()
            if self._flushing is not None:
                self._set_flush_timer()
        else:
            self._frame_since_s = None
        if frames:
            self._hear(frames, now_s)
        if framer.fault is not None:
            self.abort(Ending.UNFRAMED)

    def connectionLost(self, reason: Failure = protocol.connectionDone) -> None:  # noqa: N802
        if self.is_lost:
            return
        self.is_lost = True
        for timer in (self._timer, self._flush_timer):
            if timer is not None and timer.active():
                timer.cancel()
        self._held.clear()
        ending = self._ending or ending_of(reason)
        if self._session is not None:
            self._session.wire_lost(ending)
        else:
            self._failed(self, ending, self._ending.value if self._ending else trouble_of(reason))

    # ------------------------------------------------------------ back-pressure

    def pauseProducing(self) -> None:  # noqa: N802
        self.is_choked = True
        self._waiting_bytes = 0
        self._choked_since_s = self._clock.seconds()
        self._adjust_reading()
        self._set_timer()

    def resumeProducing(self) -> None:  # noqa: N802
        self.is_choked = False
        self._choked_since_s = None
        self._adjust_reading()

    def stopProducing(self) -> None:  # noqa: N802
        """Nothing to stop: `connectionLost` follows."""

    def _adjust_reading(self) -> None:
        reading = not (self._is_held or self.is_choked)
        if reading == self._is_reading or not self.is_open:
            return
        self._is_reading = reading
        if reading:
            # The peer could not be heard while we did not read, so its time begins again.
            self.last_in_s = self._clock.seconds()
            self._frame_since_s = self.last_in_s if self._framer.is_mid_frame else None
            self._connection.resumeProducing()
            self._set_timer()
        else:
            self._connection.pauseProducing()

    # ------------------------------------------------------------ hearing

    def _hear(self, frames: list[Frame], now_s: float) -> None:
        session = self._session
        assert session is not None
        for index, frame in enumerate(frames):
            if self._is_held or self._held or self._ending is not None:
                self._held.extend((late, now_s) for late in frames[index:])
                return
            session.hear(frame, now_s)

    def _hear_held(self) -> None:
        assert self._session is not None
        while self._held and not self._is_held and self.is_open:
            frame, now_s = self._held.popleft()
            self._session.hear(frame, now_s)
        self._adjust_reading()

    def _set_flush_timer(self) -> None:
        if self._flush_timer is not None and self._flush_timer.active():
            self._flush_timer.reset(FLUSH_S)
        else:
            self._flush_timer = self._clock.callLater(FLUSH_S, self._flush)

    def _flush(self) -> None:
        assert self._flushing is not None
        if self._ending is None and (frames := self._flushing.flush()):
            self._frame_since_s = None
            self._hear(frames, self._clock.seconds())

    # ------------------------------------------------------------ time limits

    def _deadlines(self) -> list[tuple[float, Ending]]:
        limits = self._limits
        found = []
        if self._closing_since_s is not None:
            return [(self._closing_since_s + limits.close_s, self._ending or Ending.CLOSED)]
        if self._handshake_since_s is not None:
            found.append((self._handshake_since_s + limits.handshake_s, Ending.HANDSHAKE_TIME))
        if self._choked_since_s is not None:
            found.append((self._choked_since_s + limits.write_stall_s, Ending.UNREAD))
        if self._is_reading:
            found.append((self.last_in_s + limits.idle_s, Ending.IDLE_TIME))
            if self._frame_since_s is not None:
                found.append((self._frame_since_s + limits.frame_s, Ending.FRAME_TIME))
        return found

    def _set_timer(self) -> None:
        """Set the timer for the earliest limit; one that is set for an earlier time will look again by itself."""
        deadlines = self._deadlines()
        if not deadlines or self.is_lost:
            return
        due_s = min(due_s for due_s, _ in deadlines)
        wait_s = max(0.0, due_s - self._clock.seconds())
        if self._timer is None or not self._timer.active():
            self._timer = self._clock.callLater(wait_s, self._look)
        elif self._timer.getTime() > due_s:
            self._timer.reset(wait_s)

    def _look(self) -> None:
        now_s = self._clock.seconds()
        passed = [ending for due_s, ending in self._deadlines() if due_s <= now_s + _ROUNDING_S]
        if passed:
            self.abort(passed[0])
        else:
            self._set_timer()


def _words_of(address: IAddress) -> str:
    if isinstance(address, IPv4Address | IPv6Address):
        return f"{address.host}:{address.port}"
    return type(address).__name__
