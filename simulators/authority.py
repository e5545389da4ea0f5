"""A certificate authority for development and tests: small, short-lived, and never to be trusted elsewhere.

Everything lies in one folder under names that follow from what it is: `ca.pem` and `ca.key`, `<name>.pem` and
`<name>.key` for each certificate, `crl.pem`. Keys are EC P-256, readable by their owner alone.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import attrs
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..switch.links.identity import spki_pin

DAYS: Final = 30
"""How long an authority and its certificates are good."""
_BACKDATED: Final = datetime.timedelta(hours=1)
_BOTH_SIDES: Final = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
_HOSTS: Final = (x509.DNSName("localhost"), x509.IPAddress(ipaddress.IPv4Address("127.0.0.1")))


@attrs.frozen
class Issued:
    """A certificate with its key on disk."""

    name: str
    """Its common name."""
    certificate_file: Path
    key_file: Path
    pin: str
    """SHA-256 of its public key (SPKI), in hex."""
    serial: int = attrs.field(repr=False)


class Authority:
    """A self-signed authority in a folder; `make_authority` makes one."""

    def __init__(
        self, folder: Path, now: datetime.datetime, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate
    ) -> None:
        self.folder = folder
        self.ca_file = folder / "ca.pem"
        self.crl_file = folder / "crl.pem"
        self._now = now
        self._key = key
        self._certificate = certificate
        self._revoked: list[int] = []

    def issue(self, name: str, *, days: int = DAYS, hosts: Iterable[x509.GeneralName] = _HOSTS) -> Issued:
        """Issue a certificate for either end of a connection, by default on `localhost` and 127.0.0.1.

        Days of zero or below give one that has expired already.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        until = self._now + datetime.timedelta(days=days)
        certificate = (
            _begin(name, self._certificate.subject, key, min(self._now - _BACKDATED, until - _BACKDATED), until)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
            .add_extension(x509.ExtendedKeyUsage(_BOTH_SIDES), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        issued = Issued(
            name=name,
            certificate_file=self.folder / f"{name}.pem",
            key_file=self.folder / f"{name}.key",
            pin=spki_pin(certificate),
            serial=certificate.serial_number,
        )
        _write(issued.certificate_file, certificate.public_bytes(Encoding.PEM), 0o644)
        _write_key(issued.key_file, key)
        return issued

    def issue_expired(self, name: str) -> Issued:
        """Issue a certificate whose time ended a day before the authority was made."""
        return self.issue(name, days=-1)

    def revoke(self, *revoked: Issued, days: int = DAYS) -> Path:
        """Add certificates to the revocation list, write it, and give its path; with none it is an empty list.

        days: how long the list is good; below zero it is out of date already.
        """
        self._revoked += [each.serial for each in revoked]
        until = self._now + datetime.timedelta(days=days)
        since = min(self._now, until) - _BACKDATED
        builder = x509.CertificateRevocationListBuilder(
            issuer_name=self._certificate.subject,
            last_update=since,
            next_update=until,
        )
        for serial in self._revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since).build()
            builder = builder.add_revoked_certificate(entry)
        _write(self.crl_file, builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM), 0o644)
        return self.crl_file


def make_authority(folder: Path, now: datetime.datetime, name: str = "Junctor development CA") -> Authority:
    """Make a new authority in a folder, which is created (0700) when it is not there; what it holds is replaced."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    usage = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    subject = _named(name)
    certificate = (
        _begin(name, subject, key, now - 2 * _BACKDATED, now + datetime.timedelta(days=DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(**usage, key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    authority = Authority(folder, now, key, certificate)
    _write(authority.ca_file, certificate.public_bytes(Encoding.PEM), 0o644)
    _write_key(folder / "ca.key", key)
    return authority


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _begin(
    name: str,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    since: datetime.datetime,
    until: datetime.datetime,
) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        subject_name=_named(name),
        issuer_name=issuer,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=since,
        not_valid_after=until,
    )


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    _write(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)


def _write(path: Path, content: bytes, mode: int) -> None:
    """Replace a file in one step, so that nobody reads half of it, and never with a wider mode than asked."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    beside.replace(path)
