"""Key rings for tests: a key-encryption key of a test's own, and a clock that it sets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from junctor.ledger.keks import Kek, SoftKek
from junctor.ledger.keyring import KeyRing

KEK, NEXT_KEK = b"k" * 32, b"n" * 32


class Keks:
    """A source that gives what it is told to."""

    def __init__(self, *keys: bytes) -> None:
        self.keys = list(keys)

    def read(self) -> Sequence[Kek]:
        return [SoftKek(key) for key in self.keys]


class Calendar:
    """A clock that stands still."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def ring_of(url: str, keks: Keks | None = None, calendar: Calendar | None = None) -> KeyRing:
    return KeyRing(url, keks or Keks(KEK), calendar or Calendar())
