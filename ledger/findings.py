"""What verifying the books finds, and how far it has come."""

from __future__ import annotations

from collections.abc import Callable

import attrs


@attrs.frozen
class Finding(Exception):
    """The first thing that is not as it was written: what happened, to which row, and how that is known."""

    what: str
    """altered, missing, added, reordered, or unbalanced."""
    where: str
    why: str

    def __str__(self) -> str:
        return f"{self.what}: {self.where}: {self.why}"


@attrs.frozen
class Verdict:
    """How verifying ended: the first finding, or None; and how much was looked at before it."""

    finding: Finding | None
    chains: int
    batches: int
    messages: int
    entries: int
    events: int
    accounts: int
    removed: int
    """Messages whose personal part retention has removed."""


@attrs.define
class Tally:
    """What was looked at so far."""

    chains: int = 0
    batches: int = 0
    messages: int = 0
    entries: int = 0
    events: int = 0
    accounts: int = 0
    removed: int = 0


Tell = Callable[[Tally], None]
"""Is told now and then how far verifying has come."""


def tell_nobody(_: Tally) -> None:
    """Keep progress to oneself."""
