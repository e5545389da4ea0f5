"""A group of commands that are imported when they are used, so that `junctor --help` answers at once."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import attrs
import click


@attrs.frozen
class Entry:
    """Where a command lives (module of this package, name in it), and its line in the list of commands."""

    module: str
    name: str
    summary: str


class LazyGroup(click.Group):
    """A click group whose commands are named in a table; `package` is where the table's modules are."""

    def __init__(self, *args: Any, entries: Mapping[str, Entry], package: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._entries = entries
        self._package = package

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self._entries.get(cmd_name)
        if entry is None:
            return None
        command = getattr(import_module(f"{self._package}.{entry.module}"), entry.name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list from the table alone: asking each command for its help would import all of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in self._entries.items()])
