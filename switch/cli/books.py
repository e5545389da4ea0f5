"""Open the ledger from the command line: to read it, or to commit what an operator decided."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs

from ...config.settings import Settings
from ...ledger import Reader, Store, Vault
from ...ledger.operations import Done, Failed, Gone, Item
from ..database import check_schema, open_books, open_books_to_read, open_vault
from .complaints import Complaint


@contextmanager
def reading(settings: Settings) -> Iterator[Reader]:
    """Open the books to read them; they are not changed."""
    vault = open_vault(settings)
    check_schema(settings)
    reader = open_books_to_read(settings, vault)
    try:
        yield reader
    finally:
        reader.close()


@contextmanager
def writing(settings: Settings) -> Iterator[tuple[Store, Vault]]:
    """Open the books for writing, beside a switch that may be running on them."""
    vault = open_vault(settings)
    check_schema(settings)
    store = open_books(settings, vault)
    try:
        yield store, vault
    finally:
        store.close()


def carry_out(store: Store, item: Item, missing: str) -> Done:
    """Commit one item that an operator asked for; a Complaint when it fails, or when what it names is not there."""
    (outcome,) = store.commit([item])
    if isinstance(outcome, Gone):
        raise Complaint(missing)
    if isinstance(outcome, Failed):
        raise Complaint(outcome.why)
    assert isinstance(outcome, Done), "an operator's item is done, gone or failed"
    return outcome


def tell(report: Any) -> dict[str, Any]:
    """Give a report of the ledger as JSON values: keys in hex, values within values flattened as objects."""
    return attrs.asdict(report, value_serializer=_plain)


def _plain(_owner: Any, _field: Any, value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value
