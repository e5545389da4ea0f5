"""What the admin page tells of a service: read at the moment of asking."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from junctor.config.settings import InstitutionSettings, RoutingSettings, Settings
from junctor.switch.links.directory import Directory
from junctor.switch.metrics import Metrics
from junctor.switch.oversight import components_of, status_of, views_of
from junctor.switch.sweeper import LaneGauge, Stock

SETTINGS = Settings(RoutingSettings(("ledger",)), institutions=(InstitutionSettings("blue-bank"),))


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(SETTINGS, "1.2.3")


@pytest.fixture
def service(metrics: Metrics) -> Any:
    """A service that is well, as far as the page looks at it."""
    return SimpleNamespace(
        settings=SETTINGS,
        books=SimpleNamespace(is_available=True, waiting=4),
        desk=SimpleNamespace(in_hand=2),
        mailroom=SimpleNamespace(in_hand=1),
        directory=Directory(metrics, 8),
        sweeper=SimpleNamespace(last_stock=None),
        is_listening=True,
        is_draining=False,
    )


def troubles(service: Any) -> dict[str, str]:
    return {name: why for name, check in components_of(service).items() if (why := check()) is not None}


def test_service_that_is_well_has_no_troubles(service: Any) -> None:
    assert troubles(service) == {}


def test_every_trouble_is_told_by_its_component(service: Any) -> None:
    service.books.is_available = False
    service.is_listening = False
    service.is_draining = True
    assert troubles(service) == {
        "database": "cannot be used",
        "listeners": "not all are listening",
        "draining": "the switch stops",
    }


def test_status_before_the_first_sweep_knows_no_lanes(service: Any) -> None:
    status = status_of(service, "1.2.3")
    assert (status["name"], status["version"], status["ready"]) == ("junctor", "1.2.3", True)
    assert (status["requests_in_hand"], status["fin_in_hand"], status["books_queue_items"]) == (2, 1, 4)
    assert (status["lanes"], status["open_transactions"], status["imbalance_minor"]) == (None, None, None)


def test_status_tells_the_lanes_as_the_last_sweep_saw_them(service: Any) -> None:
    lane = LaneGauge("blue-bank", 3, 1_000_000, 1)
    service.sweeper.last_stock = Stock((lane,), 5, (("EUR", 0),))
    service.books.is_available = False
    status = status_of(service, "1.2.3")
    assert (status["lanes"], status["open_transactions"]) == ((lane,), 5)
    assert (status["imbalance_minor"], status["ready"]) == ({"EUR": 0}, False)


def test_metrics_are_brought_up_to_date_before_they_are_written(service: Any, metrics: Metrics) -> None:
    views = views_of(service, metrics, "1.2.3")
    service.directory.tally("blue-bank").in_flight = 7
    views.before_metrics(True)
    assert b'junctor_link_inflight{institution="blue-bank"} 7.0\n' in views.metrics()
    assert b"junctor_ready 1.0\n" in views.metrics()
    service.is_draining = True
    views.before_metrics(False)
    assert b"junctor_ready 0.0\n" in views.metrics()
    assert b"junctor_draining 1.0\n" in views.metrics()
