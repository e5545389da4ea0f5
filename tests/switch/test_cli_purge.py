"""`junctor ledger purge`: how long is configured or given, and what went is told."""

from __future__ import annotations

from office import Office


def test_what_is_old_enough_goes_and_is_told(paid: Office) -> None:
    balance = paid.run("ledger", "trial-balance").out
    dry = paid.json("ledger", "purge", "--before", "2999-01-01", "--dry-run")
    told = paid.json("ledger", "purge", "--before", "2999-01-01")
    assert told == dry
    assert told["messages"] > 0
    assert paid.json("ledger", "purge", "--before", "2999-01-01")["messages"] == 0
    assert paid.json("ledger", "verify")["removed"] == told["messages"]
    assert paid.run("ledger", "trial-balance").out == balance


def test_without_a_time_nothing_is_removed(paid: Office) -> None:
    ended = paid.run("ledger", "purge")
    assert ended.status == 1
    assert "personal_days in [retention]" in ended.err
    with paid.config_file.open("a") as file:
        file.write("[retention]\npersonal_days = 400\n")
    assert paid.json("ledger", "purge")["messages"] == 0
    assert paid.run("ledger", "purge").out.startswith("before:")
