"""Open the ledger from the command line: to read it, or to commit what an operator decided."""

from __future__ import annotations

from ...config.settings import Settings


def database_url(settings: Settings) -> str:
    """Give the database's URL with the password from its file in it: not to be shown."""
    raise NotImplementedError
