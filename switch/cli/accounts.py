"""`junctor account`: who has what."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import click

from ...codecs.money import format_minor
from ...ledger import Store, Vault
from ...ledger.operations import Answered, Approved, Conflict, Decided, Declined, Done, Failed, Outcome
from .account_changes import block, close, limit, unblock, update
from .amounts import exponent_of
from .books import reading, tell, writing
from .cards import ask_for_card, read_cards_file
from .complaints import Complaint
from .openings import KINDS, Opening, read_opening, read_opening_line, suspense_account
from .options import config_option, json_option, read_settings
from .output import Column, Row, write_json, write_pairs, write_rows
from .times import write_time_exactly

BATCH_LINES_MAX: Final = 1_000_000
LINE_CHARS_MAX: Final = 65_536
_AT_ONCE: Final = 200
"""Accounts that one database transaction opens."""

_COLUMNS = [
    Column("code", "account"),
    Column("kind", "kind"),
    Column("institution", "institution"),
    Column("currency", "currency"),
    Column("posted", "balance", right=True),
    Column("held", "set aside", right=True),
    Column("available", "available", right=True),
]
_ENTRY_COLUMNS = [
    Column("seq", "number", right=True),
    Column("at_us", "time", show=write_time_exactly),
    Column("kind", "kind"),
    Column("amount", "amount", right=True),
    Column("balance", "balance", right=True),
    Column("held_delta", "set aside by it", right=True),
    Column("txn_key", "transaction"),
]

_LIMIT_COLUMNS = [
    Column("processing_code", "processing code"),
    Column("period", "limit per"),
    Column("amount", "amount", right=True),
    Column("count", "payments", right=True),
    Column("used", "used", right=True),
    Column("used_count", "used payments", right=True),
]


@click.group()
def account() -> None:
    """Accounts and their balances."""


for _change in (update, limit, block, unblock, close):
    account.add_command(_change)


@account.command("list")
@config_option
@click.option("--kind", type=click.Choice(KINDS))
@click.option("--institution")
@click.option("--currency", help="Three letters.")
@json_option
def list_accounts(config_file: Path, as_json: bool, **conditions: str | None) -> None:
    """List accounts with what they hold."""
    with reading(read_settings(config_file)) as reader:
        rows = [tell(each) for each in reader.accounts()]
    rows = [row for row in rows if all(value in (None, row[name]) for name, value in conditions.items())]
    write_rows(rows if as_json else [_shown(row) for row in rows], _COLUMNS, as_json=as_json, empty="no accounts")


@account.command("show")
@config_option
@click.argument("code")
@click.option("--entries", type=click.IntRange(0, 100_000), default=20, show_default=True, help="The last ones.")
@json_option
def show(config_file: Path, code: str, entries: int, as_json: bool) -> None:
    """Show an account, what it holds, and its last entries."""
    with reading(read_settings(config_file)) as reader:
        found = reader.account(code)
        if found is None:
            raise Complaint(f"there is no account {code}")
        limits = [tell(limit) for limit in reader.account_limits(code)]
        last = reader.statement(code, after_seq=max(0, found.entries - entries), most=entries)
    row, statement = tell(found), [tell(entry) for entry in last]
    if as_json:
        write_json({**row, "limits": limits, "statement": statement})
        return
    exponent = exponent_of(row["currency"])
    shown = _shown(row)
    names = ("code", "name", "kind", "institution", "currency", "posted", "held", "available", "floor", "ceiling")
    write_pairs({name: shown[name] for name in names}, as_json=False)
    click.echo()
    if limits:
        write_rows([_shown_limit(each, exponent) for each in limits], _LIMIT_COLUMNS, as_json=False)
        click.echo()
    write_rows(
        [_shown_entry(entry, exponent) for entry in statement], _ENTRY_COLUMNS, as_json=False, empty="no entries"
    )


def _shown(row: Row) -> dict[str, Any]:
    """Give an account with its amounts in the decimals of its currency; no floor is no limit."""
    exponent = exponent_of(row["currency"])
    amounts = {name: row["balance"][name] for name in ("posted", "held", "available")}
    if row["floor_minor"] is None:
        amounts["available"] = None
    amounts |= {"floor": row["floor_minor"], "ceiling": row["ceiling_minor"]}
    written = {name: "no limit" if each is None else format_minor(each, exponent) for name, each in amounts.items()}
    return {**row, **written}


def _shown_limit(limit: Row, exponent: int) -> Row:
    amounts = {name: limit[f"{name}_minor"] for name in ("amount", "used")}
    return {**limit, **{name: None if it is None else format_minor(it, exponent) for name, it in amounts.items()}}


def _shown_entry(entry: Row, exponent: int) -> Row:
    amounts = {
        name: format_minor(entry[f"{name}_minor"], exponent) for name in ("amount", "balance", "held_delta", "held")
    }
    return {**entry, **amounts}


@account.command("create")
@config_option
@click.option("--code", help="How the account is called, once and for all.")
@click.option("--kind", type=click.Choice(KINDS), default=KINDS[0], show_default=True)
@click.option("--currency", help="Three letters or digits of ISO 4217.")
@click.option("--institution", default="", help="Whose account it is, for one that is not a customer's.")
@click.option("--name", default="", help="The holder, for people to read.")
@click.option("--credit-line", default="0", help="How far it may go below zero, as 500.00.")
@click.option("--unlimited", is_flag=True, help="It may go below zero without a limit.")
@click.option("--card", is_flag=True, help="Ask for the number of a card of this account, or read it from a pipe.")
@click.option("--cards-file", type=click.Path(path_type=Path, dir_okay=False), help="Its card numbers, one a line.")
@click.option("--opening", default="0", help="What it holds at first, as 250.00; taken from a suspense account.")
@click.option("--batch", type=click.Path(path_type=Path, dir_okay=False), help="Many accounts: a JSON object a line.")
@json_option
@click.pass_context
def create(context: click.Context, /, config_file: Path, batch: Path | None, as_json: bool, **given: Any) -> None:
    """Open an account, or many.

    The keys of a line of --batch are code, kind, currency, institution, name, credit_line, unlimited, cards and
    opening; amounts are texts ("250.00"). Opening an account that is there with the same content changes nothing, so
    that a command or batch that broke off can be given again. Card numbers are kept as hashes only.
    """
    if (batch is None) == (given["code"] is None):
        raise click.UsageError("give --code and --currency, or --batch")
    if batch is None and given["currency"] is None:
        raise click.UsageError("--code needs --currency")
    settings = read_settings(config_file)
    openings = _read_batch(batch) if batch is not None else iter([_read_one(given)])
    results: list[dict[str, Any]] = []
    with writing(settings) as (store, vault):
        # The accounts of a chunk first, and then the balances of those that are there: an item of a batch stands for
        # itself, and no balance may go to an account that could not be opened as asked.
        while chunk := list(islice(openings, _AT_ONCE)):
            results += _open(store, vault, chunk, time.time_ns() // 1_000)
    failures = [row for row in results if row["why"] is not None]
    if as_json:
        write_json(results)
    else:
        click.echo(f"{len(results) - len(failures)} open, {len(failures)} not")
        for row in failures:
            click.echo(f"{row['code']}: {row['why']}", err=True)
    context.exit(1 if failures else 0)


def _read_one(given: dict[str, Any]) -> Opening:
    cards = [ask_for_card()] if given["card"] else []
    if given["cards_file"] is not None:
        cards += read_cards_file(given["cards_file"])
    tree = {name: given[name] for name in ("code", "kind", "currency", "institution", "name", "opening")}
    limit: dict[str, Any] = {"unlimited": True} if given["unlimited"] else {"credit_line": given["credit_line"]}
    return read_opening({**tree, **limit, "cards": [card.reveal() for card in cards]}, "the account")


def _read_batch(path: Path) -> Iterator[Opening]:
    """Read a batch whole before anything is opened: a mistake in it opens nothing."""
    openings = []
    with path.open(encoding="utf-8", errors="replace") as lines:
        number = 0
        while line := lines.readline(LINE_CHARS_MAX + 1):
            number += 1
            if len(line) > LINE_CHARS_MAX or number > BATCH_LINES_MAX:
                raise Complaint(f"{path} line {number} is beyond the limits of a batch")
            if line.strip():
                openings.append(read_opening_line(line, f"{path} line {number}"))
    return iter(openings)


def _open(store: Store, vault: Vault, openings: Sequence[Opening], now_us: int) -> list[dict[str, Any]]:
    """Open accounts, then book the opening balances; give code and failure (None: open) of each."""
    currencies = {each.currency for each in openings if each.opening_minor}
    sources = [suspense_account(currency, now_us) for currency in sorted(currencies, key=str)]
    outcomes = store.commit([*sources, *(each.account(vault.card_ref, now_us) for each in openings)])
    for outcome in outcomes[: len(sources)]:
        if not isinstance(outcome, Done):
            raise Complaint("the suspense account for opening balances is there with other content")
    results = [
        {"code": each.code, "why": outcome.why if isinstance(outcome, Failed) else None}
        for each, outcome in zip(openings, outcomes[len(sources) :], strict=True)
    ]
    funded = [
        (each, row) for each, row in zip(openings, results, strict=True) if each.opening_minor and row["why"] is None
    ]
    booked = store.commit([each.journal(now_us) for each, _ in funded])
    for (_, row), outcome in zip(funded, booked, strict=True):
        row["why"] = _why_not_booked(outcome)
    return results


def _why_not_booked(outcome: Outcome) -> str | None:
    match outcome:
        case Answered() | Decided(Approved()):
            return None
        case Decided(Declined(reason)) if reason is not None:
            return f"it is open, and its opening balance is not booked: {reason.value}"
        case Conflict():
            return "it is open already, with another opening balance"
        case _:
            return "it is open, and its opening balance is not booked"
