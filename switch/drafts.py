"""What the desk writes down: facts to keep, responses to render, deliveries to queue. Nothing here waits or sends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import partial

from ..codecs.faults import EncodeFault
from ..codecs.iso8583 import Message, Spec, encode, respond
from ..codecs.iso8583.compose import answer_from, balances, storable
from ..codecs.iso8583.payments import Unacceptable
from ..codecs.masking import Pan
from ..codecs.payment import Payment, Step
from ..config.settings import Settings
from ..ledger.operations import Approved, Decision, Facts, NewDelivery, Render
from .codes import APPROVED, code_of

_ACCOUNT_TYPE = slice(2, 4)
"""Of DE3: the account type that is asked or debited (ISO 8583:1987, processing code positions 3 and 4)."""


class Drafts:
    """Makes facts, responses and deliveries from a request; time and randomness are given to it."""

    def __init__(
        self,
        seconds: Callable[[], float],
        specs: Mapping[str, Spec],
        settings: Settings,
        card_ref: Callable[[Pan], bytes],
        keyed: Callable[[bytes], bytes],
        auth_code: Callable[[], str],
        next_stan: Callable[[], str],
    ) -> None:
        self._seconds = seconds
        self._specs = specs
        self._hold_us = int(settings.requests.hold_expiry_s * 1_000_000)
        self._delivery_us = int(settings.deliveries.age_max_s * 1_000_000)
        self._card_ref = card_ref
        self.keyed = keyed
        self._auth_code = auth_code
        self.next_stan = next_stan
        self.acquirer_id = settings.switch.acquirer_id

    def now_us(self) -> int:
        """Give the time in microseconds UTC."""
        return int(self._seconds() * 1_000_000)

    def transmitted(self) -> str:
        """Give the transmission date and time (DE7, MMDDhhmmss UTC)."""
        return datetime.fromtimestamp(self._seconds(), UTC).strftime("%m%d%H%M%S")

    def today(self) -> date:
        """Give the date, UTC."""
        return datetime.fromtimestamp(self._seconds(), UTC).date()

    def hold_until(self, payment: Payment) -> int | None:
        """Tell when what a payment sets aside is released; None when it sets nothing aside."""
        return self.now_us() + self._hold_us if payment.step is Step.HOLD else None

    def facts(self, payment: Payment, destination: str) -> Facts:
        """Write down what is kept of a payment."""
        pan = payment.pan
        return Facts(
            key=payment.key,
            fingerprint=self.keyed(payment.fingerprint),
            source=payment.source,
            destination=destination,
            type=payment.type,
            received_us=self.now_us(),
            trace=payment.key.hex(),
            processing_code=payment.processing_code,
            amount_minor=payment.amount.amount_minor,
            currency=payment.amount.currency.numeric,
            stan=payment.stan,
            rrn=payment.rrn,
            terminal=payment.terminal,
            pan_masked=pan.masked if pan else None,
            card_ref=self._card_ref(pan) if pan else None,
            auth_code=self._auth_code() if payment.rrn or payment.stan else None,
            reference=payment.uetr or payment.reference,
            purpose=payment.purpose.value,
        )

    def facts_of_unacceptable(self, message: Message, institution: str, problem: Unacceptable) -> Facts:
        """Write down what is kept of a message that is no payment but can be identified."""
        assert problem.key is not None
        assert problem.fingerprint is not None

        def text(element: int) -> str | None:
            return str(message.get(element) or "") or None

        return Facts(
            key=problem.key,
            fingerprint=self.keyed(problem.fingerprint),
            source=institution,
            destination="",
            type=message.mti[:3] + "0",
            received_us=self.now_us(),
            trace=problem.key.hex(),
            processing_code=text(3) or "",
            stan=text(11),
            rrn=text(37),
            terminal=text(41),
        )

    def render(self, spec: Spec, request: Message, payment: Payment, facts: Facts) -> Render:
        """Make the function that writes the response once the books have decided; it is pure."""
        return partial(_render, spec, request, payment, facts.auth_code)

    def delivery(self, destination: str, kind: str, message: Message) -> NewDelivery:
        """Write what may be kept of a message for a destination's lane, in the destination's own spec.

        EncodeFault when it cannot be.
        """
        body = encode(self._specs[destination], storable(message))
        return NewDelivery(destination, kind, body, expires_us=self.now_us() + self._delivery_us)


def refusal(spec: Spec, request: Message, code: str) -> bytes:
    """Write a response that approves nothing."""
    return encode(spec, respond(request, code))


def passed_on(spec: Spec, request: Message, response: Message) -> bytes:
    """Write the asker's response from the peer's; what the asker's spec cannot carry is left out."""
    try:
        return encode(spec, answer_from(request, response))
    except EncodeFault:
        kept = {element: response[element] for element in (38,) if response.get(element) is not None}
        return encode(spec, respond(request, str(response.get(39) or "96"), kept))


def _render(spec: Spec, request: Message, payment: Payment, auth_code: str | None, decision: Decision) -> bytes:
    if not isinstance(decision, Approved):
        return refusal(spec, request, code_of(decision))
    fields: dict[int, str] = {}
    if auth_code and payment.step is not Step.REVERSE and request.get(38) is None:
        fields[38] = auth_code
    if payment.purpose.is_inquiry and decision.balance is not None:
        fields[54] = balances(
            payment.processing_code[_ACCOUNT_TYPE],
            payment.amount.currency.digits,
            decision.balance.posted,
            decision.balance.available,
        )
    return encode(spec, respond(request, APPROVED, fields))
