"""`junctor run` and `junctor demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ...config.settings import LoggingSettings
from .options import config_option, json_option, read_settings
from .reactor import run_under_reactor


@click.command()
@config_option
def run(config_file: Path) -> None:
    """Run the switch until it is told to stop.

    On SIGTERM or an interrupt it stops accepting, finishes what is in hand within `switch.drain_s`, signs off and
    closes. Status 1 when it could not start.
    """
    settings = read_settings(config_file)
    from ..service import run as serve

    run_under_reactor(lambda reactor: serve(reactor, settings), settings.logging)


@click.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var/demo"),
    show_default=True,
    help="Where certificates, keys, configuration and database are made.",
)
@click.option("--seconds", type=click.FloatRange(1, 86_400), default=20, show_default=True, help="Length of traffic.")
@click.option("--stay", is_flag=True, help="Leave everything up afterwards, and tell how to use it.")
@json_option
@click.pass_context
def demo(context: click.Context, folder: Path, seconds: float, stay: bool, as_json: bool) -> None:
    """Run a switch with simulators under traffic, and check what it did.

    Terminals, an issuer and a SWIFT bank send it mixed traffic, live.

    Status 0 only when every check holds: each request answered exactly once, no delivery left over, the trial
    balance zero in each currency.
    """
    from ...simulators.demo import run_demo

    async def story(reactor: Any) -> Any:
        return await run_demo(reactor, folder, seconds, stay, as_json)

    # The simulators meet what they provoke; the switch, a process of its own, has its log in the folder.
    report = run_under_reactor(story, LoggingSettings(level="critical"))
    context.exit(0 if report.ok else 1)
