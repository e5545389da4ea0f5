"""Who is let in, over real sockets and real TLS."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import pytest
import pytest_twisted
from cryptography import x509
from junctor.codecs.framing import make_framer
from junctor.codecs.iso8583 import decode, encode
from junctor.config.settings import InstitutionSettings, LinkLimits, ListenerSettings, TlsSettings
from junctor.simulators.authority import Authority, Issued
from junctor.switch.links.iso import IsoSession
from junctor.switch.links.listener import Listener, make_listener
from junctor.switch.links.tls import ClientTls, ServerTls, TlsFileError, load_credentials
from link_fakes import SPEC, Counts, Ears, approve, fresh_authority, make_surroundings, purchase, until
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.ssl import AcceptableCiphers, Certificate, TLSVersion, optionsForClientTLS
from twisted.python.failure import Failure

T = TypeVar("T")
PATIENCE_S = 10.0
FRAMER = make_framer("length2", 16_384)
NOBODY = InstitutionSettings(id="nobody", pins=("0" * 64,))


def patiently(awaited: Deferred[T]) -> Deferred[T]:
    """Wait, but not for ever."""
    return awaited.addTimeout(PATIENCE_S, reactor)  # type: ignore[arg-type]


class Caller(Protocol):
    """A peer that sends one purchase and keeps what comes back."""

    def __init__(self) -> None:
        self.heard = b""
        self.answered: Deferred[bytes] = Deferred()
        self.lost: Deferred[None] = Deferred()

    def say(self, body: bytes) -> None:
        assert self.transport is not None
        self.transport.write(FRAMER.wrap(body))

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        self.heard += data
        if not self.answered.called:
            self.answered.callback(self.heard)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802
        self.lost.callback(None)


class Door:
    """A listener with its authority, and the means to knock at it."""

    def __init__(self, authority: Authority, limits: LinkLimits = LinkLimits()) -> None:  # noqa: B008  (frozen)
        self.authority = authority
        self.server = authority.issue("server")
        self.ears = Ears(approve)
        self.meter = Counts()
        self.surroundings = make_surroundings(reactor, self.ears, self.meter, limits)  # type: ignore[arg-type]
        self._listener: Listener | None = None

    async def open(
        self,
        *institutions: InstitutionSettings,
        with_crl: bool = False,
        is_plain: bool = False,
        only: str | None = None,
    ) -> None:
        tls = TlsSettings(
            self.server.certificate_file,
            self.server.key_file,
            self.authority.ca_file,
            self.authority.crl_file if with_crl else None,
        )
        settings = ListenerSettings(
            name="front",
            listen="tcp:0:interface=127.0.0.1",
            tls=None if is_plain else "server",
            institution=institutions[0].id if is_plain else only,
        )
        self._listener = make_listener(reactor, settings, institutions, {"server": tls}, self.surroundings)  # type: ignore[arg-type]
        await self._listener.start()

    @property
    def listener(self) -> Listener:
        assert self._listener is not None
        return self._listener

    @property
    def port(self) -> int:
        port: int = self.listener.address.port  # type: ignore[attr-defined]
        return port

    async def knock(self, creator: IOpenSSLClientConnectionCreator | None) -> Caller:
        endpoint: IStreamClientEndpoint = HostnameEndpoint(reactor, "localhost", self.port)
        if creator is not None:
            endpoint = wrapClientTLS(creator, endpoint)
        caller = await endpoint.connect(Factory.forProtocol(Caller))
        assert isinstance(caller, Caller)
        return caller

    def key_of(self, issued: Issued, server_name: str = "localhost") -> ClientTls:
        """What a peer needs to come in as `issued`."""
        tls = TlsSettings(issued.certificate_file, issued.key_file, self.authority.ca_file)
        return ClientTls(tls, server_name)

    def old_key_of(self, issued: Issued, cipher: str) -> IOpenSSLClientConnectionCreator:
        """What a peer needs to come in as `issued` over TLS 1.2 with one cipher."""
        credentials = load_credentials(TlsSettings(issued.certificate_file, issued.key_file, self.authority.ca_file))
        return optionsForClientTLS(
            "localhost",
            trustRoot=Certificate.loadPEM(self.authority.ca_file.read_bytes()),
            extraCertificateOptions={
                "privateKey": credentials.key,
                "certificate": credentials.chain[0],
                "lowerMaximumSecurityTo": TLSVersion.TLSv1_2,
                "acceptableCiphers": AcceptableCiphers.fromOpenSSLCipherString(cipher),
            },
        )

    async def close(self) -> None:
        await self.surroundings.directory.leave_all()
        await self.listener.close()


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(fresh_authority(tmp_path))


async def assert_let_in(door: Door, caller: Caller, institution: str) -> None:
    caller.say(encode(SPEC, purchase()))
    answer = decode(SPEC, FRAMER.feed(await patiently(caller.answered))[0].body)
    assert answer[39] == "00"
    assert [each.link.institution for each in door.ears.requests] == [institution]
    assert door.meter.of("handshake_failed") == []
    await door.close()
    await patiently(caller.lost)


async def assert_refused(door: Door, caller: Caller, *handshake_failures: str) -> None:
    caller.say(encode(SPEC, purchase()))
    await patiently(caller.lost)
    await until(lambda: door.meter.calls.keys() & {"handshake_failed", "connected"})
    assert door.meter.of("handshake_failed") == [("front", why) for why in handshake_failures]
    assert door.ears.requests == []
    assert door.surroundings.directory.snapshot() == ()
    await door.close()


@pytest_twisted.ensureDeferred
async def test_the_pinned_certificate_is_let_in_and_answered(door: Door) -> None:
    issued = door.authority.issue("acme")
    await door.open(NOBODY, InstitutionSettings(id="acme", pins=(issued.pin,)))
    caller = await door.knock(door.key_of(issued))
    await assert_let_in(door, caller, "acme")


@pytest_twisted.ensureDeferred
async def test_a_link_shows_its_peer_and_how_it_is_secured(door: Door) -> None:
    issued = door.authority.issue("acme")
    await door.open(InstitutionSettings(id="acme", pins=(issued.pin,)))
    caller = await door.knock(door.key_of(issued))
    caller.say(encode(SPEC, purchase()))
    await patiently(caller.answered)
    (view,) = door.surroundings.directory.snapshot()
    assert (view.name, view.tls_version) == ("front-1", "TLSv1.3")
    assert view.tls_cipher.startswith("TLS_")
    assert view.peer.startswith("127.0.0.1:")
    assert view.last_in_s > 0 < view.last_out_s
    await door.close()


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("is_plain", [True, False])
async def test_answers_do_not_wait_for_company_in_the_kernel(door: Door, is_plain: bool) -> None:
    issued = door.authority.issue("acme")
    await door.open(InstitutionSettings(id="acme", pins=(issued.pin,)), is_plain=is_plain)
    caller = await door.knock(None if is_plain else door.key_of(issued))
    caller.say(encode(SPEC, purchase()))
    await patiently(caller.answered)
    (incoming,) = door.ears.requests
    assert isinstance(incoming.link, IsoSession)
    assert incoming.link.wire.transport.getTcpNoDelay()  # type: ignore[union-attr]
    await door.close()


@pytest_twisted.ensureDeferred
async def test_when_certificates_expire_is_told_for_us_and_for_the_peer(door: Door) -> None:
    issued = door.authority.issue("acme", days=7)
    await door.open(InstitutionSettings(id="acme", pins=(issued.pin,)))
    caller = await door.knock(door.key_of(issued))
    await assert_let_in(door, caller, "acme")
    told = {str(name): float(str(when)) for name, when in door.meter.of("certificate_expiry")}
    assert set(told) == {"server", "peer.acme"}
    assert told["server"] - told["peer.acme"] == (30 - 7) * 86_400


@pytest_twisted.ensureDeferred
async def test_the_common_name_lets_in_where_there_are_no_pins(door: Door) -> None:
    await door.open(NOBODY, InstitutionSettings(id="acme", subjects=("acme",)))
    caller = await door.knock(door.key_of(door.authority.issue("acme")))
    await assert_let_in(door, caller, "acme")


@pytest_twisted.ensureDeferred
async def test_a_certificate_that_is_not_on_the_revocation_list_is_let_in(door: Door) -> None:
    issued = door.authority.issue("acme")
    door.authority.revoke(door.authority.issue("other"))
    await door.open(InstitutionSettings(id="acme", pins=(issued.pin,)), with_crl=True)
    caller = await door.knock(door.key_of(issued))
    await assert_let_in(door, caller, "acme")


@pytest_twisted.ensureDeferred
async def test_a_revoked_certificate_is_refused(door: Door) -> None:
    issued = door.authority.issue("acme")
    door.authority.revoke(issued)
    await door.open(InstitutionSettings(id="acme", pins=(issued.pin,)), with_crl=True)
    caller = await door.knock(door.key_of(issued))
    await assert_refused(door, caller, "certificate refused")


@pytest_twisted.ensureDeferred
async def test_a_revocation_list_past_its_time_lets_nobody_in(door: Door) -> None:
    issued = door.authority.issue("acme")
    door.authority.revoke(days=-1)
    await door.open(InstitutionSettings(id="acme", pins=(issued.pin,)), with_crl=True)
    caller = await door.knock(door.key_of(issued))
    await assert_refused(door, caller, "certificate refused")


@pytest_twisted.ensureDeferred
async def test_without_a_certificate_nobody_is_let_in(door: Door) -> None:
    await door.open(InstitutionSettings(id="acme", subjects=("acme",)))
    root = Certificate.loadPEM(door.authority.ca_file.read_bytes())
    caller = await door.knock(optionsForClientTLS("localhost", trustRoot=root))
    await assert_refused(door, caller, "no certificate")


@pytest_twisted.ensureDeferred
async def test_a_certificate_of_another_authority_is_refused_whatever_its_name(door: Door, tmp_path: Path) -> None:
    elsewhere = fresh_authority(tmp_path / "elsewhere").issue("acme")
    await door.open(InstitutionSettings(id="acme", subjects=("acme",), pins=(elsewhere.pin,)))
    caller = await door.knock(door.key_of(elsewhere))
    await assert_refused(door, caller, "certificate refused")


@pytest_twisted.ensureDeferred
async def test_an_expired_certificate_is_refused(door: Door) -> None:
    issued = door.authority.issue_expired("acme")
    await door.open(InstitutionSettings(id="acme", pins=(issued.pin,)))
    caller = await door.knock(door.key_of(issued))
    await assert_refused(door, caller, "certificate refused")


@pytest_twisted.ensureDeferred
async def test_a_good_certificate_of_nobody_is_refused(door: Door) -> None:
    await door.open(NOBODY, InstitutionSettings(id="acme", pins=("1" * 64,), subjects=("acme",)))
    caller = await door.knock(door.key_of(door.authority.issue("acme")))
    await assert_refused(door, caller)
    assert door.meter.of("connected") == [("unknown", "unknown peer")]


@pytest_twisted.ensureDeferred
async def test_at_a_door_of_one_institution_another_is_refused(door: Door) -> None:
    acme, other = door.authority.issue("acme"), door.authority.issue("other")
    institutions = [InstitutionSettings(id=each.name, pins=(each.pin,)) for each in (acme, other)]
    await door.open(*institutions, only="acme")
    caller = await door.knock(door.key_of(other))
    await assert_refused(door, caller)
    assert door.meter.of("connected") == [("unknown", "unknown peer")]


@pytest_twisted.ensureDeferred
async def test_plain_bytes_at_a_tls_door_are_refused(door: Door) -> None:
    await door.open(InstitutionSettings(id="acme", subjects=("acme",)))
    caller = await door.knock(None)
    await assert_refused(door, caller, "not tls")


@pytest_twisted.ensureDeferred
async def test_a_peer_that_says_nothing_at_a_tls_door_keeps_nobody_else_out(tmp_path: Path) -> None:
    door = Door(fresh_authority(tmp_path), LinkLimits(handshake_s=0.3))
    issued = door.authority.issue("acme")
    await door.open(InstitutionSettings(id="acme", pins=(issued.pin,)))
    silent = await door.knock(None)
    caller = await door.knock(door.key_of(issued))
    caller.say(encode(SPEC, purchase()))
    await patiently(caller.answered)
    await patiently(silent.lost)
    assert door.meter.of("handshake_failed") == [("front", "handshake time")]
    await door.close()


CLIENT_HELLO_1_1 = bytes.fromhex(
    "16 03 01 00 35"  # handshake record, 53 bytes
    "01 00 00 31"  # client hello, 49 bytes
    "03 02"  # TLS 1.1 at the most
    + "5a"
    * 32  # random
    + "00"  # no session
    "00 04 c0 14 00 35"  # ECDHE-RSA-AES256-SHA, AES256-SHA
    "01 00"  # no compression
    "00 04 00 17 00 00"  # extensions: extended master secret
)
ALERT_PROTOCOL_VERSION = bytes.fromhex("02 46")
"""Fatal, protocol_version (RFC 5246, 7.2)."""


@pytest_twisted.ensureDeferred
async def test_tls_1_1_is_refused_with_the_alert_that_says_so(door: Door) -> None:
    await door.open(InstitutionSettings(id="acme", subjects=("acme",)))
    caller = await door.knock(None)
    assert caller.transport is not None
    caller.transport.write(CLIENT_HELLO_1_1)
    await patiently(caller.lost)
    assert caller.heard[:1] == b"\x15"
    assert caller.heard[-2:] == ALERT_PROTOCOL_VERSION
    assert door.meter.of("handshake_failed") == [("front", "old protocol")]
    await door.close()


@pytest_twisted.ensureDeferred
async def test_tls_1_2_is_spoken_with_forward_secrecy_only(door: Door) -> None:
    issued = door.authority.issue("acme")
    await door.open(InstitutionSettings(id="acme", pins=(issued.pin,)))
    good = "ECDHE-ECDSA-AES128-GCM-SHA256"
    caller = await door.knock(door.old_key_of(issued, good))
    caller.say(encode(SPEC, purchase()))
    await patiently(caller.answered)
    (view,) = door.surroundings.directory.snapshot()
    assert (view.tls_version, view.tls_cipher) == ("TLSv1.2", good)
    bad = await door.knock(door.old_key_of(issued, "ECDHE-ECDSA-AES128-SHA256"))
    await patiently(bad.lost)
    assert door.meter.of("handshake_failed") == [("front", "no common cipher")]
    await door.close()


@pytest_twisted.ensureDeferred
async def test_at_a_plain_door_everybody_is_whose_door_it_is(door: Door) -> None:
    await door.open(InstitutionSettings(id="acme"), is_plain=True)
    caller = await door.knock(None)
    await assert_let_in(door, caller, "acme")


@pytest_twisted.ensureDeferred
async def test_new_certificates_are_shown_after_a_reload_and_old_links_stay(door: Door) -> None:
    issued = door.authority.issue("acme")
    await door.open(InstitutionSettings(id="acme", pins=(issued.pin,)))
    before = await door.knock(door.key_of(issued))
    before.say(encode(SPEC, purchase("000001")))
    await patiently(before.answered)
    old = certificate_shown_to(before)
    door.server = door.authority.issue("server")
    assert door.listener.tls is not None
    door.listener.tls.reload()
    after = await door.knock(door.key_of(issued))
    after.say(encode(SPEC, purchase("000002")))
    await patiently(after.answered)
    assert certificate_shown_to(after).serial_number == door.server.serial != old.serial_number
    assert len(door.surroundings.directory.snapshot()) == 2
    await door.close()


def test_a_reload_of_a_broken_file_changes_nothing(door: Door) -> None:
    tls = TlsSettings(door.server.certificate_file, door.server.key_file, door.authority.ca_file)
    server = ServerTls(tls)
    expires_s = server.expires_s
    door.server.certificate_file.write_text("not a certificate")
    with pytest.raises(TlsFileError):
        server.reload()
    assert server.expires_s == expires_s


@pytest_twisted.ensureDeferred
async def test_a_taken_port_stops_the_start(door: Door) -> None:
    acme = InstitutionSettings(id="acme")
    await door.open(acme, is_plain=True)
    settings = ListenerSettings(name="two", listen=f"tcp:{door.port}:interface=127.0.0.1", institution="acme")
    second = make_listener(reactor, settings, [acme], {}, door.surroundings)  # type: ignore[arg-type]
    with pytest.raises(CannotListenError):
        await second.start()
    await door.close()


# ------------------------------------------------------------ files


def test_a_key_that_everybody_can_read_is_not_used(door: Door) -> None:
    door.server.key_file.chmod(0o644)
    with pytest.raises(TlsFileError, match=r"server\.key: everybody"):
        ServerTls(TlsSettings(door.server.certificate_file, door.server.key_file, door.authority.ca_file))


def test_a_key_of_another_certificate_is_not_used(door: Door) -> None:
    other = door.authority.issue("other")
    with pytest.raises(TlsFileError, match=r"is not the key of .*server\.pem"):
        ServerTls(TlsSettings(door.server.certificate_file, other.key_file, door.authority.ca_file))


def test_a_missing_file_is_named(door: Door) -> None:
    missing = door.authority.folder / "missing.pem"
    with pytest.raises(TlsFileError, match=r"missing\.pem: No such file"):
        ServerTls(TlsSettings(door.server.certificate_file, door.server.key_file, missing))


def test_credentials_do_not_print_their_key(door: Door) -> None:
    tls = TlsSettings(door.server.certificate_file, door.server.key_file, door.authority.ca_file)
    assert "key" not in repr(load_credentials(tls)).lower().replace("publickey", "")


def certificate_shown_to(caller: Caller) -> x509.Certificate:
    certificate = caller.transport.getHandle().get_peer_certificate(as_cryptography=True)  # type: ignore[union-attr]
    assert isinstance(certificate, x509.Certificate)
    return certificate
