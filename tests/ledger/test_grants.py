"""The daemon's role in PostgreSQL: it keeps the books, and cannot change what is only added to them."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from junctor.ledger import Vault, open_store
from junctor.ledger.chain import FORMS
from junctor.ledger.grants import APPEND_ONLY, GrantFault, grant
from junctor.ledger.operations import Conclude, Decided, Delivered, Done
from junctor.ledger.settlement_items import CutOver
from junctor.ledger.verify import verify
from ledger_items import Bank, capture, dispatch, key, purchase, raw, reverse

ROLE = "junctor daemon"


@pytest.fixture
def daemon_url(postgres_url: str) -> Iterator[str]:
    """A migrated database, reached as the daemon's role."""
    with raw(postgres_url) as connection:
        connection.execute(f'CREATE ROLE "{ROLE}" LOGIN')
    grant(postgres_url, ROLE)
    joint = "&" if "?" in postgres_url else "?"
    yield f"{postgres_url}{joint}options=-crole%3D{ROLE.replace(' ', '%5C%20')}"
    with raw(postgres_url) as connection:
        connection.execute(f'DROP OWNED BY "{ROLE}"')
        connection.execute(f'DROP ROLE "{ROLE}"')


def test_the_daemon_works_under_its_role(daemon_url: str, vault: Vault) -> None:
    store = open_store(daemon_url, vault)
    bank = Bank(store, daemon_url, vault)
    bank.open("anna", 100_000)
    bank.open("shop", kind="settlement", floor_minor=None)
    bank.open("blue", kind="settlement", institution="blue", floor_minor=-50_000)
    bank.commit(purchase(1, 300), purchase(2, 200, hold=True), dispatch(3, 50))
    bank.commit(capture(4, 2, 150), Conclude(key(3), True, 50, "00", b"yes", "A1"), reverse(5, 1))
    assert isinstance(bank.one(CutOver(by="test")), Done)
    assert isinstance(bank.one(purchase(6)), Decided)
    bank.one(Delivered("blue", 1))
    assert verify(daemon_url, vault).finding is None
    store.close()


@pytest.mark.parametrize("table", sorted(APPEND_ONLY))
@pytest.mark.parametrize("change", ["UPDATE {} SET bdate = 1", "DELETE FROM {}", "TRUNCATE {}"])
def test_what_is_only_added_cannot_be_changed_by_the_daemon(daemon_url: str, table: str, change: str) -> None:
    with raw(daemon_url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(change.format(table))


def test_the_daemon_cannot_change_the_schema(daemon_url: str) -> None:
    for change in ("UPDATE alembic_version SET version_num = '1'", "DROP TABLE message", "CREATE TABLE more (x INT)"):
        with raw(daemon_url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(change)


def test_everything_that_is_chained_is_kept_from_change() -> None:
    chained = {name for name in ("message", "entry", "account_event") if getattr(FORMS[1], name)}
    assert chained | {"journal_batch", "anchor"} == APPEND_ONLY


def test_rights_may_be_given_again(daemon_url: str, postgres_url: str) -> None:
    with raw(postgres_url) as connection:
        connection.execute(f'GRANT ALL ON message TO "{ROLE}"')
    grant(postgres_url, ROLE)
    with raw(daemon_url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("DELETE FROM message")


def test_a_role_that_cannot_be_limited_is_refused(postgres_url: str, sqlite_url: str) -> None:
    with raw(postgres_url) as connection:
        (owner,) = connection.execute("SELECT current_user").fetchone()
    with pytest.raises(GrantFault, match="nothing could be kept from it"):
        grant(postgres_url, owner)
    with pytest.raises(GrantFault, match="no such role"):
        grant(postgres_url, "nobody at all")
    with pytest.raises(GrantFault, match="SQLite"):
        grant(sqlite_url, ROLE)
