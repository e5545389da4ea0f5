"""The messages that the switch makes itself: requests and advices passed on, answers from a peer's answer, reversals.

Source: ISO 8583:1987, data elements 7, 11, 39, 54, 90 and 95. What must never be kept (track, PIN, CVV, EMV) is left
out of everything that can wait in a queue: `without_secrets`.
"""

from __future__ import annotations

from typing import Final

from .message import Message, Value
from .response import respond

APPROVED: Final = frozenset({"00", "08", "10", "11", "16"})
"""Response codes that mean yes; 10 is yes to the amount in the response's DE4."""

_SECRET: Final = frozenset({14, 35, 36, 45, 48, 52, 53, 55, 62, 63, 120, 121, 122, 123, 124, 125, 126, 127})
"""Elements that hold, or may hold, what PCI DSS 3.3.1 forbids to keep; of private use ones nothing is known."""

_OURS: Final = frozenset(
    {2, 3, 7, 11, 12, 13, 14, 32, 33, 35, 36, 37, 39, 41, 42, 43, 45, 49, 52, 53, 64, 90, 95, 128}
)
"""What the asker's own request says, or may not be kept, and a peer's response does not bring."""

_REVERSAL: Final = (2, 3, 4, 5, 6, 12, 13, 18, 22, 25, 32, 33, 37, 38, 41, 42, 43, 49, 50, 51, 100, 102, 103)
"""What a reversal repeats of its original."""


def without_secrets(message: Message) -> Message:
    """Leave out every element that may not be stored after authorisation."""
    return message.with_fields({}, drop=[element for element in message.fields if element in _SECRET])


def forward(request: Message, transmitted: str, stan: str, acquirer: str) -> Message:
    """Pass a request on under our own transmission time (DE7) and STAN (DE11); a repeat goes on as the first.

    `acquirer` is its DE32 where the asker gave none.
    """
    return request.with_fields(_under(request, transmitted, stan, acquirer), mti=request.mti[:3] + "0")


def trace_of(sent: Message) -> str:
    """Say how the peer knows a message of ours: the content of DE90 (n42) in whatever refers to it later."""
    acquirer = str(sent.get(32) or "").rjust(11, "0")
    forwarder = str(sent.get(33) or "").rjust(11, "0")
    return "".join((sent.mti, str(sent[11]), str(sent[7]), acquirer, forwarder))


def answer_from(request: Message, response: Message) -> Message:
    """Make the asker's response from the peer's: its code, authorisation and additional data on our identity."""
    fields: dict[int, Value] = {
        element: value for element, value in response.fields.items() if element not in _OURS and element != 4
    }
    code = str(response.get(39) or "96")
    if code == "10" and response.get(4) is not None:
        fields[4] = response[4]
    return respond(request, code, fields)


def approved_minor(request_minor: int, response: Message) -> int:
    """Tell how much a peer's approval approves: less than asked only with code 10."""
    if response.get(39) == "10" and isinstance(response.get(4), str):
        return min(int(str(response[4])), request_minor)
    return request_minor


def reversal_of(sent: Message, transmitted: str, stan: str, code: str = "68") -> Message:
    """Make the reversal advice (0420) of a request that went out; `code` says why (68: no response in time)."""
    fields: dict[int, Value] = {element: value for element in _REVERSAL if (value := sent.get(element)) is not None}
    fields.update({7: transmitted, 11: stan, 39: code, 90: trace_of(sent)})
    return Message("0420", fields)


def renamed(message: Message, trace: str, transmitted: str, stan: str, acquirer: str) -> Message:
    """Pass on a reversal, completion or advice as an advice, naming the original as the peer knows it.

    `trace`: what `trace_of` gave for the original as sent; empty when the message names none. `acquirer` is its DE32
    where the asker gave none.
    """
    fields = _under(message, transmitted, stan, acquirer)
    if trace:
        fields[90] = trace
    return without_secrets(message).with_fields(fields, mti=message.mti[:2] + "20")


def _under(message: Message, transmitted: str, stan: str, acquirer: str) -> dict[int, Value]:
    """Give the elements under which the switch sends a message of somebody else."""
    fields: dict[int, Value] = {7: transmitted, 11: stan}
    if message.get(32) is None:
        fields[32] = acquirer
    return fields


def balances(account_type: str, currency: str, posted_minor: int, available_minor: int) -> str:
    """Write DE54: the ledger balance (amount type 01) and the available balance (02) of one account."""
    return "".join(
        f"{account_type}{kind}{currency}{'D' if amount < 0 else 'C'}{abs(amount):012d}"
        for kind, amount in (("01", posted_minor), ("02", available_minor))
    )
