"""The command `junctor`: one file per group of commands, each imported only when it is asked for."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import takewhile

import click

from ... import __version__
from .complaints import explain
from .lazy import Entry, LazyGroup

__all__ = ["cli", "main"]

COMMANDS: dict[str, Entry] = {
    "run": Entry("running", "run", "Run the switch until it is told to stop."),
    "demo": Entry("running", "demo", "Run a switch with simulators under traffic, and check what it did."),
    "check-config": Entry("settings", "check_config", "Tell everything that is wrong with a configuration file."),
    "migrate": Entry("settings", "migrate", "Make the database's tables, or bring them up to date."),
    "key": Entry("keys", "key", "Keys that protect card data at rest."),
    "keys": Entry("keys", "key", "Keys that protect card data at rest."),
    "cert": Entry("secrets", "cert", "Certificates for development."),
    "iso8583": Entry("iso8583", "iso8583", "Read and write ISO 8583 messages."),
    "swift": Entry("swift", "swift", "Read SWIFT messages."),
    "link": Entry("links", "link", "Links of the running switch."),
    "queue": Entry("queue", "queue", "Deliveries that wait, and dead letters."),
    "transaction": Entry("transactions", "transaction", "Find a payment, and see what became of it."),
    "account": Entry("accounts", "account", "Accounts and their balances."),
    "ledger": Entry("ledger", "ledger", "The books as a whole."),
    "backup": Entry("backup", "backup", "Copies of the books."),
    "simulate": Entry("simulate", "simulate", "Play a terminal, an issuer or a bank."),
    "load": Entry("load", "load", "Measure a switch under load."),
}


@click.command("junctor", cls=LazyGroup, entries=COMMANDS, package=__name__)
@click.version_option(__version__, message="junctor %(version)s")
@click.option("--debug", is_flag=True, help="Show where an error came from.")
@click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False),
    default="junctor.toml",
    show_default=True,
    envvar="JUNCTOR_CONFIG",
    show_envvar=True,
    help="The configuration file; may stand after the command as well.",
)
def cli(debug: bool, config_file: str) -> None:
    """Junctor, the open payment message switch."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave with its status: 0 good, 1 a fault or a negative answer, 2 wrong usage.

    Whatever goes wrong is told in one sentence on the standard error stream, without content of messages.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    is_debugging = "--debug" in takewhile(lambda word: word.startswith("-"), given)
    try:
        status = cli.main(given, prog_name="junctor", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        if is_debugging and error.__cause__ is not None:
            raise
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("junctor: stopped", err=True)
        sys.exit(1)
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python would complain once more when it closes the stream.
        sys.stderr.close()
        sys.exit(1)
    except Exception as error:  # the last border: nothing that a person typed ends in a traceback
        click.echo(f"junctor: {explain(error)}", err=True)
        if is_debugging:
            raise
        sys.exit(1)
    sys.exit(status if isinstance(status, int) else 0)
