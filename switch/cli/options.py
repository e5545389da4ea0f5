"""Options that many commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ...config.faults import SettingsFaults
from ...config.load import load_settings
from ...config.settings import Settings
from .complaints import Complaint

F = TypeVar("F", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Write one JSON document, for programs.")

config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("junctor.toml"),
    show_default=True,
    envvar="JUNCTOR_CONFIG",
    show_envvar=True,
    help="The configuration file.",
)


def read_settings(config_file: Path) -> Settings:
    """Load the configuration; a Complaint with every mistake in it when it cannot be used."""
    try:
        return load_settings(config_file)
    except SettingsFaults as faults:
        lines = "".join(f"\n  {fault}" for fault in faults.faults)
        raise Complaint(f"{config_file} cannot be used:{lines}") from faults
