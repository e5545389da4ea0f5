"""An ISO 8583 message as a payment: what it asks, its identity, and what it names.

Source: ISO 8583:1987, message type identifiers and data elements 3, 4, 7, 11, 49, 90, 95, 102, 103.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import attrs

from ..masking import Pan
from ..money import Money, find_currency
from ..payment import Payment, Purpose, Step, digest, make_key
from .message import Message

IDENTITY: Final = (7, 11, 32, 41, 37)
"""The elements that, with the institution and the MTI class, identify a message by default."""

_PURPOSES: Final = {purpose.value: purpose for purpose in Purpose if purpose is not Purpose.CREDIT_TRANSFER}
_FINGERPRINT: Final = (2, 3, 4, 49, 90, 95, 102, 103)
_NEVER_OPEN: Final = "0" * 8


@attrs.frozen
class Unacceptable:
    """A message that decodes but is no payment: the response code it deserves, and why, without content.

    `key` and `fingerprint` are there when the message can be identified; without them the answer cannot be stored.
    """

    code: str
    why: str
    key: bytes | None = None
    fingerprint: bytes | None = None


def read_identity(message: Message, institution: str, identity: Sequence[int] = IDENTITY) -> bytes | Unacceptable:
    """Give the key by which a message of an institution, and every repeat of it, is known."""
    if message.get(7) is None or message.get(11) is None:
        return Unacceptable("30", f"DE{7 if message.get(7) is None else 11} is missing")
    return _key(message, institution, identity, message.mti, message.text(7), message.text(11))


def read_payment(message: Message, institution: str, identity: Sequence[int] = IDENTITY) -> Payment | Unacceptable:
    """Read a request, advice or reversal of an institution as a payment."""
    mti = message.mti
    get = message.get
    key = read_identity(message, institution, identity)
    if isinstance(key, Unacceptable):
        return key
    fingerprint = digest([mti[:3], *map(message.text, _FINGERPRINT)])

    def refuse(code: str, why: str) -> Unacceptable:
        return Unacceptable(code, why, key, fingerprint)

    processing_code = message.text(3)
    purpose = _PURPOSES.get(processing_code[:2])
    if not processing_code:
        return refuse("30", "DE3 is missing")
    if purpose is None:
        return refuse("12", "DE3 asks for what is not served")
    currency = find_currency(message.text(49)) if get(49) is not None else None
    if currency is None:
        return refuse("30" if get(49) is None else "12", "DE49 is missing or no ISO 4217 code")
    amount_text = message.text(4)
    if not amount_text and not purpose.is_inquiry:
        return refuse("30", "DE4 is missing")
    step = _step(mti, purpose, message.text(90))
    if step is None:
        return refuse("12", "the message type is not served")
    original_key = None
    original = message.text(90)
    if step in (Step.REVERSE, Step.CAPTURE) or _names_original(step, purpose, original):
        if len(original) != 42:
            return refuse("30", "DE90 is missing")
        original_key = _key(message, institution, identity, original[:4], original[10:20], original[4:10])
    replacement_minor = None
    if get(95) is not None and step is Step.REVERSE:
        replacement_minor = int(message.text(95)[:12])
    pan = get(2)
    from_account, to_account = get(102), get(103)
    if purpose is Purpose.TRANSFER and (to_account is None or (pan is None and from_account is None)):
        return refuse("30", "a transfer names both accounts")
    if pan is None and from_account is None and to_account is None and step is not Step.REVERSE:
        return refuse("30", "neither a card nor an account is named")
    return Payment(
        key=key,
        fingerprint=fingerprint,
        source=institution,
        type=mti[:3] + "0",
        step=step,
        purpose=purpose,
        amount=Money(int(amount_text or "0"), currency),
        must_accept=mti[2] == "2" or mti[1] == "4",
        pan=None if pan is None else Pan(str(pan)),
        from_account=None if from_account is None else str(from_account).rstrip(),
        to_account=None if to_account is None else str(to_account).rstrip(),
        original_key=original_key,
        replacement_minor=replacement_minor,
        processing_code=processing_code,
        stan=message.text(11),
        rrn=message.text(37) or None,
        terminal=message.text(41) or None,
    )


def _names_original(step: Step, purpose: Purpose, original: str) -> bool:
    """Tell whether DE90 says which hold is to grow (01xx), or which payment is refunded (02xx)."""
    return (step is Step.HOLD and original[1:2] == "1") or (
        step is Step.POST and purpose is Purpose.REFUND and original[1:2] == "2"
    )


def _step(mti: str, purpose: Purpose, original: str) -> Step | None:
    """Tell the step: 01xx holds, 02xx posts, 022x that names a 01xx in DE90 captures, 04xx undoes."""
    message_class, function = mti[1], mti[2]
    if message_class == "4" and function in "02":
        return Step.REVERSE
    if message_class not in "12" or function not in "02":
        return None
    if purpose.is_inquiry:
        return Step.INQUIRE
    if message_class == "1":
        return Step.HOLD
    if function == "2" and original[1:2] == "1":
        return Step.CAPTURE
    return Step.POST


def _key(message: Message, institution: str, identity: Sequence[int], mti: str, transmitted: str, stan: str) -> bytes:
    text = message.text
    parts = [transmitted if it == 7 else stan if it == 11 else text(it) for it in identity]
    month_to_minute = transmitted[:8] if len(transmitted) == 10 else _NEVER_OPEN
    return make_key(_prefix(month_to_minute), [institution, mti[:3], *parts])


@lru_cache(maxsize=64)
def _prefix(month_to_minute: str) -> bytes:
    return bytes(int(month_to_minute[at : at + 2]) for at in (0, 2, 4, 6))
