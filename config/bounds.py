"""The values that a setting may take: ranges of numbers and forms of texts, as tables.

A number's unit is the end of its name, and the unit gives the range; a few names have their own. A text has a form
only where it is listed. Values of enumerations and booleans need no bounds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import attrs

from . import settings as s


@attrs.frozen
class Range:
    """Numbers from `low` to `high`, both included unless `above` says that low itself is out."""

    low: float
    high: float
    above: bool = False

    def find_fault(self, value: float) -> str | None:
        """Say what is wrong with a number; None when nothing is."""
        if self.low < value <= self.high or (value == self.low and not self.above):
            return None
        if not value <= self.high:
            return f"must be at most {self.high:.15g}"
        return f"must be more than {self.low:.15g}" if self.above else f"must be at least {self.low:.15g}"


_YEAR_S: Final = 366 * 86_400.0

NAMED_RANGES: Final[Mapping[str, Range]] = {
    "port": Range(1, 65_535),
    "identity": Range(2, 128),
    "drain_s": Range(0, 3_600),
    "linger_ms": Range(0, 1_000),
    "linger_above_per_second": Range(0, 1_000_000),
    "backoff_factor": Range(1, 100),
    "backoff_jitter": Range(0, 1),
    "amount_minor_min": Range(0, 2**63 - 1),
    "amount_minor_max": Range(0, 2**63 - 1),
    "net_debit_cap_minor": Range(0, 2**63 - 1),
    "fixed_minor": Range(0, 10**12),
    "minimum_minor": Range(0, 10**12),
    "maximum_minor": Range(0, 10**12),
    "per_mille": Range(0, 1_000),
    "spread_per_mille": Range(0, 999),
    "net_debit_cap_warning_percent": Range(1, 100),
    "personal_days": Range(1, 36_500),
    "frame_bytes_max": Range(64, 16_777_216),
    "write_bytes_max": Range(1_024, 2**31),
}
"""Ranges of settings by their names."""

UNIT_RANGES: Final[tuple[tuple[str, Range], ...]] = (
    ("_s", Range(0, _YEAR_S, above=True)),
    ("_max", Range(1, 10_000_000)),
)
"""Ranges of settings by the ends of their names, for names that have no range of their own."""


def find_range(name: str) -> Range | None:
    """Find the range of a numeric setting by its name."""
    found = NAMED_RANGES.get(name)
    if found is not None:
        return found
    return next((range_ for unit, range_ in UNIT_RANGES if name.endswith(unit)), None)


@attrs.frozen
class Form:
    """A text that matches `pattern` as a whole; `words` tell people what that is."""

    pattern: re.Pattern[str]
    words: str

    def find_fault(self, value: str) -> str | None:
        """Say what is wrong with a text; None when nothing is."""
        return None if self.pattern.fullmatch(value) else f"must be {self.words}"


def _form(pattern: str, words: str) -> Form:
    return Form(re.compile(pattern, re.ASCII), words)


_NAME: Final = _form(
    r"[A-Za-z0-9][A-Za-z0-9_-]{0,47}", "1 to 48 letters, digits, - and _, beginning with neither sign"
)
_BIC: Final = _form(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?", "a BIC of 8 or 11 capital letters and digits")
_CODE: Final = _form(r"[0-9A-Z]{2}", "a response code (DE39) of two digits or capital letters")
_CURRENCY: Final = _form(r"[A-Z]{3}", "a currency of three capital letters (ISO 4217)")
_DE32: Final = _form(r"[0-9]{1,11}", "1 to 11 digits (DE32)")
_PROCESSING_CODE: Final = _form(r"[0-9]{2}|[0-9]{6}", "two digits of DE3, or all six")
_WORD: Final = _form(r"\S+", "one word")
_ENDPOINT: Final = _form(
    r"(tcp|tcp6):[0-9]+(:[a-z]+=\S+)*|unix:/\S+|systemd:\S+",
    "an endpoint without TLS, like tcp:8583:interface=127.0.0.1",
)

FORMS: Final[Mapping[tuple[type, str], Form]] = {
    (s.SwitchSettings, "name"): _NAME,
    (s.SwitchSettings, "bic"): _BIC,
    (s.SwitchSettings, "lt_code"): _form(r"[A-WYZ0-9]", "one capital letter or digit, and not X"),
    (s.SwitchSettings, "acquirer_id"): _DE32,
    (s.AdminSettings, "listen"): _ENDPOINT,
    (s.LoggingSettings, "level"): _form(r"debug|info|warn|error|critical", "debug, info, warn, error or critical"),
    (s.LoggingSettings, "format"): _form(r"auto|json|text", "auto, json or text"),
    (s.RequestSettings, "code_timeout"): _CODE,
    (s.RequestSettings, "code_no_link"): _CODE,
    (s.RequestSettings, "code_no_route"): _CODE,
    (s.RequestSettings, "code_unavailable"): _CODE,
    (s.RequestSettings, "partial_completion_conditions"): _form(r"[0-9]{2}", "two digits (DE25)"),
    (s.DeliverySettings, "retry_codes"): _CODE,
    (s.SettlementSettings, "cutover"): _form(r"([01][0-9]|2[0-3]):[0-5][0-9]", "a time of day (UTC) like 22:00"),
    (s.InstitutionSettings, "id"): _NAME,
    (s.InstitutionSettings, "bic"): _BIC,
    (s.InstitutionSettings, "pins"): _form(r"[0-9a-f]{64}", "64 hexadecimal digits in small letters (SHA-256)"),
    (s.InstitutionSettings, "subjects"): _form(r"\S(.*\S)?", "a common name"),
    (s.InstitutionSettings, "acquirer_ids"): _DE32,
    (s.InstitutionSettings, "currencies"): _CURRENCY,
    (s.ListenerSettings, "name"): _NAME,
    (s.ListenerSettings, "listen"): _ENDPOINT,
    (s.ListenerSettings, "spec"): _WORD,
    (s.DiallerSettings, "name"): _NAME,
    (s.DiallerSettings, "host"): _WORD,
    (s.DiallerSettings, "server_name"): _WORD,
    (s.DiallerSettings, "spec"): _WORD,
    (s.RateSettings, "payment"): _CURRENCY,
    (s.RateSettings, "account"): _CURRENCY,
    (s.RateSettings, "rate"): _form(r"[0-9]{1,9}(\.[0-9]{1,9})?", "a decimal number as text, like 0.9215"),
    (s.FeeSettings, "name"): _NAME,
    (s.FeeSettings, "currency"): _CURRENCY,
    (s.FeeSettings, "processing_codes"): _PROCESSING_CODE,
    (s.FeeSettings, "account"): _form(
        r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+", "a code of letters and digits with a dot, like fees.EUR"
    ),
    (s.RouteSettings, "name"): _NAME,
    (s.RouteSettings, "bins"): _form(
        r"[0-9]{1,19}|[0-9]{1,19}-[0-9]{1,19}", "a prefix of a card number, or two of the same length joined by -"
    ),
    (s.RouteSettings, "processing_codes"): _PROCESSING_CODE,
    (s.RouteSettings, "types"): _form(
        r"[0-9][1-8][0-9]{2}|[0-9]{3}", "an MTI class (0200), an MTI, or the three digits of an MT"
    ),
    (s.RouteSettings, "currencies"): _CURRENCY,
    (s.RouteSettings, "bics"): _form(r"[A-Z0-9]{1,11}", "a BIC or its first characters, in capitals"),
}
"""Forms of texts, and of each text of a list, by class and key."""
