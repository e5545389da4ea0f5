"""`junctor link`: what the running switch is connected to."""

from __future__ import annotations

from pathlib import Path

import click

from .admin import ask_switch
from .complaints import Complaint
from .options import config_option, json_option, read_settings
from .output import Column, write_rows

_COLUMNS = [
    Column("name", "link"),
    Column("institution", "institution"),
    Column("protocol", "protocol"),
    Column("direction", "direction"),
    Column("state", "state"),
    Column("since", "since", show=lambda value: str(value)[:19]),
    Column("in_flight", "in flight", right=True),
    Column("in_hand", "in hand", right=True),
    Column("peer", "peer"),
    Column("tls_version", "TLS"),
]


@click.group()
def link() -> None:
    """Links of the running switch."""


@link.command("list")
@config_option
@json_option
def list_links(config_file: Path, as_json: bool) -> None:
    """List every link and every dialler, with its state and what is on it.

    The running switch is asked over its admin listener.
    """
    rows = ask_switch(read_settings(config_file), "/links")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Complaint("what answers at admin.listen is not a switch's admin page")
    write_rows(rows, _COLUMNS, as_json=as_json, empty="no links")
