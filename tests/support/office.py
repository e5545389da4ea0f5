"""An operator's office: a configuration file over a migrated database, and the commands about its books."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from command_line import Ended, run_command
from junctor.config.load import load_settings
from junctor.ledger import Store, Vault
from junctor.ledger.operations import Facts
from junctor.switch.database import open_books, open_vault

PAN = "4761739001010010"
OTHER_PAN = "5413330089010012"
EUR = 978
RECEIVED_US = 1_700_000_000_000_000  # 2023-11-14 22:13:20 UTC


class Office:
    """A configuration file over a migrated database, and the commands on it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.config_file = folder / "junctor.toml"
        self.config_file.write_text(f'[database]\nurl = "{url}"\n[routing]\ndefault = "ledger"\n', encoding="utf-8")
        assert self.run("keys", "init").status == 0

    def run(self, *arguments: object, stdin: str = "") -> Ended:
        return run_command(*arguments, "--config", self.config_file, stdin=stdin)

    def json(self, *arguments: object) -> Any:
        ended = self.run(*arguments, "--json")
        assert ended.status == 0, ended.err
        return ended.json

    def open_store(self) -> tuple[Store, Vault]:
        settings = load_settings(self.config_file)
        vault = open_vault(settings)
        return open_books(settings, vault), vault


def facts(key: int, type: str = "0200", amount_minor: int = 1_250) -> Facts:
    """What is kept of a payment at a terminal; `key` makes its identity."""
    return Facts(
        key=bytes([key]) * 16,
        fingerprint=b"f" * 16,
        source="acme-pos",
        destination="ledger",
        type=type,
        received_us=RECEIVED_US,
        trace=f"trace-{key}",
        amount_minor=amount_minor,
        currency=EUR,
        stan="004217",
        rrn="622315004217",
        terminal="TERM0001",
        pan_masked="476173******0010",
    )
