"""The configured routes as a route table, and as a check of the configuration."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from ..codecs.money import find_currency
from ..config.faults import SettingsFault
from ..config.settings import RouteSettings, Settings
from ..routing import RouteFaults, RouteTable, Row, build_table


def read_row(route: RouteSettings) -> Row:
    """Give the row that a configured route describes."""
    return Row(**{field.name: getattr(route, field.name) for field in attrs.fields(Row)})


def build_routes(settings: Settings) -> RouteTable:
    """Check and compile the configured table. Raises RouteFaults; their paths lie under `routing`."""
    institutions = [institution.id for institution in settings.institutions]
    rows = [read_row(route) for route in settings.routing.routes]
    return build_table(rows, settings.routing.default, institutions)


def find_route_faults(settings: Settings) -> Iterator[SettingsFault]:
    """Give the mistakes that show when the table is built, for `load_settings(path, checks)`."""
    try:
        build_routes(settings)
    except RouteFaults as caught:
        yield from (SettingsFault(f"routing.{fault.path}", fault.why) for fault in caught.faults)


def find_currency_faults(settings: Settings) -> Iterator[SettingsFault]:
    """Give the institutions' currencies that ISO 4217 does not have."""
    for index, institution in enumerate(settings.institutions):
        for number, code in enumerate(institution.currencies):
            if find_currency(code) is None:
                path = f"institutions[{index}].currencies[{number}]"
                yield SettingsFault(path, f"no currency {code!r} in ISO 4217")


CHECKS = (find_currency_faults, find_route_faults)
"""What a configuration must stand beside what `load_settings` checks by itself."""
