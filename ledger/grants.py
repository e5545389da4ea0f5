"""What the daemon's role may do in PostgreSQL: everything but change or remove what is only ever added."""

from __future__ import annotations

from typing import Final

from psycopg import sql
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from .connecting import make_engine
from .operations import StoreUnavailable
from .schema import account_event, anchor, currency, entry, journal_batch, message, metadata

APPEND_ONLY: Final = frozenset(it.name for it in (message, entry, account_event, journal_batch, anchor))
READ_ONLY: Final = frozenset((currency.name, "alembic_version"))

_ROLE: Final = (
    "SELECT rolsuper OR pg_has_role(r.oid, c.relowner, 'MEMBER') FROM pg_roles r, pg_class c"
    " WHERE rolname = %s AND c.oid = to_regclass('message')"
)


class GrantFault(Exception):
    """A role that cannot be limited."""


def grant(url: str, role: str) -> None:
    """Let a role keep the books, without UPDATE and DELETE on what is only added; may be run again.

    The tables are there, and `url` is their owner's. GrantFault when there is no such role or it may do everything
    anyway; StoreUnavailable when the database cannot be used.
    """
    if not url.startswith("postgres"):
        raise GrantFault("roles are PostgreSQL's: an SQLite file is protected by its mode")
    try:
        with make_engine(url).begin() as connection:
            _check(connection, role)
            name = sql.Identifier(role)
            for table in sorted({*metadata.tables, *READ_ONLY}):
                rights = sql.SQL(_rights(table))
                for statement in ("REVOKE ALL ON {table} FROM {role}", "GRANT {rights} ON {table} TO {role}"):
                    parts = {"table": sql.Identifier(table), "role": name, "rights": rights}
                    text = sql.SQL(statement).format(**{it: parts[it] for it in parts if "{" + it + "}" in statement})
                    connection.exec_driver_sql(text.as_string(None))
    except DBAPIError as error:
        raise StoreUnavailable(f"the rights cannot be given: {type(error.orig).__name__}") from None


def _rights(table: str) -> str:
    if table in READ_ONLY:
        return "SELECT"
    return "SELECT, INSERT" if table in APPEND_ONLY else "SELECT, INSERT, UPDATE, DELETE"


def _check(connection: Connection, role: str) -> None:
    found = connection.exec_driver_sql(_ROLE, (role,)).first()
    if found is None:
        raise GrantFault("there is no such role: CREATE ROLE it first")
    if found[0]:
        raise GrantFault("the role owns the tables or is a superuser: nothing could be kept from it")
