"""The desk: the story of an ISO 8583 request, from the link that heard it to the response on the same link.

Read it top to bottom: `hear_request` -> `_serve` -> one of `_book` (our own ledger), `_accept` (an advice for a
peer), `_capture`, `_reverse`, `_ask_peer` (a request for a peer). Every path ends in exactly one `answer` or `drop`.
What is answered was stored in the commit that decided it; when nothing could be stored, nothing is approved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..codecs.faults import EncodeFault
from ..codecs.iso8583 import Message
from ..codecs.iso8583.compose import APPROVED, approved_minor, fitted, forward, renamed, reversal_of, trace_of
from ..codecs.iso8583.payments import Unacceptable, read_payment
from ..codecs.payment import Payment, Step
from ..config.settings import Settings
from ..ledger.operations import (
    LEDGER,
    Abandon,
    Authorise,
    Capture,
    Conclude,
    Dispatch,
    Facts,
    Inquire,
    Item,
    Movement,
    NewDelivery,
    Opened,
    Original,
    Outcome,
    Redirect,
    Refuse,
    Reverse,
    Silence,
)
from ..routing.choice import Choice, choose
from ..routing.table import Question, Road, RouteTable
from .answers import AnswerMeter, Answers
from .books import Unavailable
from .codes import FORMAT_ERROR, MALFUNCTION, NOT_PERMITTED
from .drafts import Drafts, passed_on, refusal
from .fees import FeeTable
from .in_hand import InHand
from .links.contract import Answer, Incoming, IsoLink, Silent, Unsent
from .movements import account_asked, movements_for
from .rates import RateTable
from .windows import CLASSES as OF_WHOLE_DAYS
from .windows import WindowDesk

log = Logger()


class Door(Protocol):
    """What the desk needs of the books."""

    def submit(self, item: Item) -> Deferred[Outcome | Unavailable]: ...


class LiveLinks(Protocol):
    """What the desk needs of the directory of links."""

    def live_names(self) -> Mapping[str, tuple[str, ...]]: ...
    def find_link(self, name: str) -> IsoLink | None: ...


class DeskMeter(AnswerMeter, Protocol):
    def route(self, route: str, result: str) -> None: ...
    def reversal(self, institution: str, origin: str) -> None: ...


class Desk(InHand):
    """Decides about every request that a link hears."""

    def __init__(
        self,
        clock: IReactorTime,
        books: Door,
        routes: RouteTable,
        links: LiveLinks,
        drafts: Drafts,
        settings: Settings,
        wake: Callable[[str], None],
        meter: DeskMeter,
    ) -> None:
        self._books = books
        self._routes = routes
        self._links = links
        self._drafts = drafts
        self._requests = settings.requests
        self._institutions = {institution.id: institution for institution in settings.institutions}
        self._fees = FeeTable(settings.fees)
        self._rates = RateTable(settings.rates)
        self._answers = Answers(clock, settings.requests, wake, meter)
        self._windows = WindowDesk(books, drafts, settings, self._answers)
        self._meter = meter
        super().__init__()
        self._open: set[bytes] = set()

    @property
    def open_keys(self) -> frozenset[bytes]:
        """Keys of the transactions for which this process waits for a peer."""
        return frozenset(self._open)

    # ------------------------------------------------------------ the story

    def hear_request(self, incoming: Incoming) -> None:
        """Take a request, advice or reversal in hand; it will be answered or dropped."""
        served = self._take(self._serve(incoming))
        served.addErrback(self._give_up, incoming)
        served.addCallback(self._put_down)

    async def _serve(self, incoming: Incoming) -> None:
        contract = self._institutions[incoming.link.institution]
        if incoming.message.mti[1] in OF_WHOLE_DAYS:
            problem = await self._windows.serve(incoming, contract)
            if problem is not None:
                await self._refuse_unacceptable(incoming, problem)
            return
        payment = read_payment(incoming.message, contract.id, contract.identity)
        if isinstance(payment, Unacceptable):
            await self._refuse_unacceptable(incoming, payment)
            return
        road, choice = self._find_way(payment)
        facts = self._drafts.facts(payment, choice.destination if choice else "")
        try:
            match payment.step:
                case Step.REVERSE:
                    await self._reverse(incoming, payment, facts)
                case _ if payment.amount.currency.alpha not in contract.currencies:
                    await self._refuse(incoming, facts, NOT_PERMITTED, "declined")
                case Step.CAPTURE:
                    await self._capture(incoming, payment, road)
                case _ if not road.destinations:
                    await self._refuse(incoming, facts, self._requests.code_no_route, "unavailable")
                case _ if payment.must_accept and road.destinations[0] != LEDGER:
                    await self._accept(incoming, payment, road)
                case _ if choice is None:
                    await self._refuse(incoming, facts, self._requests.code_no_link, "unavailable")
                case _ if choice.destination == LEDGER:
                    await self._book(incoming, payment, facts)
                case _:
                    await self._ask_peer(incoming, payment, facts, road, choice)
        except EncodeFault as fault:
            # The destination's spec cannot carry what the asker sent: nothing was recorded, nothing sent.
            log.info("cannot be written for its destination: {fault}", fault=str(fault), trace=facts.trace)
            await self._refuse(incoming, facts, FORMAT_ERROR, "error")

    def _find_way(self, payment: Payment) -> tuple[Road, Choice | None]:
        road = self._routes.find(
            Question(
                institution=payment.source,
                type=payment.type,
                processing_code=payment.processing_code,
                currency=payment.amount.currency.alpha,
                amount_minor=payment.amount.amount_minor,
                pan=payment.pan.reveal() if payment.pan else None,
                bic=None,
            )
        )
        choice = choose(road, self._links.live_names())
        self._meter.route(road.route, "none" if choice is None else "alternate" if choice.is_alternate else "primary")
        return road, choice

    # ------------------------------------------------------------ our own books

    async def _book(self, incoming: Incoming, payment: Payment, facts: Facts) -> None:
        render = self._drafts.render(incoming.link.spec, incoming.message, payment, facts)
        item: Item
        movements = self._movements(payment, LEDGER, facts.card_ref)
        if payment.step is Step.INQUIRE:
            item = Inquire(facts, account_asked(payment, facts.card_ref), render)
        else:
            item = Authorise(
                facts,
                movements,
                render,
                hold=payment.step is Step.HOLD,
                forced=payment.must_accept,
                expires_us=self._drafts.hold_until(payment),
                adds_to=payment.original_key if payment.step is Step.HOLD else None,
                exchange=self._rates.quotes(payment, movements),
                refunds=payment.original_key if payment.step is Step.POST else None,
            )
        self._answers.finish(incoming, facts, await self._books.submit(item))

    async def _accept(self, incoming: Incoming, payment: Payment, road: Road) -> None:
        """An advice for a peer: booked, answered, and forwarded until the peer acknowledges."""
        drafts, destination = self._drafts, road.destinations[0]
        facts = drafts.facts(payment, destination)
        original = str(incoming.message.get(90) or "")
        told = renamed(incoming.message, original, drafts.transmitted(), drafts.next_stan(), drafts.acquirer_id)
        item = Authorise(
            facts,
            self._movements(payment, destination, None),
            drafts.render(incoming.link.spec, incoming.message, payment, facts),
            hold=payment.step is Step.HOLD,
            forced=True,
            expires_us=drafts.hold_until(payment),
            deliveries=(drafts.delivery(destination, "advice", told),),
            sent_trace=trace_of(told),
        )
        self._answers.finish(incoming, facts, await self._books.submit(item))

    async def _capture(self, incoming: Incoming, payment: Payment, road: Road) -> None:
        assert payment.original_key is not None
        # The original says whose completion it is; only when it is unknown does the route table.
        drafts, destination = self._drafts, road.destinations[0] if road.destinations else LEDGER
        facts = drafts.facts(payment, destination)
        stan, transmitted = drafts.next_stan(), drafts.transmitted()
        plain = renamed(incoming.message, "", transmitted, stan, drafts.acquirer_id)
        movements = self._movements(payment, destination, facts.card_ref)
        item = Capture(
            facts,
            payment.original_key,
            payment.amount.amount_minor,
            movements,
            drafts.render(incoming.link.spec, incoming.message, payment, facts),
            self._teller(incoming.message, "completion", transmitted, stan),
            deliveries=() if destination == LEDGER else (drafts.delivery(destination, "advice", plain),),
            sent_trace=trace_of(plain),
            exchange=self._rates.quotes(payment, movements) if destination == LEDGER else (),
            final=incoming.message.get(25) not in self._requests.partial_completion_conditions,
        )
        self._answers.finish(incoming, facts, await self._books.submit(item))

    async def _reverse(self, incoming: Incoming, payment: Payment, facts: Facts) -> None:
        assert payment.original_key is not None
        drafts = self._drafts
        self._meter.reversal(payment.source, "peer")
        item = Reverse(
            facts,
            payment.original_key,
            drafts.render(incoming.link.spec, incoming.message, payment, facts),
            self._teller(incoming.message, "reversal", drafts.transmitted(), drafts.next_stan()),
            replacement_minor=payment.replacement_minor,
        )
        self._answers.finish(incoming, facts, await self._books.submit(item))

    def _movements(self, payment: Payment, destination: str, card_ref: bytes | None) -> tuple[Movement, ...]:
        """Say what an approval moves, fees included."""
        return self._fees.charge(payment, destination, movements_for(payment, destination, card_ref))

    def _teller(
        self, message: Message, kind: str, transmitted: str, stan: str
    ) -> Callable[[Original], NewDelivery | None]:
        """Make the function that tells the original's peer about a message which names it; it is pure."""
        drafts = self._drafts

        def tell(original: Original) -> NewDelivery | None:
            if original.destination == LEDGER or not original.sent_trace:
                return None
            told = renamed(message, original.sent_trace, transmitted, stan, drafts.acquirer_id)
            return drafts.delivery(original.destination, kind, told)

        return tell

    # ------------------------------------------------------------ a peer's books

    async def _ask_peer(self, incoming: Incoming, payment: Payment, facts: Facts, road: Road, choice: Choice) -> None:
        """Write before you speak, speak, and record what came of it."""
        link = self._links.find_link(choice.link or "")
        if link is None:
            await self._refuse(incoming, facts, self._requests.code_no_link, "unavailable")
            return
        drafts = self._drafts
        silent = refusal(incoming.link.spec, incoming.message, self._requests.code_timeout)
        sent, undo = self._request_for(link, incoming.message, payment)
        opened = await self._books.submit(
            Dispatch(
                facts,
                self._movements(payment, link.institution, None),
                link=link.name,
                until_us=self._until_us(),
                silence_response=silent,
                silence_code=self._requests.code_timeout,
                reversal=undo,
                sent_trace=trace_of(sent),
                render=drafts.render(incoming.link.spec, incoming.message, payment, facts),
                keeps_hold=payment.step is Step.HOLD,
                expires_us=drafts.hold_until(payment),
            )
        )
        if not isinstance(opened, Opened):
            self._answers.finish(incoming, facts, opened)
            return
        self._open.add(facts.key)
        try:
            await self._ask_over(incoming, payment, facts, road, link, sent, silent)
        finally:
            self._open.discard(facts.key)

    async def _ask_over(
        self,
        incoming: Incoming,
        payment: Payment,
        facts: Facts,
        road: Road,
        link: IsoLink,
        sent: Message,
        silent: bytes,
    ) -> None:
        tried = {link.name}
        while True:
            reply = await link.ask(sent, self._requests.response_timeout_s)
            if not isinstance(reply, Unsent):
                break
            following = self._next_link(road, tried)
            if following is None:
                code = self._requests.code_no_link
                response = refusal(incoming.link.spec, incoming.message, code)
                outcome = await self._books.submit(Abandon(facts.key, response, code))
                self._answers.finish(incoming, facts, outcome, word="unavailable", code=code, instead=response)
                return
            tried.add(following.name)
            link = following
            sent, undo = self._request_for(link, incoming.message, payment)
            render = self._drafts.render(incoming.link.spec, incoming.message, payment, facts)
            movements = self._movements(payment, link.institution, None)
            redirect = Redirect(
                facts.key, link.name, self._until_us(), link.institution, movements, undo, trace_of(sent), render
            )
            noted = await self._books.submit(redirect)
            if not isinstance(noted, Opened):
                self._answers.finish(incoming, facts, noted, instead=silent)
                return
        if isinstance(reply, Silent):
            self._meter.reversal(link.institution, "timeout")
            outcome = await self._books.submit(Silence(facts.key))
            self._answers.finish(incoming, facts, outcome, word="timeout", instead=silent)
            return
        await self._conclude(incoming, payment, facts, reply, silent)

    async def _conclude(
        self, incoming: Incoming, payment: Payment, facts: Facts, reply: Answer, silent: bytes
    ) -> None:
        code = str(reply.message.get(39) or MALFUNCTION)
        approved = code in APPROVED
        outcome = await self._books.submit(
            Conclude(
                facts.key,
                approved=approved,
                amount_minor=approved_minor(payment.amount.amount_minor, reply.message),
                code=code,
                response=passed_on(incoming.link.spec, incoming.message, reply.message),
                auth_code=str(reply.message.get(38) or "") or None,
            )
        )
        # What cannot be recorded did not happen: the sweep will end it as silence, with its reversal.
        word = "approved" if approved else "declined"
        self._answers.finish(incoming, facts, outcome, word=word, code=code, instead=silent)

    def _request_for(self, link: IsoLink, request: Message, payment: Payment) -> tuple[Message, NewDelivery | None]:
        """Make what goes over a link, and the reversal that is ready should nothing come back."""
        drafts = self._drafts
        request = fitted(link.spec, request)
        sent = forward(request, drafts.transmitted(), link.next_stan(), drafts.acquirer_id)
        if payment.step is Step.INQUIRE:
            return sent, None
        undo = reversal_of(sent, drafts.transmitted(), drafts.next_stan())
        return sent, drafts.delivery(link.institution, "reversal", undo)

    def _next_link(self, road: Road, tried: set[str]) -> IsoLink | None:
        """Give the route's next live link over which nothing was tried."""
        live = self._links.live_names()
        for destination in road.destinations:
            for name in live.get(destination, ()):
                if name not in tried and (link := self._links.find_link(name)) is not None:
                    return link
        return None

    # ------------------------------------------------------------ refusals

    async def _refuse(self, incoming: Incoming, facts: Facts, code: str, word: str) -> None:
        response = refusal(incoming.link.spec, incoming.message, code)
        outcome = await self._books.submit(Refuse(facts, response, code))
        self._answers.finish(incoming, facts, outcome, word=word, code=code)

    async def _refuse_unacceptable(self, incoming: Incoming, problem: Unacceptable) -> None:
        institution, mti = incoming.link.institution, incoming.message.mti
        log.info(
            "{institution} sent a {mti} that is no payment: {why}", institution=institution, mti=mti, why=problem.why
        )
        if problem.key is None:
            incoming.answer(refusal(incoming.link.spec, incoming.message, problem.code))
            return
        facts = self._drafts.facts_of_unacceptable(incoming.message, institution, problem)
        await self._refuse(incoming, facts, problem.code, "error")

    # ------------------------------------------------------------ time, and bugs

    def _until_us(self) -> int:
        return self._drafts.now_us() + int(self._requests.response_timeout_s * 1_000_000)

    def _give_up(self, failure: Failure, incoming: Incoming) -> None:
        """A bug of ours ends one request, not the switch: the asker hears nothing, and repeats or reverses."""
        log.failure("while serving a request of {institution}", failure, institution=incoming.link.institution)
        incoming.drop()
