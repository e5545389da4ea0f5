"""The ends of all chains as rows, where a business day is closed."""

from __future__ import annotations

from typing import Any, Final

import attrs

from .chain import Head, root_of
from .page import Page

Row = tuple[Any, ...]

ENDS: Final = "SELECT chain_id, epoch, batch_n, hash FROM chain"
ANCHOR: Final = ("bdate", "chain_id", "epoch", "batch_n", "hash")


def head_in(row: Row) -> Head:
    """Read the end of a chain."""
    chain_id, epoch, batch_n, digest = row
    return Head(chain_id, epoch, batch_n, bytes(digest))


def anchors_out(page: Page) -> list[Row]:
    """Give the ends of all chains for each business day that is closed."""
    return [(row.bdate, *attrs.astuple(head)) for _, row in page.days.updated() for head in page.heads]


def roots_out(page: Page) -> list[Row]:
    """Give each business day that is closed, and the hash over the ends of all chains."""
    return [(row.bdate, root_of(page.heads)) for _, row in page.days.updated()]
