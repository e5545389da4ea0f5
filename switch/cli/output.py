"""How answers are written: tables for people, one JSON document for programs.

Whoever gives the rows has masked them; here only control characters are made harmless.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import click

from .complaints import harmless

Row = Mapping[str, Any]


@attrs.frozen
class Column:
    """One column of a table: which value of a row, under which title; numbers stand at the right."""

    key: str
    title: str
    right: bool = False
    show: Callable[[Any], str] | None = None


def write_json(document: Any) -> None:
    """Write one JSON document: on one line to a program, indented to a person."""
    click.echo(json.dumps(document, indent=2 if sys.stdout.isatty() else None, ensure_ascii=False))


def write_rows(rows: Sequence[Row], columns: Sequence[Column], *, as_json: bool, empty: str = "none") -> None:
    """Write rows as a JSON array of whole rows, or as a table of some columns; `empty` is said of no rows."""
    if as_json:
        write_json([dict(row) for row in rows])
        return
    if not rows:
        click.echo(empty)
        return
    cells = [[_cell(row, column) for column in columns] for row in rows]
    if sys.stdout.isatty():
        _write_rich(cells, columns)
    else:
        for line in aligned([[column.title for column in columns], *cells], [column.right for column in columns]):
            click.echo(line)


def write_pairs(pairs: Mapping[str, Any], *, as_json: bool) -> None:
    """Write named values: a JSON object, or one aligned line each."""
    if as_json:
        write_json(dict(pairs))
        return
    for line in aligned([[f"{name}:", _text(value)] for name, value in pairs.items()], [False, False]):
        click.echo(line)


def aligned(cells: Sequence[Sequence[str]], right: Sequence[bool]) -> list[str]:
    """Pad cells so that columns stand under one another, two spaces apart."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for row in cells:
        padded = [
            cell.rjust(width) if at_right else cell.ljust(width)
            for cell, width, at_right in zip(row, widths, right, strict=True)
        ]
        lines.append("  ".join(padded).rstrip())
    return lines


def _cell(row: Row, column: Column) -> str:
    value = row.get(column.key)
    return harmless(column.show(value)) if column.show is not None and value is not None else _text(value)


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return harmless(str(value))


def _write_rich(cells: Sequence[Sequence[str]], columns: Sequence[Column]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column.title, justify="right" if column.right else "left", overflow="fold")
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)
