"""The chain that one writer extends: taken when it begins to write, and noticed when somebody else has taken it over.

Each writer has a chain of its own, so that writers never wait for one another to be hashed. A chain whose writer has
not written for a while is given to whoever asks next, under a new epoch; the old writer sees the epoch when it locks
its head in its next batch, and takes another chain.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from .chain import NO_HASH, Head, OpenBatch
from .page import Page
from .ports import Retry

LEASE_US: Final = 60_000_000
"""How long a chain stays its writer's after its last batch."""

_CLAIMS_MAX: Final = 16

_Row = tuple[Any, ...]
Run = Callable[[str, Sequence[Any]], list[Any]]
"""Runs one statement with its parameters, each marked `?`, and gives its rows."""

HEAD: Final = "SELECT epoch, batch_n, hash FROM chain WHERE chain_id = ?"
ADVANCE: Final = "UPDATE chain SET batch_n = ?, hash = ?, lease_until_us = ? WHERE chain_id = ? AND epoch = ?"
_RELEASE: Final = "UPDATE chain SET lease_until_us = 0 WHERE chain_id = ? AND epoch = ?"
_FIND: Final = "SELECT min(chain_id) FROM chain WHERE chain_id > 0 AND (owner = ? OR lease_until_us < ?)"
_TAKE: Final = (
    "UPDATE chain SET owner = ?, epoch = epoch + 1, lease_until_us = ?"
    " WHERE chain_id = ? AND (owner = ? OR lease_until_us < ?) RETURNING epoch"
)
_CREATE: Final = (
    "INSERT INTO chain (chain_id, epoch, batch_n, hash, owner, lease_until_us)"
    " SELECT coalesce(max(chain_id), 0) + 1, 1, 0, ?, ?, ? FROM chain WHERE true"
    " ON CONFLICT (chain_id) DO NOTHING RETURNING chain_id"
)


class OwnChain:
    """The place of one writer in the chains, between its transactions and within one."""

    def __init__(self) -> None:
        self._owner = os.urandom(8).hex()
        self._chain_id: int | None = None
        self._epoch = 0
        self._batch: OpenBatch | None = None
        self._mark: tuple[int, ...] = (0, 0, 0)
        self._at_us = self._bdate = 0

    @property
    def chain_id(self) -> int | None:
        """The chain that is ours, None before one was taken."""
        return self._chain_id

    def take(self, run: Run, now_us: int) -> None:
        """Take our chain again, or one that nobody writes any more, or a new one; not within a transaction."""
        until_us = now_us + LEASE_US
        for _ in range(_CLAIMS_MAX):
            ((free,),) = run(_FIND, (self._owner, now_us))
            if free is not None:
                taken = run(_TAKE, (self._owner, until_us, free, self._owner, now_us))
                if taken:
                    self._chain_id, self._epoch = free, taken[0][0]
                    return
            else:
                made = run(_CREATE, (NO_HASH, self._owner, until_us))
                if made:
                    self._chain_id, self._epoch = made[0][0], 1
                    return
        raise Retry("every chain was taken by others")

    def begin(self, page: Page, found: Sequence[Any]) -> None:
        """Begin a batch after the head that was read under its lock; Retry when the chain is no longer ours."""
        assert self._chain_id is not None, "a chain was taken"
        if not found or found[0][0] != self._epoch:
            self._chain_id = None
            raise Retry("another writer took over the chain")
        epoch, batch_n, digest = found[0]
        self._batch = OpenBatch(Head(self._chain_id, epoch, batch_n, bytes(digest)))
        self._mark = (0, 0, 0)
        self._at_us, self._bdate = page.now_us, page.bdate
        page.chain_id, page.batch_n = self._chain_id, batch_n + 1

    def add(self, messages: Sequence[_Row], entries: Sequence[_Row], events: Sequence[_Row]) -> None:
        """Take rows that are being written into the batch."""
        assert self._batch is not None, "a batch has begun"
        self._batch.add(messages, entries, events)

    def set_savepoint(self) -> None:
        assert self._batch is not None, "a batch has begun"
        self._mark = self._batch.mark()

    def return_to_savepoint(self) -> None:
        assert self._batch is not None, "a batch has begun"
        self._batch.take_back(self._mark)

    def close(self) -> Iterator[tuple[_Row, _Row]]:
        """Give the batch's row and the values of `ADVANCE`, unless there is nothing to chain."""
        batch, self._batch = self._batch, None
        closed = None if batch is None else batch.close(self._at_us, self._bdate)
        if closed is not None:
            row, head = closed
            yield row, (head.batch_n, head.hash, self._at_us + LEASE_US, head.chain_id, head.epoch)

    def roll_back(self) -> None:
        """Forget the batch that has begun."""
        self._batch = None

    def release(self, run: Run) -> None:
        """Let the next writer have the chain at once."""
        if self._chain_id is not None:
            run(_RELEASE, (self._chain_id, self._epoch))
            self._chain_id = None
