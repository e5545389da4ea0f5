"""All dimensions of a table together: what each row covers, which rows meet, and how a question narrows the rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final

import attrs

from .conditions import END, bic_span, bin_span, classes, eleven, is_code_class, is_mti_class
from .dimensions import Dimension, Names, Spans
from .rows import Question, Row

AMOUNT_END: Final = 2**63
"""Amounts are below this: a signed 64-bit integer holds them."""

CARDS: Final = 1
FIN: Final = 2
"""The two worlds of messages, as bits: only card messages have a card number, only FIN messages have a BIC."""

Box = tuple[int, ...]
"""A row as a product of sets: for each dimension, the cells it accepts as bits."""


@attrs.frozen
class Grid:
    """The dimensions of a table's rows; `worlds` of each row are those whose messages it can match."""

    bins: Spans[str]
    bics: Spans[str]
    amounts: Spans[int]
    institutions: Names
    types: Names
    processing_codes: Names
    currencies: Names
    worlds: tuple[int, ...]

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        """Give all dimensions, in one order."""
        names = (self.institutions, self.types, self.processing_codes, self.currencies)
        return (self.bins, self.bics, self.amounts, *names)

    def box_of(self, row: int) -> Box:
        """Give what a row covers."""
        return (self.worlds[row], *(dimension.cells_of[row] for dimension in self.dimensions))

    def near(self, row: int) -> int:
        """Give rows, as bits, among them all that overlap a row: those that meet it in its narrowest dimension."""
        return min(self.dimensions, key=lambda dimension: dimension.share_of(row)).met_by(row)

    def narrow(self) -> Iterator[Callable[[Question], int]]:
        """Give, for each dimension in which rows differ, the function from a question to the rows that accept it."""
        bins, no_pan, bics, no_bic = self.bins.rows_of, self.bins.absent, self.bics.rows_of, self.bics.absent
        amounts, institutions, types = self.amounts.rows_of, self.institutions.rows_of, self.types.rows_of
        codes, currencies = self.processing_codes.rows_of, self.currencies.rows_of
        if self.bins.is_used:
            yield lambda question: no_pan if question.pan is None else bins(question.pan)
        if self.bics.is_used:
            yield lambda question: no_bic if question.bic is None else bics(eleven(question.bic))
        if self.amounts.is_used:
            yield lambda question: amounts(question.amount_minor)
        if self.institutions.is_used:
            yield lambda question: institutions(question.institution)
        if self.types.is_used:
            yield lambda question: types(question.type)
        if self.processing_codes.is_used:
            yield lambda question: codes(question.processing_code)
        if self.currencies.is_used:
            yield lambda question: currencies(question.currency)


def cut(rows: Sequence[Row], institutions: Collection[str]) -> Grid:
    """Cut checked rows into dimensions."""
    return Grid(
        bins=Spans([[bin_span(listed) for listed in row.bins] for row in rows], ("", END), True),
        bics=Spans([[bic_span(prefix) for prefix in row.bics] for row in rows], ("", END), True),
        amounts=Spans([_amounts(row) for row in rows], (0, AMOUNT_END), False),
        institutions=Names([[(id_, "") for id_ in row.institutions] for row in rows], _no_class, institutions),
        types=Names([[classes(type_, is_mti_class) for type_ in row.types] for row in rows], _mti_class),
        processing_codes=Names(
            [[classes(code, is_code_class) for code in row.processing_codes] for row in rows], _code_class
        ),
        currencies=Names([[(currency, "") for currency in row.currencies] for row in rows], _no_class),
        worlds=tuple(worlds_of(row) for row in rows),
    )


def worlds_of(row: Row) -> int:
    """Give the worlds whose messages can match a row, as bits; 0: none can."""
    worlds = CARDS | FIN
    if row.bins or row.processing_codes:
        worlds &= CARDS
    if row.bics:
        worlds &= FIN
    if row.types:
        lengths = {len(type_) for type_ in row.types}
        worlds &= (CARDS if 4 in lengths else 0) | (FIN if 3 in lengths else 0)
    return worlds


def _amounts(row: Row) -> list[tuple[int, int]]:
    low, high = row.amount_minor_min, row.amount_minor_max
    if low is None and high is None:
        return []
    return [(low or 0, AMOUNT_END if high is None else high + 1)]


def _no_class(value: str) -> str:
    return ""


def _mti_class(type_: str) -> str:
    return type_[:-2]


def _code_class(code: str) -> str:
    return code[:2]
