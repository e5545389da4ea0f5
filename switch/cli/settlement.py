"""`junctor ledger` on business days: close one, show what was exchanged on it and how it was reconciled."""

from __future__ import annotations

import time
from pathlib import Path

import click

from ...codecs.money import format_minor
from ...ledger.settlement_items import CutOver
from .amounts import exponent_of
from .books import carry_out, reading, tell, writing
from .complaints import Complaint
from .options import config_option, json_option, read_settings
from .output import Column, Row, write_pairs, write_rows
from .times import write_time


class BusinessDate(click.ParamType[int]):
    """A date as 2026-11-20 or 20261120, as an integer yyyymmdd."""

    name = "date"

    def convert(self, value: object, param: click.Parameter | None, context: click.Context | None) -> int:
        text = str(value).replace("-", "")
        try:
            time.strptime(text, "%Y%m%d")
        except ValueError:
            self.fail(f"{value!r} is no date: write 2026-11-20", param, context)
        return int(text)


date_option = click.option("--date", "bdate", type=BusinessDate(), help="The business day; all when left out.")
institution_option = click.option("--institution", help="One institution; all when left out.")


@click.command("cutover")
@config_option
@click.option("--closes", type=BusinessDate(), help="Only when this day is open, so that a repeat does nothing.")
@click.option("--opens", type=BusinessDate(), help="The new day.  [default: the day after the open one]")
@json_option
def cutover(config_file: Path, closes: int | None, opens: int | None, as_json: bool) -> None:
    """Close the open business day and open the next one; payments go on meanwhile."""
    with writing(read_settings(config_file)) as (store, _):
        asked = CutOver(f"operator {time.time_ns() // 1_000}", closes, opens)
        done = carry_out(store, asked, f"{closes} is not the open business day")
    write_pairs({"open": done.number}, as_json=as_json)


@click.command("days")
@config_option
@json_option
def days(config_file: Path, as_json: bool) -> None:
    """List the business days, the newest first."""
    with reading(read_settings(config_file)) as reader:
        rows = [tell(each) for each in reader.windows.days()]
    write_rows(rows, _DAY_COLUMNS, as_json=as_json)


@click.command("totals")
@config_option
@date_option
@institution_option
@json_option
def totals(config_file: Path, bdate: int | None, institution: str | None, as_json: bool) -> None:
    """Show how many messages of each class an institution exchanged with us on a day, and their sums."""
    with reading(read_settings(config_file)) as reader:
        rows = [tell(each) for each in reader.windows.totals(bdate, institution)]
    write_rows(rows if as_json else [_shown_total(row) for row in rows], _TOTAL_COLUMNS, as_json=as_json)


@click.command("reconcile")
@config_option
@date_option
@institution_option
@json_option
@click.pass_context
def reconcile(
    context: click.Context, config_file: Path, bdate: int | None, institution: str | None, as_json: bool
) -> None:
    """List reconciliations, the newest first, with every figure that differs. Status 1 when one does.

    A partner reconciles by 0500 or 0520; a figure is named by its element of ISO 8583:1987 (76: number of debits).
    """
    with reading(read_settings(config_file)) as reader:
        rows = [tell(each) for each in reader.windows.reconciliations(bdate, institution)]
    if institution is not None and not rows:
        raise Complaint(f"{institution} has not reconciled{'' if bdate is None else f' {bdate}'}")
    write_rows(rows if as_json else _shown_breaks(rows), _BREAK_COLUMNS, as_json=as_json)
    context.exit(1 if any(row["breaks"] for row in rows) else 0)


def _shown_total(row: Row) -> Row:
    return {**row, "amount": format_minor(row["amount_minor"], exponent_of(row["currency"]))}


def _shown_breaks(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Give a line for each figure that differs, and one for a reconciliation without any."""
    shown = []
    for row in rows:
        breaks = row["breaks"]
        assert isinstance(breaks, list | tuple)
        shown += [{**row, **each, "result": "differs"} for each in breaks] or [{**row, "result": "in balance"}]
    return shown


_DAY_COLUMNS = [
    Column("bdate", "day"),
    Column("state", "state"),
    Column("opened_us", "opened", show=write_time),
    Column("cut_us", "closed", show=write_time),
    Column("cut_by", "by"),
]
_OF = [
    Column("bdate", "day"),
    Column("institution", "institution"),
    Column("role", "role"),
    Column("currency", "currency"),
]
_TOTAL_COLUMNS = [
    *_OF,
    Column("total_class", "class"),
    Column("count", "number", right=True),
    Column("amount", "amount", right=True),
]
_BREAK_COLUMNS = [
    *_OF,
    Column("result", "result"),
    Column("element", "element", right=True),
    Column("theirs", "theirs", right=True),
    Column("ours", "ours", right=True),
    Column("at_us", "time", show=write_time),
]
