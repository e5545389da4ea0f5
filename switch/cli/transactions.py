"""`junctor transaction`: find a payment, and see what became of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from ...codecs.money import format_minor
from ...ledger.operations import Reason
from ..codes import APPROVED, CODE_OF
from ..database import open_vault
from .amounts import exponent_of
from .books import reading, tell
from .cards import ask_for_card
from .complaints import Complaint
from .options import config_option, json_option, read_settings
from .output import Column, Row, write_json, write_pairs, write_rows
from .times import read_since, write_time, write_time_exactly

_MTI_DIGITS: Final = 4

_MESSAGE_COLUMNS = [
    Column("received_us", "received", show=write_time_exactly),
    Column("type", "type"),
    Column("step", "step"),
    Column("source", "from"),
    Column("destination", "to"),
    Column("amount", "amount", right=True),
    Column("pan_masked", "card"),
    Column("stan", "STAN"),
    Column("rrn", "RRN"),
    Column("terminal", "terminal"),
    Column("result", "result"),
    Column("response_code", "code"),
    Column("key", "key"),
]
_TRACE_COLUMNS = [
    Column("received_us", "received", show=write_time_exactly),
    Column("decided_us", "decided", show=write_time_exactly),
    Column("type", "type"),
    Column("step", "step"),
    Column("source", "from"),
    Column("destination", "to"),
    Column("amount", "amount", right=True),
    Column("result", "result"),
    Column("response_code", "code"),
    Column("reason", "reason", show=lambda name: Reason[name].value),
    Column("stan", "STAN"),
    Column("link", "link"),
    Column("trace", "trace"),
]
_LEG_COLUMNS = [
    Column("debit", "from"),
    Column("credit", "to"),
    Column("amount", "amount", right=True),
    Column("kind", "kind"),
]
_ENTRY_COLUMNS = [
    Column("at_us", "time", show=write_time_exactly),
    Column("account", "account"),
    Column("seq", "number", right=True),
    Column("kind", "kind"),
    Column("amount", "amount", right=True),
    Column("held_delta", "set aside by it", right=True),
    Column("balance", "balance", right=True),
]
_DELIVERY_COLUMNS = [
    Column("lane", "lane"),
    Column("seq", "number", right=True),
    Column("kind", "kind"),
    Column("state", "state"),
    Column("attempts", "attempts", right=True),
    Column("last_result", "last result"),
]


@click.group()
def transaction() -> None:
    """Find a payment, and see what became of it."""


@transaction.command("find")
@config_option
@click.option("--stan", help="DE11: six digits.")
@click.option("--rrn", help="DE37.")
@click.option("--terminal", help="DE41.")
@click.option("--reference", help="UETR or field 20 of an MT message.")
@click.option("--card", is_flag=True, help="Ask for a card number, or read it from a pipe.")
@click.option("--since", help="90m, 12h, 2d, or a date or time (UTC).")
@click.option("--most", type=click.IntRange(1, 10_000), default=100, show_default=True)
@json_option
def find(config_file: Path, card: bool, since: str | None, most: int, as_json: bool, **wanted: str | None) -> None:
    """List messages that match everything that is given, the newest first; without conditions, the last ones."""
    settings = read_settings(config_file)
    card_ref = open_vault(settings).card_ref(ask_for_card()) if card else None
    since_us = None if since is None else read_since(since, datetime.now(UTC))
    with reading(settings) as reader:
        found = reader.find_transactions(**wanted, card_ref=card_ref, since_us=since_us, most=most)
    rows = [_with_code(tell(report)) for report in found]
    write_rows(
        rows if as_json else [_with_amounts(row, row["currency"]) for row in rows],
        _MESSAGE_COLUMNS,
        as_json=as_json,
        empty="no messages",
    )


@transaction.command("show")
@config_option
@click.argument("key")
@json_option
def show(config_file: Path, key: str, as_json: bool) -> None:
    """Show the payment to which the message with this KEY belongs, from its first message to its last entry.

    KEY is what `transaction find` lists. Everything is masked; contents of deliveries stay encrypted.
    """
    try:
        wanted = bytes.fromhex(key)
    except ValueError:
        raise click.BadParameter("a key is 32 hexadecimal digits", param_hint="KEY") from None
    with reading(read_settings(config_file)) as reader:
        report = reader.show_transaction(wanted)
    if report is None:
        raise Complaint(f"there is no message with the key {wanted.hex()}")
    tree = tell(report)
    tree["messages"] = [_with_code(row) for row in tree["messages"]]
    if as_json:
        write_json(tree)
    else:
        _show(tree)


def _show(tree: dict[str, Any]) -> None:
    currency = tree["currency"]
    exponent = exponent_of(currency)
    write_pairs(
        {
            "key": tree["key"],
            "state": tree["state"] or "nothing was set aside or moved",
            "authorised": f"{format_minor(tree['authorised_minor'], exponent)} {currency}",
            "stands": f"{format_minor(tree['amount_minor'], exponent)} {currency}",
            "expires": write_time(tree["expires_us"]),
            "card": next((row["pan_masked"] for row in tree["messages"] if row["pan_masked"]), None),
            "terminal": next((row["terminal"] for row in tree["messages"] if row["terminal"]), None),
            "RRN or reference": next(
                (row["rrn"] or row["reference"] for row in tree["messages"] if row["rrn"] or row["reference"]), None
            ),
        },
        as_json=False,
    )
    deliveries = [{**row, "state": "waits"} for row in tree["deliveries"]] + [
        {**row, "state": "dropped" if row["dropped_us"] else f"dead: {row['reason']}"} for row in tree["dead_letters"]
    ]
    for title, rows, columns in (
        ("Messages", tree["messages"], _TRACE_COLUMNS),
        ("Movements", tree["legs"], _LEG_COLUMNS),
        ("Entries", tree["entries"], _ENTRY_COLUMNS),
        ("Deliveries", deliveries, _DELIVERY_COLUMNS),
    ):
        click.echo(f"\n{title}")
        write_rows([_with_amounts(row, currency) for row in rows], columns, as_json=False)


def _with_code(row: Row) -> Row:
    """Add what was answered in DE39: a peer's code is in the books, that of our own decision follows from it."""
    code = row["code"]
    if code is None and len(row["type"]) == _MTI_DIGITS:
        if row["reason"] is not None:
            code = CODE_OF[Reason[row["reason"]]]
        elif row["result"] == "approved":
            code = APPROVED
    return {**row, "response_code": code}


def _with_amounts(row: Row, currency: str) -> Row:
    """Give a row with its amounts in the decimals of its currency; a message may have one of its own."""
    own = row.get("currency") or currency
    if not own:
        return row
    exponent = exponent_of(own)
    amounts = {
        name.removesuffix("_minor"): format_minor(value, exponent)
        for name, value in row.items()
        if name.endswith("_minor") and value is not None
    }
    if "currency" in row:
        amounts = {name: f"{value} {own}" for name, value in amounts.items()}
    return {**row, **amounts}
