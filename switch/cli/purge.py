"""`junctor ledger purge`: what was kept of people, and may be kept no longer."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import attrs
import click

from ...ledger.retention import purge as purge_books
from ..database import check_schema, connection_url, limits_of
from .complaints import Complaint
from .options import config_option, json_option, read_settings
from .output import write_pairs
from .times import read_since, write_time

_DAY_US: Final = 86_400 * 1_000_000


@click.command()
@config_option
@click.option("--before", help="A date, or a time back like 400d.  [default: [retention] personal_days back]")
@click.option("--dry-run", is_flag=True, help="Count only.")
@json_option
def purge(config_file: Path, before: str | None, dry_run: bool, as_json: bool) -> None:
    """Remove cards and stored responses of old messages, and names and cards of accounts closed for as long.

    Balances, entries and hash chains stay as they are. Made to be run by a timer, beside a running switch; on
    PostgreSQL with a configuration whose user owns the tables.
    """
    settings = read_settings(config_file)
    days = settings.retention.personal_days
    if before is not None:
        before_us = read_since(before, datetime.now(UTC))
    elif days is not None:
        before_us = time.time_ns() // 1_000 - days * _DAY_US
    else:
        raise Complaint("nothing says how long: give --before, or set personal_days in [retention]")
    check_schema(settings)
    purged = purge_books(connection_url(settings), before_us, limits_of(settings), dry_run=dry_run)
    told = attrs.asdict(purged)
    if not as_json:
        told = {"before": write_time(told.pop("before_us")), **told}
    write_pairs(told, as_json=as_json)
