"""Verifying the books: every chain from its first batch, every row under its hash, every balance against its entries.

Reads one state of the books beside whoever writes them, in bounded memory, and stops at the first finding.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, Final
from zlib import adler32

import attrs
from sqlalchemy import Connection, Row, Table, func, select, tuple_
from sqlalchemy.exc import SQLAlchemyError

from .anchor_rows import ANCHOR, head_in
from .chain import (
    BATCH,
    FORMS,
    MARK_BYTES,
    NO_HASH,
    UNCHAINED,
    Head,
    Header,
    Key,
    batch_hash,
    canonical,
    private_hash,
    read_marks,
    root_of,
)
from .connecting import make_engine
from .findings import Finding, Tally, Tell, Verdict, tell_nobody
from .operations import StoreUnavailable
from .ports import Limits
from .schema import account_event, anchor, business_day, chain, entry, journal_batch, message
from .soundness import check_sound, pages
from .vault import Vault, VaultFault

_BATCHES_AT_ONCE: Final = 16
_KEYS_AT_ONCE: Final = 400
"""Below the databases' limits on parameters."""

_TABLES: Final = (message, entry, account_event)
_HEADER_WIDTH: Final = len(attrs.fields(Header))
_PRIVATE: Final = ("salt", "pan_masked", "card_ref", "response")


def verify(
    url: str,
    vault: Vault,
    limits: Limits | None = None,
    *,
    anchors: Sequence[Head] = (),
    tell: Tell = tell_nobody,
) -> Verdict:
    """Verify the whole books; `anchors`: ends that chains are known to have had. StoreUnavailable when unreadable."""
    limits = attrs.evolve(limits or Limits(), statement_timeout_s=0)  # a sum over everything takes its time
    tally = Tally()
    try:
        with make_engine(url, limits, reading=True).connect() as connection, connection.begin():
            try:
                _Walk(connection, vault, anchors, tally, tell).check()
                check_sound(connection, tally, tell)
            except Finding as finding:
                return Verdict(finding, **attrs.asdict(tally))
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        raise StoreUnavailable(f"the books cannot be read: {type(cause).__name__}") from None
    return Verdict(None, **attrs.asdict(tally))


