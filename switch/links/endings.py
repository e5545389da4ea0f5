"""Why connections end, in words that may label a metric: a bounded set, and nothing of what a peer sent."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final

from OpenSSL import SSL
from service_identity import VerificationError
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure


class Ending(Enum):
    """Why a connection ended."""

    PEER_CLOSED = "peer closed"
    LOST = "connection lost"
    CLOSED = "closed by us"
    SIGNED_OFF = "signed off"
    UNSECURED = "tls"
    UNKNOWN_PEER = "unknown peer"
    TOO_MANY_LINKS = "too many links"
    TOO_MANY_HANDSHAKES = "too many handshakes"
    HANDSHAKE_TIME = "handshake time"
    FRAME_TIME = "frame time"
    IDLE_TIME = "idle time"
    UNFRAMED = "framing"
    UNREAD = "peer does not read"
    FAULTS = "too many faults"
    SIGN_ON = "sign-on refused"
    ECHO = "echo unanswered"
    OURS = "internal error"


TLS_TROUBLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "peer did not return a certificate": "no certificate",
        "certificate verify failed": "certificate refused",
        "no shared cipher": "no common cipher",
        "unsupported protocol": "old protocol",
        "version too low": "old protocol",
        "tlsv1 alert protocol version": "old protocol",
        "wrong version number": "not tls",
        "http request": "not tls",
        "https proxy request": "not tls",
        "packet length too long": "not tls",
        "unexpected message": "not tls",
        "record layer failure": "not tls",
    }
)
"""OpenSSL's reasons to the few that are told apart; alerts, which the peer sent, are `refused by peer`."""


def ending_of(reason: Failure) -> Ending:
    """Name the end of a connection that we did not end ourselves."""
    if isinstance(reason.value, SSL.Error | VerificationError):
        return Ending.UNSECURED
    return Ending.PEER_CLOSED if isinstance(reason.value, ConnectionDone) else Ending.LOST


def trouble_of(reason: Failure) -> str:
    """Name what went wrong in a TLS handshake."""
    error = reason.value
    if isinstance(error, VerificationError):
        return "other name"
    if not isinstance(error, SSL.Error):
        return ending_of(reason).value
    errors = error.args[0] if error.args else ()
    reasons = [each[2] for each in errors if isinstance(each, tuple) and len(each) == 3]
    for each in reasons:
        if each in TLS_TROUBLES:
            return TLS_TROUBLES[each]
    return "refused by peer" if any(" alert " in each for each in reasons) else "other"
