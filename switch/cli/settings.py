"""`junctor check-config` and `junctor migrate`: what is done before a switch is run."""

from __future__ import annotations

from pathlib import Path

import click

from ...config.faults import SettingsFaults
from .options import config_option, json_option, load_checked, read_settings
from .output import write_json, write_pairs


@click.command("check-config")
@config_option
@json_option
@click.pass_context
def check_config(context: click.Context, config_file: Path, as_json: bool) -> None:
    """Tell everything that is wrong with a configuration file, at once.

    Nothing is opened, connected or changed. Status 1 when something is wrong.
    """
    faults: list[dict[str, str]] = []
    try:
        settings = load_checked(config_file)
    except SettingsFaults as found:
        faults = [{"path": fault.path, "why": fault.why} for fault in found.faults]
    if as_json:
        write_json({"ok": not faults, "faults": faults})
    elif faults:
        for fault in faults:
            click.echo(f"{fault['path']}: {fault['why']}")
    else:
        counted = {
            "institutions": len(settings.institutions),
            "listeners": len(settings.listeners),
            "diallers": len(settings.diallers),
            "routes": len(settings.routing.routes),
        }
        click.echo(f"{config_file} is good: " + ", ".join(f"{count} {name}" for name, count in counted.items()))
    context.exit(1 if faults else 0)


@click.command()
@config_option
@click.option("--role", help="A PostgreSQL role that keeps the books, without changing what is only added.")
@json_option
def migrate(config_file: Path, role: str | None, as_json: bool) -> None:
    """Make the database's tables, or bring them up to date.

    May be run again at any time, and does nothing when nothing is left to do. With --role, the configured user owns
    the tables, and the switch runs under the role, which has no UPDATE or DELETE on messages, entries and journals.
    """
    from ...ledger import migrate as migrate_schema
    from ...ledger import schema_version
    from ..database import connection_url

    settings = read_settings(config_file)
    url = connection_url(settings)
    before = schema_version(url)
    migrate_schema(url)
    if role is not None:
        from ...ledger.grants import grant

        grant(url, role)
    write_pairs({"before": before, "now": schema_version(url)}, as_json=as_json)
