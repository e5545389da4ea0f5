"""`junctor ledger statement | export`: what was booked, as tables, JSON or CSV."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from ...codecs.money import format_minor
from ...ledger import Reader
from .amounts import exponent_of
from .books import reading, tell
from .complaints import Complaint, harmless
from .options import config_option, json_option, read_settings
from .output import Column, Row, write_json, write_pairs, write_rows
from .times import read_since, write_time_exactly

_AT_ONCE: Final = 1_000
"""Entries read in one step."""

_ENTRY_COLUMNS: Final = [
    Column("seq", "number", right=True),
    Column("at_us", "time", show=write_time_exactly),
    Column("bdate", "business date"),
    Column("kind", "kind"),
    Column("amount", "amount", right=True),
    Column("balance", "balance", right=True),
    Column("held", "set aside", right=True),
    Column("txn_key", "transaction"),
]
_CSV_NAMES: Final = (
    "account", "seq", "bdate", "at_us", "kind", "amount_minor", "balance_minor", "held_delta_minor", "held_minor",
    "txn_key",
)  # fmt: skip
_EXPORT_NAMES: Final = (
    "bdate", "account", "seq", "at_us", "kind", "currency", "amount_minor", "balance_minor", "held_delta_minor",
    "held_minor", "txn_key",
)  # fmt: skip

csv_option = click.option(
    "--csv", "as_csv", is_flag=True, help="Write CSV with a line of names; amounts in minor units."
)


@click.command("statement")
@config_option
@click.argument("code")
@click.option("--from", "since", help="Entries from this time on: 2026-01-19, 2026-01-19T12:05, or 2d ago.")
@click.option("--to", "until", help="Entries before this time.")
@click.option("--at", "moment", help="Only what the account held just before this time.")
@json_option
@csv_option
def statement(
    config_file: Path,
    code: str,
    since: str | None,
    until: str | None,
    moment: str | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Show an account's entries with the balance after each, between two balances."""
    if (as_json and as_csv) or (moment and (since or until or as_csv)):
        raise click.UsageError("--at goes with --json alone, and --json does not go with --csv")
    now = datetime.now(UTC)
    from_us, to_us, at_us = (None if text is None else read_since(text, now) for text in (since, until, moment))
    with reading(read_settings(config_file)) as reader:
        closing = reader.balance_at(code, at_us if moment else to_us)
        if closing is None:
            raise Complaint(f"there is no account {code}")
        if moment:
            _write_balance(tell(closing), as_json)
            return
        opening = reader.balance_at(code, 0 if from_us is None else from_us)
        assert opening is not None, "the account is there"
        entries = (tell(entry) for entry in _entries(reader, code, opening.seq, closing.seq))
        if as_csv:
            _write_csv(_CSV_NAMES, entries)
        elif as_json:
            document = {
                "account": code,
                "currency": closing.currency,
                "opening": tell(opening),
                "closing": tell(closing),
            }
            write_json({**document, "entries": list(entries)})
        else:
            _write_statement(tell(opening), tell(closing), entries)


@click.command("export")
@config_option
@click.option("--date", "first", type=click.IntRange(1970_01_01, 9999_12_31), required=True, help="As 20260119.")
@click.option("--to", "last", type=click.IntRange(1970_01_01, 9999_12_31), help="The last date; default: the same.")
@json_option
def export(config_file: Path, first: int, last: int | None, as_json: bool) -> None:
    """Write all entries of business dates as CSV, or as JSON: one object a line, amounts in minor units."""
    with reading(read_settings(config_file)) as reader:
        rows = _exported(reader, first, first if last is None else last)
        if as_json:
            for row in rows:
                click.echo(json.dumps(row, ensure_ascii=False))
        else:
            _write_csv(_EXPORT_NAMES, rows)


def _entries(reader: Reader, code: str, after: int, last: int) -> Iterator[Any]:
    """Give entries in steps, so that a long statement needs little memory."""
    while after < last:
        step = reader.statement(code, after_seq=after, most=min(_AT_ONCE, last - after))
        yield from step
        after = step[-1].seq if step else last


def _exported(reader: Reader, first: int, last: int) -> Iterator[Row]:
    after = ("", 0)
    while step := reader.exported(first, last, after=after, most=_AT_ONCE):
        yield from map(tell, step)
        after = (step[-1].account, step[-1].seq)


def _write_csv(names: Iterable[str], rows: Iterable[Row]) -> None:
    writer = csv.DictWriter(sys.stdout, list(names), extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: harmless(value) if isinstance(value, str) else value for name, value in row.items()})


def _write_balance(row: Row, as_json: bool) -> None:
    if as_json:
        write_json(dict(row))
        return
    exponent = exponent_of(row["currency"])
    amounts = {name: format_minor(row[f"{name}_minor"], exponent) for name in ("posted", "held")}
    pairs = {"account": row["code"], "currency": row["currency"], **amounts, "entries": row["seq"]}
    write_pairs({**pairs, "last entry": write_time_exactly(row["at_us"])}, as_json=False)


def _write_statement(opening: Row, closing: Row, entries: Iterable[Row]) -> None:
    exponent = exponent_of(closing["currency"])

    def shown(row: Row) -> Row:
        amounts = {name: format_minor(row[f"{name}_minor"], exponent) for name in ("amount", "balance", "held")}
        return {**row, **amounts}

    for word, row in (("opening", opening), ("closing", closing)):
        click.echo(f"{word} balance {format_minor(row['posted_minor'], exponent)} {row['currency']}")
    click.echo()
    write_rows([shown(row) for row in entries], _ENTRY_COLUMNS, as_json=False, empty="no entries")
