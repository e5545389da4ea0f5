"""The demonstration's configuration: the commented example, with ports and waits of its own, and one bank more."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Final

import attrs

SOUTH_BANK: Final = "south-bank"
SOUTH_BIC: Final = "SUEDDEFFXXX"

_ONE_BANK_MORE: Final = f"""
# Added for the demonstration: a second bank, which sends payments for the first one through this switch.

[[institutions]]
id = "{SOUTH_BANK}"
name = "South Bank, correspondent"
bic = "{SOUTH_BIC}"
subjects = ["{SOUTH_BANK}"]
currencies = ["EUR"]
"""

RESPONSE_TIMEOUT_S: Final = 2.5
"""How long the switch waits for an issuer here: short, so that silence and its reversal fit in."""

_OVERRIDES: Final[tuple[tuple[str, str, str], ...]] = (
    ("switch", "drain_s", "10"),
    ("requests", "response_timeout_s", str(RESPONSE_TIMEOUT_S)),
    ("requests", "sweep_interval_s", "0.5"),
    ("deliveries", "ack_timeout_s", "2"),
    ("deliveries", "backoff_initial_s", "0.2"),
    ("deliveries", "backoff_max_s", "2"),
    ("deliveries", "poll_s", "0.2"),
    ("diallers", "reconnect_initial_s", "0.1"),
    ("diallers", "reconnect_max_s", "1"),
)


_HEADER: Final = re.compile(r"\s*\[\[?\s*([A-Za-z0-9_.-]+)\s*\]")


@attrs.frozen
class DemoPorts:
    """Where everybody listens: the switch's doors by the name of the listener, and its neighbours."""

    admin: int
    listeners: Mapping[str, int]
    issuer: int
    bank: int


def listener_names(example: str) -> list[str]:
    """Give the names of the listeners that need a port each."""
    return [listener["name"] for listener in tomllib.loads(example).get("listeners", [])]


def make_configuration(example: str, ports: DemoPorts) -> str:
    """Give the example's text with these ports, the demonstration's waits and its second bank; comments stay."""
    text = example
    for table, key, value in _OVERRIDES:
        text = set_key(text, table, key, value)
    tree = tomllib.loads(example)
    text = set_key(text, "admin", "listen", _endpoint(ports.admin))
    for number, listener in enumerate(tree.get("listeners", [])):
        text = set_key(text, "listeners", "listen", _endpoint(ports.listeners[listener["name"]]), number)
    for number, dialler in enumerate(tree.get("diallers", [])):
        port = ports.bank if dialler.get("protocol") == "fin" else ports.issuer
        text = set_key(text, "diallers", "port", str(port), number)
    return text + _ONE_BANK_MORE


def set_key(text: str, table: str, key: str, value: str, number: int | None = None) -> str:
    """Set a key in `[table]`, or in every `[[table]]` (only in that of a number, from 0); comments stay.

    Raises KeyError when there is no such table.
    """
    lines = text.splitlines()
    headers = [(index, match[1]) for index, line in enumerate(lines) if (match := _HEADER.match(line))]
    ends = [*(index for index, _ in headers[1:]), len(lines)]
    found = [(start, end) for (start, name), end in zip(headers, ends, strict=True) if name == table]
    chosen = found if number is None else found[number : number + 1]
    if not chosen:
        raise KeyError(table)
    assignment = re.compile(rf"(\s*{re.escape(key)}\s*=\s*)[^#]*?(\s*#.*)?$")
    for start, end in reversed(chosen):
        for index in range(start + 1, end):
            match = assignment.match(lines[index])
            if match is not None:
                lines[index] = f"{match[1]}{value}{match[2] or ''}"
                break
        else:
            lines.insert(start + 1, f"{key} = {value}")
    return "\n".join(lines) + "\n"


def _endpoint(port: int) -> str:
    return f'"tcp:{port}:interface=127.0.0.1"'
