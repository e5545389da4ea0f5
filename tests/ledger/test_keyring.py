"""Keys in the database: made, begun each month, taken over, rotated, wrapped anew and destroyed."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from junctor.codecs.masking import Pan
from junctor.ledger import StoreUnavailable, Vault
from junctor.ledger.connecting import make_engine
from junctor.ledger.keyring import FormerFiles, KeyRing
from junctor.ledger.schema import data_key
from junctor.ledger.vault import VaultFault, key_id_of, make_key_file
from key_rings import KEK, NEXT_KEK, Calendar, Keks, ring_of
from ledger_items import Bank, purchase
from sqlalchemy import select, update

PLACE: dict[str, Any] = {"table": "message", "column": "response", "row": b"k" * 16}
CARD = Pan("4761739001010119")


def states(ring: KeyRing) -> list[tuple[str, str]]:
    return sorted((row.purpose, row.state) for row in ring.report())


def test_the_first_opening_makes_the_keys_and_the_second_finds_them(database_url: str) -> None:
    vault = ring_of(database_url).open()
    sealed, card_ref = vault.seal(b"secret", **PLACE), vault.card_ref(CARD)
    again = ring_of(database_url)
    assert again.open().open(sealed, **PLACE) == b"secret"
    assert again.vault.card_ref(CARD) == card_ref
    assert states(again) == [("card-hash", "active"), ("data", "active"), ("data", "pre-active")]


def test_no_key_is_in_the_database_in_the_clear(database_url: str) -> None:
    vault = ring_of(database_url).open()
    with make_engine(database_url).connect() as connection:
        rows = connection.execute(select(data_key)).fetchall()
    assert all(len(row.wrapped) == 40 for row in rows), "32 bytes under AES-KW"
    keys = vault._keys
    assert keys is not None
    for key in (*keys.data.values(), keys.card_hash):
        assert all(key not in bytes(row.wrapped) for row in rows)


def test_a_new_month_begins_a_new_key_and_the_old_one_still_opens(database_url: str) -> None:
    calendar = Calendar()
    ring = ring_of(database_url, calendar=calendar)
    sealed = ring.open().seal(b"secret", **PLACE)
    calendar.now = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)
    assert ring.open().key_id == sealed[1:5]
    calendar.now = datetime(2026, 12, 1, 0, 0, tzinfo=UTC)
    vault = ring.open()
    assert vault.key_id != sealed[1:5]
    assert vault.open(sealed, **PLACE) == b"secret"
    assert ("data", "decrypt-only") in states(ring)


def test_a_clock_that_goes_back_begins_no_key(database_url: str) -> None:
    calendar = Calendar()
    ring = ring_of(database_url, calendar=calendar)
    key_id = ring.open().key_id
    calendar.now -= timedelta(days=40)
    assert ring.open().key_id == key_id


def test_another_node_opens_what_was_sealed_under_a_key_it_never_heard_of(database_url: str) -> None:
    one, other = ring_of(database_url), ring_of(database_url)
    one.open()
    other.open()
    for _ in range(3):
        one.rotate_data()
        assert other.vault.open(one.vault.seal(b"secret", **PLACE), **PLACE) == b"secret"


def test_nodes_that_start_together_agree_on_the_keys(database_url: str) -> None:
    rings = [ring_of(database_url) for _ in range(4)]
    starts = [threading.Thread(target=ring.open) for ring in rings]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    assert len({ring.vault.key_id for ring in rings}) == 1
    assert len({ring.vault.card_ref(CARD) for ring in rings}) == 1
    assert len(states(rings[0])) == 3


# ---------------------------------------------------------------- the key-encryption key


def test_a_key_encryption_key_is_changed_without_touching_what_is_sealed(database_url: str) -> None:
    keks = Keks(KEK)
    ring, running = ring_of(database_url, keks), ring_of(database_url, keks)
    sealed = ring.open().seal(b"secret", **PLACE)
    running.open()
    keks.keys = [NEXT_KEK, KEK]
    assert not ring.is_wrapped_anew()
    assert ring.rewrap() == 3
    assert ring.is_wrapped_anew()
    keks.keys = [NEXT_KEK]
    assert ring.rewrap() == 0, "and run again it does nothing"
    ring.rotate_data()
    assert running.vault.open(ring.vault.seal(b"newer", **PLACE), **PLACE) == b"newer"
    assert ring_of(database_url, Keks(NEXT_KEK)).open().open(sealed, **PLACE) == b"secret"
    with pytest.raises(VaultFault, match="which is not here"):
        ring_of(database_url, Keks(KEK)).open()


def test_a_wrapped_key_under_a_false_name_is_refused(database_url: str) -> None:
    ring_of(database_url).open()
    with make_engine(database_url).begin() as connection:
        rows = connection.execute(select(data_key).where(data_key.c.purpose == "data")).fetchall()
        one, other = rows
        connection.execute(update(data_key).where(data_key.c.kid == one.kid).values(wrapped=other.wrapped))
    with pytest.raises(VaultFault, match="not the one that it is said to be"):
        ring_of(database_url).open()


# ---------------------------------------------------------------- files from before


def test_key_files_of_before_are_taken_over_and_what_they_sealed_is_read(bank: Bank, tmp_path: Path) -> None:
    bank.one(purchase(1))
    files = FormerFiles(tmp_path / "data.key", tmp_path / "card.key")
    for path, key in ((files.data_key, b"d" * 32), (files.card_hash_key, b"c" * 32)):
        path.touch(mode=0o600)
        path.write_text(key.hex())
    before = Vault(b"d" * 32, b"c" * 32)
    sealed = before.seal(b"secret", **PLACE)
    vault = KeyRing(bank.url, Keks(KEK), Calendar(), former=files).open()
    assert vault.key_id == key_id_of(b"d" * 32)
    assert vault.open(sealed, **PLACE) == b"secret"
    assert vault.card_ref(CARD) == before.card_ref(CARD)
    files.data_key.unlink()
    files.card_hash_key.unlink()
    assert KeyRing(bank.url, Keks(KEK), Calendar(), former=files).open().open(sealed, **PLACE) == b"secret"


def test_books_in_use_get_no_new_keys_when_their_files_are_gone(bank: Bank, tmp_path: Path) -> None:
    bank.one(purchase(1))
    files = FormerFiles(tmp_path / "data.key", tmp_path / "card.key")
    make_key_file(files.data_key)
    with pytest.raises(VaultFault, match="the books are in use"):
        KeyRing(bank.url, Keks(KEK), Calendar(), former=files).open()
    with pytest.raises(VaultFault, match="no keys yet"):
        ring_of(bank.url).vault.renew()


# ---------------------------------------------------------------- the end of a key


def test_a_key_is_destroyed_an_hour_after_its_retirement_and_never_while_it_is_in_use(database_url: str) -> None:
    calendar = Calendar()
    ring = ring_of(database_url, calendar=calendar)
    old = ring.open().key_id
    sealed = ring.vault.seal(b"secret", **PLACE)
    new = ring.rotate_data()
    every = frozenset(row.key_id for row in ring.report())
    calendar.now += timedelta(minutes=59)
    assert ring.destroy(every) == []
    calendar.now += timedelta(minutes=1)
    assert ring.destroy(frozenset([new])) == []
    assert ring.destroy(every) == [old]
    assert ("data", "destroyed") in states(ring)
    with pytest.raises(VaultFault, match="sealed under another key"):
        ring_of(database_url).open().open(sealed, **PLACE)


def test_keys_that_cannot_be_reached_are_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        ring_of(f"postgresql://nobody@/none?host={tmp_path}").open()
    with pytest.raises(StoreUnavailable):
        ring_of(f"sqlite:///{tmp_path}/none.db").open()
