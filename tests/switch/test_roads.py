"""The configured routes: every mistake in them is told with the configuration's others."""

from __future__ import annotations

from pathlib import Path

import attrs
import junctor
import pytest
from junctor.config import SettingsFaults, load_settings
from junctor.config.settings import RouteSettings
from junctor.routing import Question, Road, Row
from junctor.switch.roads import CHECKS, build_routes

DEMO = Path(junctor.__file__).parent / "config" / "demo" / "junctor.toml"


def test_row_has_every_condition_that_a_configured_route_has() -> None:
    assert [field.name for field in attrs.fields(Row)] == [field.name for field in attrs.fields(RouteSettings)]


def test_demo_sends_each_payment_where_it_belongs() -> None:
    table = build_routes(load_settings(DEMO, CHECKS))
    card = Question("acme-pos", "0200", "000000", "EUR", 1250, pan="4761730000000011")
    mail = Question("north-bank", "103", "", "EUR", 1250, bic="NORTDEFFXXX")
    assert table.find(card) == Road("blue-cards", ("blue-bank",))
    assert table.find(attrs.evolve(card, pan="5555550000000000")) == Road("default", ("ledger",))
    assert table.find(mail) == Road("north-bank", ("north-bank",))
    assert table.find(attrs.evolve(mail, bic="JUNCDEFFXXX")) == Road("default", ("ledger",))


def test_routes_and_currencies_are_checked_with_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "junctor.toml"
    path.write_text(
        """
        [[institutions]]
        id = "blue-bank"
        currencies = ["EUR", "EUX"]

        [routing]
        default = "ledger"
        routes = [
            {name = "all-blue", bins = ["47"], to = "blue-bank"},
            {name = "some-blue", bins = ["4761"], to = "ledger"},
        ]
        """
    )
    with pytest.raises(SettingsFaults) as caught:
        load_settings(path, CHECKS)
    assert str(caught.value).splitlines() == [
        "institutions[0].currencies[1]: no currency 'EUX' in ISO 4217",
        "routing.routes[1]: can never be reached: row 'all-blue' has decided before",
    ]


def test_mistake_that_both_checks_see_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "junctor.toml"
    path.write_text('routing.default = "ledgr"')
    with pytest.raises(SettingsFaults) as caught:
        load_settings(path, CHECKS)
    assert str(caught.value) == "routing.default: no institution 'ledgr', did you mean ledger?"
