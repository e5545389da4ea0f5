"""The watch over net debit caps: one warning when much is used, and another only after it has recovered."""

from __future__ import annotations

import attrs
from junctor.config.settings import InstitutionSettings, RoutingSettings, Settings
from junctor.switch.caps import CapWatch
from twisted.logger import capturedLogs


@attrs.frozen
class Position:
    position_minor: int
    institution: str = "blue"
    account: str = "blue.settlement.EUR"
    currency: str = "EUR"
    cap_minor: int | None = 1_000


def warnings(watch: CapWatch, *positions: Position) -> list[str]:
    with capturedLogs() as heard:
        for position in positions:
            watch.look([position])
    return [f"{it['institution']} {it['percent']}" for it in heard if "cap_minor" in it]


def watch_at(percent: int) -> CapWatch:
    blue = InstitutionSettings("blue", net_debit_cap_warning_percent=percent)
    return CapWatch(Settings(RoutingSettings(()), institutions=(blue,)))


def test_a_warning_comes_at_the_threshold_and_once() -> None:
    assert warnings(watch_at(80), Position(-799), Position(-800), Position(-950)) == ["blue 80"]


def test_an_account_that_recovered_is_told_again() -> None:
    assert warnings(watch_at(50), Position(-900), Position(-499), Position(-500)) == ["blue 90", "blue 50"]


def test_without_a_cap_or_of_a_stranger_nothing_is_told() -> None:
    watch = watch_at(50)
    assert warnings(watch, Position(-900, cap_minor=None), Position(-900, institution="other"), Position(900)) == []
