"""Lists written as PostgreSQL array literals: many times cheaper than a driver's own dumper.

A whole column is written by a few calls over all its values, where they are of one kind; a mixed one value by value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final


def integers(values: Sequence[Any]) -> str:
    """Write integers, booleans, or None."""
    if set(map(type, values)) == {int}:
        return "{" + repr(list(values))[1:-1] + "}"
    return "{" + ",".join(["NULL" if value is None else str(int(value)) for value in values]) + "}"


def booleans(values: Sequence[Any]) -> str:
    """Write truth values."""
    return "{" + ",".join(["t" if value else "f" for value in values]) + "}"


def blobs(values: Sequence[Any]) -> str:
    """Write bytes, or None."""
    try:
        joined = b"".join(values)
    except TypeError:
        return "{" + ",".join(["NULL" if value is None else f'"\\\\x{value.hex()}"' for value in values]) + "}"
    size = len(values[0]) if values else 0
    if size and set(map(len, values)) == {size}:
        return '{"\\\\x' + joined.hex(",", size).replace(",", '","\\\\x') + '"}'
    return "{" + ",".join([f'"\\\\x{value.hex()}"' for value in values]) + "}"


def texts(values: Sequence[Any]) -> str:
    """Write texts, or None."""
    nones = values.count(None)
    if nones:
        if nones == len(values):
            return "{" + "NULL," * (nones - 1) + "NULL}"
        return "{" + ",".join(["NULL" if value is None else _quoted(value) for value in values]) + "}"
    joined = '","'.join(values)
    if "\\" in joined or joined.count('"') != max(0, 2 * len(values) - 2):
        return "{" + ",".join([_quoted(value) for value in values]) + "}"
    return '{"' + joined + '"}' if values else "{}"


def _quoted(text: str) -> str:
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


BY_TYPE: Final[dict[str, Callable[[Sequence[Any]], str]]] = {
    "bigint": integers,
    "integer": integers,
    "smallint": integers,
    "boolean": booleans,
    "bytea": blobs,
    "text": texts,
}
"""How a list is written, by the type of its elements."""
