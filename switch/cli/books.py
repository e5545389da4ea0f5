"""Open the ledger from the command line: to read it, or to commit what an operator decided."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import attrs

from ...codecs.masking import scrub
from ...config.settings import Settings
from ...ledger import Reader, Store, Vault
from ...ledger.operations import Done, Failed, Gone, Item
from ..database import open_books, open_books_to_read, open_vault
from .complaints import Complaint


@contextmanager
def reading(settings: Settings) -> Iterator[Reader]:
    """Open the books to read them; they are not changed."""
    vault = open_vault(settings)
    reader = open_books_to_read(settings, vault)
    try:
        yield reader
    finally:
        reader.close()


@contextmanager
def writing(settings: Settings) -> Iterator[tuple[Store, Vault]]:
    """Open the books for writing, beside a switch that may be running on them."""
    vault = open_vault(settings)
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
    """Give a report of the ledger as JSON values: keys in hex, values within values as objects.

    The ledger keeps nothing secret in the clear; texts that a peer or an operator wrote lose what looks like a card
    number all the same.
    """
    return attrs.asdict(report, value_serializer=_plain)


def _plain(_owner: Any, field: Any, value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, str) and field is not None and field.name in _FREE and not _UETR.fullmatch(value):
        return scrub(value)
    return value


_FREE: Final = frozenset({"reference", "name", "reason", "last_result"})
_UETR: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
