"""A door that peers dial: who comes in is known by its certificate, or, at a plain door, by whose door it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import serverFromString, wrapServerTLS
from twisted.internet.interfaces import IAddress, IListeningPort, IReactorCore, IStreamServerEndpoint
from twisted.internet.protocol import Factory
from twisted.logger import Logger

from ...codecs.framing import make_framer
from ...codecs.iso8583 import load_spec
from ...config.settings import InstitutionSettings, ListenerSettings, TlsSettings
from .endings import Ending
from .identity import identify
from .session import LISTENS, LinkSession
from .speech import Speech
from .surroundings import Surroundings
from .tls import ServerTls
from .wire import Wire

log = Logger()

UNKNOWN = "unknown"
"""Stands for the institution of a peer that is none's."""


class Listener(Factory):
    """Accepts connections on one endpoint and makes links of them.

    `tls` is the certificate check that the endpoint is wrapped with, or None for a plain door, which then belongs to
    the one institution of its settings.
    """

    noisy = False

    def __init__(
        self,
        settings: ListenerSettings,
        institutions: Sequence[InstitutionSettings],
        endpoint: IStreamServerEndpoint,
        speech: Speech,
        surroundings: Surroundings,
        tls: ServerTls | None,
    ) -> None:
        if settings.institution is not None:
            institutions = [each for each in institutions if each.id == settings.institution]
        assert tls is not None or len(institutions) == 1, "a plain door belongs to one institution"
        self.name = settings.name
        self.tls = tls
        self._institutions = {each.id: each for each in institutions}
        self._settings = settings
        self._endpoint = endpoint
        self._speech = speech
        self._surroundings = surroundings
        self._port: IListeningPort | None = None
        self._unknown: set[Wire] = set()
        self._serial = 0

    # ------------------------------------------------------------ its own life

    async def start(self) -> None:
        """Listen; raises CannotListenError when the port cannot be had."""
        self._port = await self._endpoint.listen(self)
        log.info("listener {listener} listens on {address}", listener=self.name, address=str(self._port.getHost()))

    @property
    def address(self) -> IAddress:
        """Where it listens; a port of 0 in the settings is a number here."""
        assert self._port is not None, "a listener has an address once it is started"
        return self._port.getHost()

    def stop_accepting(self) -> Deferred[None]:
        """Take no new connections; fires when the port is free. Links stay."""
        port, self._port = self._port, None
        stopped: Deferred[object] = maybeDeferred(port.stopListening) if port is not None else maybeDeferred(int)
        return stopped.addCallback(lambda _: None)

    def close(self) -> Deferred[None]:
        """Take no new connections, and cut those of peers not yet known; links end by the directory."""
        for wire in tuple(self._unknown):
            wire.abort(Ending.CLOSED)
        return self.stop_accepting()

    # ------------------------------------------------------------ connections

    def buildProtocol(self, addr: IAddress | None) -> Wire:  # noqa: N802
        limits = self._surroundings.limits
        wire = Wire(
            make_framer(self._settings.framing, limits.frame_bytes_max),
            limits,
            self._surroundings.clock,
            self.tls is not None,
            self._ready,
            self._failed,
            refusal=Ending.TOO_MANY_HANDSHAKES if len(self._unknown) >= limits.handshakes_max else None,
        )
        self._unknown.add(wire)
        return wire

    def _ready(self, wire: Wire) -> LinkSession | None:
        self._unknown.discard(wire)
        meter, directory = self._surroundings.meter, self._surroundings.directory
        institution = self._find_institution(wire)
        if institution is None:
            meter.connected(UNKNOWN, Ending.UNKNOWN_PEER.value)
            wire.abort(Ending.UNKNOWN_PEER)
            return None
        self._serial += 1
        session = self._speech.make_session(f"{self.name}-{self._serial}", institution, wire, LISTENS)
        if not directory.admit(session):
            meter.connected(institution.id, Ending.TOO_MANY_LINKS.value)
            wire.abort(Ending.TOO_MANY_LINKS)
            return None
        meter.connected(institution.id, "ok")
        return session

    def _find_institution(self, wire: Wire) -> InstitutionSettings | None:
        if self.tls is None:
            (institution,) = self._institutions.values()
            return institution
        certificate = wire.peer_certificate()
        if certificate is None:
            return None
        found = identify(certificate, self._institutions.values())
        if found is None:
            return None
        expires_s = certificate.not_valid_after_utc.timestamp()
        self._surroundings.meter.certificate_expiry(f"peer.{found}", expires_s)
        return self._institutions[found]

    def _failed(self, wire: Wire, ending: Ending, why: str) -> None:
        self._unknown.discard(wire)
        if ending not in (Ending.UNKNOWN_PEER, Ending.TOO_MANY_LINKS, Ending.CLOSED):
            self._surroundings.meter.handshake_failed(self.name, why)
        log.warn(
            "listener {listener} let nobody in from {peer}: {why}", listener=self.name, peer=wire.address, why=why
        )


def make_listener(
    reactor: IReactorCore,
    settings: ListenerSettings,
    institutions: Sequence[InstitutionSettings],
    tls: Mapping[str, TlsSettings],
    surroundings: Surroundings,
) -> Listener:
    """Make a listener from settings; nothing listens until `start`.

    Raises TlsFileError for unusable certificates, SpecError for an unusable spec, ValueError for an endpoint that
    Twisted cannot parse.
    """
    endpoint: IStreamServerEndpoint = serverFromString(reactor, settings.listen)  # type: ignore[no-untyped-call]
    server: ServerTls | None = None
    if settings.tls is not None:
        server = ServerTls(tls[settings.tls])
        endpoint = wrapServerTLS(server, endpoint, surroundings.clock)
        surroundings.meter.certificate_expiry(settings.tls, server.expires_s)
    speech = Speech(settings.protocol, load_spec(settings.spec), settings.sign_on, surroundings)
    return Listener(settings, institutions, endpoint, speech, surroundings, server)
