"""`junctor account update | limit | block | unblock | close`: what an operator changes."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from ...ledger.account_items import (
    KEEP,
    AccountItem,
    AccountLimit,
    BlockAccount,
    CloseAccount,
    Keep,
    LimitAccount,
    Period,
    UpdateAccount,
)
from .amounts import read_amount, read_currency
from .books import carry_out, reading, writing
from .complaints import Complaint
from .openings import NAME_CHARS_MAX
from .options import config_option, json_option, read_settings
from .output import write_json


def _asked(command: Callable[..., None]) -> Callable[..., None]:
    """Add what every change needs: the account, and the words that are kept with it."""
    for option in (
        json_option,
        click.option("--by", "who", default=getpass.getuser, help="Who asks.  [default: you]"),
        click.option("--reason", required=True, help="Why, for whoever reads the books."),
        click.argument("code"),
        config_option,
    ):
        command = option(command)
    return command


@click.command("update")
@_asked
@click.option("--credit-line", help="How far it may go below zero, as 500.00.")
@click.option("--unlimited", is_flag=True, help="It may go below zero without a limit.")
@click.option("--ceiling", help="The most that it may hold, as 5000.00, or none.")
@click.option("--name", help="The holder, for people to read.")
def update(config_file: Path, code: str, reason: str, who: str, as_json: bool, **given: Any) -> None:
    """Change an account's limits or name."""
    if given["unlimited"] and given["credit_line"] is not None:
        raise click.UsageError("an account without a limit has no credit line")
    if not given["unlimited"] and all(given[name] is None for name in ("credit_line", "ceiling", "name")):
        raise click.UsageError("say what is to change")
    if given["name"] is not None and len(given["name"]) > NAME_CHARS_MAX:
        raise click.UsageError(f"a name has at most {NAME_CHARS_MAX} characters")
    with reading(read_settings(config_file)) as reader:
        found = reader.account(code)
    if found is None:
        raise Complaint(f"there is no account {code}")
    if found.kind == "settlement" and (given["unlimited"] or given["credit_line"] is not None):
        raise Complaint("the floor of a settlement account is its institution's net debit cap")
    currency = read_currency(found.currency)
    floor: int | Keep | None = KEEP
    if given["unlimited"] or given["credit_line"] is not None:
        floor = None if given["unlimited"] else -read_amount(given["credit_line"], currency)
    ceiling: int | Keep | None = KEEP
    if given["ceiling"] is not None:
        ceiling = None if given["ceiling"] == "none" else read_amount(given["ceiling"], currency)
    name = KEEP if given["name"] is None else given["name"]
    _carry_out(config_file, UpdateAccount(code, who, reason, floor, ceiling, name), as_json)


@click.command("block")
@_asked
@click.option("--debits", is_flag=True, help="Debits alone.")
@click.option("--credits", is_flag=True, help="Credits alone.")
def block(config_file: Path, code: str, reason: str, who: str, as_json: bool, debits: bool, credits: bool) -> None:
    """Refuse an account's debits, its credits, or (without an option) both."""
    both = not debits and not credits
    item = BlockAccount(code, who, reason, debits=True if debits or both else None, credits=credits or both or None)
    _carry_out(config_file, item, as_json)


@click.command("unblock")
@_asked
@click.option("--debits", is_flag=True, help="Debits alone.")
@click.option("--credits", is_flag=True, help="Credits alone.")
def unblock(config_file: Path, code: str, reason: str, who: str, as_json: bool, debits: bool, credits: bool) -> None:
    """Allow an account's debits, its credits, or (without an option) both again."""
    both = not debits and not credits
    item = BlockAccount(
        code, who, reason, debits=False if debits or both else None, credits=False if credits or both else None
    )
    _carry_out(config_file, item, as_json)


@click.command("limit")
@_asked
@click.option("--processing-code", default="", help="Of payments whose DE3 begins so: 2 or 6 digits.  [default: all]")
@click.option("--per-transaction", help="The most of one payment, as 200.00.")
@click.option("--daily", help="The most of a business day.")
@click.option("--daily-count", type=click.IntRange(0), help="How many payments a business day.")
@click.option("--monthly", help="The most of a month.")
@click.option("--monthly-count", type=click.IntRange(0), help="How many payments a month.")
@click.option("--total", help="The most in all.")
@click.option("--total-count", type=click.IntRange(0), help="How many payments in all.")
@click.option("--none", "lifted", is_flag=True, help="Lift the limits for this processing code.")
def limit(config_file: Path, code: str, reason: str, who: str, as_json: bool, **given: Any) -> None:
    """Set an account's limits for a processing code, instead of those that it had for it."""
    chosen = [name for name in _LIMITS if given[name] is not None]
    if bool(chosen) == given["lifted"]:
        raise click.UsageError("give limits, or --none to lift them")
    with reading(read_settings(config_file)) as reader:
        found = reader.account(code)
    if found is None:
        raise Complaint(f"there is no account {code}")
    currency, processing_code = read_currency(found.currency), given["processing_code"]
    limits = []
    for period in dict.fromkeys(_LIMITS[name][0] for name in chosen):
        parts = {_LIMITS[name][1]: given[name] for name in chosen if _LIMITS[name][0] is period}
        amount = None if "amount" not in parts else read_amount(parts["amount"], currency)
        limits.append(AccountLimit(processing_code, period, amount, parts.get("count")))
    _carry_out(config_file, LimitAccount(code, who, reason, processing_code, tuple(limits)), as_json)


_LIMITS: Final = {
    "per_transaction": (Period.TRANSACTION, "amount"),
    "daily": (Period.DAY, "amount"),
    "daily_count": (Period.DAY, "count"),
    "monthly": (Period.MONTH, "amount"),
    "monthly_count": (Period.MONTH, "count"),
    "total": (Period.TOTAL, "amount"),
    "total_count": (Period.TOTAL, "count"),
}
"""Which option says what of which period."""


@click.command("close")
@_asked
@click.option("--delete", "forget", is_flag=True, help="Erase the holder's name and the cards; entries stay.")
def close(config_file: Path, code: str, reason: str, who: str, as_json: bool, forget: bool) -> None:
    """Close an account for good; it must be empty."""
    _carry_out(config_file, CloseAccount(code, who, reason, forget), as_json)


def _carry_out(config_file: Path, item: AccountItem, as_json: bool) -> None:
    with writing(read_settings(config_file)) as (store, _):
        done = carry_out(store, item, f"there is no account {item.code}")
    if as_json:
        write_json({"account": item.code, "event": done.number or None})
    else:
        click.echo(f"{item.code}: event {done.number}" if done.number else f"{item.code}: nothing to change")
