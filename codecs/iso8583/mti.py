"""The message type indicator: four digits that say version, class, function and origin (ISO 8583:1987, 4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

VERSIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "0": "ISO 8583:1987",
        "1": "ISO 8583:1993",
        "2": "ISO 8583:2003",
        "8": "national",
        "9": "private",
    }
)
CLASSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "1": "authorization",
        "2": "financial",
        "3": "file action",
        "4": "reversal",
        "5": "reconciliation",
        "6": "administrative",
        "7": "fee collection",
        "8": "network management",
    }
)
FUNCTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "0": "request",
        "1": "request response",
        "2": "advice",
        "3": "advice response",
        "4": "notification",
        "5": "notification acknowledgement",
        "6": "instruction",
        "7": "instruction acknowledgement",
    }
)
ORIGINS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "0": "acquirer",
        "1": "acquirer repeat",
        "2": "issuer",
        "3": "issuer repeat",
        "4": "other",
        "5": "other repeat",
    }
)

RESPONSE_FUNCTIONS: Final[Mapping[str, str]] = MappingProxyType({"0": "1", "2": "3"})
"""The function digit of the response to each function that is responded to."""
FIRST_ORIGINS: Final[Mapping[str, str]] = MappingProxyType(
    {"0": "0", "1": "0", "2": "2", "3": "2", "4": "4", "5": "4"}
)
"""Each origin digit with its repeat taken away."""
REPEAT_ORIGINS: Final[Mapping[str, str]] = MappingProxyType(
    {"0": "1", "1": "1", "2": "3", "3": "3", "4": "5", "5": "5"}
)
"""Each origin digit with its repeat set."""

_FUNCTIONS_OF_2003: Final = frozenset("567")


def find_mti_problem(mti: str, versions: str) -> str | None:
    """Find what is wrong with a message type indicator, or None; `versions` are the version digits allowed."""
    if len(mti) != 4 or not (mti.isascii() and mti.isdigit()):
        return "not four digits"
    if mti[0] not in versions:
        return "version digit is not one of the spec"
    if mti[1] not in CLASSES:
        return "class digit is reserved"
    if mti[2] not in FUNCTIONS or (mti[2] in _FUNCTIONS_OF_2003 and mti[0] in "01"):
        return "function digit is reserved"
    if mti[3] not in ORIGINS:
        return "origin digit is reserved"
    return None


def valid_mtis(versions: str) -> frozenset[str]:
    """Give every message type indicator that the version digits allow."""
    every = (f"{number:04d}" for number in range(10_000))
    return frozenset(mti for mti in every if find_mti_problem(mti, versions) is None)


def is_request(mti: str) -> bool:
    """Tell whether the sender waits for the decision (x00, x01)."""
    return mti[2] == "0"


def is_advice(mti: str) -> bool:
    """Tell whether the sender has decided and waits for the acknowledgement (x20, x21)."""
    return mti[2] == "2"


def is_response(mti: str) -> bool:
    """Tell whether this answers a request or an advice (x10, x30)."""
    return mti[2] in "13"


def is_repeat(mti: str) -> bool:
    """Tell whether the sender marks this as sent before (the last digit is odd)."""
    return mti[3] in "135"


RESPONSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        mti: mti[:2] + RESPONSE_FUNCTIONS[mti[2]] + FIRST_ORIGINS[mti[3]]
        for mti in sorted(valid_mtis("".join(VERSIONS)))
        if mti[2] in RESPONSE_FUNCTIONS
    }
)
"""The type that answers each type that is answered; never marked as a repeat."""


def find_response_mti(mti: str) -> str | None:
    """Find the type that answers this one, never marked as a repeat; None when nothing answers it."""
    return RESPONSES.get(mti)


def response_mti(mti: str) -> str:
    """Give the type that answers a request or an advice: "0201" -> "0210", "0420" -> "0430".

    To ask it for a message that nothing answers is a bug of the caller.
    """
    found = RESPONSES.get(mti)
    assert found is not None, "only requests and advices are answered"
    return found


def repeat_mti(mti: str) -> str:
    """Give the repeat form of a type: "0420" -> "0421"; a repeat stays as it is."""
    return mti[:3] + REPEAT_ORIGINS[mti[3]]


def describe_mti(mti: str) -> str:
    """Say a valid type in words: "0421" -> "reversal advice, acquirer repeat (ISO 8583:1987)"."""
    return f"{CLASSES[mti[1]]} {FUNCTIONS[mti[2]]}, {ORIGINS[mti[3]]} ({VERSIONS[mti[0]]})"
