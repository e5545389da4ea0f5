"""How the demonstration shows itself: live on a terminal, plain lines elsewhere, and a summary at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import attrs
from rich.console import Console, Group
from rich.live import Live
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from .demo_report import DemoReport
from .histogram import Latency
from .probe import Readings
from .tally import Counts

_MEANINGS: Final = {
    "00": "approved",
    "51": "not sufficient funds",
    "54": "expired card",
    "61": "exceeds amount limit",
    "91": "issuer did not answer",
}
_RATES_KEPT: Final = 5


@attrs.frozen
class Moment:
    """What is shown at one time; `readings` are the switch's own metrics, None while it does not answer."""

    elapsed_s: float
    phase: str
    counts: Counts
    mail_sent: int
    mail_delivered: int
    readings: Readings | None


class Display(Protocol):
    """Shows progress; `say` is for single sentences before and after."""

    def say(self, sentence: str) -> None: ...
    def show(self, moment: Moment) -> None: ...
    def close(self) -> None: ...


class Silence:
    """Shows nothing: the report alone is wanted."""

    def say(self, sentence: str) -> None:
        """Keep it to ourselves."""

    def show(self, moment: Moment) -> None:
        """Keep it to ourselves."""

    def close(self) -> None:
        """Nothing was begun."""


class Lines:
    """One line of progress every second, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown_s = -1.0

    def say(self, sentence: str) -> None:
        self._console.print(sentence, highlight=False, soft_wrap=True)

    def show(self, moment: Moment) -> None:
        if moment.elapsed_s - self._shown_s < 1.0:
            return
        self._shown_s = moment.elapsed_s
        counts, latency = moment.counts, moment.counts.prompt_latency
        codes = " ".join(f"{code}:{count}" for code, count in counts.codes.items())
        waiting = _waiting(moment.readings)
        self.say(
            f"{moment.elapsed_s:5.1f} s  {moment.phase:8}  answered {counts.once:6}  [{codes}]  "
            f"p50 {latency.p50_ms:.1f} p95 {latency.p95_ms:.1f} p99 {latency.p99_ms:.1f} ms  "
            f"waiting {waiting}  MT103 {moment.mail_sent}/{moment.mail_delivered}"
        )

    def close(self) -> None:
        """Every line is written already."""


class Screen:
    """A picture that is painted anew while things happen, and stands when they have ended."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False)
        self._is_live = False
        self._last = (0.0, 0)
        self._rates: list[float] = []

    def say(self, sentence: str) -> None:
        self._console.print(sentence, highlight=False)

    def show(self, moment: Moment) -> None:
        if not self._is_live:
            self._live.start()
            self._is_live = True
        self._live.update(self._paint(moment), refresh=True)

    def close(self) -> None:
        if self._is_live:
            self._live.stop()
            self._is_live = False

    def _paint(self, moment: Moment) -> Group:
        counts, latency, readings = moment.counts, moment.counts.prompt_latency, moment.readings
        head = Table.grid(padding=(0, 3))
        head.add_row(
            f"[bold]{moment.phase}[/]",
            f"{moment.elapsed_s:.0f} s",
            f"[bold]{self._rate(moment):.0f}[/] answers/s",
            f"p50 {latency.p50_ms:.1f} ms",
            f"p95 {latency.p95_ms:.1f} ms",
            f"p99 {latency.p99_ms:.1f} ms",
        )
        outcomes = Table(title="Answers to terminals", title_justify="left", box=None, padding=(0, 2))
        outcomes.add_column("code")
        outcomes.add_column("", min_width=22)
        outcomes.add_column("count", justify="right")
        for code, count in counts.codes.items():
            outcomes.add_row(code, _MEANINGS.get(code, ""), str(count))
        queues = Table(title="In the switch", title_justify="left", box=None, padding=(0, 2))
        queues.add_column("", min_width=26)
        queues.add_column("", justify="right")
        for name, value in _inside(readings, moment):
            queues.add_row(name, value)
        both = Table.grid(padding=(0, 4))
        both.add_row(outcomes, queues)
        return Group(Rule("Junctor", align="left"), head, Text(""), both)

    def _rate(self, moment: Moment) -> float:
        elapsed_s, answered = self._last
        if moment.elapsed_s - elapsed_s >= 0.2:
            self._rates.append((moment.counts.once - answered) / (moment.elapsed_s - elapsed_s))
            del self._rates[:-_RATES_KEPT]
            self._last = (moment.elapsed_s, moment.counts.once)
        return sum(self._rates) / len(self._rates) if self._rates else 0.0


