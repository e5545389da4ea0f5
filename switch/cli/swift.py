"""`junctor swift`: FIN messages as people and programs can read them, with what is wrong with them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import click

from ...codecs.faults import DecodeFault
from ...codecs.swift import parse_fins, to_flat
from .complaints import Complaint
from .options import json_option
from .output import Column, write_json, write_rows

INPUT_BYTES_MAX: Final = 1_048_576

_FIELD_COLUMNS = [
    Column("line", "line", right=True),
    Column("tag", "tag"),
    Column("shown", "content"),
]


@click.group()
def swift() -> None:
    """Read SWIFT messages."""


@swift.command("parse")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--unmask", is_flag=True, help="Show names, accounts and texts: never on a screen that others see.")
@json_option
@click.pass_context
def parse(context: click.Context, file: Path | None, unmask: bool, as_json: bool) -> None:
    """Read FIN messages from FILE or the standard input: headers, fields with their parts, and findings.

    With --json one message is an object, several (an ACK and what it acknowledges) are an array. Status 1 when a
    message cannot be read, or when something is found to be wrong with it.
    """
    try:
        messages = [to_flat(message, unmask=unmask) for message in parse_fins(_read(file))]
        if not messages:
            raise DecodeFault("1", 0, "there is no message")
    except DecodeFault as fault:
        if not as_json:
            raise Complaint(f"not a FIN message: {fault}") from fault
        write_json({"error": {"path": fault.path, "offset": fault.offset, "why": fault.why}})
        context.exit(1)
    if as_json:
        write_json(messages[0] if len(messages) == 1 else messages)
    else:
        for index, message in enumerate(messages):
            _show(message, is_first=index == 0)
    context.exit(1 if any(message["findings"] for message in messages) else 0)


def _read(file: Path | None) -> bytes:
    """Read the input without the white space that editors leave around it."""
    if file is None:
        raw = sys.stdin.buffer.read(INPUT_BYTES_MAX + 1)
    else:
        with file.open("rb") as stream:
            raw = stream.read(INPUT_BYTES_MAX + 1)
    if len(raw) > INPUT_BYTES_MAX:
        raise Complaint(f"the input is longer than {INPUT_BYTES_MAX} bytes")
    return raw.strip(b" \r\n")


def _show(message: dict[str, Any], *, is_first: bool) -> None:
    if not is_first:
        click.echo()
    blocks = message["blocks"]
    lines: list[dict[str, Any]] = [
        {"block": block, "tag": name, "shown": value}
        for block in ("1", "2")
        for name, value in blocks.get(block, {}).items()
        if value is not None
    ]
    lines += [
        {"block": block, "tag": row["tag"], "shown": _content(row)}
        for block in ("3", "4", "5", "S")
        for row in blocks.get(block, [])
    ]
    click.echo(f"MT{message['message_type']}" if message["message_type"] else "service message")
    write_rows(lines, [Column("block", "block"), Column("tag", "name"), Column("shown", "content")], as_json=False)
    if message["fields"]:
        click.echo()
        write_rows(
            [{"line": row["line"], "tag": row["tag"], "shown": _content(row)} for row in message["fields"]],
            _FIELD_COLUMNS,
            as_json=False,
        )
    for finding in message["findings"]:
        place = " ".join(str(part) for part in (finding["tag"], finding["component"]) if part)
        line = f"line {finding['line']}" if finding["line"] else "header"
        click.echo(f"{finding['code']} {line} {place}: {finding['text']}".replace("  ", " "))


def _content(row: dict[str, Any]) -> str:
    """Give a field's parts by name where it has several, else its value."""
    parts = row.get("parts") or {}
    if len(parts) < 2:
        return " / ".join(str(row["value"]).splitlines())
    shown = {name: part if isinstance(part, str) else " / ".join(part) for name, part in parts.items()}
    return ", ".join(f"{name}: {part}" for name, part in shown.items() if part)
