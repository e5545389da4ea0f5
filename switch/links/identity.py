"""Who a certificate speaks for.

A pin is the SHA-256 of the certificate's public key (SubjectPublicKeyInfo in DER, RFC 7469 section 2.4), in hex. It
outlives renewals that keep the key, and no other certificate of a trusted authority can stand in for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from ...config.settings import InstitutionSettings


def spki_pin(certificate: x509.Certificate) -> str:
    """Give the pin of a certificate: 64 hex digits, lower case."""
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(key).hexdigest()


def find_common_name(certificate: x509.Certificate) -> str | None:
    """Give the subject's common name, or None when it has none or more than one."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if len(names) == 1 else None


def identify(certificate: x509.Certificate, institutions: Iterable[InstitutionSettings]) -> str | None:
    """Give the id of the one institution that a verified certificate speaks for, or None.

    An institution with pins is known by a pin alone; one without by the common name. A certificate that fits several
    institutions speaks for none of them.
    """
    pin, name = spki_pin(certificate), find_common_name(certificate)
    found = [each.id for each in institutions if _speaks_for(each, pin, name)]
    return found[0] if len(found) == 1 else None


def _speaks_for(institution: InstitutionSettings, pin: str, name: str | None) -> bool:
    if institution.pins:
        return pin in (each.replace(":", "").lower() for each in institution.pins)
    return name is not None and name in institution.subjects
