"""What can be wrong with single rows of a table, whatever the others say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from ..codecs.money import find_currency
from .conditions import CONDITIONS, is_given
from .grid import AMOUNT_END, worlds_of
from .rows import DEFAULT, LEDGER, RouteFault, Row

ROWS_MAX: Final = 5_000
VALUES_MAX: Final = 50_000
"""The most bins, BICs and other listed values in all rows together."""

_FORMS: Final = {
    "bins": re.compile(r"[0-9]{1,19}|[0-9]{1,19}-[0-9]{1,19}"),
    "bics": re.compile(r"[A-Z0-9]{1,11}"),
    "types": re.compile(r"[0-9][1-8][0-9]{2}|[0-9]{3}"),
    "processing_codes": re.compile(r"[0-9]{2}|[0-9]{6}"),
}
_LISTS: Final = (*_FORMS, "institutions", "currencies")


def find_row_faults(
    rows: Sequence[Row], default: tuple[str, ...], institutions: frozenset[str]
) -> Iterator[RouteFault]:
    """Give every mistake in the default and in each row by itself."""
    if len(rows) > ROWS_MAX or sum(len(getattr(row, key)) for row in rows for key in _LISTS) > VALUES_MAX:
        yield RouteFault("routes", f"more than {ROWS_MAX} rows, or {VALUES_MAX} values in them")
        return
    yield from _destinations("default", default, institutions)
    names: dict[str, int] = {DEFAULT: -1}
    for index, row in enumerate(rows):
        path = f"routes[{index}]"
        if names.setdefault(row.name, index) != index:
            yield RouteFault(f"{path}.name", f"the name {row.name!r} is taken")
        yield from _destinations(f"{path}.to", row.to, institutions)
        faults = [*_values(path, row, institutions), *_amounts(path, row)]
        yield from faults
        if not any(is_given(row, condition) for condition in CONDITIONS):
            yield RouteFault(path, "has no condition, so that nothing after it is reached: say it as the default")
        elif not faults and not worlds_of(row):
            yield RouteFault(path, "matches nothing: card number, processing code and MTI never meet BIC and MT")


def _destinations(path: str, to: tuple[str, ...], institutions: frozenset[str]) -> Iterator[RouteFault]:
    for destination in to:
        if destination != LEDGER and destination not in institutions:
            yield RouteFault(path, f"no institution {destination!r}")
    if len(set(to)) < len(to):
        yield RouteFault(path, "names a destination twice")
    if LEDGER in to[:-1]:
        yield RouteFault(path, "what stands after ledger is never chosen: our own books are always there")


def _values(path: str, row: Row, institutions: frozenset[str]) -> Iterator[RouteFault]:
    for key, form in _FORMS.items():
        for number, value in enumerate(getattr(row, key)):
            if not form.fullmatch(value):
                yield RouteFault(f"{path}.{key}[{number}]", "is not written as one")
    for number, listed in enumerate(row.bins):
        first, dash, last = listed.partition("-")
        if dash and (len(first) != len(last) or first > last):
            yield RouteFault(f"{path}.bins[{number}]", "the ends of a range have the same length, the smaller first")
    for number, source in enumerate(row.institutions):
        if source not in institutions:
            yield RouteFault(f"{path}.institutions[{number}]", f"no institution {source!r}")
    for number, code in enumerate(row.currencies):
        currency = find_currency(code)
        if currency is None or currency.alpha != code:
            yield RouteFault(f"{path}.currencies[{number}]", f"no currency {code!r} in ISO 4217")


def _amounts(path: str, row: Row) -> Iterator[RouteFault]:
    low, high = row.amount_minor_min, row.amount_minor_max
    for key, amount in (("amount_minor_min", low), ("amount_minor_max", high)):
        if amount is not None and not 0 <= amount < AMOUNT_END:
            yield RouteFault(f"{path}.{key}", "is negative or does not fit 63 bits")
    if low is not None and high is not None and low > high:
        yield RouteFault(f"{path}.amount_minor_max", "is less than amount_minor_min")
