"""The messages that the switch makes itself: requests and advices passed on, answers from a peer's answer, reversals.

Source: ISO 8583:1987, data elements 7, 11, 39, 54, 90 and 95. Only what `storable` lets through is ever written down:
track, PIN, CVV and chip data are not (PCI DSS 3.3.1).
"""

from __future__ import annotations

from typing import Final

from .message import SHOWN_ELEMENTS, Message, Value, make_message
from .response import respond
from .spec import Spec
from .tlv import Tlv

APPROVED: Final = frozenset({"00", "08", "10", "11", "16"})
"""Response codes that mean yes; 10 is yes to the amount in the response's DE4."""

STORED: Final = SHOWN_ELEMENTS | {2, 20, 23, 27, 43, 44, 54, 91, 94, 98, 101, 102, 103}
"""The elements that may be written down, sealed: whatever is not here is not kept. Left out are the expiry date (14),
the card number's other place (34), the tracks (35, 36, 45), the PIN (52), keys and codes (53, 64, 96, 128), and every
element for additional, national, reserved or private use, of which nothing is known (46 to 48, 56 to 63, 104 to 127).
"""

STORED_TAGS: Final = frozenset({"8A", "91"})
"""The chip tags that may be written down, because the terminal's repeat needs them: the issuer's response code and
its authentication data. Not issuer scripts (71, 72): a script that changes a PIN carries the PIN."""
_CHIP: Final = 55

_TRACKS: Final = (35, 36)

_OURS: Final = frozenset({2, 3, 4, 7, 11, 12, 13, 32, 33, 37, 39, 41, 42, 43, 49, 90, 95})
"""What the asker's own request says, and a peer's response does not bring."""

_REVERSAL: Final = (2, 3, 4, 5, 6, 12, 13, 18, 22, 25, 32, 33, 37, 38, 41, 42, 43, 49, 50, 51, 100, 102, 103)
"""What a reversal repeats of its original."""


def storable(message: Message) -> Message:
    """Give what may be written down of a message: the elements in STORED, and the chip tags in STORED_TAGS."""
    fields = message._fields
    kept = {element: value for element, value in fields.items() if element in STORED}
    chip = fields.get(_CHIP)
    if isinstance(chip, Tlv):
        tags = [(each.tag, each.value) for each in chip.entries if each.tag in STORED_TAGS]
        if tags:
            kept[_CHIP] = Tlv.of(tags)
    return make_message(message.mti, kept)


def forward(request: Message, transmitted: str, stan: str, acquirer: str) -> Message:
    """Pass a request on under our own transmission time (DE7) and STAN (DE11); a repeat goes on as the first.

    `acquirer` is its DE32 where the asker gave none.
    """
    return request.with_fields(_under(request, transmitted, stan, acquirer), mti=request.mti[:3] + "0")


def fitted(spec: Spec, message: Message) -> Message:
    """Give a message the punctuation of another dialect: a track's separator that the dialect does not write as D.

    What does not fit then is left to the encoder to refuse.
    """
    changes: dict[int, Value] = {}
    for element in _TRACKS:
        value = message.get(element)
        if isinstance(value, str) and element in spec.elements:
            changes[element] = spec.elements[element].fit(value)
    return message.with_fields(changes) if changes else message


def trace_of(sent: Message) -> str:
    """Say how the peer knows a message of ours: the content of DE90 (n42) in whatever refers to it later."""
    acquirer = str(sent.get(32) or "").rjust(11, "0")
    forwarder = str(sent.get(33) or "").rjust(11, "0")
    return "".join((sent.mti, str(sent[11]), str(sent[7]), acquirer, forwarder))


def answer_from(request: Message, response: Message) -> Message:
    """Make the asker's response from the peer's: its code, authorisation and additional data on our identity.

    The response is stored before it is sent, so it carries only what may be stored.
    """
    fields: dict[int, Value] = {
        element: value for element, value in storable(response)._fields.items() if element not in _OURS
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
    return storable(message).with_fields(fields, mti=message.mti[:2] + "20")


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
