"""`junctor backup`: whether a copy of the books is one that can be lived from."""

from __future__ import annotations

from pathlib import Path

import attrs
import click

from ...ledger.verify import verify
from ..database import check_schema, connection_url, limits_of, open_books_to_read, open_vault
from .options import config_option, json_option, read_settings
from .verification import write_verdict


@click.group()
def backup() -> None:
    """Copies of the books."""


@backup.command()
@config_option
@click.argument("url")
@json_option
@click.pass_context
def check(context: click.Context, config_file: Path, url: str, as_json: bool) -> None:
    """Check a restored copy at URL: its schema, its keys, every hash chain, every balance, and the trial balance.

    The keys are opened as the configuration says. The copy is only read. Status 1 when it is not sound.
    """
    settings = read_settings(config_file)
    copy = attrs.evolve(settings, database=attrs.evolve(settings.database, url=url, password_file=None))
    check_schema(copy)
    vault = open_vault(copy)
    verdict = verify(connection_url(copy), vault, limits_of(copy))
    reader = open_books_to_read(copy, vault)
    try:
        imbalance = {currency: total for currency, total in reader.imbalance().items() if total}
    finally:
        reader.close()
    write_verdict(verdict, as_json=as_json, more={"imbalance": imbalance or None})
    context.exit(0 if verdict.finding is None and not imbalance else 1)
