"""The response to a request or an advice: what it echoes, its type and its response code."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from .message import Message, Value, ascending_message
from .mti import response_mti

ECHOED: Final = frozenset(
    int(de)
    for de in ("2 3 4 5 6 7 9 10 11 12 13 15 24 25 32 33 37 41 42 49 50 51 66 70 90 95 99 100 102 103").split()
)
"""The elements that a response repeats from what it answers: the account, the amounts with their rates and
currencies, the dates and numbers that match it to its request, and who asked whom (ISO 8583:1987, message
tables, "mandatory echo"). Never card credentials (14, 35, 36, 45, 52, 55) nor a MAC."""
RESPONSE_CODE: Final = 39

_NOTHING: Final[Mapping[int, Value]] = MappingProxyType({})


def respond(request: Message, code: str, fields: Mapping[int, Value] = _NOTHING) -> Message:
    """Make the response: the echoed elements of the request, DE39 = `code`, and `fields` laid over them."""
    echoed = {de: value for de, value in request._fields.items() if de in ECHOED}
    merged: dict[int, Value] = {**echoed, RESPONSE_CODE: code, **fields}
    return ascending_message(response_mti(request.mti), {de: merged[de] for de in sorted(merged)})
