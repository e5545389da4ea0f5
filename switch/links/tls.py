"""TLS for links: 1.2 or later, mutual, AEAD ciphers only, with certificates that can be read again while running.

Twisted's CertificateOptions makes the contexts. What is ours: a trust root that also carries a revocation list, and
connection creators that look up the present context for each new connection.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import attrs
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL, crypto
from twisted.internet._sslverify import IOpenSSLTrustRoot
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator, IOpenSSLServerConnectionCreator
from twisted.internet.ssl import AcceptableCiphers, CertificateOptions, TLSVersion, optionsForClientTLS
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from ...config.settings import TlsSettings

T = TypeVar("T")

CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2; TLS 1.3 has AEAD suites only."""


class TlsFileError(Exception):
    """A certificate, key or revocation list that cannot be used; the text names the file and never its content."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(path, why)
        self.path = path
        self.why = why

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"


@attrs.frozen
class Credentials:
    """What one `[tls.NAME]` names, read from its files."""

    chain: tuple[x509.Certificate, ...]
    """Our certificate, then those that complete its chain."""
    key: PrivateKeyTypes = attrs.field(repr=False)
    authorities: tuple[x509.Certificate, ...] = attrs.field(repr=False)
    revoked: tuple[x509.CertificateRevocationList, ...] = attrs.field(repr=False)

    @property
    def expires_s(self) -> float:
        """When the first certificate of our chain expires, in seconds since 1970."""
        return min(each.not_valid_after_utc.timestamp() for each in self.chain)


def load_credentials(settings: TlsSettings) -> Credentials:
    """Read a certificate chain, its key, the trusted authorities and the revocation list, all PEM.

    Raises TlsFileError for a file that is missing, not PEM, readable by everybody (the key), or that does not belong
    to the others (key and certificate).
    """
    chain = _load(settings.certificate_file, x509.load_pem_x509_certificates)
    key = _load(settings.key_file, lambda pem: load_pem_private_key(pem, password=None))
    if settings.key_file.stat().st_mode & 0o007:
        raise TlsFileError(settings.key_file, "everybody on this machine can read the private key")
    if key.public_key() != chain[0].public_key():
        raise TlsFileError(settings.key_file, f"is not the key of {settings.certificate_file}")
    authorities = _load(settings.ca_file, x509.load_pem_x509_certificates)
    revoked = () if settings.crl_file is None else (_load(settings.crl_file, x509.load_pem_x509_crl),)
    return Credentials(chain=tuple(chain), key=key, authorities=tuple(authorities), revoked=revoked)


def _load(path: Path, parse: Callable[[bytes], T]) -> T:
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise TlsFileError(path, error.strerror or "cannot be read") from error
    except (ValueError, TypeError) as error:
        raise TlsFileError(path, "is not the PEM file it should be (a key must not have a password)") from error


@implementer(IOpenSSLTrustRoot)
@attrs.frozen
class _Trust:
    """The authorities that may sign a peer's certificate, and what they have revoked.

    With a list every peer certificate is checked against it, and a list past its next update refuses everybody.
    """

    authorities: tuple[x509.Certificate, ...]
    revoked: tuple[x509.CertificateRevocationList, ...]

    def _addCACertsToContext(self, context: SSL.Context) -> None:  # noqa: N802  (the interface's own name)
        store = context.get_cert_store()
        assert store is not None
        for authority in self.authorities:
            store.add_cert(crypto.X509.from_cryptography(authority))
        for crl in self.revoked:
            store.add_crl(crl)
        if self.revoked:
            store.set_flags(crypto.X509StoreFlags.CRL_CHECK)


def _options(credentials: Credentials) -> dict[str, Any]:
    return {
        "privateKey": credentials.key,
        "certificate": credentials.chain[0],
        "extraCertChain": list(credentials.chain[1:]),
        "acceptableCiphers": AcceptableCiphers.fromOpenSSLCipherString(CIPHERS),  # type: ignore[no-untyped-call]
        "raiseMinimumTo": TLSVersion.TLSv1_2,
    }


@implementer(IOpenSSLServerConnectionCreator)
class ServerTls:
    """Our side of the connections that peers make: shows our certificate and demands one of theirs.

    Reads its files when made; raises TlsFileError when they cannot be used.
    """

    def __init__(self, settings: TlsSettings) -> None:
        self._settings = settings
        self.reload()

    def reload(self) -> None:
        """Read the files again for connections to come; on TlsFileError all stays as it was."""
        credentials = load_credentials(self._settings)
        trust = _Trust(credentials.authorities, credentials.revoked)
        self._certificate_options = CertificateOptions(trustRoot=trust, **_options(credentials))
        self._credentials = credentials

    @property
    def expires_s(self) -> float:
        """When our certificate expires, in seconds since 1970."""
        return self._credentials.expires_s

    def serverConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:  # noqa: N802, N803
        return self._certificate_options.serverConnectionForTLS(tlsProtocol)


@implementer(IOpenSSLClientConnectionCreator)
class ClientTls:
    """Our side of the connections that we make: the peer must carry `server_name`, and sees our certificate.

    server_name: DNS name or IP address, checked as RFC 9525 says (service-identity). Raises TlsFileError.
    """

    def __init__(self, settings: TlsSettings, server_name: str) -> None:
        self._settings = settings
        self._server_name = server_name
        self.reload()

    def reload(self) -> None:
        """Read the files again for connections to come; on TlsFileError all stays as it was."""
        credentials = load_credentials(self._settings)
        self._creator = optionsForClientTLS(
            self._server_name,
            trustRoot=_Trust(credentials.authorities, credentials.revoked),
            extraCertificateOptions=_options(credentials),
        )
        self._credentials = credentials

    @property
    def expires_s(self) -> float:
        """When our certificate expires, in seconds since 1970."""
        return self._credentials.expires_s

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:  # noqa: N802, N803
        return self._creator.clientConnectionForTLS(tlsProtocol)
