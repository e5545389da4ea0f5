"""What the admin page tells of a running switch, read from the service at the moment of asking."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import partial
from typing import Final, Protocol

from ..config.settings import Settings
from .admin import Check, Views
from .books import Books
from .desk import Desk
from .links.directory import Directory
from .mailroom import Mailroom
from .metrics import CONTENT_TYPE, Metrics
from .sweeper import Sweeper

_MICROSECONDS: Final = 1_000_000


class Service(Protocol):
    """What is looked at."""

    @property
    def settings(self) -> Settings: ...
    @property
    def books(self) -> Books: ...
    @property
    def desk(self) -> Desk: ...
    @property
    def mailroom(self) -> Mailroom: ...
    @property
    def directory(self) -> Directory: ...
    @property
    def sweeper(self) -> Sweeper: ...
    @property
    def is_listening(self) -> bool: ...
    @property
    def is_draining(self) -> bool: ...


def views_of(service: Service, metrics: Metrics, version: str) -> Views:
    """Give the admin page's views of a service."""
    return Views(
        components=components_of(service),
        links=service.directory.snapshot,
        status=partial(status_of, service, version),
        metrics=metrics.render,
        metrics_type=CONTENT_TYPE,
        before_metrics=partial(_bring_up_to_date, service, metrics),
    )


def components_of(service: Service) -> Mapping[str, Check]:
    """Give what must be well for payments to be taken. The schema was checked before anything listens."""
    return {
        "database": lambda: None if service.books.is_available else "cannot be used",
        "listeners": lambda: None if service.is_listening else "not all are listening",
        "draining": lambda: "the switch stops" if service.is_draining else None,
    }


def status_of(service: Service, version: str) -> dict[str, object]:
    """Give how the switch stands: what is in hand, what waits, and the lanes as the last sweep saw them."""
    stock = service.sweeper.last_stock
    return {
        "name": service.settings.switch.name,
        "version": version,
        "python": platform.python_version(),
        "ready": all(check() is None for check in components_of(service).values()),
        "draining": service.is_draining,
        "requests_in_hand": service.desk.in_hand,
        "fin_in_hand": service.mailroom.in_hand,
        "books_queue_items": service.books.waiting,
        "open_transactions": None if stock is None else stock.open_transactions,
        "lanes": None if stock is None else stock.lanes,
        "imbalance_minor": None if stock is None else dict(stock.imbalance),
    }


def _bring_up_to_date(service: Service, metrics: Metrics, is_ready: bool) -> None:
    service.directory.measure()
    metrics.readiness(is_ready, service.is_draining)