class _Walk:
    """One walk over all chains."""

    def __init__(
        self, connection: Connection, vault: Vault, anchors: Sequence[Head], tally: Tally, tell: Tell
    ) -> None:
        self._run = connection.execute
        self._vault = vault
        self._tally = tally
        self._tell = tell
        self._anchors: dict[int, dict[int, bytes]] = {}
        self._expect(anchors)
        self._counted = [0, 0, 0]

    def _expect(self, heads: Sequence[Head]) -> None:
        for head in heads:
            self._anchors.setdefault(head.chain_id, {})[head.batch_n] = head.hash

    def check(self) -> None:
        self._check_days()
        for head in self._run(select(chain).order_by(chain.c.chain_id)).all():
            if head.chain_id == UNCHAINED:
                self._check_unchained(head)
            else:
                self._check_chain(head)
            self._tally.chains += 1
        for chain_id, ends in sorted(self._anchors.items()):
            if ends:
                raise Finding("missing", f"batch {chain_id}/{min(ends)}", "an anchor names it")
        stray = self._run(
            select(journal_batch.c.chain_id).where(journal_batch.c.chain_id.not_in(select(chain.c.chain_id))).limit(1)
        ).first()
        if stray is not None:
            raise Finding("missing", f"chain {stray.chain_id}", "it has batches, and no end")
        self._check_nothing_added()

    def _check_days(self) -> None:
        """Expect of the chains what each closed day's anchor says."""
        closed = select(business_day.c.bdate, business_day.c.root).where(business_day.c.root.is_not(None))
        roots = {row.bdate: row.root for row in self._run(closed)}
        heads: dict[int, list[Head]] = {bdate: [] for bdate in roots}
        for row in self._run(select(*(anchor.c[it] for it in ANCHOR)).order_by(anchor.c.bdate)):
            heads.setdefault(row.bdate, []).append(head_in(tuple(row)[1:]))
        for bdate, ends in heads.items():
            if root_of(ends) != roots.get(bdate):
                raise Finding("altered", f"anchor of {bdate}", "it does not have the day's root")
            self._expect([end for end in ends if end.batch_n])

    # ------------------------------------------------------------ one chain

    def _check_chain(self, head: Row[Any]) -> None:
        last_n, last_hash = 0, NO_HASH
        for some in self._batches(head.chain_id):
            for batch, marks in some:
                n = batch.batch_n
                where = f"batch {head.chain_id}/{n}"
                if n != last_n + 1:
                    raise Finding("missing", f"batch {head.chain_id}/{last_n + 1}", f"the next one is {n}")
                if n > head.batch_n:
                    raise Finding("added", where, f"the chain ends at {head.batch_n}")
                if batch.prev != last_hash:
                    raise Finding("altered", where, "it does not follow from the batch before it")
                self._check_batch(batch, marks, where)
                last_n, last_hash = n, batch.hash
                self._check_anchor(head.chain_id, n, batch.hash)
                self._tally.batches += 1
            self._tell(self._tally)
        if last_n != head.batch_n:
            raise Finding("missing", f"batch {head.chain_id}/{last_n + 1}", f"the chain ends at {head.batch_n}")
        if last_hash != head.hash:
            raise Finding("altered", f"chain {head.chain_id}", "its end is not the hash of its last batch")

    def _check_anchor(self, chain_id: int, n: int, digest: bytes) -> None:
        if self._anchors.get(chain_id, {}).pop(n, digest) != digest:
            raise Finding("altered", f"batch {chain_id}/{n}", "its hash is not the anchored one")

    def _batches(self, chain_id: int) -> Iterator[list[tuple[Row[Any], list[list[tuple[Key, int]]]]]]:
        """Give a few batches at a time, with their marks."""
        of_chain = select(journal_batch).where(journal_batch.c.chain_id == chain_id)
        for some in pages(self._run, of_chain, (journal_batch.c.batch_n,), _BATCHES_AT_ONCE):
            found = []
            for batch in some:
                counts = (batch.messages, batch.entries, batch.events)
                if len(batch.marks) != sum(counts) * MARK_BYTES or batch.form not in FORMS:
                    raise Finding("altered", f"batch {chain_id}/{batch.batch_n}", "its marks do not fit its counts")
                found.append((batch, read_marks(batch.marks, counts)))
            yield found

    def _check_batch(self, batch: Row[Any], marks: list[list[tuple[Key, int]]], where: str) -> None:
        texts: list[bytes] = []
        place = (batch.chain_id, batch.batch_n)
        for kind, (table, marked) in enumerate(zip(_TABLES, marks, strict=True)):
            columns = getattr(FORMS[batch.form], table.name)
            width, is_placed = len(columns), table is not account_event
            found = self._rows(table, columns, [key for key, _ in marked])
            for key, checksum in marked:
                row = found.get(key)
                if row is None:
                    raise Finding("missing", _name(table, key), f"{where} wrote it")
                if is_placed and (row.chain_id, row.batch_n) != place:
                    told = _place((row.chain_id, row.batch_n))
                    raise Finding("reordered", _name(table, key), f"{where} wrote it, and it says {told}")
                text = canonical(tuple(row[:width]))
                if adler32(text) != checksum:
                    raise Finding("altered", _name(table, key), f"it is not as {where} wrote it")
                if table is message:
                    self._check_private(row)
                texts.append(text)
            self._counted[kind] += len(marked)
        header = Header(*(getattr(batch, it) for it in BATCH[:_HEADER_WIDTH]))
        if batch_hash(batch.prev, header, texts) != batch.hash:
            raise Finding("altered", where, "its rows do not have its hash")
        self._tally.messages += batch.messages
        self._tally.entries += batch.entries
        self._tally.events += batch.events

    def _check_private(self, row: Row[Any]) -> None:
        if row.private_hash is None:
            return
        if row.salt is None and row.response == b"" and row.pan_masked is None and row.card_ref is None:
            self._tally.removed += 1
            return
        where = _name(message, (row.idem_key,))
        try:
            response = self._vault.open(row.response, table="message", column="response", row=row.idem_key)
        except VaultFault as fault:
            raise Finding("altered", where, f"its response: {fault}") from None
        if private_hash(row.salt or b"", row.idem_key, row.pan_masked, row.card_ref, response) != row.private_hash:
            raise Finding("altered", where, "its card or response is not the one that was stored")

    def _rows(self, table: Table, columns: Sequence[str], keys: Sequence[Key]) -> dict[Key, Row[Any]]:
        """Give rows by their keys: the columns that are hashed, in order, and of messages what is private."""
        key_columns = tuple(table.primary_key.columns)
        width = len(key_columns)
        wanted = select(*(table.c[it] for it in columns), *(table.c[it] for it in _PRIVATE if table is message))
        places = [columns.index(it.name) for it in key_columns]
        found: dict[Key, Row[Any]] = {}
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            some = keys[start : start + _KEYS_AT_ONCE]
            named = key_columns[0].in_([key[0] for key in some]) if width == 1 else tuple_(*key_columns).in_(some)
            for row in self._run(wanted.where(named)):
                found[tuple(row[it] for it in places)] = row
        return found

    # ------------------------------------------------------------ what was there before the chains

    def _check_unchained(self, head: Row[Any]) -> None:
        batch = self._run(select(journal_batch).where(journal_batch.c.chain_id == UNCHAINED)).one_or_none()
        where = f"batch {UNCHAINED}/0"
        if batch is None:
            raise Finding("missing", where, "the migration that began the chains wrote it")
        header = Header(*(getattr(batch, it) for it in BATCH[:_HEADER_WIDTH]))
        digest = hashlib.sha256(NO_HASH + header.packed())
        for kind, table in enumerate(_TABLES):
            counted = 0
            older = select(table)
            if table is account_event:
                older = older.join(entry, _SAME_PLACE)
            older = older.where((entry if table is account_event else table).c.chain_id == UNCHAINED)
            for some in pages(self._run, older, tuple(table.primary_key.columns), 1_000):
                for row in some:
                    columns = getattr(FORMS[batch.form], table.name)
                    digest.update(canonical(tuple(row._mapping[it] for it in columns)))
                counted += len(some)
                self._tell(self._tally)
            expected = (batch.messages, batch.entries, batch.events)[kind]
            if counted != expected:
                what = "missing" if counted < expected else "added"
                raise Finding(what, f"{table.name} rows of {where}", f"{counted} are there, not {expected}")
            self._counted[kind] += counted
        if not digest.digest() == batch.hash == head.hash:
            raise Finding("altered", where, "its rows do not have its hash")
        self._tally.batches += 1
        self._tally.messages += batch.messages
        self._tally.entries += batch.entries
        self._tally.events += batch.events
        self._check_anchor(UNCHAINED, 0, batch.hash)

    # ------------------------------------------------------------ rows that no batch wrote

    def _check_nothing_added(self) -> None:
        # Every marked row was found, so a table with as many rows as there are marks has no other.
        for table, counted in zip(_TABLES, self._counted, strict=True):
            if self._run(select(func.count()).select_from(table)).scalar_one() != counted:
                self._find_added(table)

    def _find_added(self, table: Table) -> None:
        key_columns = tuple(table.primary_key.columns)
        placed = entry if table is account_event else table
        looked = select(*key_columns, placed.c.chain_id, placed.c.batch_n)
        if table is account_event:
            looked = looked.select_from(account_event.outerjoin(entry, _SAME_PLACE))
        for some in pages(self._run, looked, key_columns, 1_000):
            wrote = {
                (batch.chain_id, batch.batch_n): {key for marked in marks for key, _ in marked}
                for places in [{(row.chain_id, row.batch_n) for row in some}]
                for batch, marks in self._marks_of(places)
            }
            for row in some:
                key = tuple(row[: len(key_columns)])
                if row.chain_id != UNCHAINED and key not in wrote.get((row.chain_id, row.batch_n), ()):
                    raise Finding("added", _name(table, key), f"{_place(row[-2:])} did not write it")
        raise Finding("added", f"a row of {table.name}", "there are more rows than batches wrote")

    def _marks_of(self, places: set[tuple[int, int]]) -> Iterator[tuple[Row[Any], list[list[tuple[Key, int]]]]]:
        wanted = sorted(it for it in places if it[0] is not None and it[0] != UNCHAINED)
        for start in range(0, len(wanted), _KEYS_AT_ONCE):
            some = wanted[start : start + _KEYS_AT_ONCE]
            where = tuple_(journal_batch.c.chain_id, journal_batch.c.batch_n).in_(some)
            for batch in self._run(select(journal_batch).where(where)):
                yield batch, read_marks(batch.marks, (batch.messages, batch.entries, batch.events))


_SAME_PLACE: Final = (entry.c.account_id == account_event.c.account_id) & (entry.c.seq == account_event.c.seq)


def _name(table: Table, key: Any) -> str:
    text = key[0].hex() if isinstance(key[0], bytes) else f"{key[0]}/{key[1]}"
    return f"{table.name} {text}"


def _place(place: Sequence[Any]) -> str:
    return f"batch {place[0]}/{place[1]}"
