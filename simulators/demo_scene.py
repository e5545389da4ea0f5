"""The scene of the demonstration: a folder with all that a switch needs, its neighbours listening, and the switch."""

from __future__ import annotations

import fcntl
import json
import shutil
import socket
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from random import Random
from typing import Any, Final

import attrs

from ..codecs.iso8583 import load_spec
from ..config.settings import TlsSettings
from .authority import make_authority
from .bank import Bank, BankRule, BankSettings, Ignore
from .children import ChildReactor, Daemon, junctor_command, run_command, run_junctor
from .correspondence import Kind
from .demo_people import account_lines, make_cards
from .demo_settings import RESPONSE_TIMEOUT_S, SOUTH_BANK, SOUTH_BIC, DemoPorts, listener_names, make_configuration
from .issuer import Issuer, IssuerSettings
from .probe import find_readings, is_ready
from .rules import signal_rules
from .slips import Card
from .waiting import pause
from .wire import Address

ACQUIRER: Final = "acme-pos"
ISSUER: Final = "blue-bank"
NORTH_BANK: Final = "north-bank"
NORTH_BIC: Final = "NORTDEFFXXX"
SWITCH_BIC: Final = "JUNCDEFFXXX"
TERMINALS: Final = "terminals"
SWIFT_IN: Final = "swift-in"

_START_S: Final = 30.0
_LOOK_S: Final = 0.1
_MADE: Final = ("junctor.toml", "junctor.db", "junctor.db-wal", "junctor.db-shm", "switch.log", "tls", "keys")
"""What an earlier demonstration left in its folder; nothing else there is touched."""
_LOOPBACK: Final = "tcp:0:interface=127.0.0.1"


class SceneFailed(Exception):
    """The scene could not be set; the text says why."""


@attrs.define
class Scene:
    """Everything that the traffic needs; `switch` runs as a child."""

    folder: Path
    config_file: Path
    log_file: Path
    ports: DemoPorts
    cards: Sequence[Card]
    issuer: Issuer
    north: Bank
    south: Bank
    switch: Daemon
    _lock: Any = attrs.field(repr=False)

    def tls(self, name: str) -> TlsSettings:
        """Give the identity of a neighbour."""
        return tls_of(self.folder, name)

    def address(self, listener: str, name: str) -> Address:
        """Give a door of the switch, as a neighbour dials it."""
        return Address("127.0.0.1", self.ports.listeners[listener], self.tls(name), "localhost")

    async def close(self) -> None:
        """Let the neighbours hang up; the switch must have stopped."""
        for neighbour in (self.issuer, self.north, self.south):
            await neighbour.close()
        self._lock.close()


def tls_of(folder: Path, name: str) -> TlsSettings:
    """Give the files of one certificate of the demonstration's authority."""
    tls = folder / "tls"
    return TlsSettings(tls / f"{name}.pem", tls / f"{name}.key", tls / "ca.pem")


async def set_scene(reactor: Any, folder: Path, random: Random, say: Callable[[str], None]) -> Scene:
    """Make the folder, start the neighbours and the switch, and wait until its links are up.

    Raises SceneFailed or ChildFailed; then nothing is left running.
    """
    folder = folder.absolute()
    lock = _take(folder)
    say(f"making certificates, keys, accounts and a configuration in {folder}")
    authority = make_authority(folder / "tls", datetime.now(UTC))
    for name in ("switch", ACQUIRER, ISSUER, NORTH_BANK, SOUTH_BANK):
        authority.issue(name)
    issuer, north, south = _neighbours(reactor, random)
    config_file, cards = folder / "junctor.toml", make_cards()
    example = resources.files(f"{__package__.rpartition('.')[0]}.config.demo").joinpath("junctor.toml").read_text()
    try:
        issuer_port = await issuer.listen(_LOOPBACK, tls_of(folder, ISSUER))
        bank_port = await north.listen(_LOOPBACK, tls_of(folder, NORTH_BANK))
        names = listener_names(example)
        admin, *doors = _free_ports(len(names) + 1)
        ports = DemoPorts(admin, dict(zip(names, doors, strict=True)), issuer_port, bank_port)
        config_file.write_text(make_configuration(example, ports), encoding="utf-8")
        await _fill_books(reactor, folder, config_file, cards)
        say("starting the switch")
        log_file = folder / "switch.log"
        switch = Daemon(reactor, junctor_command("run", "--config", str(config_file)), log_file)
    except BaseException:
        for neighbour in (issuer, north):
            await neighbour.close()
        lock.close()
        raise
    scene = Scene(folder, config_file, log_file, ports, cards, issuer, north, south, switch, lock)
    try:
        await _wait_for_switch(reactor, scene)
    except BaseException:
        await switch.stop(_START_S)
        await scene.close()
        raise
    return scene


