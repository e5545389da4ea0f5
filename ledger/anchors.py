"""Anchors: the ends of all chains at one moment, to be kept where nobody who can change the books can change them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import attrs
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from .anchor_rows import head_in
from .chain import HASH_BYTES, Head, root_of
from .connecting import make_engine
from .operations import StoreUnavailable
from .ports import Limits
from .schema import business_day, chain

ANCHOR_BYTES_MAX: Final = 16_000_000
_COLUMNS: Final = tuple(it.name for it in attrs.fields(Head))


class AnchorFault(Exception):
    """A file that is no anchor."""


@attrs.frozen
class Anchor:
    """The ends of all chains, the open business day (yyyymmdd) beside them, and one hash over the ends."""

    bdate: int
    heads: tuple[Head, ...]

    @property
    def root(self) -> bytes:
        return root_of(self.heads)


def read_anchor(url: str, limits: Limits | None = None) -> Anchor:
    """Read the ends of all chains as they are now; StoreUnavailable when the books cannot be read."""
    try:
        with make_engine(url, limits, reading=True).connect() as connection, connection.begin():
            found = connection.execute(select(*(chain.c[it] for it in _COLUMNS)).order_by(chain.c.chain_id))
            heads = tuple(head_in(tuple(row)) for row in found)
            bdate = connection.execute(
                select(func.max(business_day.c.bdate)).where(business_day.c.state == 0)
            ).scalar()
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        raise StoreUnavailable(f"the books cannot be read: {type(cause).__name__}") from None
    return Anchor(bdate or 0, heads)


def write_anchor(anchor: Anchor) -> str:
    """Write an anchor as a JSON document."""
    heads = [{**attrs.asdict(head), "hash": head.hash.hex()} for head in anchor.heads]
    return json.dumps({"bdate": anchor.bdate, "root": anchor.root.hex(), "heads": heads}, indent=1) + "\n"


def parse_anchor(text: str) -> Anchor:
    """Read an anchor from its JSON document; AnchorFault when it is none, or was changed."""
    try:
        tree = json.loads(text)
        anchor = Anchor(_number(tree["bdate"]), tuple(_heads(tree["heads"])))
        root = bytes.fromhex(tree["root"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise AnchorFault("the file is no anchor") from None
    if root != anchor.root:
        raise AnchorFault("the anchor's root is not that of its ends")
    return anchor


def _heads(trees: Sequence[Any]) -> list[Head]:
    heads = []
    for tree in trees:
        digest = bytes.fromhex(tree["hash"])
        if len(digest) != HASH_BYTES:
            raise ValueError("a hash has 32 bytes")
        heads.append(Head(_number(tree["chain_id"]), _number(tree["epoch"]), _number(tree["batch_n"]), digest))
    return heads


def _number(value: Any) -> int:
    if type(value) is not int:
        raise ValueError("a number is an integer")
    return value