def _inside(readings: Readings | None, moment: Moment) -> list[tuple[str, str]]:
    if readings is None:
        return [("no metrics", "-")]
    rows = [
        ("links signed on", f"{readings.total('link_signed_on'):.0f} of {readings.total('link_up'):.0f}"),
        ("waiting for a peer", f"{readings.total('open_transactions'):.0f}"),
    ]
    depths = readings.by("delivery_depth", "lane")
    rows += [(f"deliveries to {lane}", f"{depth:.0f}") for lane, depth in sorted(depths.items()) if lane != ""]
    rows += [
        ("dead letters", f"{readings.total('dead_letters'):.0f}"),
        ("silences of peers", f"{readings.total('link_timeouts_total'):.0f}"),
        ("late responses", f"{readings.total('link_late_responses_total'):.0f}"),
        ("repeats answered again", f"{readings.total('duplicates_total', action='replayed'):.0f}"),
        ("MT103 sent / passed on", f"{moment.mail_sent} / {moment.mail_delivered}"),
    ]
    return rows


def _waiting(readings: Readings | None) -> str:
    if readings is None:
        return "-"
    return f"{readings.total('delivery_depth'):.0f}+{readings.total('open_transactions'):.0f}"


def make_display(console: Console, as_json: bool) -> Display:
    """Choose how to show progress: not at all beside JSON, a picture on a terminal, lines elsewhere."""
    if as_json:
        return Silence()
    return Screen(console) if console.is_terminal else Lines(console)


def print_summary(console: Console, report: DemoReport) -> None:
    """Print what the demonstration found."""
    console.print(_outcomes(report))
    latency, prompt, mail = report.counts.latency, report.counts.prompt_latency, report.mail
    facts = [
        ("requests", f"{report.counts.sent} sent, {report.counts.once} answered, {report.counts.cut} hung up"),
        ("rate", f"{report.per_second} answered per second over {report.seconds:.0f} s"),
        ("latency", _words(latency)),
        ("where nobody delayed", _words(prompt)),
        ("response codes", ", ".join(f"{code}: {count}" for code, count in report.counts.codes.items())),
        ("delivered to the issuer", f"{report.reversals_delivered} reversals, {report.advices_delivered} advices"),
        (
            "MT103",
            f"{mail.sent} sent ({mail.acknowledged} ACK, {mail.flagged} of them as duplicates, {mail.rejected} NAK), "
            f"{sum(mail.delivered.values())} delivered to the other bank",
        ),
        ("trial balance", ", ".join(f"{currency} {total}" for currency, total in report.trial_balance.items())),
    ]
    for name, value in facts:
        console.print(f"{name:24}  {value}", highlight=False, soft_wrap=True)
    console.print()
    for check in report.checks:
        line = Text("ok      ", style="green") if check.ok else Text("FAILED  ", style="red")
        line.append(check.sentence if check.ok else f"{check.sentence}: {check.seen}", style="default")
        console.print(line, soft_wrap=True)


def _words(latency: Latency) -> str:
    return f"p50 {latency.p50_ms:.1f} ms, p95 {latency.p95_ms:.1f} ms, p99 {latency.p99_ms:.1f} ms"


def _outcomes(report: DemoReport) -> Table:
    table = Table(title="Outcomes", title_justify="left", box=None, padding=(0, 2))
    table.add_column("scenario")
    codes: Sequence[str] = sorted({code for _, code in report.counts.outcomes})
    for code in codes:
        table.add_column(code, justify="right")
    for scenario in sorted({scenario for scenario, _ in report.counts.outcomes}):
        cells = (report.counts.outcomes.get((scenario, code)) for code in codes)
        table.add_row(scenario, *("" if count is None else str(count) for count in cells))
    return table
