"""The desk's part for whole days: a partner closes the business day (0800 with DE70 201) or reconciles one (05xx)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from ..codecs.iso8583 import encode
from ..codecs.iso8583.payments import Unacceptable, read_identity
from ..codecs.iso8583.reconciliation import INVALID, RECONCILE_ERROR, Claim, answer_claim, read_claim
from ..config.settings import InstitutionSettings, Settings
from ..ledger.operations import LEDGER, Done, Facts, Item, Outcome
from ..ledger.settlement_items import CutOver, Reconcile, Reconciled, Role
from .answers import Answers
from .books import Unavailable
from .codes import APPROVED, FORMAT_ERROR, MALFUNCTION, NOT_PERMITTED
from .drafts import Drafts, refusal
from .links.contract import Incoming

log = Logger()

CLASSES = frozenset("58")
"""MTI classes that are served here: reconciliation, and what of network management is for the books."""

DAYS_AWAY_MAX = 31
"""How far from today a settlement date (DE15) may be."""


class Door(Protocol):
    def submit(self, item: Item) -> Deferred[Outcome | Unavailable]: ...


class WindowDesk:
    """Decides about messages that are about a day and not about a payment."""

    def __init__(self, books: Door, drafts: Drafts, settings: Settings, answers: Answers) -> None:
        self._books = books
        self._drafts = drafts
        self._settings = settings
        self._answers = answers

    async def serve(self, incoming: Incoming, contract: InstitutionSettings) -> Unacceptable | None:
        """Answer a message, or say why it is none that is served."""
        if incoming.message.mti[1] == "8":
            return await self._cut_over(incoming, contract)
        claim = read_claim(incoming.message, contract.id, contract.identity, contract.currencies)
        if isinstance(claim, Unacceptable):
            return claim
        await self._reconcile(incoming, contract, claim)
        return None

    async def _cut_over(self, incoming: Incoming, contract: InstitutionSettings) -> Unacceptable | None:
        message = incoming.message
        if contract.id not in self._settings.settlement.cutover_by:
            return Unacceptable(NOT_PERMITTED, "it is not configured to close the business day")
        identity = read_identity(message, contract.id, (7, 11))
        if isinstance(identity, Unacceptable):
            return identity
        opens = None
        if message.get(15) is not None:
            opens = nearest_date(str(message[15]), self._drafts.today())
            if opens is None:
                return Unacceptable(FORMAT_ERROR, "DE15 is no date near today")
        asked_by = f"{contract.id} {message[7]!s} {message[11]!s}"
        outcome = await self._books.submit(CutOver(asked_by, opens=opens))
        if isinstance(outcome, Done):
            log.info("{institution} cut over: {bdate} is open", institution=contract.id, bdate=outcome.number)
            incoming.answer(refusal(incoming.link.spec, message, APPROVED))
        elif isinstance(outcome, Unavailable):
            incoming.answer(refusal(incoming.link.spec, message, self._settings.requests.code_unavailable))
        else:
            incoming.answer(refusal(incoming.link.spec, message, MALFUNCTION))
        return None

    async def _reconcile(self, incoming: Incoming, contract: InstitutionSettings, claim: Claim) -> None:
        message = incoming.message
        facts = Facts(
            key=claim.key,
            fingerprint=claim.fingerprint,
            source=contract.id,
            destination=LEDGER,
            type=message.mti[:3] + "0",
            received_us=self._drafts.now_us(),
            trace=claim.key.hex(),
            currency=claim.currency.numeric,
            stan=str(message[11]),
        )
        found: list[Reconciled] = []
        item = Reconcile(
            facts,
            Role.ISSUER if claim.is_issuer else Role.ACQUIRER,
            claim.month_day,
            claim.figures,
            _renderer(incoming, found.append),
        )
        outcome = await self._books.submit(item)
        compared = found[-1] if found else Reconciled(None)
        word, code = ("error", INVALID) if compared.bdate is None else ("approved", APPROVED)
        if compared.breaks:
            word, code = "declined", RECONCILE_ERROR
        if compared.breaks:
            log.warn(
                "{institution} is out of balance on {bdate} in {count} figures",
                institution=contract.id,
                bdate=compared.bdate,
                count=len(compared.breaks),
                trace=facts.trace,
            )
        self._answers.finish(incoming, facts, outcome, word=word, code=code)


def _renderer(incoming: Incoming, keep: Callable[[Reconciled], None]) -> Callable[[Reconciled], bytes]:
    """Make the function that writes the response; a batch that is run again renders again, the last one counts."""
    spec, message = incoming.link.spec, incoming.message

    def render(found: Reconciled) -> bytes:
        keep(found)
        return encode(spec, answer_claim(message, found.bdate is not None, not found.breaks, found.figures))

    return render


def nearest_date(month_day: str, today: date) -> int | None:
    """Give the date (yyyymmdd) with this month and day (MMDD) that is near today; None when there is none."""
    for year in (today.year, today.year + 1, today.year - 1):
        try:
            found = date(year, int(month_day[:2]), int(month_day[2:]))
        except ValueError:
            continue
        if abs(found - today) <= timedelta(days=DAYS_AWAY_MAX):
            return int(f"{found:%Y%m%d}")
    return None
