"""EMV tags that may be shown to people. A tag that is not here is starred, whatever it is.

Source: EMV 4.3 Book 3, annex A. Left out on purpose: 5A, 57, 56, 9F6B, 9F1F, 9F20 (card number and tracks), 5F20
and 9F0B (cardholder's name), 5F24, 5F30 (expiry, service code), templates and issuer scripts, and every
proprietary tag.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

SHOWN_TAGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "00": "filler",
        "4F": "application identifier (card)",
        "5F28": "issuer country code",
        "5F2A": "transaction currency code",
        "5F34": "application PAN sequence number",
        "5F36": "transaction currency exponent",
        "82": "application interchange profile",
        "84": "dedicated file name",
        "8A": "authorisation response code",
        "8E": "cardholder verification method list",
        "91": "issuer authentication data",
        "95": "terminal verification results",
        "9A": "transaction date",
        "9B": "transaction status information",
        "9C": "transaction type",
        "9F01": "acquirer identifier",
        "9F02": "amount, authorised",
        "9F03": "amount, other",
        "9F06": "application identifier (terminal)",
        "9F07": "application usage control",
        "9F08": "application version number (card)",
        "9F09": "application version number (terminal)",
        "9F0D": "issuer action code, default",
        "9F0E": "issuer action code, denial",
        "9F0F": "issuer action code, online",
        "9F10": "issuer application data",
        "9F15": "merchant category code",
        "9F16": "merchant identifier",
        "9F1A": "terminal country code",
        "9F1C": "terminal identification",
        "9F1E": "interface device serial number",
        "9F21": "transaction time",
        "9F26": "application cryptogram",
        "9F27": "cryptogram information data",
        "9F33": "terminal capabilities",
        "9F34": "cardholder verification method results",
        "9F35": "terminal type",
        "9F36": "application transaction counter",
        "9F37": "unpredictable number",
        "9F39": "point of service entry mode",
        "9F40": "additional terminal capabilities",
        "9F41": "transaction sequence counter",
        "9F4C": "ICC dynamic number",
        "9F5B": "issuer script results",
    }
)