def _take(folder: Path) -> Any:
    """Clear away an earlier demonstration, and keep others out while this one runs."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = (folder / ".lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise SceneFailed(f"another demonstration is running in {folder}: choose another --folder") from None
    for name in _MADE:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return lock


def _neighbours(reactor: Any, random: Random) -> tuple[Issuer, Bank, Bank]:
    def now() -> datetime:
        return datetime.now(UTC)

    rules = signal_rules(delay_s=0.2, late_s=RESPONSE_TIMEOUT_S * 1.5)
    issuer = Issuer(reactor, IssuerSettings(load_spec("iso1987-binary"), rules=rules), random, now)
    lazy = BankRule(Ignore(), references=(Kind.ONWARD_SLOW.value,), first_only=True)
    north = Bank(reactor, BankSettings(NORTH_BIC, rules=(lazy,)), random, now)
    south = Bank(reactor, BankSettings(SOUTH_BIC), random, now)
    return issuer, north, south


async def _fill_books(reactor: ChildReactor, folder: Path, config_file: Path, cards: Sequence[Card]) -> None:
    await run_junctor(reactor, "key", "init", "--config", str(config_file))
    await run_junctor(reactor, "migrate", "--config", str(config_file))
    batch = folder / "accounts.jsonl"
    batch.touch(mode=0o600)
    try:
        batch.write_text(account_lines(cards), encoding="utf-8")
        await run_junctor(reactor, "account", "create", "--batch", str(batch), "--config", str(config_file))
    finally:
        batch.unlink()  # it holds card numbers


async def _wait_for_switch(reactor: Any, scene: Scene) -> None:
    """Wait until the switch is ready and its links to the neighbours are signed on."""
    until_s = reactor.seconds() + _START_S
    admin = scene.ports.admin
    while reactor.seconds() < until_s:
        if scene.switch.status is not None:
            raise SceneFailed(f"the switch ended with status {scene.switch.status}: {last_line(scene.log_file)}")
        if await is_ready(admin):
            readings = await find_readings(admin)
            if readings is not None and all(
                readings.total("link_signed_on", institution=name) >= 1 for name in (ISSUER, NORTH_BANK)
            ):
                return
        await pause(reactor, _LOOK_S)
    raise SceneFailed(f"the switch was not ready within {_START_S:.0f} s: see {scene.log_file}")


def last_line(log_file: Path) -> str:
    """Give the end of a log, for a sentence about what went wrong."""
    lines = log_file.read_text("utf-8", "replace").strip().splitlines()
    return lines[-1][-500:] if lines else "it wrote nothing"


def _free_ports(count: int) -> list[int]:
    """Find ports that nobody listens at: held together, so that they differ, and let go for the switch to take."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


async def read_trial_balance(reactor: ChildReactor, scene: Scene) -> dict[str, int]:
    """Ask `junctor ledger trial-balance`: currency -> sum of all accounts in minor units."""
    command = junctor_command("ledger", "trial-balance", "--json", "--config", str(scene.config_file))
    finished = await run_command(reactor, command, 60.0)
    try:
        return {str(row["currency"]): int(row["total_minor"]) for row in json.loads(finished.out)}
    except (ValueError, TypeError, KeyError):
        return {}


async def read_queues(reactor: ChildReactor, scene: Scene) -> tuple[int, int] | None:
    """Ask `junctor queue list`: how many deliveries wait, and how many are dead letters; None without an answer."""
    finished = await run_command(
        reactor, junctor_command("queue", "list", "--json", "--config", str(scene.config_file)), 60.0
    )
    try:
        rows = json.loads(finished.out)
        return sum(int(row["depth"]) for row in rows), sum(int(row["dead"]) for row in rows)
    except (ValueError, TypeError, KeyError):
        return None


def find_leaks(scene: Scene) -> list[str]:
    """Find files of the switch in which a whole card number stands in the clear."""
    numbers = [card.pan.reveal().encode() for card in scene.cards]
    leaking = []
    for path in sorted([scene.log_file, *scene.folder.glob("junctor.db*")]):
        content = path.read_bytes()
        if any(number in content for number in numbers):
            leaking.append(path.name)
    return leaking
