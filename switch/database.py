"""Where the books are, and with which keys: from settings to open stores and readers."""

from __future__ import annotations

from urllib.parse import quote

from ..config.settings import Settings
from ..ledger import Limits, Reader, Store, Vault, expected_version, open_reader, open_store, schema_version

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


def open_vault(settings: Settings) -> Vault:
    """Open the vault with the configured keys; VaultFault when a key file is unusable."""
    return Vault.from_files(settings.keys.data_key_file, settings.keys.card_hash_key_file)


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
