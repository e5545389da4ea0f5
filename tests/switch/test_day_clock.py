"""The clock of business days: asks once for each day that is due, and again until it is open."""

from __future__ import annotations

from datetime import datetime

from junctor.ledger.operations import Done, Item, Outcome
from junctor.ledger.settlement_items import CutOver
from junctor.switch.books import Unavailable
from junctor.switch.day_clock import DayClock
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock


class FakeBooks:
    """Books that open what they are asked to, unless they are away."""

    def __init__(self) -> None:
        self.asked: list[Item] = []
        self.is_away = False

    def submit(self, item: Item) -> Deferred[Outcome | Unavailable]:
        self.asked.append(item)
        assert isinstance(item, CutOver)
        return succeed(Unavailable() if self.is_away else Done(number=item.opens or 0))


def at(moment: str) -> Clock:
    clock = Clock()
    clock.advance(datetime.fromisoformat(moment).timestamp())
    return clock


def opened(books: FakeBooks) -> list[int | None]:
    return [item.opens for item in books.asked if isinstance(item, CutOver)]


def test_the_day_that_is_due_is_opened_at_the_start_and_the_next_at_its_time() -> None:
    clock, books = at("2026-12-31T21:59:58Z"), FakeBooks()
    days = DayClock(clock, books, "22:00")
    days.start()
    assert opened(books) == [20261231]
    clock.pump([1.0] * 5)
    assert opened(books) == [20261231, 20270101]
    clock.pump([3_600.0] * 24)
    assert opened(books) == [20261231, 20270101, 20270102]
    days.stop()


def test_books_that_are_away_are_asked_again() -> None:
    clock, books = at("2026-11-20T22:00:00Z"), FakeBooks()
    books.is_away = True
    days = DayClock(clock, books, "22:00")
    days.start()
    clock.pump([1.0, 1.0])
    assert opened(books) == [20261121] * 3
    books.is_away = False
    clock.pump([1.0, 1.0])
    assert opened(books) == [20261121] * 4
    days.stop()


def test_without_a_time_of_day_nothing_is_asked() -> None:
    clock, books = at("2026-11-20T22:00:00Z"), FakeBooks()
    days = DayClock(clock, books, None)
    days.start()
    clock.advance(100_000)
    assert books.asked == []
    days.stop()
