"""Options that many commands share, and the configuration that they name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from ...codecs.iso8583 import SpecError, load_spec
from ...config.faults import SettingsFault, SettingsFaults
from ...config.load import load_settings
from ...config.settings import DiallerSettings, ListenerSettings, Protocol, Settings
from ...routing import RouteFaults
from ..roads import build_routes
from .complaints import Complaint

json_option = click.option("--json", "as_json", is_flag=True, help="Write one JSON document, for programs.")


def _choose_file(context: click.Context, parameter: click.Parameter, value: Path | None) -> Path:
    """Prefer what stands after the command to what stands before it, the environment, and the default."""
    return value or Path(context.find_root().params["config_file"])


config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    callback=_choose_file,
    help="The configuration file.  [default: $JUNCTOR_CONFIG, else junctor.toml]",
)


def load_checked(config_file: Path) -> Settings:
    """Load the configuration, its routes and its specs. Raises SettingsFaults with every mistake found."""
    return load_settings(config_file, checks=(_check_routes, _check_specs))


def read_settings(config_file: Path) -> Settings:
    """Load the configuration; a Complaint with every mistake in it when it cannot be used."""
    try:
        return load_checked(config_file)
    except SettingsFaults as faults:
        lines = "".join(f"\n  {fault}" for fault in faults.faults)
        raise Complaint(f"{config_file} cannot be used:{lines}") from faults


def _check_routes(settings: Settings) -> Iterator[SettingsFault]:
    try:
        build_routes(settings)
    except RouteFaults as faults:
        for fault in faults.faults:
            yield SettingsFault(f"routing.{fault.path}", fault.why)


def _check_specs(settings: Settings) -> Iterator[SettingsFault]:
    links: list[tuple[str, ListenerSettings | DiallerSettings]] = [
        *((f"listeners[{index}]", listener) for index, listener in enumerate(settings.listeners)),
        *((f"diallers[{index}]", dialler) for index, dialler in enumerate(settings.diallers)),
    ]
    for path, link in links:
        if link.protocol is Protocol.ISO8583:
            try:
                load_spec(link.spec)
            except SpecError as error:
                for finding in error.findings:
                    yield SettingsFault(f"{path}.spec", f"{link.spec}: {finding}")
