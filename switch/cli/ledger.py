"""`junctor ledger`: the books as a whole."""

from __future__ import annotations

from pathlib import Path

import click

from ...codecs.money import format_minor
from .adjust import adjust
from .amounts import exponent_of
from .books import reading, tell
from .ledger_entries import export, statement
from .options import config_option, json_option, read_settings
from .output import Column, Row, write_rows
from .positions import position, prefund, settlement_file
from .purge import purge
from .settlement import cutover, days, reconcile, totals
from .verification import anchor, verify


@click.group()
def ledger() -> None:
    """The books as a whole."""


ledger.add_command(statement)
ledger.add_command(export)
for _command in (adjust, cutover, days, position, prefund, reconcile, settlement_file, totals, verify, anchor, purge):
    ledger.add_command(_command)


@ledger.command("trial-balance")
@config_option
@json_option
@click.pass_context
def trial_balance(context: click.Context, config_file: Path, as_json: bool) -> None:
    """Add up all accounts of each currency: in sound books the total is zero. Status 1 when one is not."""
    with reading(read_settings(config_file)) as reader:
        rows = [tell(row) for row in reader.trial_balance()]
    write_rows(rows if as_json else [_shown(row) for row in rows], _COLUMNS, as_json=as_json, empty="no accounts")
    context.exit(0 if all(row["total_minor"] == 0 for row in rows) else 1)


_COLUMNS = [
    Column("currency", "currency"),
    Column("accounts", "accounts", right=True),
    Column("debit_minor", "debit", right=True),
    Column("credit_minor", "credit", right=True),
    Column("held_minor", "set aside", right=True),
    Column("total_minor", "total", right=True),
]


def _shown(row: Row) -> Row:
    """Give a row with its amounts in the decimals of its currency."""
    exponent = exponent_of(row["currency"])
    return {name: format_minor(value, exponent) if name.endswith("_minor") else value for name, value in row.items()}
