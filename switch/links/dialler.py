"""A link that we dial: connect, wait until it ends, wait a while, connect again.

The waits grow while nothing good comes of the connections, and are spread by chance, so that many diallers do not
come back together. A connection that was made and never spoke is a failure too: under TLS 1.3 it looks connected here
before the peer has judged our certificate. (Twisted's ClientService has no state for a connection that is lost while
it is being prepared, which is what a refused sign-on looks like; hence a loop of our own.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IAddress, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from ...codecs.framing import make_framer
from ...codecs.iso8583 import load_spec
from ...config.settings import DiallerSettings, InstitutionSettings, SignOn, TlsSettings
from .directory import LinkView
from .endings import Ending
from .session import DIALS, LinkSession
from .signon import State
from .speech import Speech
from .surroundings import Surroundings
from .tls import ClientTls
from .wire import Wire

log = Logger()


class Dialler(Factory):
    """Keeps one link to an institution, from `start` to `stop`; the directory knows it from the beginning."""

    noisy = False

    def __init__(
        self,
        settings: DiallerSettings,
        institution: InstitutionSettings,
        endpoint: IStreamClientEndpoint,
        speech: Speech,
        surroundings: Surroundings,
        tls: ClientTls | None,
    ) -> None:
        self.name = settings.name
        self.tls = tls
        self._settings = settings
        self._institution = institution
        self._endpoint = endpoint
        self._speech = speech
        self._surroundings = surroundings
        self._clock = surroundings.clock
        self._state = State.DOWN
        self._since = surroundings.utcnow()
        self._failures = 0
        self._is_stopped = False
        self._wire: Wire | None = None
        self._session: LinkSession | None = None
        self._ended: Deferred[None] = Deferred()
        self._dialling: Deferred[None] | None = None
        surroundings.directory.expect(self)

    # ------------------------------------------------------------ its own life

    async def start(self) -> None:
        """Begin to dial, and return at once: failing to connect is not an error but a state."""
        assert self._dialling is None, "a dialler is started once"
        self._dialling = Deferred.fromCoroutine(self._keep_dialling())

    def stop(self) -> Deferred[None]:
        """Dial no more; fires at once. A link that is there stays, and ends by the directory."""
        self._is_stopped = True
        if self._wire is not None and self._session is None:
            self._wire.abort(Ending.CLOSED)
        if self._dialling is not None:
            self._dialling.addErrback(_ignore_cancelled)
            self._dialling.cancel()
        self._note(State.DOWN)
        return succeed(None)

    def view(self) -> LinkView:
        """Show the dialler while it has no link."""
        return LinkView(
            name=self.name,
            institution=self._institution.id,
            protocol=self._settings.protocol.value,
            direction=DIALS,
            state=self._state.value,
            since=self._since,
            peer=f"{self._settings.host}:{self._settings.port}",
        )

    def _note(self, state: State) -> None:
        self._state = state
        self._since = self._surroundings.utcnow()

    async def _keep_dialling(self) -> None:
        while not self._is_stopped:
            self._note(State.CONNECTING)
            self._ended, self._wire, self._session = Deferred(), None, None
            is_good = await self._is_connected() and await self._is_good_until_its_end()
            self._failures = 0 if is_good else self._failures + 1
            self._note(State.DOWN)
            if not self._is_stopped:
                await deferLater(self._clock, self._wait_s())

    def _wait_s(self) -> float:
        """Twice as long after each failure, up to the most; of that, between half and all."""
        settings = self._settings
        doubled_s: float = settings.reconnect_initial_s * 2.0 ** min(self._failures, 32)
        return min(doubled_s, settings.reconnect_max_s) * (0.5 + self._surroundings.chance() / 2)

    async def _is_connected(self) -> bool:
        connecting = self._endpoint.connect(self)
        connecting.addTimeout(self._surroundings.limits.handshake_s, self._clock)
        try:
            await connecting
        except Exception as error:
            # Whatever keeps us from connecting (no route, refused, no such name, no time), we try again.
            if not self._is_stopped:
                self._count("not connected", type(error).__name__)
            return False
        return True

    async def _is_good_until_its_end(self) -> bool:
        """Wait until the connection is gone, and tell whether it had been good for something."""
        begun_s = self._clock.seconds()
        await self._ended
        session = self._session
        if session is None or not session.has_been_up:
            return False
        return session.wire.has_heard or self._clock.seconds() - begun_s >= self._settings.reconnect_max_s

    # ------------------------------------------------------------ connections

    def buildProtocol(self, addr: IAddress | None) -> Wire:  # noqa: N802
        limits = self._surroundings.limits
        framer = make_framer(self._settings.framing, limits.frame_bytes_max)
        self._wire = Wire(framer, limits, self._clock, self.tls is not None, self._ready, self._failed)
        return self._wire

    def _ready(self, wire: Wire) -> LinkSession | None:
        session = self._speech.make_session(self.name, self._institution, wire, DIALS)
        if not self._surroundings.directory.admit(session):
            self._count(Ending.TOO_MANY_LINKS.value)
            wire.abort(Ending.TOO_MANY_LINKS)
            return None
        self._surroundings.meter.connected(self._institution.id, "ok")
        self._session = session
        session.when_lost().addCallback(self._ended.callback)
        return session

    def _failed(self, wire: Wire, ending: Ending, why: str) -> None:
        if ending not in (Ending.TOO_MANY_LINKS, Ending.CLOSED):
            self._count(why)
        if not self._ended.called:
            self._ended.callback(None)

    def _count(self, why: str, error: str = "") -> None:
        self._surroundings.meter.connected(self._institution.id, why)
        log.warn(
            "link {link} of {institution} could not be made: {why}",
            link=self.name,
            institution=self._institution.id,
            peer=f"{self._settings.host}:{self._settings.port}",
            why=why,
            error=error,
        )


def _ignore_cancelled(failure: Failure) -> None:
    failure.trap(CancelledError)  # type: ignore[no-untyped-call]


def make_dialler(
    reactor: IReactorTime,
    settings: DiallerSettings,
    institutions: Sequence[InstitutionSettings],
    tls: Mapping[str, TlsSettings],
    surroundings: Surroundings,
) -> Dialler:
    """Make a dialler from settings; nothing is dialled until `start`.

    Raises TlsFileError for unusable certificates and SpecError for an unusable spec.
    """
    assert (settings.tls is None) == settings.plain, "a link without TLS is asked for"
    (institution,) = (each for each in institutions if each.id == settings.institution)
    timeout_s = surroundings.limits.handshake_s
    endpoint: IStreamClientEndpoint = HostnameEndpoint(reactor, settings.host, settings.port, timeout=timeout_s)
    client: ClientTls | None = None
    if settings.tls is not None:
        client = ClientTls(tls[settings.tls], settings.server_name or settings.host)
        endpoint = wrapClientTLS(client, endpoint, surroundings.clock)
        surroundings.meter.certificate_expiry(settings.tls, client.expires_s)
    must_prove = client is not None and settings.sign_on is SignOn.NONE and settings.echo_interval_s > 0
    speech = Speech(
        settings.protocol,
        load_spec(settings.spec),
        settings.sign_on,
        surroundings,
        must_prove,
        settings.echo_interval_s,
    )
    return Dialler(settings, institution, endpoint, speech, surroundings, client)
