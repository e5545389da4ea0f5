"""The hash chain over what is only ever added: messages and entries, batch by batch, one chain per writer.

A batch's hash is SHA-256 over the hash before it, the batch's header, and the canonical bytes of each of its rows:
messages, then entries, in the order in which they were written. What retention may remove from a message is covered
by a salted digest that stays. Marks name each row, so that whoever verifies can tell which one is not as it was.
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
_HEADER: Final = Struct(">HqqIqIQQ")
_MESSAGE_MARK: Final = Struct(">16sI")
_ENTRY_MARK: Final = Struct(">qqI")
MARK_BYTES: Final = 20
_CANONICAL_VERSION: Final = 2
"""Of marshal's format: each value by itself, without references."""


@attrs.frozen
class Form:
    """Which columns the canonical bytes of a row cover, in order; a column that is added later makes a new form."""

    message: tuple[str, ...]
    entry: tuple[str, ...]


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


def entry_mark(account_id: int, seq: int, row: bytes) -> bytes:
    """Name an entry by its place and a checksum of its canonical bytes."""
    return _ENTRY_MARK.pack(account_id, seq, adler32(row))


def read_marks(marks: bytes, messages: int) -> tuple[list[tuple[bytes, int]], list[tuple[tuple[int, int], int]]]:
    """Give (key, checksum) of each message and (place, checksum) of each entry of a batch, in their order."""
    border = messages * MARK_BYTES
    of_messages = [(key, checksum) for key, checksum in _MESSAGE_MARK.iter_unpack(marks[:border])]
    of_entries = [
        ((account_id, seq), checksum) for account_id, seq, checksum in _ENTRY_MARK.iter_unpack(marks[border:])
    ]
    return of_messages, of_entries


def batch_hash(prev: bytes, header: Header, rows: Sequence[bytes]) -> bytes:
    """Give the hash of a batch after the hash before it."""
    return hashlib.sha256(b"".join((prev, header.packed(), *rows))).digest()


class OpenBatch:
    """The rows of one database transaction, on their way into the chain."""

    __slots__ = ("_entries", "_entry_marks", "_message_marks", "_messages", "head")

    def __init__(self, head: Head) -> None:
        self.head = head
        self._messages: list[bytes] = []
        self._message_marks: list[bytes] = []
        self._entries: list[bytes] = []
        self._entry_marks: list[bytes] = []

    def add(self, messages: Sequence[_Row], entries: Sequence[_Row]) -> None:
        """Take in rows in the columns of the form of today; a row of messages may have more columns after them."""
        width = _MESSAGE_WIDTH
        for row in messages:
            text = canonical(row[:width])
            self._messages.append(text)
            self._message_marks.append(_MESSAGE_MARK.pack(row[0], adler32(text)))
        for row in entries:
            text = canonical(row)
            self._entries.append(text)
            self._entry_marks.append(_ENTRY_MARK.pack(row[0], row[1], adler32(text)))

    def mark(self) -> tuple[int, int]:
        """Remember what was taken in so far."""
        return len(self._messages), len(self._entries)

    def take_back(self, mark: tuple[int, int]) -> None:
        """Forget what was taken in since the mark."""
        del self._messages[mark[0] :], self._message_marks[mark[0] :]
        del self._entries[mark[1] :], self._entry_marks[mark[1] :]

    def close(self, at_us: int, bdate: int) -> tuple[_Row, Head] | None:
        """Give the batch's row (`BATCH`) and the chain's new head; None when there is nothing to chain."""
        if not self._messages and not self._entries:
            return None
        head = self.head
        header = Header(
            FORM, head.chain_id, head.batch_n + 1, head.epoch, at_us, bdate, len(self._messages), len(self._entries)
        )
        digest = batch_hash(head.hash, header, (*self._messages, *self._entries))
        marks = b"".join((*self._message_marks, *self._entry_marks))
        row = (head.chain_id, header.batch_n, FORM, head.epoch, at_us, bdate, header.messages, header.entries)
        return (*row, marks, head.hash, digest), Head(head.chain_id, head.epoch, header.batch_n, digest)


BATCH: Final = (
    "chain_id", "batch_n", "form", "epoch", "at_us", "bdate", "messages", "entries", "marks", "prev", "hash",
)  # fmt: skip
"""The columns of a batch's row, in order."""

_MESSAGE_WIDTH: Final = len(FORMS[FORM].message)


def root_of(heads: Sequence[Head]) -> bytes:
    """Give one hash over the ends of all chains, in the order of their numbers."""
    ends = sorted((head.chain_id, head.batch_n, head.hash) for head in heads)
    return hashlib.sha256(marshal.dumps(tuple(ends), _CANONICAL_VERSION)).digest()
