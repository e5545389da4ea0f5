"""The network validated rules: what the fields of a message must be to one another.

A rule is a row: its number in the manual, its codes, its sentence, its source, and a small function that gives the
places where it is broken. `RULES` holds them by message type, in the manual's order. A rule says nothing about a
field whose format is broken: that has a finding already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

import attrs

from .fields import find_parts
from .findings import Finding
from .message import FinMessage
from .notation import Parts
from .text import Field

Break: TypeAlias = tuple[str, Field | None, str]
"""Code, the field to point at, what is wrong there."""


class Reading:
    """A message whose fields are read into parts when a rule asks for them, each once."""

    def __init__(self, message: FinMessage) -> None:
        self._message = message
        self._parts: dict[Field, Parts | None] = {}

    def find(self, tag: str) -> Field | None:
        """Find the first field of a tag: a number with any option, or one tag exactly."""
        return self._message.find(tag)

    def find_part(self, field: Field | None, name: str) -> str | None:
        """Find a part of a field; None when the field or the part is not there, or cannot be read."""
        if field is None:
            return None
        if field not in self._parts:
            self._parts[field] = find_parts(field)
        part = (self._parts[field] or {}).get(name)
        return part if isinstance(part, str) else None


@attrs.frozen
class Rule:
    """One network validated rule."""

    number: str
    message_types: tuple[str, ...]
    codes: tuple[str, ...]
    sentence: str
    source: str
    breaks: Callable[[Reading], Iterator[Break]]

    def check(self, reading: Reading) -> Iterator[Finding]:
        """Find where the rule is broken; the text names rule and code."""
        for code, field, why in self.breaks(reading):
            assert code in self.codes, f"{self.number} does not know {code}"
            line, tag = (None, None) if field is None else (field.line, field.tag)
            yield Finding(code, line, tag, None, f"{self.number}: {why}")


MT103_RULES: Final = "MT103 network validated rules, SR 2025"

_ALL: list[Rule] = []


def rule(
    number: str, codes: str, sentence: str, *, types: tuple[str, ...], source: str
) -> Callable[[Callable[[Reading], Iterator[Break]]], Callable[[Reading], Iterator[Break]]]:
    """Enter a function in the register of rules."""

    def enter(breaks: Callable[[Reading], Iterator[Break]]) -> Callable[[Reading], Iterator[Break]]:
        _ALL.append(Rule(number, types, tuple(codes.split()), sentence, source, breaks))
        return breaks

    return enter


@rule(
    "C1",
    "D75",
    "Field 36 is there exactly when 33B names another currency than 32A.",
    types=("103",),
    source=MT103_RULES,
)
def exchange_rate(reading: Reading) -> Iterator[Break]:
    """Hold the exchange rate to the two currencies."""
    instructed, rate = reading.find("33B"), reading.find("36")
    settled = reading.find_part(reading.find("32A"), "currency")
    instructed_currency = reading.find_part(instructed, "currency")
    if instructed is None:
        if rate is not None:
            yield "D75", rate, "36 is not allowed without 33B"
    elif settled is not None and instructed_currency is not None:
        if settled != instructed_currency and rate is None:
            yield "D75", instructed, "33B and 32A differ in currency, so 36 must be there"
        if settled == instructed_currency and rate is not None:
            yield "D75", rate, "33B and 32A have one currency, so 36 is not allowed"


@rule("C9", "C81", "Field 56a needs 57a.", types=("103",), source=MT103_RULES)
def intermediary(reading: Reading) -> Iterator[Break]:
    """Hold an intermediary to the institution that it leads to."""
    if reading.find("56") is not None and reading.find("57") is None:
        yield "C81", reading.find("56"), "56a is there, so 57a must be"


@rule(
    "C14",
    "E13 D50 E15",
    "71A OUR allows no 71F, SHA allows no 71G, BEN needs 71F and allows no 71G.",
    types=("103",),
    source=MT103_RULES,
)
def charges(reading: Reading) -> Iterator[Break]:
    """Hold the charges to who bears them."""
    details = reading.find("71A")
    sender, receiver = reading.find("71F"), reading.find("71G")
    match reading.find_part(details, "code"):
        case "OUR":
            if sender is not None:
                yield "E13", sender, "71A is OUR, so 71F is not allowed"
        case "SHA":
            if receiver is not None:
                yield "D50", receiver, "71A is SHA, so 71G is not allowed"
        case "BEN":
            if sender is None:
                yield "E15", details, "71A is BEN, so 71F must be there"
            if receiver is not None:
                yield "E15", receiver, "71A is BEN, so 71G is not allowed"


@rule("C15", "D51", "Field 71F or 71G needs 33B.", types=("103",), source=MT103_RULES)
def charges_need_instructed_amount(reading: Reading) -> Iterator[Break]:
    """Hold the charges to the amount that they were taken from."""
    charge = reading.find("71F") or reading.find("71G")
    if charge is not None and reading.find("33B") is None:
        yield "D51", charge, "71F or 71G is there, so 33B must be"


@rule("C18", "C02", "The currency of 71G is that of 32A.", types=("103",), source=MT103_RULES)
def currency_of_receivers_charges(reading: Reading) -> Iterator[Break]:
    """Hold the receiver's charges to the currency of settlement."""
    charge = reading.find("71G")
    currency = reading.find_part(charge, "currency")
    settled = reading.find_part(reading.find("32A"), "currency")
    if currency is not None and settled is not None and currency != settled:
        yield "C02", charge, "71G and 32A differ in currency"


def rules_of(message_type: str) -> tuple[Rule, ...]:
    """Give the rules of a message type, in the manual's order."""
    return RULES.get(message_type, ())


RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    message_type: tuple(row for row in _ALL if message_type in row.message_types)
    for message_type in sorted({message_type for row in _ALL for message_type in row.message_types})
}
"""The register, by message type."""
