"""The database's address: no password in it, and a file's path that starts from the configuration file."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlsplit

SQLITE: Final = "sqlite:///"
POSTGRESQL: Final = "postgresql://"
_SECRET: Final = frozenset({"password", "passfile", "sslpassword"})


def find_url_fault(url: str) -> str | None:
    """Say what is wrong with a database URL, without repeating it; None when nothing is."""
    if url.startswith(SQLITE):
        path = url.removeprefix(SQLITE).partition("?")[0]
        if path in ("", ":memory:"):
            return "must name a file: a database in memory is lost with the process"
        return None
    if not url.startswith(POSTGRESQL):
        return "must begin with sqlite:/// or postgresql://"
    try:
        parts = urlsplit(url)
        has_password = parts.password is not None
        secret = next((key for key, _ in parse_qsl(parts.query) if key.lower() in _SECRET), None)
        _ = parts.port
    except ValueError:
        return "is not a URL"
    if has_password or secret is not None:
        return "holds a password: take it out and use password_file"
    return None if len(parts.path) > 1 else "must name a database: postgresql://host/name"


def resolve_url(url: str, base: Path) -> str:
    """Give the URL with the path of an SQLite file made absolute; other URLs stay as they are."""
    if not url.startswith(SQLITE):
        return url
    path, question, query = url.removeprefix(SQLITE).partition("?")
    return f"{SQLITE}{base / path}{question}{query}"
