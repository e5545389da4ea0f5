"""What a log line may show of a value: by the field's name, by the value's type, and scrubbed at last.

It fails closed: a field that is named for card data is starred whatever it holds, bytes show their number, an object
of a type not listed here shows its type's name, and a long run of digits in any text shows its length.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Set
from datetime import date, datetime
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from pathlib import PurePath
from typing import Final
from uuid import UUID

from ..codecs.masking import Pan, is_luhn, scrub

STARS: Final = "***"

Shown = str | int | float | bool | None | list["Shown"] | dict[str, "Shown"]
"""What JSON can write."""

_REFUSED: Final = frozenset(
    {"pan", "card", "cards", "track", "tracks", "pin", "pinblock", "cvv", "cvc", "csc", "icc", "emv", "chip"}
    | {"raw", "body", "payload", "content", "frame", "buffer", "bytes", "dump", "account", "iban"}
    | {"password", "passwd", "passphrase", "secret", "token", "key", "keys"}
)
"""Words that say what is never shown; digits after them say nothing (`track2`)."""

_ALLOWED_ENDS: Final = ("_masked", "_file", "_name", "_count", "_bytes", "_max")

_EXEMPT: Final = {
    "trace": re.compile(r"[0-9a-f]{32}"),
    "rrn": re.compile(r"[0-9A-Za-z ]{1,12}"),
    "stan": re.compile(r"[0-9]{1,6}"),
    "uetr": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
}
"""Fields in which digits that look like a card number by chance are none: their form leaves no room for one."""

_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Za-z][a-z]*")
_SUSPECT: Final = re.compile(r"[0-9](?:[ -]?[0-9]){11}|(?:[Ff][0-9]){12}")
"""What the other patterns have in common: a text without it is safe."""

_LONG_RUN: Final = re.compile(r"[0-9]{20,}")
_EBCDIC_RUN: Final = re.compile(r"(?:[Ff][0-9]){12,}")
_RUN: Final = re.compile(r"[0-9]{13,19}")
_CARD_DIGITS_MIN: Final = 13
_TEXT_MAX: Final = 2_000
_ITEMS_MAX: Final = 20
_DEPTH_MAX: Final = 4


def is_refused(name: str) -> bool:
    """Tell whether a field's name says that it holds what is never shown: `pan`, `track2`, `rawMessage`."""
    if name.endswith(_ALLOWED_ENDS):
        return False
    return any(word.lower() in _REFUSED for word in _WORDS.findall(name))


def safe_text(text: str) -> str:
    """Scrub a text of unknown origin, and cut it to a length that a line can bear."""
    if len(text) > _TEXT_MAX:
        text = f"{text[:_TEXT_MAX]}... {len(text)} characters"
    if _SUSPECT.search(text) is None:
        return text
    text = _LONG_RUN.sub(lambda run: f"<{len(run[0])} digits>", text)
    text = _EBCDIC_RUN.sub(lambda run: f"<{len(run[0]) // 2} digits>", text)
    return _RUN.sub(_count_when_card, scrub(text))


def _count_when_card(run: re.Match[str]) -> str:
    """Show the length alone of digits in which a card number may hide with other digits before or after it."""
    digits = run[0]
    sizes = range(_CARD_DIGITS_MIN, len(digits) + 1)
    hides = any(is_luhn(digits[at : at + size]) for size in sizes for at in range(len(digits) - size + 1))
    return f"<{len(digits)} digits>" if hides else digits


def safe_field(name: str, value: object, depth: int = 0) -> Shown:
    """Give what may be shown of a field; never raises."""
    try:
        if is_refused(name):
            return STARS
        if isinstance(value, str) and name in _EXEMPT and _EXEMPT[name].fullmatch(value):
            return value
        return _safe(value, depth)
    except Exception:  # a value whose own methods fail must not take its log line with it
        return f"<{type(value).__name__}>"


def _safe(value: object, depth: int) -> Shown:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return _safe(value.value, depth)
    if isinstance(value, int):
        return value if scrub(str(value)) == str(value) else scrub(str(value))
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, str):
        return safe_text(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"<{len(value)} bytes>"
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, (PurePath, UUID, IPv4Address, IPv6Address, Pan)):
        return safe_text(str(value))
    if isinstance(value, BaseException):
        return describe(value)
    if isinstance(value, type):
        return value.__name__
    return _safe_items(value, depth)


def _safe_items(value: object, depth: int) -> Shown:
    if depth < _DEPTH_MAX and isinstance(value, Mapping):
        shown: dict[str, Shown] = {}
        for key, item in list(value.items())[:_ITEMS_MAX]:
            shown[safe_text(str(key)) if isinstance(key, (str, int)) else "?"] = safe_field(str(key), item, depth + 1)
        return shown
    if depth < _DEPTH_MAX and isinstance(value, (list, tuple, Set)):
        return [_safe(item, depth + 1) for item in list(value)[:_ITEMS_MAX]]
    return f"<{type(value).__name__}>"


def describe(error: BaseException) -> str:
    """Name an exception, and what it says of itself, scrubbed; never raises."""
    try:
        said = str(error)
    except Exception:  # an exception's own text may fail
        said = ""
    return f"{type(error).__name__}: {safe_text(said)}" if said else type(error).__name__
