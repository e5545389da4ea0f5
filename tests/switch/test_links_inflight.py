from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from junctor.codecs.iso8583 import Message, respond
from junctor.switch.links.inflight import InFlight, request_key, response_key
from link_fakes import purchase


def test_the_response_has_the_key_of_its_request() -> None:
    assert response_key(respond(purchase(), "00")) == request_key(purchase())


def test_the_response_to_a_repeat_has_the_key_of_the_first() -> None:
    repeat = purchase().with_fields({}, mti="0201")
    assert request_key(repeat) == response_key(respond(purchase(), "00"))


@pytest.mark.parametrize(
    "other",
    [
        purchase(stan="000002"),
        purchase(acquirer="54321"),
        purchase(transmitted="1120123016"),
        purchase().with_fields({}, mti="0100"),
        purchase().with_fields({}, mti="0220"),
    ],
    ids=["stan", "acquirer", "time", "class", "function"],
)
def test_requests_that_differ_in_what_identifies_them_have_other_keys(other: Message) -> None:
    assert request_key(other) != request_key(purchase())


def test_the_terminal_stands_in_where_there_is_no_acquirer() -> None:
    bare = purchase().with_fields({}, drop=[32])
    assert request_key(bare) != request_key(bare.with_fields({41: "TERM0002"}))


def test_a_key_is_given_once() -> None:
    table: InFlight[str] = InFlight(4)
    table.add("k", "me", 0.0, 5.0)
    flight = table.take("k")
    assert flight is not None
    assert flight.waiter == "me"
    assert table.take("k") is None


def test_a_key_in_flight_is_never_overwritten() -> None:
    table: InFlight[str] = InFlight(4)
    table.add("k", "me", 0.0, 5.0)
    with pytest.raises(AssertionError):
        table.add("k", "you", 0.0, 5.0)
    assert table.expire(5.0)[0].waiter == "me"


def test_a_full_table_takes_no_more() -> None:
    table: InFlight[str] = InFlight(2)
    table.add("a", "a", 0.0, 5.0)
    assert not table.is_full
    table.add("b", "b", 0.0, 5.0)
    assert table.is_full
    with pytest.raises(AssertionError):
        table.add("c", "c", 0.0, 5.0)


def test_only_what_is_due_expires_and_the_earliest_first() -> None:
    table: InFlight[str] = InFlight(9)
    for key, deadline_s in (("late", 9.0), ("first", 3.0), ("second", 4.0), ("taken", 2.0)):
        table.add(key, key, 0.0, deadline_s)
    table.take("taken")
    assert table.find_deadline_s() == 3.0
    assert [flight.waiter for flight in table.expire(4.0)] == ["first", "second"]
    assert table.find_deadline_s() == 9.0
    assert len(table) == 1


def test_a_key_that_is_used_again_expires_by_its_new_deadline() -> None:
    table: InFlight[str] = InFlight(9)
    table.add("k", "old", 0.0, 1.0)
    table.take("k")
    table.add("k", "new", 0.0, 2.0)
    assert table.expire(1.0) == []
    assert [flight.waiter for flight in table.expire(2.0)] == ["new"]


def test_answered_requests_do_not_pile_up_behind_their_deadlines() -> None:
    table: InFlight[int] = InFlight(9)
    table.add("waits", -1, 0.0, 0.5)
    for number in range(10_000):
        table.add(number, number, 0.0, 60.0)
        table.take(number)
    assert len(table._by_deadline) < 200


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 5), st.integers(1, 9)),
        st.tuples(st.just("take"), st.integers(0, 5), st.just(0)),
        st.tuples(st.just("pass"), st.integers(1, 4), st.just(0)),
    ),
    max_size=60,
)


@given(ACTIONS)
def test_every_request_ends_exactly_once_whatever_happens(actions: list[tuple[str, int, int]]) -> None:
    table: InFlight[int] = InFlight(4)
    now_s, serial = 0.0, 0
    waiting: dict[int, tuple[int, float]] = {}
    for action, key, more in actions:
        if action == "add":
            assert table.is_full == (len(waiting) == 4)
            if key in waiting or table.is_full:
                continue
            serial += 1
            table.add(key, serial, now_s, now_s + more)
            waiting[key] = (serial, now_s + more)
        elif action == "take":
            flight = table.take(key)
            expected = waiting.pop(key, None)
            assert (None if flight is None else flight.waiter) == (None if expected is None else expected[0])
        else:
            now_s += key
            due = {each: value for each, value in waiting.items() if value[1] <= now_s}
            assert sorted(flight.waiter for flight in table.expire(now_s)) == sorted(
                value[0] for value in due.values()
            )
            for each in due:
                del waiting[each]
        assert len(table) == len(waiting)
        assert table.find_deadline_s() == min((value[1] for value in waiting.values()), default=None)
    assert [flight.waiter for flight in table.clear()] == sorted(value[0] for value in waiting.values())
