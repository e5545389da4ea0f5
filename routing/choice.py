"""The choice of a link for a road, from a snapshot of the links that are up."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ..codecs.values import often
from .rows import LEDGER, Road


@often
class Choice:
    """Where a payment goes now. link: None for our own books. is_alternate: not the road's first destination."""

    destination: str
    link: str | None
    is_alternate: bool


def choose(road: Road, live: Mapping[str, tuple[str, ...]], tried: Collection[str] = ()) -> Choice | None:
    """Choose the first destination with a signed-on link, and its first link; None when none is alive.

    live: names of signed-on links by institution, the one to be used first in front. tried: links that have refused
    already. `ledger` needs no link.
    """
    for index, destination in enumerate(road.destinations):
        if destination == LEDGER:
            return Choice(destination, None, index > 0)
        for link in live.get(destination, ()):
            if link not in tried:
                return Choice(destination, link, index > 0)
    return None
