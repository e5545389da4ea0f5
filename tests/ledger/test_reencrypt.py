"""What is sealed is sealed anew: all of it, beside a working switch, from wherever a stop left it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from junctor.ledger import Store, open_store
from junctor.ledger.keyring import KeyRing
from junctor.ledger.operations import Answered, Attempt, Decided, Done, Silence, Silenced
from junctor.ledger.reencrypt import SEALED, count_sealed, reencrypt
from junctor.ledger.schema import metadata
from key_rings import KEK, Calendar, Keks, ring_of
from ledger_items import Bank, dispatch, purchase
from sqlalchemy import LargeBinary

MESSAGES = 40


@pytest.fixture
def ring(database_url: str) -> KeyRing:
    ring = ring_of(database_url)
    ring.open()
    return ring


@pytest.fixture
def busy(ring: KeyRing, database_url: str) -> Iterator[Bank]:
    """A bank with something sealed in every place, under the ring's first key."""
    store: Store = open_store(database_url, ring.vault)
    bank = Bank(store, database_url, ring.vault)
    bank.open("anna", 100_000)
    bank.open("shop", kind="settlement", floor_minor=None)
    bank.open("blue", kind="settlement", institution="blue", floor_minor=-50_000)
    for number in range(MESSAGES):
        assert isinstance(bank.one(purchase(number, 1)), Decided)
    for number in range(900, 903):
        bank.one(dispatch(number))
    yield bank
    store.close()


def test_everything_is_sealed_under_the_key_in_use(busy: Bank, ring: KeyRing) -> None:
    assert isinstance(busy.one(Silence(dispatch(900).facts.key)), Silenced)
    old = ring.vault.key_id
    before = count_sealed(busy.url)
    assert set(before) == {old}
    new = ring.rotate_data()
    steps = list(reencrypt(busy.url, ring.vault, most=7))
    assert max(steps) == 7
    assert count_sealed(busy.url) == {new: before[old]}
    assert sum(steps) == before[old]
    for number in range(MESSAGES):
        assert isinstance(busy.one(purchase(number, 1)), Answered), "what was stored is what is read"
    assert list(reencrypt(busy.url, ring.vault)) == []


_IN_THE_CLEAR = {
    "idem_key", "fingerprint", "card_ref", "txn_key", "private_hash", "salt", "reversal_settles", "legs", "entries",
    "reversal_key", "key", "original", "approval_id", "hash", "marks", "prev", "root", "origin", "settles", "kid",
    "kek", "wrapped",
}  # fmt: skip
"""Columns of bytes that hold names, digests, salts, places and amounts."""


def test_no_column_with_sealed_values_is_passed_over() -> None:
    of_bytes = {
        (table.name, column.name)
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary) and column.name not in _IN_THE_CLEAR
    }
    assert of_bytes == {(sealed.table.name, sealed.column.name) for sealed in SEALED}


def test_a_switch_that_still_seals_under_the_old_key_is_caught_up_with(busy: Bank, ring: KeyRing) -> None:
    other = ring_of(busy.url)
    other.open()
    other.rotate_data()
    list(reencrypt(busy.url, other.vault))
    assert isinstance(busy.one(purchase(700, 1)), Decided)
    assert isinstance(busy.one(purchase(1, 1)), Answered), "and it reads what was sealed under the new one"
    assert sum(reencrypt(busy.url, other.vault)) == 1
    assert set(count_sealed(busy.url)) == {other.vault.key_id}


def test_a_delivery_that_is_sent_meanwhile_is_not_disturbed(busy: Bank, ring: KeyRing) -> None:
    silenced = busy.one(Silence(dispatch(900).facts.key))
    assert isinstance(silenced, Silenced)
    (lane,) = silenced.lanes
    before = busy.see(lambda reader: reader.lane_head(lane))
    assert before is not None
    ring.rotate_data()
    steps = reencrypt(busy.url, ring.vault, most=1)
    next(steps)
    assert isinstance(busy.one(Attempt(lane, before.seq, 5)), Done)
    list(steps)
    after = busy.see(lambda reader: reader.lane_head(lane))
    assert after is not None
    assert (after.body, after.attempts) == (before.body, 1)


_KILLED = """
import sys
sys.path[:0] = [{support!r}]
from junctor.ledger.reencrypt import reencrypt
from key_rings import ring_of
for done in reencrypt({url!r}, ring_of({url!r}).open(), most=3):
    print(done, flush=True)
"""


def test_a_run_that_was_killed_goes_on_where_it_was(busy: Bank, ring: KeyRing) -> None:
    total = sum(count_sealed(busy.url).values())
    new = ring.rotate_data()
    program = _KILLED.format(support=os.path.dirname(sys.modules["key_rings"].__file__ or ""), url=busy.url)
    killed = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert killed.stdout is not None
    with killed:
        assert [killed.stdout.readline() for _ in range(2)] == [b"3\n", b"3\n"]
        killed.send_signal(signal.SIGKILL)
    half = count_sealed(busy.url)
    assert half[new] >= 6
    for number in range(MESSAGES):
        assert isinstance(busy.one(purchase(number, 1)), Answered), "whatever is half done is read"
    rest = sum(reencrypt(busy.url, ring_of(busy.url, Keks(KEK), Calendar()).open()))
    assert rest == total - half[new]
    assert count_sealed(busy.url) == {new: total}
