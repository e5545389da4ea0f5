"""The choice of a link for a road."""

from __future__ import annotations

from junctor.routing import Choice, Road, choose

ROAD = Road("blue", ("blue-bank", "red-bank", "ledger"))


def test_first_destination_with_a_live_link_is_chosen_with_its_first_link() -> None:
    live = {"blue-bank": ("blue-2", "blue-1"), "red-bank": ("red-1",)}
    assert choose(ROAD, live) == Choice("blue-bank", "blue-2", is_alternate=False)


def test_destination_without_a_live_link_is_passed_over() -> None:
    assert choose(ROAD, {"blue-bank": (), "red-bank": ("red-1",)}) == Choice("red-bank", "red-1", is_alternate=True)


def test_our_own_books_need_no_link() -> None:
    assert choose(ROAD, {}) == Choice("ledger", None, is_alternate=True)
    assert choose(Road("default", ("ledger",)), {}) == Choice("ledger", None, is_alternate=False)


def test_link_that_refused_is_not_chosen_again() -> None:
    live = {"blue-bank": ("blue-1", "blue-2"), "red-bank": ("red-1",)}
    assert choose(ROAD, live, tried={"blue-1"}) == Choice("blue-bank", "blue-2", is_alternate=False)
    assert choose(ROAD, live, tried={"blue-1", "blue-2"}) == Choice("red-bank", "red-1", is_alternate=True)


def test_nothing_is_chosen_when_nothing_is_alive() -> None:
    assert choose(Road("blue", ("blue-bank",)), {"red-bank": ("red-1",)}) is None


def test_nothing_is_chosen_on_a_road_to_nowhere() -> None:
    assert choose(Road("default", ()), {"blue-bank": ("blue-1",)}) is None
