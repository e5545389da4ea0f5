"""The key ring: the keys in the database, each wrapped under a key-encryption key, from their making to their end.

A key is pre-active, then active (it seals), then decrypt-only (it opens what it sealed), then destroyed. One data key
is active, and one waits pre-active, so that every node knows it before it seals. The key that hashes card numbers is
kept the same way, and stays: nobody has the numbers to hash them anew.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

import attrs
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from .connecting import make_engine
from .keks import Kek, KekSource, read_key_file
from .operations import StoreUnavailable
from .ports import Limits
from .schema import card, data_key, message
from .vault import KEY_BYTES, Keys, Vault, VaultFault, key_id_of

DATA: Final = "data"
CARD_HASH: Final = "card-hash"
DESTROY_AFTER_S: Final = 3_600
"""How long a key must have been out of use before it may be destroyed: nodes learn of a new one within a minute."""


class KeyState(IntEnum):
    """Where a key stands."""

    PRE_ACTIVE = 0
    ACTIVE = 1
    DECRYPT_ONLY = 2
    DESTROYED = 3


@attrs.frozen
class KeyReport:
    """A key as it may be shown; times in microseconds UTC."""

    key_id: bytes
    purpose: str
    state: str
    kek_id: bytes
    created_us: int
    activated_us: int | None
    retired_us: int | None
    destroyed_us: int | None


@attrs.frozen
class FormerFiles:
    """Key files from before there was a key ring: taken over into it the first time, when they are there."""

    data_key: Path
    card_hash_key: Path


class _Overtaken(Exception):
    """Another node changed the keys first."""


class KeyRing:
    """The keys of one database. Every method opens a connection of its own, and may raise StoreUnavailable.

    now: gives the time, aware, UTC.
    """

    def __init__(
        self,
        url: str,
        keks: KekSource,
        now: Callable[[], datetime],
        limits: Limits | None = None,
        former: FormerFiles | None = None,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._url = url
        self._limits = limits
        self._source = keks
        self._keks: dict[bytes, Kek] = {}
        self._first: Kek | None = None
        self._known: dict[bytes, bytes] = {}
        self._now = now
        self._former = former
        self._random = random
        self.vault = Vault.learning(self._learn)
        """The vault that seals and opens with these keys; it has none before `open`."""

    # ------------------------------------------------------------ having keys

    def open(self) -> Vault:
        """Make what keys are missing, begin a new data key when a month has, and give the vault with all of them.

        VaultFault when a key cannot be unwrapped, or when the books are in use and their keys are not here.
        """
        with self._reading() as connection:
            rows = _rows(connection)
        if not rows or self._is_of_another_month(rows):
            # Unless another node is faster: its keys are as good.
            with suppress(IntegrityError, _Overtaken), self._transaction() as connection:
                rows = _rows(connection)
                if not rows:
                    self._begin(connection)
                elif self._is_of_another_month(rows):
                    self._rotate(connection, rows)
        self.vault.renew()
        return self.vault

    def check_source(self) -> None:
        """Read the key-encryption keys; VaultFault or OSError when they cannot be used."""
        self._read_source()

    def report(self) -> list[KeyReport]:
        """Tell every key that there is or was, the oldest first."""
        with self._reading() as connection:
            rows = _rows(connection)
        return [
            KeyReport(
                bytes(row.kid),
                row.purpose,
                KeyState(row.state).name.lower().replace("_", "-"),
                bytes(row.kek),
                row.created_us,
                row.activated_us,
                row.retired_us,
                row.destroyed_us,
            )
            for row in rows
        ]

    # ------------------------------------------------------------ rotation

    def rotate_data(self) -> bytes:
        """Begin sealing under the data key that waits, make another to wait, and give the new one's id."""
        with suppress(IntegrityError, _Overtaken), self._transaction() as connection:
            self._rotate(connection, _rows(connection))
        self.vault.renew()
        return self.vault.key_id

    def rewrap(self) -> int:
        """Wrap every key under the key-encryption key in use, in one commit; gives how many were not yet."""
        self._read_source()
        first = self._first
        assert first is not None, "a source has a first key"
        with self._transaction() as connection:
            stale = [row for row in _rows(connection) if row.wrapped is not None and bytes(row.kek) != first.kek_id]
            for row in stale:
                wrapped = first.wrap(self._unwrap(row))
                change = update(data_key).where(data_key.c.kid == row.kid)
                connection.execute(change.values(kek=first.kek_id, wrapped=wrapped))
        return len(stale)

    def is_wrapped_anew(self) -> bool:
        """Tell whether every key is wrapped under the key-encryption key in use."""
        self._read_source()
        assert self._first is not None, "a source has a first key"
        return self.kek_ids() <= {self._first.kek_id}

    def kek_ids(self) -> frozenset[bytes]:
        """Give the ids of the key-encryption keys under which something is wrapped."""
        with self._reading() as connection:
            return frozenset(bytes(row.kek) for row in _rows(connection) if row.wrapped is not None)

    def destroy(self, key_ids: frozenset[bytes]) -> list[bytes]:
        """Destroy these decrypt-only keys, save those retired within the last hour; gives which were destroyed.

        What is still sealed under them can never be opened again: the caller has looked.
        """
        now_us = self._now_us()
        with self._transaction() as connection:
            ended = [
                bytes(row.kid)
                for row in _rows(connection)
                if bytes(row.kid) in key_ids
                and row.state == KeyState.DECRYPT_ONLY
                and row.retired_us <= now_us - DESTROY_AFTER_S * 1_000_000
            ]
            for kid in ended:
                change = update(data_key).where(data_key.c.kid == kid)
                connection.execute(change.values(state=int(KeyState.DESTROYED), wrapped=None, destroyed_us=now_us))
        return ended

    # ------------------------------------------------------------ inside

    def _learn(self) -> Keys:
        with self._reading() as connection:
            rows = [row for row in _rows(connection) if row.wrapped is not None]
        for row in rows:
            kid = bytes(row.kid)
            if kid not in self._known:
                key = self._unwrap(row)
                if key_id_of(key) != kid:
                    raise VaultFault("a wrapped key is not the one that it is said to be")
                self._known[kid] = key
        data = {bytes(row.kid): self._known[bytes(row.kid)] for row in rows if row.purpose == DATA}
        active = {row.purpose: bytes(row.kid) for row in rows if row.state == KeyState.ACTIVE}
        if DATA not in active or CARD_HASH not in active:
            raise VaultFault("the books have no keys yet")
        return Keys(data, active[DATA], self._known[active[CARD_HASH]])

    def _begin(self, connection: Connection) -> None:
        """Make the first keys, or take over those of the files from before."""
        former = [
            read_key_file(path, 1)[0] if path is not None and path.exists() else None
            for path in (
                self._former.data_key if self._former else None,
                self._former.card_hash_key if self._former else None,
            )
        ]
        if None in former and _is_in_use(connection):
            raise VaultFault("the books are in use, and the key files under which they were are not there")
        data, card_hash = (key or self._random(KEY_BYTES) for key in former)
        if data == card_hash:
            raise VaultFault("the data key and the card hash key are the same")
        self._insert(connection, CARD_HASH, KeyState.ACTIVE, card_hash)
        self._insert(connection, DATA, KeyState.ACTIVE, data)
        self._insert(connection, DATA, KeyState.PRE_ACTIVE, self._random(KEY_BYTES))

    def _is_of_another_month(self, rows: Sequence[Any]) -> bool:
        active = _one(rows, KeyState.ACTIVE)
        begun, now = datetime.fromtimestamp(active.activated_us / 1_000_000, UTC), self._now()
        return (begun.year, begun.month) < (now.year, now.month)

    def _rotate(self, connection: Connection, rows: Sequence[Any]) -> None:
        now_us = self._now_us()
        active, waiting = _one(rows, KeyState.ACTIVE), _one(rows, KeyState.PRE_ACTIVE)
        for row, values in (
            (active, {"state": int(KeyState.DECRYPT_ONLY), "retired_us": now_us}),
            (waiting, {"state": int(KeyState.ACTIVE), "activated_us": now_us}),
        ):
            # Another node may have rotated since the rows were read: then nothing matches, and its keys are as good.
            change = update(data_key).where(data_key.c.kid == row.kid, data_key.c.state == row.state)
            if connection.execute(change.values(**values)).rowcount != 1:
                raise _Overtaken
        self._insert(connection, DATA, KeyState.PRE_ACTIVE, self._random(KEY_BYTES))

    def _insert(self, connection: Connection, purpose: str, state: KeyState, key: bytes) -> None:
        self._read_source()
        assert self._first is not None, "a source has a first key"
        now_us = self._now_us()
        connection.execute(
            insert(data_key).values(
                kid=key_id_of(key),
                purpose=purpose,
                state=int(state),
                kek=self._first.kek_id,
                wrapped=self._first.wrap(key),
                created_us=now_us,
                activated_us=now_us if state is KeyState.ACTIVE else None,
            )
        )

    def _unwrap(self, row: Any) -> bytes:
        kek = self._keks.get(bytes(row.kek))
        if kek is None:
            self._read_source()
            kek = self._keks.get(bytes(row.kek))
        if kek is None:
            raise VaultFault(f"a key is wrapped under key-encryption key {bytes(row.kek).hex()}, which is not here")
        return kek.unwrap(bytes(row.wrapped))

    def _read_source(self) -> None:
        keks = self._source.read()
        self._first = keks[0]
        self._keks = {kek.kek_id: kek for kek in keks}

    def _now_us(self) -> int:
        return int(self._now().timestamp() * 1_000_000)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with _reaching(), make_engine(self._url, self._limits).begin() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _reaching(), make_engine(self._url, self._limits, reading=True).connect() as connection:
            yield connection


def _rows(connection: Connection) -> Sequence[Any]:
    return connection.execute(select(data_key).order_by(data_key.c.created_us, data_key.c.kid)).fetchall()


def _one(rows: Sequence[Any], state: KeyState) -> Any:
    found = [row for row in rows if row.purpose == DATA and row.state == state]
    if len(found) != 1:
        raise VaultFault(f"the books have {len(found)} data keys that are {state.name.lower().replace('_', '-')}")
    return found[0]


def _is_in_use(connection: Connection) -> bool:
    """Tell whether anything was sealed or hashed under a key before."""
    return any(connection.execute(select(table).limit(1)).first() is not None for table in (card, message))


@contextmanager
def _reaching() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise
    except DBAPIError as error:
        said = str(error.orig).partition("\n")[0]
        raise StoreUnavailable(f"the keys cannot be read: {said}") from None
