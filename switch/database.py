"""Where the books are, and with which keys: from settings to open stores and readers."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from ..config.settings import KekSource, Settings
from ..ledger import Limits, Reader, Store, Vault, expected_version, open_reader, open_store, schema_version
from ..ledger import keks as ledger_keks
from ..ledger.keyring import FormerFiles, KeyRing
from ..ledger.token import TokenKeks, TokenPlace, read_pin_file

POSTGRESQL = "postgresql://"


class WrongSchema(Exception):
    """The database has another schema than this code; the text tells what to do."""


def connection_url(settings: Settings) -> str:
    """Give the database's URL, with the password from its file in it: never to be shown."""
    url, password_file = settings.database.url, settings.database.password_file
    if password_file is None or not url.startswith(POSTGRESQL):
        return url
    password = quote(password_file.read_text().strip(), safe="")
    rest = url.removeprefix(POSTGRESQL)
    joint = "&" if "?" in rest else "?"
    return f"{POSTGRESQL}{rest}{joint}password={password}"


def kek_source(settings: Settings) -> ledger_keks.KekSource:
    """Give the source of the key-encryption key; VaultFault when it cannot be one."""
    return _SOURCES[settings.keys.kek](settings)


def key_ring(settings: Settings, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> KeyRing:
    """Give the key ring of the configured database; nothing is read before its `open`."""
    keys = settings.keys
    former = FormerFiles(keys.data_key_file, keys.card_hash_key_file)
    return KeyRing(connection_url(settings), kek_source(settings), now, limits_of(settings), former)


def open_vault(settings: Settings) -> Vault:
    """Open the vault with the keys of the database, which has the expected schema.

    WrongSchema, StoreUnavailable, or VaultFault and OSError when the key-encryption key cannot be used.
    """
    ring = key_ring(settings)
    check_schema(settings)
    return ring.open()


def token_keks(settings: Settings) -> TokenKeks:
    """Give the configured token; VaultFault when it cannot be used."""
    keys = settings.keys
    pin = read_pin_file(keys.pkcs11_pin_file)
    return TokenKeks(TokenPlace(str(keys.pkcs11_module), keys.pkcs11_token, keys.pkcs11_labels, pin))


_SOURCES: Final[dict[KekSource, Callable[[Settings], ledger_keks.KekSource]]] = {
    KekSource.FILE: lambda settings: ledger_keks.KekFile(settings.keys.kek_file),
    KekSource.CREDENTIAL: lambda settings: ledger_keks.KekCredential(settings.keys.kek_credential, os.environ),
    KekSource.PKCS11: token_keks,
}


def limits_of(settings: Settings) -> Limits:
    """Give the store's limits as configured."""
    database = settings.database
    return Limits(
        connect_timeout_s=max(1, round(database.connect_timeout_s)),
        statement_timeout_s=database.statement_timeout_s,
        lock_timeout_s=min(Limits().lock_timeout_s, database.statement_timeout_s),
    )


def open_books(settings: Settings, vault: Vault) -> Store:
    """Open the books for writing; StoreUnavailable when they cannot be used."""
    return open_store(connection_url(settings), vault, limits_of(settings))


def open_books_to_read(settings: Settings, vault: Vault) -> Reader:
    """Open the books for reading; StoreUnavailable when they cannot be used."""
    return open_reader(connection_url(settings), vault, limits_of(settings))


def check_schema(settings: Settings) -> None:
    """Raise WrongSchema unless the database has the schema that this code expects."""
    found, expected = schema_version(connection_url(settings)), expected_version()
    if found != expected:
        raise WrongSchema(
            f"the database has schema {found or 'none'}, and {expected} is expected: run junctor migrate"
        )
