"""The demonstration: a whole switch with its neighbours on this machine, mixed traffic, and checks of what it did.

The switch and every command of `junctor` run as child processes, as an operator would run them. The issuer, the banks
and the terminals run here.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, Final

from rich.console import Console
from twisted.internet.defer import Deferred, gatherResults

from ..codecs.iso8583 import load_spec
from .bank import Acknowledge
from .correspondence import Correspondence, Correspondent, Kind
from .demo_display import Display, Moment, make_display, print_summary
from .demo_report import (
    Check,
    DemoReport,
    check_books,
    check_issuer,
    check_mail,
    check_terminals,
    sum_up_mail,
)
from .demo_scene import (
    ACQUIRER,
    NORTH_BANK,
    NORTH_BIC,
    SWIFT_IN,
    SWITCH_BIC,
    TERMINALS,
    Scene,
    find_leaks,
    read_queues,
    read_trial_balance,
    set_scene,
)
from .demo_settings import RESPONSE_TIMEOUT_S, SOUTH_BANK
from .fleet import Fleet
from .probe import Readings, find_readings
from .scenarios import EVERYDAY, make_mix
from .slips import Stans, TerminalProfile
from .tally import Tally
from .terminal import Terminal, TerminalSettings
from .waiting import pause

TERMINAL_COUNT: Final = 32
PER_SECOND: Final = 60.0
"""Scenarios of all terminals together; a scenario is one to three messages."""
DRAIN_S: Final = 30.0
"""How long deliveries may take to arrive after the traffic."""
_MAIL_INTERVAL_S: Final = 0.25
_PATIENCE_S: Final = RESPONSE_TIMEOUT_S * 6
_SHOW_S: Final = 0.25
_STOP_S: Final = 30.0


class Traffic:
    """Terminals and correspondent banks at work, and how it looks meanwhile."""

    def __init__(self, reactor: Any, scene: Scene, random: Random, per_second: float) -> None:
        self._reactor = reactor
        self._scene = scene
        self._started_s = reactor.seconds()
        self._phase = "traffic"
        self._readings: Readings | None = None
        self.tally = Tally()
        settings = TerminalSettings(
            scene.address(TERMINALS, ACQUIRER), load_spec("iso1987-ascii"), patience_s=_PATIENCE_S
        )
        terminals = [
            Terminal(
                reactor,
                settings,
                TerminalProfile(f"TERM{number:04d}", f"MERCHANT{number // 4:07d}", "00000000017"),
                self.tally,
                lambda: datetime.now(UTC),
                Stans(random.randrange(1_000_000)),
            )
            for number in range(TERMINAL_COUNT)
        ]
        self._fleet = Fleet(reactor, terminals, scene.cards, make_mix(EVERYDAY), per_second, random)
        self._random = random
        self.mail: Correspondence | None = None

    async def work(self, seconds: float, display: Display) -> float:
        """Let everybody work for some seconds and end what they began; give the seconds it took."""
        scene = self._scene
        north = Correspondent(
            scene.north,
            await scene.north.dial(scene.address(SWIFT_IN, NORTH_BANK)),
            SWITCH_BIC,
            frozenset(kind for kind in Kind if not kind.is_onward),
        )
        south = Correspondent(
            scene.south,
            await scene.south.dial(scene.address(SWIFT_IN, SOUTH_BANK)),
            NORTH_BIC,
            frozenset(kind for kind in Kind if kind.is_onward),
        )
        accounts = [card.account for card in scene.cards if card.account and card.currency == "978"]
        self.mail = Correspondence(
            self._reactor, [north, south], accounts, self._random, lambda: datetime.now(UTC).date(), _PATIENCE_S
        )
        self._started_s = self._reactor.seconds()
        showing = Deferred.fromCoroutine(self._show(display))
        try:
            await gatherResults(
                [
                    Deferred.fromCoroutine(self._fleet.work(seconds)),
                    Deferred.fromCoroutine(self.mail.work(seconds, _MAIL_INTERVAL_S)),
                ],
                consumeErrors=True,
            )
            took_s: float = self._reactor.seconds() - self._started_s
            self._phase = "draining"
            await self._wait_for_deliveries()
        finally:
            self._phase = "done"
            await showing
        return took_s

    def stop(self) -> None:
        """Begin nothing more."""
        self._fleet.stop()
        if self.mail is not None:
            self.mail.stop()

    @property
    def delivered(self) -> list[tuple[str, bool, bool]]:
        """What reached the other bank: reference, whether said to be a possible duplicate, whether taken."""
        return [
            (each.reference or "", each.is_possible_duplicate, isinstance(each.act, Acknowledge))
            for each in self._scene.north.received
        ]

    async def _wait_for_deliveries(self) -> None:
        """Wait until the switch says, twice in a row, that nothing waits for a peer or to be delivered."""
        until_s = self._reactor.seconds() + DRAIN_S
        quiet = 0
        while quiet < 2 and self._reactor.seconds() < until_s:
            await pause(self._reactor, 1.0)
            readings = self._readings
            is_quiet = readings is not None and not (
                readings.total("delivery_depth") or readings.total("open_transactions")
            )
            quiet = quiet + 1 if is_quiet else 0

    async def _show(self, display: Display) -> None:
        """Read the switch's metrics and show where things stand, until all is done."""
        while self._phase != "done":
            self._readings = await find_readings(self._scene.ports.admin)
            counts = self.mail.counts if self.mail is not None else None
            display.show(
                Moment(
                    elapsed_s=self._reactor.seconds() - self._started_s,
                    phase=self._phase,
                    counts=self.tally.counts(),
                    mail_sent=counts.sent if counts is not None else 0,
                    mail_delivered=sum(is_taken for _, _, is_taken in self.delivered),
                    readings=self._readings,
                )
            )
            await pause(self._reactor, _SHOW_S)


