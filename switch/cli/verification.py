"""`junctor ledger verify` and `junctor ledger anchor`: whether the books are as they were written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import click

from ...ledger.anchors import ANCHOR_BYTES_MAX, Anchor, AnchorFault, parse_anchor, read_anchor, write_anchor
from ...ledger.findings import Tally, Verdict, tell_nobody
from ...ledger.verify import verify as verify_books
from ..database import check_schema, connection_url, limits_of, open_vault
from .complaints import Complaint
from .options import config_option, json_option, read_settings
from .output import write_json, write_pairs

_file = click.Path(path_type=Path, dir_okay=False)


@click.command()
@config_option
@click.option("--anchors", type=_file, multiple=True, help="A file of `junctor ledger anchor`; may be repeated.")
@click.option("--progress", is_flag=True, help="Tell on the standard error stream how far it has come.")
@json_option
@click.pass_context
def verify(
    context: click.Context, config_file: Path, anchors: tuple[Path, ...], progress: bool, as_json: bool
) -> None:
    """Walk every hash chain and compare balances with entries; status 1 with the first finding.

    Beside a running switch: it reads one state of the books and changes nothing.
    """
    settings = read_settings(config_file)
    ends = [head for path in anchors for head in _read_anchor(path).heads]
    check_schema(settings)
    verdict = verify_books(
        connection_url(settings),
        open_vault(settings),
        limits_of(settings),
        anchors=ends,
        tell=_tell if progress else tell_nobody,
    )
    write_verdict(verdict, as_json=as_json)
    context.exit(0 if verdict.finding is None else 1)


@click.command("anchor")
@config_option
@click.option("--to", "target", type=_file, required=True, help="The file to write; it must not be there yet.")
@json_option
def anchor(config_file: Path, target: Path, as_json: bool) -> None:
    """Write the ends of all hash chains to a file, to be kept away from the database.

    `junctor ledger verify --anchors FILE` then finds chains that were cut off or written anew.
    """
    settings = read_settings(config_file)
    check_schema(settings)
    ends = read_anchor(connection_url(settings), limits_of(settings))
    with target.open("x", encoding="utf-8") as file:
        file.write(write_anchor(ends))
    write_pairs(
        {"bdate": ends.bdate, "chains": len(ends.heads), "root": ends.root.hex(), "file": str(target)},
        as_json=as_json,
    )


def write_verdict(verdict: Verdict, *, as_json: bool, more: dict[str, Any] | None = None) -> None:
    """Write how verifying ended, and what else was found out."""
    counts = attrs.asdict(verdict, filter=lambda field, _: field.name != "finding")
    finding = None if verdict.finding is None else attrs.asdict(verdict.finding)
    if as_json:
        ok = finding is None and not any((more or {}).values())
        write_json({"ok": ok, "finding": finding, **counts, **(more or {})})
        return
    write_pairs({**counts, **(more or {})}, as_json=False)
    click.echo("sound" if verdict.finding is None else str(verdict.finding))


def _read_anchor(path: Path) -> Anchor:
    with path.open(encoding="utf-8", errors="replace") as file:
        text = file.read(ANCHOR_BYTES_MAX + 1)
    if len(text) > ANCHOR_BYTES_MAX:
        raise Complaint(f"{path} is too long for an anchor")
    try:
        return parse_anchor(text)
    except AnchorFault as fault:
        raise Complaint(f"{path}: {fault}") from fault


def _tell(tally: Tally) -> None:
    click.echo(
        f"{tally.batches} batches, {tally.messages} messages, {tally.entries} entries, {tally.accounts} accounts",
        err=True,
    )
