"""The wiring: the one place where collaborators are constructed, and given to each other."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from .. import __version__
from ..codecs.iso8583 import Spec, load_spec
from ..codecs.money import get_currency
from ..codecs.swift import lt_of
from ..config.settings import InstitutionSettings, Protocol, Settings
from ..ledger.operations import Item, OpenAccount
from .admin import AdminPage
from .books import Books
from .caps import CapWatch
from .carriers import FinCarrier, IsoCarrier
from .couriers import Carrier, Courier
from .database import check_schema, key_ring, open_books, open_books_to_read
from .day_clock import DayClock
from .desk import Desk
from .drafts import Drafts
from .exchange import Exchange
from .fees import fee_account
from .keywatch import KeyWatch
from .links.dialler import make_dialler
from .links.directory import Directory
from .links.listener import make_listener
from .links.surroundings import Stans, Surroundings
from .lookups import Lookups
from .mailroom import Mailroom
from .metrics import Metrics
from .movements import settlement
from .oversight import views_of
from .pulse import Pulse
from .rates import exchange_accounts
from .roads import build_routes
from .service import SwitchService
from .sweeper import Sweeper


def build(reactor: Any, settings: Settings) -> SwitchService:
    """Make a switch from settings; nothing runs until its `start`.

    Raises RouteFaults, SpecError, TlsFileError, VaultFault, OSError or ValueError for settings that cannot be used.
    """
    chance = random.SystemRandom()
    metrics = Metrics(settings, __version__)
    metrics.configured(True, reactor.seconds())
    ring = key_ring(settings)
    ring.check_source()
    vault = ring.vault
    books = Books(reactor, partial(open_books, settings, vault), settings.database, metrics)
    lookups = Lookups(books, partial(open_books_to_read, settings, vault))
    routes = build_routes(settings)
    directory = Directory(metrics, settings.links.links_per_institution_max)
    stans = Stans(chance.randrange(999_999))
    specs = _specs(settings)
    drafts = Drafts(reactor.seconds, specs, settings, vault.card_ref, vault.keyed, _auth_code, stans.next)

    couriers: dict[str, Courier] = {}

    def wake(lane: str) -> None:
        courier = couriers.get(lane)
        if courier is not None:
            courier.wake()

    desk = Desk(reactor, books, routes, directory, drafts, settings, wake, metrics)
    mailroom = Mailroom(reactor, books, routes, drafts, settings, wake, metrics)
    for institution in settings.institutions:
        carrier = _carrier(institution, settings, specs, directory, books, metrics.mt_ack)
        couriers[institution.id] = Courier(
            institution.id, reactor, books, lookups.find_head, carrier, settings.deliveries, chance.random, metrics
        )
    surroundings = Surroundings(
        clock=reactor,
        limits=settings.links,
        hearer=Exchange(desk, mailroom, wake),
        meter=metrics,
        directory=directory,
        stans=stans,
        utcnow=lambda: datetime.now(UTC),
        chance=chance.random,
    )
    tls = dict(settings.tls)
    listeners = [
        make_listener(reactor, each, settings.institutions, tls, surroundings) for each in settings.listeners
    ]
    diallers = [make_dialler(reactor, each, settings.institutions, tls, surroundings) for each in settings.diallers]
    sweeper = Sweeper(
        reactor,
        books,
        lambda: desk.open_keys,
        lookups.read_stock,
        wake,
        settings.requests,
        metrics,
        CapWatch(settings).look,
    )
    service = SwitchService(
        settings=settings,
        clock=reactor,
        books=books,
        lookups=lookups,
        directory=directory,
        desk=desk,
        mailroom=mailroom,
        couriers=couriers,
        sweeper=sweeper,
        pulse=Pulse(reactor, metrics),
        day_clock=DayClock(reactor, books, settings.settlement.cutover),
        listeners=listeners,
        diallers=diallers,
        keys=KeyWatch(reactor, books, ring, metrics),
        accounts=_own_accounts(settings, int(reactor.seconds() * 1_000_000)),
        check_schema=partial(check_schema, settings),
    )
    service.admin = AdminPage(reactor, settings.admin.listen, views_of(service, metrics, __version__))
    return service


def _carrier(
    institution: InstitutionSettings,
    settings: Settings,
    specs: Mapping[str, Spec],
    directory: Directory,
    books: Books,
    count_ack: Callable[[str, str], None],
) -> Carrier:
    if institution.id in specs:
        return IsoCarrier(specs[institution.id], partial(directory.live, institution.id), settings.deliveries)
    our_lt = lt_of(settings.switch.bic, settings.switch.lt_code)
    live = partial(directory.live_fin, institution.id)
    return FinCarrier(institution.id, our_lt, live, books, settings.deliveries, count_ack)


def _specs(settings: Settings) -> dict[str, Spec]:
    """Give the spec in which deliveries for an institution are kept: that of its dialler, else of a door it may use.

    An institution that only speaks FIN has none.
    """
    names: dict[str, str] = {}
    for dialler in settings.diallers:
        if dialler.protocol is Protocol.ISO8583:
            names.setdefault(dialler.institution, dialler.spec)
    speaks_fin = {each.institution for each in settings.diallers if each.protocol is Protocol.FIN}
    speaks_fin |= {each.id for each in settings.institutions if each.bic is not None}
    for listener in settings.listeners:
        if listener.protocol is Protocol.ISO8583:
            for institution in settings.institutions:
                if listener.institution in (None, institution.id) and institution.id not in speaks_fin:
                    names.setdefault(institution.id, listener.spec)
    return {institution: load_spec(name) for institution, name in names.items()}


def _own_accounts(settings: Settings, now_us: int) -> list[Item]:
    """Give the accounts of institutions, one per currency, those that fees go to, and those of exchange."""
    fees = {fee_account(fee): get_currency(fee.currency).numeric for fee in settings.fees}
    collecting = [OpenAccount(code, "fee", number, "", now_us, floor_minor=None) for code, number in fees.items()]
    traded = sorted({alpha for row in settings.rates for alpha in (row.payment, row.account)})
    exchanging = [
        OpenAccount(code, "fx", get_currency(alpha).numeric, "", now_us, floor_minor=None)
        for alpha in traded
        for code in exchange_accounts(alpha)
    ]
    return [
        *collecting,
        *exchanging,
        *(
            OpenAccount(
                code=settlement(institution.id, alpha),
                kind="settlement",
                currency=get_currency(alpha).numeric,
                institution=institution.id,
                created_us=now_us,
                floor_minor=None if institution.net_debit_cap_minor is None else -institution.net_debit_cap_minor,
            )
            for institution in settings.institutions
            for alpha in institution.currencies
        ),
    ]


def _auth_code() -> str:
    """Make an authorisation code (DE38): six digits by chance, so that none tells of another."""
    return f"{secrets.randbelow(1_000_000):06d}"