async def run_demo(
    reactor: Any,
    folder: Path,
    seconds: float,
    stay: bool,
    as_json: bool,
    *,
    per_second: float = PER_SECOND,
    seed: int = 1,
) -> DemoReport:
    """Run the demonstration in a folder, print its summary (or JSON), and give the report.

    seconds: of traffic. stay: leave everything up afterwards until a signal comes. An interrupt before the end stops
    the switch and gives no report. Raises SceneFailed or ChildFailed when the scene cannot be set.
    """
    console, random = Console(), Random(seed)
    display = make_display(console, as_json)
    scene = await set_scene(reactor, folder, random, display.say)
    traffic = Traffic(reactor, scene, random, per_second)
    over: Deferred[None] = Deferred()
    left: Deferred[None] = Deferred()
    is_staying = is_interrupted = False

    def interrupt() -> Deferred[None] | None:
        # While we stay, the signal ends the story in its own way; before that it cuts the story short.
        nonlocal is_interrupted
        is_interrupted = True
        traffic.stop()
        if is_staying:
            over.callback(None)
            return left
        return None

    trigger = reactor.addSystemEventTrigger("before", "shutdown", interrupt)
    try:
        try:
            took_s = await traffic.work(seconds, display)
        finally:
            display.close()
        stopped = [] if stay else [_check_stop(await scene.switch.stop(_STOP_S))]
        report = await _report(reactor, scene, traffic, took_s, stopped)
        if as_json:
            print(json.dumps(report.as_json()), flush=True)
        else:
            print_summary(console, report)
        if stay:
            _print_doors(console, scene)
            is_staying = True
            await over
    finally:
        await scene.switch.stop(_STOP_S)
        await scene.close()
        if not is_interrupted:
            reactor.removeSystemEventTrigger(trigger)
        left.callback(None)
    return report


def _check_stop(status: int) -> Check:
    return Check("the switch drained and stopped by itself on SIGTERM", status == 0, f"status {status}")


async def _report(reactor: Any, scene: Scene, traffic: Traffic, took_s: float, stopped: list[Check]) -> DemoReport:
    assert traffic.mail is not None
    counts, journal = traffic.tally.counts(), scene.issuer.journal
    mail = sum_up_mail(traffic.mail.counts, traffic.delivered)
    balance = await read_trial_balance(reactor, scene)
    queues = await read_queues(reactor, scene)
    leaks = find_leaks(scene)
    checks = [
        *check_terminals(counts),
        *check_mail(mail, traffic.mail.counts.onward),
        Check("no delivery is left over", queues is not None and queues[0] == 0, f"{queues and queues[0]} wait"),
        Check("there are no dead letters", queues is not None and queues[1] == 0, f"{queues and queues[1]}"),
        *check_books(balance),
        *check_issuer(journal),
        Check("no card number stands in the clear in log or database", not leaks, ", ".join(leaks)),
        *stopped,
    ]
    return DemoReport(
        seconds=round(took_s, 1),
        counts=counts,
        mail=mail,
        reversals_delivered=sum(len(entry.reversals) for entry in journal) + journal.stray_reversals,
        advices_delivered=sum(len(entry.completions) for entry in journal) + journal.stray_advices,
        issuer=journal.counts(),
        trial_balance=balance,
        checks=tuple(checks),
    )


def _print_doors(console: Console, scene: Scene) -> None:
    """Tell how to go on with what stays up."""
    tls = scene.folder / "tls"
    port = scene.ports.listeners[TERMINALS]
    admin = f"http://127.0.0.1:{scene.ports.admin}"
    card = next(card for card in scene.cards if card.group == "own")
    for line in (
        "",
        "The switch stays up; an interrupt (Ctrl-C) ends it.",
        f"  terminals   127.0.0.1:{port}, mutual TLS with {tls}/{ACQUIRER}.pem, iso1987-ascii, 2-byte length",
        f"  SWIFT FIN   127.0.0.1:{scene.ports.listeners[SWIFT_IN]}, with {tls}/{NORTH_BANK}.pem, 4-byte length",
        f"  metrics     {admin}/metrics   health {admin}/readyz   links {admin}/links",
        f"  log         {scene.log_file}",
        "Send it payments with a card of its own books, and look at what it did:",
        f"  echo {card.pan.reveal()} > {scene.folder}/card",
        f"  junctor simulate terminal --connect 127.0.0.1:{port} --tls {tls} --as {ACQUIRER} \\",
        f"      --server-name localhost --cards-file {scene.folder}/card --scenario purchase",
        f"  junctor link list --config {scene.config_file}",
        f"  junctor ledger trial-balance --config {scene.config_file}",
    ):
        console.print(line, highlight=False, soft_wrap=True, markup=False)
