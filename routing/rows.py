"""What is asked of the route table, what its rows say, and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

from ..codecs.values import often

LEDGER: Final = "ledger"
"""The destination that is our own books."""

DEFAULT: Final = "default"
"""The name of the road that no row decided."""


@often
class Question:
    """What the table needs to know of a payment.

    institution: who sent it. type: MTI without its repeat digit (`0200`), or MT number (`103`). processing_code: six
    digits (DE3), empty for FIN. currency: three letters (ISO 4217). pan: digits, card messages only. bic: the
    receiver's, 8 or 11 characters, FIN only.
    """

    institution: str
    type: str
    processing_code: str
    currency: str
    amount_minor: int
    pan: str | None = attrs.field(default=None, repr=False)
    bic: str | None = None


@attrs.frozen
class Road:
    """The row that decided, and its destinations in order of preference; none means: nowhere."""

    route: str
    destinations: tuple[str, ...]


@attrs.frozen
class Row:
    """One row: every condition that is given must hold. An empty tuple or None is no condition.

    bins: prefixes (`476173`) or ranges of equal length (`476100-476199`) of the card number. institutions: who sent
    it. processing_codes: first two digits of DE3, or six. types: `0200` is the whole class (0200, 0220), every other
    MTI or MT number itself. currencies: three letters. Amounts: minor units, both ends included. bics: receiver BICs
    or prefixes of them. overrides: later rows that overlap in part are meant to lose to this one.
    """

    name: str
    to: tuple[str, ...]
    bins: tuple[str, ...] = ()
    institutions: tuple[str, ...] = ()
    processing_codes: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()
    amount_minor_min: int | None = None
    amount_minor_max: int | None = None
    bics: tuple[str, ...] = ()
    overrides: bool = False


@attrs.frozen
class RouteFault:
    """A mistake in a table. path: `routes[2].bins[0]`, counted from 0, or `default`."""

    path: str
    why: str

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"


class RouteFaults(Exception):
    """A table that cannot be used; `faults` holds every mistake found."""

    def __init__(self, faults: Sequence[RouteFault]) -> None:
        super().__init__(*faults)
        self.faults = tuple(faults)

    def __str__(self) -> str:
        return "\n".join(map(str, self.faults))
