"""Prepared statements sent to PostgreSQL one after the other in one round trip, with little of a driver between.

libpq sends what is long while the next statement is still being encoded, so that the server is at work already.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import psycopg
from psycopg import errors, pq
from psycopg.abc import PQGen
from psycopg.adapt import Transformer
from psycopg.waiting import Ready, Wait

from .look_ups import Query

_PLACE: Final = re.compile("%s")
_TEXT, _BINARY = pq.Format.TEXT, pq.Format.BINARY
_Sent = tuple[str, bytes | None, Query | None]
"""A statement's text, and either the name under which it is prepared, or the query that runs it."""

_FAILED: Final = (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE)


class Pipeline:
    """Runs statements on one connection, preparing each the first time it comes."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._prepared: dict[str, bytes] = {}
        self._numbers = itertools.count(1)
        self._transformer = Transformer(connection)

    def run(self, queries: Iterable[Query]) -> None:
        """Send statements, and give each one's rows to its reader; psycopg's errors when one fails.

        After an error in the transaction nothing that came later was carried out.
        """
        pgconn = self._connection.pgconn
        sent: list[_Sent] = []
        pgconn.enter_pipeline_mode()
        try:
            for query in queries:
                self._send(pgconn, query, sent)
        except BaseException:
            if pgconn.status == pq.ConnStatus.OK:
                self._finish(pgconn, sent)  # what was sent is brought to an end, whatever stopped us
            raise
        results = self._finish(pgconn, sent)
        for found in results:
            if found[-1].status in _FAILED:
                raise errors.error_from_result(found[-1])
        for (_, _, ran), found in zip(sent, results, strict=False):
            if ran is not None and ran[2] is not None:
                self._transformer.set_pgresult(found[-1])
                ran[2](self._transformer.load_rows(0, found[-1].ntuples, tuple))

    def _send(self, pgconn: pq.abc.PGconn, query: Query, sent: list[_Sent]) -> None:
        text, parameters, _ = query
        name = self._prepared.get(text)
        values, formats = _written(parameters)
        if name is None:
            name = self._prepared[text] = b"p%d" % next(self._numbers)
            pgconn.send_prepare(name, _numbered(text).encode())
            sent.append((text, name, None))
        pgconn.send_query_prepared(name, values, param_formats=formats, result_format=_BINARY)
        sent.append((text, None, query))

    def _finish(self, pgconn: pq.abc.PGconn, sent: Sequence[_Sent]) -> list[list[pq.abc.PGresult]]:
        """Give the results of each command; one that was not prepared will be prepared again."""
        pgconn.pipeline_sync()
        results = self._connection.wait(_exchange(pgconn, len(sent) + 1))
        pgconn.exit_pipeline_mode()
        for (text, name, _), found in zip(sent, results, strict=False):
            if name is not None and found[-1].status != pq.ExecStatus.COMMAND_OK:
                del self._prepared[text]
        return results


def _numbered(text: str) -> str:
    """Write a statement's places as PostgreSQL does: $1, $2 and so on."""
    numbers = itertools.count(1)
    return _PLACE.sub(lambda _: f"${next(numbers)}", text)


def _written(parameters: Sequence[Any]) -> tuple[list[bytes | None], list[int] | None]:
    """Write parameters: texts (array literals too) and integers as text, bytes as they are."""
    values: list[bytes | None] = []
    formats: list[int] | None = None
    for at, value in enumerate(parameters):
        if isinstance(value, str):
            values.append(value.encode())
        elif isinstance(value, bytes):
            formats = formats or [_TEXT] * len(parameters)
            formats[at] = _BINARY
            values.append(value)
        elif value is None:
            values.append(None)
        else:
            assert isinstance(value, int), "a parameter is a text, an integer, bytes, or None"
            values.append(b"%d" % value)
    return values, formats


def _exchange(pgconn: pq.abc.PGconn, count: int) -> PQGen[list[list[pq.abc.PGresult]]]:
    """Send what waits, and gather the results of so many commands, the synchronisation among them."""
    results: list[list[pq.abc.PGresult]] = []
    current: list[pq.abc.PGresult] = []
    unsent = pgconn.flush()
    while True:
        current = _gather(pgconn, results, current)
        if len(results) >= count:
            return results
        ready = yield Wait.RW if unsent else Wait.R
        if ready & Ready.R:
            pgconn.consume_input()
        if unsent:
            unsent = pgconn.flush()


def _gather(
    pgconn: pq.abc.PGconn, results: list[list[pq.abc.PGresult]], current: list[pq.abc.PGresult]
) -> list[pq.abc.PGresult]:
    """Take what has come; gives the results of a command that has not ended yet."""
    while not pgconn.is_busy():
        result = pgconn.get_result()
        if result is None:
            if not current:
                break
            results.append(current)
            current = []
        elif result.status == pq.ExecStatus.PIPELINE_SYNC:
            results.append([result])
            break
        else:
            current.append(result)
    return current
