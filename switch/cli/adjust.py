"""`junctor ledger adjust`: entries by hand, asked for by one person and approved by another."""

from __future__ import annotations

import getpass
import json
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from ...codecs.money import Currency, format_minor
from ...ledger.approval_items import Adjustment, Approve, Chargeback, Proposal, Reject, RequestApproval
from ...ledger.operations import Item, OpenAccount
from .amounts import exponent_of, read_amount, read_currency
from .books import carry_out, reading, tell, writing
from .complaints import Complaint
from .options import config_option, json_option, read_settings
from .output import Column, write_pairs, write_rows
from .times import write_time

_ID_BYTES: Final = 16
_HOUR_US: Final = 3_600_000_000


@click.group("adjust")
def adjust() -> None:
    """Entries by hand, under four eyes: nothing is booked before another person approves."""


def _deciding(command: Callable[..., None]) -> Callable[..., None]:
    """Add what a decision needs: the request, and who decides."""
    for option in (json_option, _by_option, click.argument("number"), config_option):
        command = option(command)
    return command


_by_option = click.option("--by", "who", default=getpass.getuser, help="Who asks or decides.  [default: you]")


@adjust.command("request")
@config_option
@click.option("--account", help="Whose balance is put right, against adjustment.<currency>.")
@click.option("--direction", type=click.Choice(["debit", "credit"]), help="Take from the account, or give to it.")
@click.option("--currency", help="Three letters; of an adjustment.")
@click.option("--chargeback", help="The transaction of which an amount goes back, as `transaction show` names it.")
@click.option("--amount", required=True, help="As 12.50.")
@click.option("--reason", required=True, help="Why, for whoever approves and whoever reads the books.")
@click.option(
    "--expires-h", type=click.IntRange(1, 720), default=24, show_default=True, help="Hours until it lapses."
)
@_by_option
@json_option
def request(
    config_file: Path, amount: str, reason: str, expires_h: int, who: str, as_json: bool, **given: str | None
) -> None:
    """Ask for an adjustment of an account, or for a chargeback of a posted transaction."""
    of_account = [given[name] for name in ("account", "direction", "currency")]
    if given["chargeback"] is not None and any(of_account):
        raise click.UsageError("give --chargeback alone, or --account with --direction and --currency")
    if given["chargeback"] is None and None in of_account:
        raise click.UsageError("give --account with --direction and --currency, or --chargeback")
    settings, now_us = read_settings(config_file), time.time_ns() // 1_000
    proposal: Proposal
    if given["chargeback"] is not None:
        with reading(settings) as reader:
            found = reader.show_transaction(_read_id(given["chargeback"]))
        if found is None:
            raise Complaint("there is no such transaction")
        money = read_currency(found.currency)
        through = f"chargeback.{money.alpha}"
        proposal = Chargeback(found.key, read_amount(amount, money), through)
        account = _account(through, "chargeback", money, now_us)
    else:
        money = read_currency(given["currency"] or "")
        ours = f"adjustment.{money.alpha}"
        pair = (given["account"] or "", ours) if given["direction"] == "debit" else (ours, given["account"] or "")
        proposal = Adjustment(*pair, read_amount(amount, money), money.numeric)
        account = _account(ours, "suspense", money, now_us)
    number = secrets.token_bytes(_ID_BYTES)
    with writing(settings) as (store, _):
        carry_out(store, account, "")
        carry_out(store, RequestApproval(number, proposal, who, reason, now_us + expires_h * _HOUR_US), "")
    write_pairs({"request": number.hex()}, as_json=as_json)


@adjust.command("approve")
@_deciding
def approve(config_file: Path, number: str, who: str, as_json: bool) -> None:
    """Approve a request of somebody else: it is booked at once, and never twice."""
    _decide(config_file, Approve(_read_id(number), who), as_json, "carried out")


@adjust.command("reject")
@_deciding
def reject(config_file: Path, number: str, who: str, as_json: bool) -> None:
    """Refuse a request, or take one's own back."""
    _decide(config_file, Reject(_read_id(number), who), as_json, "rejected")


@adjust.command("list")
@config_option
@click.option("--all", "is_all", is_flag=True, help="Those that were decided or have lapsed too.")
@json_option
def list_requests(config_file: Path, is_all: bool, as_json: bool) -> None:
    """List requests that wait for somebody to approve them."""
    with reading(read_settings(config_file)) as reader:
        found = reader.approvals.find(waiting_at_us=None if is_all else time.time_ns() // 1_000)
    rows = [{**tell(each), "payload": json.loads(each.payload)} for each in found]
    write_rows(rows if as_json else [_shown(row) for row in rows], _COLUMNS, as_json=as_json)


def _decide(config_file: Path, item: Item, as_json: bool, result: str) -> None:
    with writing(read_settings(config_file)) as (store, _):
        carry_out(store, item, "there is no such request")
    write_pairs({"result": result}, as_json=as_json)


def _account(code: str, kind: str, currency: Currency, now_us: int) -> OpenAccount:
    return OpenAccount(code, kind, currency.numeric, "", now_us, floor_minor=None)


def _read_id(text: str) -> bytes:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != _ID_BYTES:
        raise Complaint(f"{text!r} is none: it has {2 * _ID_BYTES} hexadecimal digits")
    return found


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    payload = row["payload"]
    what = " to ".join((payload["debit"], payload["credit"])) if "debit" in payload else payload["original_key"]
    alpha = read_currency(str(payload["currency"])).alpha if "currency" in payload else payload["through"][-3:]
    return {**row, "what": what, "amount": f"{format_minor(payload['amount_minor'], exponent_of(alpha))} {alpha}"}


_COLUMNS = [
    Column("approval_id", "request"),
    Column("action", "action"),
    Column("what", "what"),
    Column("amount", "amount", right=True),
    Column("requested_by", "by"),
    Column("reason", "reason"),
    Column("expires_us", "until", show=write_time),
    Column("state", "state"),
    Column("decided_by", "decided by"),
]
