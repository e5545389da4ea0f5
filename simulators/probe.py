"""Looks at a running switch through its admin page: whether it is ready, and what its metrics say."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from typing import Final

import attrs
from prometheus_client.parser import text_string_to_metric_families
from twisted.internet.threads import deferToThread

TIMEOUT_S: Final = 3.0
PAGE_BYTES_MAX: Final = 16_777_216
_PREFIX: Final = "junctor_"


@attrs.frozen
class Readings:
    """Samples of one moment: name without prefix -> labels -> value."""

    samples: Mapping[str, Mapping[tuple[tuple[str, str], ...], float]]

    def total(self, name: str, **labels: str) -> float:
        """Add up the samples of a name that carry these labels; 0 when there are none."""
        wanted = labels.items()
        return sum(value for key, value in self.samples.get(name, {}).items() if wanted <= dict(key).items())

    def by(self, name: str, label: str) -> dict[str, float]:
        """Add up the samples of a name per value of one label."""
        sums: dict[str, float] = {}
        for key, value in self.samples.get(name, {}).items():
            name_of = dict(key).get(label, "")
            sums[name_of] = sums.get(name_of, 0.0) + value
        return sums


def parse_readings(page: str) -> Readings:
    """Read a page in the Prometheus text format; ValueError when it is none."""
    samples: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            name = sample.name.removeprefix(_PREFIX)
            samples.setdefault(name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return Readings(samples)


def _get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read(PAGE_BYTES_MAX)
    finally:
        connection.close()


async def is_ready(port: int) -> bool:
    """Tell whether the switch with this admin port takes payments."""
    try:
        status, _ = await deferToThread(_get, port, "/readyz")
    except (OSError, http.client.HTTPException):
        return False
    return bool(status == 200)


async def find_readings(port: int) -> Readings | None:
    """Read the metrics of the switch with this admin port; None when it does not answer."""
    try:
        status, page = await deferToThread(_get, port, "/metrics")
        return parse_readings(page.decode("utf-8")) if status == 200 else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
