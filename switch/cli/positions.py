"""`junctor ledger position | prefund | settlement-file`: what institutions owe and are owed."""

from __future__ import annotations

import csv
import hashlib
import io
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from ...codecs.money import Currency, format_minor
from ...codecs.payment import digest, make_key
from ...ledger.operations import (
    LEDGER,
    Answered,
    Approved,
    Authorise,
    Conflict,
    Decided,
    Declined,
    Facts,
    Movement,
    OpenAccount,
)
from ..movements import settlement
from .amounts import exponent_of, read_amount, read_currency
from .books import reading, tell, writing
from .complaints import Complaint
from .options import config_option, json_option, read_settings
from .output import Column, Row, write_pairs, write_rows
from .settlement import BusinessDate, institution_option

OUTSIDE: Final = "outside"
"""The account, one per currency, that stands for what is not in these books."""

_FILE_NAMES: Final = (
    "bdate", "institution", "account", "currency", "opening_minor", "debits_minor", "credits_minor", "net_minor",
    "closing_minor", "entries",
)  # fmt: skip


@click.command("position")
@config_option
@click.option("--date", "bdate", type=BusinessDate(), help="A business day; without it, the position now.")
@institution_option
@json_option
def position(config_file: Path, bdate: int | None, institution: str | None, as_json: bool) -> None:
    """Show what institutions owe (negative) or are owed, now with their caps, or as they went through a day."""
    with reading(read_settings(config_file)) as reader:
        found: Sequence[Any] = (
            reader.positions.current(institution) if bdate is None else reader.positions.of_day(bdate, institution)
        )
    rows = [tell(each) for each in found]
    columns = _NOW_COLUMNS if bdate is None else _DAY_COLUMNS
    write_rows(rows if as_json else [_shown(row) for row in rows], columns, as_json=as_json, empty="no positions")


@click.command("prefund")
@config_option
@click.argument("direction", type=click.Choice(["in", "out"]))
@click.argument("institution")
@click.argument("amount")
@click.option("--currency", required=True, help="Three letters of ISO 4217.")
@click.option("--reference", required=True, help="Of the payment; the same reference is booked once.")
@click.option("--by", required=True, help="Who asks for it.")
@json_option
def prefund(
    config_file: Path,
    direction: str,
    institution: str,
    amount: str,
    currency: str,
    reference: str,
    by: str,
    as_json: bool,
) -> None:
    """Book money that an institution has paid in, or that was paid out to it; out only what its cap leaves."""
    settings = read_settings(config_file)
    money = read_currency(currency)
    if money.alpha not in {
        alpha for each in settings.institutions if each.id == institution for alpha in each.currencies
    }:
        raise Complaint(f"{institution} has no settlement account in {money.alpha}")
    amount_minor, now_us = read_amount(amount, money), time.time_ns() // 1_000
    outside = OpenAccount(f"{OUTSIDE}.{money.alpha}", "external", money.numeric, "", now_us, floor_minor=None)
    item = _prefunding(direction, institution, amount_minor, money, reference, by, now_us)
    with writing(settings) as (store, _):
        _, outcome = store.commit([outside, item])
    match outcome:
        case Decided(Approved()) | Answered(b"yes"):
            done = "booked" if isinstance(outcome, Decided) else "booked before"
        case Decided(Declined(reason)) if reason is not None:
            raise Complaint(f"it is not booked: {reason.value}")
        case Answered():
            raise Complaint(f"{reference} was refused before: give another reference")
        case Conflict():
            raise Complaint(f"{reference} was booked with another amount")
        case _:
            raise Complaint("it is not booked")
    write_pairs({"reference": reference, "result": done, "transaction": item.facts.key.hex()}, as_json=as_json)


def _prefunding(
    direction: str, institution: str, amount_minor: int, currency: Currency, reference: str, by: str, now_us: int
) -> Authorise:
    ours, theirs = f"{OUTSIDE}.{currency.alpha}", settlement(institution, currency.alpha)
    debit, credit = (ours, theirs) if direction == "in" else (theirs, ours)
    key = make_key(bytes(4), ("prefund", direction, institution, currency.alpha, reference))
    facts = Facts(
        key=key,
        fingerprint=digest((str(amount_minor),)),
        source="operator",
        destination=LEDGER,
        type="journal",
        received_us=now_us,
        trace=key.hex(),
        amount_minor=amount_minor,
        currency=currency.numeric,
        reference=reference,
        purpose=f"prefund {direction} by {by}",
    )
    movement = Movement(debit, credit, amount_minor, currency.numeric)
    return Authorise(facts, (movement,), lambda decision: b"yes" if isinstance(decision, Approved) else b"no")


@click.command("settlement-file")
@config_option
@click.option("--date", "bdate", type=BusinessDate(), required=True, help="A business day that was cut over.")
@click.option(
    "--to", "folder", type=click.Path(path_type=Path, file_okay=False, exists=True), default=".", help="The folder."
)
@json_option
def settlement_file(config_file: Path, bdate: int, folder: Path, as_json: bool) -> None:
    """Write settlement-DATE.csv, one line per settlement account, and settlement-DATE.csv.sha256 beside it.

    The same day gives the same bytes at any later time: writing it again changes nothing, and a file of that name
    with other content is a fault. Amounts in minor units.
    """
    with reading(read_settings(config_file)) as reader:
        states = {day.bdate: day.state for day in reader.windows.days()}
        if states.get(bdate, "open") == "open":
            raise Complaint(f"{bdate} is {'still open' if bdate in states else 'no business day'}")
        rows = [tell(each) for each in reader.positions.of_day(bdate)]
    text = io.StringIO()
    writer = csv.DictWriter(text, _FILE_NAMES, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    content = text.getvalue().encode()
    hash_ = hashlib.sha256(content).hexdigest()
    path = folder / f"settlement-{bdate}.csv"
    is_new = _write_once(path, content)
    _write_once(path.with_name(path.name + ".sha256"), f"{hash_}  {path.name}\n".encode())
    write_pairs({"file": str(path), "sha256": hash_, "lines": len(rows), "new": is_new}, as_json=as_json)


def _write_once(path: Path, content: bytes) -> bool:
    """Write a file whole; tell whether it was not there with the same content already."""
    if path.exists():
        if path.read_bytes() != content:
            raise Complaint(f"{path} is there with other content")
        return False
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.rename(path)
    return True


def _shown(row: Row) -> Row:
    exponent = exponent_of(row["currency"])
    amounts = {
        name.removesuffix("_minor"): "no limit" if value is None else format_minor(value, exponent)
        for name, value in row.items()
        if name.endswith("_minor")
    }
    cap = row.get("cap_minor")
    used = f"{max(0, -row['position_minor']) * 100 // cap} %" if cap else None
    return {**row, **amounts, "used": used}


_OF = [Column("institution", "institution"), Column("account", "account"), Column("currency", "currency")]
_NOW_COLUMNS = [
    *_OF,
    Column("position", "position", right=True),
    Column("held", "set aside", right=True),
    Column("cap", "cap", right=True),
    Column("used", "used", right=True),
]
_DAY_COLUMNS = [
    Column("bdate", "day"),
    *_OF,
    Column("opening", "opening", right=True),
    Column("debits", "debits", right=True),
    Column("credits", "credits", right=True),
    Column("closing", "closing", right=True),
    Column("entries", "entries", right=True),
]
