"""The response to a request or an advice: what it echoes, its type and its response code."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from .message import Message, Value, make_message
from .mti import response_mti

_ACCOUNTS: Final = frozenset({2, 102, 103})
_AMOUNTS: Final = frozenset({4, 5, 6, 9, 10, 49, 50, 51, 95})
_MATCHING: Final = frozenset({3, 7, 11, 12, 13, 15, 37, 66, 70, 90})
_PARTIES: Final = frozenset({24, 25, 32, 33, 41, 42, 99, 100})
ECHOED: Final = _ACCOUNTS | _AMOUNTS | _MATCHING | _PARTIES
"""The elements that a response repeats from what it answers: the account, the amounts with their rates and
currencies, the dates and numbers that match it to its request, and who asked whom (ISO 8583:1987, message
tables, "mandatory echo"). Never card credentials (14, 35, 36, 45, 52, 55) nor a MAC."""
RESPONSE_CODE: Final = 39

_NOTHING: Final[Mapping[int, Value]] = MappingProxyType({})


def respond(request: Message, code: str, fields: Mapping[int, Value] = _NOTHING) -> Message:
    """Make the response: the echoed elements of the request, DE39 = `code`, and `fields` laid over them."""
    response = {de: value for de, value in request._fields.items() if de in ECHOED}
    response[RESPONSE_CODE] = code
    if fields:
        response.update(fields)
    return make_message(response_mti(request.mti), response)
