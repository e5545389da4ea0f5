"""What a payment terminal puts on the wire, and whether what comes back belongs to it.

Source: ISO 8583:1987, data elements 7, 11, 37, 90 and 95. A completion or reversal repeats DE32, DE37 and DE41 of its
original and has DE7 and DE11 of its own, so that a switch finds the original by them and DE90.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import attrs

from ..codecs.iso8583 import Message, Value, repeat_mti, response_mti
from ..codecs.masking import Pan
from .scenarios import Leg, Tie

STAN_MAX: Final = 999_999

ECHOED: Final = (11, 37, 41)
"""What a response must repeat of its request."""

_KEPT: Final = (2, 3, 4, 18, 22, 25, 32, 37, 41, 42, 43, 49, 102, 103)
"""What a completion or reversal repeats of its original."""


@attrs.frozen
class Card:
    """A card that pays at terminals: whose it is (`group`), and the account behind it where we know it."""

    pan: Pan
    currency: str
    """ISO 4217, three digits."""
    group: str = ""
    account: str | None = attrs.field(default=None, repr=False)
    expires: str = "3012"
    """YYMM."""


@attrs.frozen
class TerminalProfile:
    """Who a terminal is: DE41 (8 characters), DE42 (15), DE32, DE18, DE43 (40) and DE22."""

    terminal: str
    merchant: str
    acquirer_id: str
    category: str = "5411"
    location: str = "JUNCTION STORES         LISBON        PT"
    entry_mode: str = "051"


class Stans:
    """Counts trace numbers (DE11) from 1 to 999999 and round again."""

    __slots__ = ("_last",)

    def __init__(self, last: int = 0) -> None:
        self._last = last % STAN_MAX

    def __next__(self) -> str:
        self._last = self._last % STAN_MAX + 1
        return f"{self._last:06d}"


def make_rrn(stan: str, at: datetime) -> str:
    """Make DE37 as hosts do: last digit of the year, day of the year, hour, trace number."""
    return f"{at:%y}"[1] + f"{at:%j%H}" + stan


def _moment(stan: str, at: datetime) -> dict[int, Value]:
    return {7: f"{at:%m%d%H%M%S}", 11: stan, 12: f"{at:%H%M%S}", 13: f"{at:%m%d}"}


def request(
    profile: TerminalProfile, card: Card, leg: Leg, amount_minor: int, stan: str, at: datetime, to: str | None = None
) -> Message:
    """Make the first message of a scenario; a transfer goes from the card's account to the account `to`.

    The card is read by its chip, so DE35 is there as it is at a real terminal: whoever stores or logs the message
    has something to leak.
    """
    pan = card.pan.reveal()
    fields: dict[int, Value] = {
        2: pan,
        3: leg.processing_code + "0000",
        4: f"{0 if leg.processing_code in ('30', '31') else amount_minor:012d}",
        **_moment(stan, at),
        14: card.expires,
        18: profile.category,
        22: profile.entry_mode,
        25: "00",
        32: profile.acquirer_id,
        35: f"{pan}={card.expires}2011234",
        37: make_rrn(stan, at),
        41: profile.terminal,
        42: profile.merchant,
        43: profile.location,
        49: card.currency,
    }
    if to is not None:
        assert card.account is not None, "a transfer needs a card whose account is known"
        fields |= {102: card.account, 103: to}
    return Message(leg.mti, fields)


def original_data(message: Message) -> str:
    """Write DE90 (n42) for a message: MTI, STAN, DE7, DE32 and DE33 right justified and zero filled."""
    return "".join((message.mti, str(message[11]), str(message[7]), str(message[32]).rjust(11, "0"), "0" * 11))


def follow_up(original: Message, leg: Leg, amount_minor: int, stan: str, at: datetime) -> Message:
    """Make a tied leg: the repeat, completion or reversal of `original`, which asked for `amount_minor`."""
    if leg.tie is Tie.REPEATS:
        return original.with_fields({}, mti=leg.mti)
    assert leg.tie is not Tie.NONE
    fields: dict[int, Value] = {element: value for element in _KEPT if (value := original.get(element)) is not None}
    fields |= _moment(stan, at)
    fields[90] = original_data(original)
    if leg.tie is Tie.COMPLETES:
        fields[4] = f"{amount_minor * leg.percent // 100:012d}"
    elif leg.percent < 100:
        fields[95] = f"{amount_minor * leg.percent // 100:012d}".ljust(42, "0")
    return Message(leg.mti, fields)


def repeat(message: Message) -> Message:
    """Mark a message as a repeat: everything else stays as it was."""
    return message.with_fields({}, mti=repeat_mti(message.mti))


def find_mismatch(asked: Message, response: Message) -> str | None:
    """Find what keeps a response from being the one to `asked`: a path and a rule, never content."""
    if response.mti != response_mti(asked.mti):
        return f"mti {response.mti} does not answer {asked.mti}"
    for element in ECHOED:
        if response.get(element) != asked.get(element):
            return f"DE{element} is not the one asked with"
    return None
