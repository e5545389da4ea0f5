"""The hash chain over what is only ever added: messages, entries and events, batch by batch, one chain per writer.

A batch's hash is SHA-256 over the hash before it, the batch's header, and the canonical bytes of each of its rows:
messages, then entries, then account events, in the order in which they were written. What retention may remove from a
message is covered by a salted digest that stays. Marks name each row, so that whoever verifies can tell which one is
not as it was.
"""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Sequence
from struct import Struct
from typing import Any, Final
from zlib import adler32

import attrs

HASH_BYTES: Final = 32
SALT_BYTES: Final = 16
NO_HASH: Final = bytes(HASH_BYTES)
"""What the first batch of a chain has before it."""

UNCHAINED: Final = 0
"""The number of the chain that holds what was written before there were chains: one batch, sealed by a migration."""

_Row = tuple[Any, ...]
_HEADER: Final = Struct(">HqqIqIQQQ")
_MESSAGE_MARK: Final = Struct(">16sI")
_PLACE_MARK: Final = Struct(">qqI")
MARK_BYTES: Final = 20
_CANONICAL_VERSION: Final = 2
"""Of marshal's format: each value by itself, without references."""


@attrs.frozen
class Form:
    """Which columns the canonical bytes of a row cover, in order; a column that is added later makes a new form."""

    message: tuple[str, ...]
    entry: tuple[str, ...]
    account_event: tuple[str, ...]


_FACTS: Final = (
    "fingerprint", "source", "destination", "type", "received_us", "trace", "processing_code", "amount", "currency",
    "stan", "rrn", "terminal",
)  # fmt: skip

FORMS: Final = {
    1: Form(
        message=(
            "idem_key", *_FACTS, "auth_code", "reference", "purpose", "bdate", "step", "result", "reason", "code",
            "sent_trace", "txn_key", "decided_us", "chain_id", "batch_n", "private_hash",
        ),
        entry=(
            "account_id", "seq", "bdate", "txn_key", "kind", "amount", "balance", "held_delta", "held", "at_us",
            "chain_id", "batch_n",
        ),
        account_event=("account_id", "seq", "bdate", "at_us", "who", "action", "reason", "change"),
    ),
}  # fmt: skip
FORM: Final = max(FORMS)
"""The form of what is written now."""


@attrs.frozen
class Head:
    """The end of a chain: its last batch and that batch's hash; `epoch` counts the writers that it had."""

    chain_id: int
    epoch: int
    batch_n: int
    hash: bytes


@attrs.frozen
class Header:
    """What a batch says of itself, apart from its rows; time in microseconds UTC, date yyyymmdd."""

    form: int
    chain_id: int
    batch_n: int
    epoch: int
    at_us: int
    bdate: int
    messages: int
    entries: int
    events: int

    def packed(self) -> bytes:
        """Give the bytes that the batch's hash covers."""
        return _HEADER.pack(*attrs.astuple(self))


def canonical(row: tuple[Any, ...]) -> bytes:
    """Write a row's values as the bytes that are hashed; a tuple of int, str, bytes and None."""
    try:
        return marshal.dumps(row, _CANONICAL_VERSION)
    except ValueError:
        return marshal.dumps(tuple(map(_plain, row)), _CANONICAL_VERSION)


def _plain(value: Any) -> Any:
    if isinstance(value, int):
        return int(value)
    return str(value) if isinstance(value, str) else value


def private_hash(salt: bytes, key: bytes, pan_masked: str | None, card_ref: bytes | None, response: bytes) -> bytes:
    """Give the digest of what retention may remove from a message; without the salt it tells nothing of it."""
    parts = marshal.dumps((salt, key, pan_masked, card_ref, response), _CANONICAL_VERSION)
    return hashlib.sha256(parts).digest()


def message_mark(key: bytes, row: bytes) -> bytes:
    """Name a message by its key and a checksum of its canonical bytes."""
    return _MESSAGE_MARK.pack(key, adler32(row))


def place_mark(account_id: int, seq: int, row: bytes) -> bytes:
    """Name an entry or event by its account and number and a checksum of its canonical bytes."""
    return _PLACE_MARK.pack(account_id, seq, adler32(row))


Key = tuple[bytes] | tuple[int, int]


def read_marks(marks: bytes, counts: Sequence[int]) -> list[list[tuple[Key, int]]]:
    """Give (key, checksum) of each message, entry and event of a batch, in their order; `counts` of each kind."""
    found: list[list[tuple[Key, int]]] = []
    start = 0
    for mark, count in zip((_MESSAGE_MARK, _PLACE_MARK, _PLACE_MARK), counts, strict=True):
        end = start + count * MARK_BYTES
        part = marks[start:end]
        found.append([(tuple(key), checksum) for *key, checksum in mark.iter_unpack(part)])
        start = end
    return found


def batch_hash(prev: bytes, header: Header, rows: Sequence[bytes]) -> bytes:
    """Give the hash of a batch after the hash before it."""
    return hashlib.sha256(b"".join((prev, header.packed(), *rows))).digest()


class OpenBatch:
    """The rows of one database transaction, on their way into the chain."""

    __slots__ = ("_marks", "_rows", "head")

    def __init__(self, head: Head) -> None:
        self.head = head
        self._rows: tuple[list[bytes], ...] = ([], [], [])
        self._marks: tuple[list[bytes], ...] = ([], [], [])

    def add(self, messages: Sequence[_Row], entries: Sequence[_Row], events: Sequence[_Row]) -> None:
        """Take in rows in the columns of today's form; a message may have more columns after them."""
        width, rows, marks = _MESSAGE_WIDTH, self._rows[0], self._marks[0]
        for row in messages:
            text = canonical(row[:width])
            rows.append(text)
            marks.append(message_mark(row[0], text))
        for kind, more in ((1, entries), (2, events)):
            rows, marks = self._rows[kind], self._marks[kind]
            for row in more:
                text = canonical(row)
                rows.append(text)
                marks.append(place_mark(row[0], row[1], text))

    def mark(self) -> tuple[int, ...]:
        """Remember what was taken in so far."""
        return tuple(map(len, self._rows))

    def take_back(self, mark: Sequence[int]) -> None:
        """Forget what was taken in since the mark."""
        for lists in (self._rows, self._marks):
            for kept, count in zip(lists, mark, strict=True):
                del kept[count:]

    def close(self, at_us: int, bdate: int) -> tuple[_Row, Head] | None:
        """Give the batch's row (`BATCH`) and the chain's new head; None when there is nothing to chain."""
        counts = self.mark()
        if not any(counts):
            return None
        head = self.head
        header = Header(FORM, head.chain_id, head.batch_n + 1, head.epoch, at_us, bdate, *counts)
        digest = batch_hash(head.hash, header, [row for rows in self._rows for row in rows])
        marks = b"".join([mark for marks in self._marks for mark in marks])
        return (*attrs.astuple(header), marks, head.hash, digest), attrs.evolve(
            head, batch_n=header.batch_n, hash=digest
        )


BATCH: Final = (*(it.name for it in attrs.fields(Header)), "marks", "prev", "hash")
"""The columns of a batch's row, in order."""

_MESSAGE_WIDTH: Final = len(FORMS[FORM].message)


def root_of(heads: Sequence[Head]) -> bytes:
    """Give one hash over the ends of all chains, in the order of their numbers."""
    ends = sorted((head.chain_id, head.batch_n, head.hash) for head in heads)
    return hashlib.sha256(marshal.dumps(tuple(ends), _CANONICAL_VERSION)).digest()
