"""Values that metrics may carry as labels: bounded sets, and `other` for everything else.

A label never comes from a peer as it is. What is configured or standardised is a list; what our own code names (why a
connection ended) is a few words without digits, and no more than a few dozen of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Protocol

from ..codecs.money import CURRENCIES
from ..config.settings import Settings

OTHER: Final = "other"

_WORDS: Final = re.compile(r"[A-Za-z][A-Za-z _-]{0,39}")
_WORDS_MOST: Final = 40


class Vocabulary(Protocol):
    """The values of one label."""

    def admit(self, value: str) -> str:
        """Give the value itself, or `other`."""
        ...


class Known:
    """A closed list."""

    def __init__(self, values: Iterable[str]) -> None:
        self._values = frozenset(values) | {OTHER}

    def admit(self, value: str) -> str:
        return value if value in self._values else OTHER


class Words:
    """Words of our own code: the first few dozen that come, none with a digit in it."""

    def __init__(self, most: int = _WORDS_MOST) -> None:
        self._most = most
        self._values: set[str] = set()

    def admit(self, value: str) -> str:
        if value in self._values:
            return value
        if len(self._values) >= self._most or not _WORDS.fullmatch(value):
            return OTHER
        self._values.add(value)
        return value


MTIS: Final = frozenset(
    f"0{class_}{function}{origin}" for class_ in "12345678" for function in "01234" for origin in "01"
)
"""Message types of ISO 8583:1987 from acquirers."""

MTS: Final = frozenset(
    f"{number:03d}"
    for number in (
        *(101, 102, 103, 104, 105, 107, 110, 111, 112, *range(190, 193), *range(195, 200)),
        *(*range(200, 206), 210, *range(290, 293), *range(295, 300)),
        *(900, 910, 920, 935, 940, 941, 942, 950, *range(970, 974), 985, 986, *range(990, 993), *range(995, 1000)),
    )
)
"""FIN message types of payments and cash reporting."""

TYPES: Final = MTIS | MTS | {"F21"}
"""What may be a message's type; `F21` is a FIN acknowledgement."""

CODES: Final = frozenset(f"{code:02d}" for code in (*range(45), *range(51, 69), 75, *range(90, 97)))
"""Response codes (DE39) that ISO 8583:1987 gives a meaning to."""

OUTCOMES: Final = ("approved", "declined", "timeout", "unavailable", "error", "standin")


def vocabularies(settings: Settings) -> dict[str, Vocabulary]:
    """Give the closed lists by the names of labels; a label without one takes words of our own code."""
    ids = [institution.id for institution in settings.institutions]
    codes = settings.requests
    institutions = Known([*ids, "unknown"])
    return {
        "institution": institutions,
        "source": institutions,
        "destination": Known([*ids, "ledger", "none"]),
        "lane": Known(ids),
        "listener": Known(door.name for door in settings.listeners),
        "name": Known([*(name for name, _ in settings.tls), *(f"peer.{id_}" for id_ in ids)]),
        "route": Known([*(route.name for route in settings.routing.routes), "default"]),
        "purpose": Known(["data", "card-hash"]),
        "direction": Known(["in", "out"]),
        "type": Known(TYPES),
        "outcome": Known(OUTCOMES),
        "ack": Known(["ack", "nak"]),
        "code": Known(CODES | {codes.code_timeout, codes.code_no_link, codes.code_no_route, codes.code_unavailable}),
        "currency": Known(currency.alpha for currency in CURRENCIES),
    }
