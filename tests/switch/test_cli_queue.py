"""`junctor queue`, on both databases."""

from __future__ import annotations

import pytest
from office import Office


def test_lanes_deliveries_and_dead_letters_are_listed(paid: Office) -> None:
    (lane,) = paid.json("queue", "list")
    assert (lane["lane"], lane["depth"], lane["dead"]) == ("blue-bank", 1, 2)
    assert [row["seq"] for row in paid.json("queue", "list", "--lane", "blue-bank")] == [3]
    assert [(row["seq"], row["reason"]) for row in paid.json("queue", "list", "--dead")] == [
        (1, "refused: 30"),
        (2, "refused: 30"),
    ]
    assert paid.json("queue", "list", "--dead", "--lane", "north-bank") == []
    assert "refused: 30" in paid.run("queue", "list", "--dead").out


def test_a_dead_letter_waits_again_behind_the_others(paid: Office) -> None:
    ended = paid.run("queue", "retry", "blue-bank", 1)
    assert (ended.status, ended.out) == (0, "blue-bank 1 waits again as 4\n")
    assert [row["seq"] for row in paid.json("queue", "list", "--lane", "blue-bank")] == [3, 4]
    assert [row["seq"] for row in paid.json("queue", "list", "--dead")] == [2]


def test_all_dead_letters_of_a_lane_wait_again_in_their_order(paid: Office) -> None:
    revived = paid.json("queue", "retry", "blue-bank", "--all")
    assert [(row["number"], row["now"]) for row in revived] == [(1, 4), (2, 5)]
    assert paid.json("queue", "list", "--dead") == []
    assert paid.run("queue", "retry", "blue-bank", "--all").status == 1, "nothing is left to retry"


def test_a_delivery_or_dead_letter_is_dropped_with_its_reason(paid: Office) -> None:
    assert paid.run("queue", "drop", "blue-bank", 1, "--reason", "settled by telephone").status == 0
    assert paid.run("queue", "drop", "blue-bank", 3, "--reason", "settled by telephone").status == 0
    assert [row["seq"] for row in paid.json("queue", "list", "--dead")] == [2]
    records = paid.json("queue", "list", "--dead", "--dropped")
    assert [(row["seq"], row["reason"]) for row in records if row["dropped_us"]] == [
        (1, "settled by telephone"),
        (3, "settled by telephone"),
    ]
    assert paid.run("queue", "retry", "blue-bank", 1).status == 1, "what was dropped is gone"


@pytest.mark.parametrize("command", [["retry", "blue-bank", "9"], ["drop", "blue-bank", "9", "--reason", "x"]])
def test_a_delivery_that_is_not_there_is_one_sentence(office: Office, command: list[str]) -> None:
    ended = office.run("queue", *command)
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith("junctor: blue-bank has no d")


@pytest.mark.parametrize(
    "command",
    [["drop", "blue-bank", "1"], ["drop", "x", "1", "--reason", " "], ["retry", "x"], ["retry", "x", "1", "--all"]],
)
def test_an_order_that_is_not_complete_is_wrong_usage(office: Office, command: list[str]) -> None:
    assert office.run("queue", *command).status == 2
