"""`junctor load`: measure a switch under a closed or an open loop of requests."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import click

from ...codecs.iso8583 import Message, Spec, response_mti
from ...codecs.masking import Pan
from ...codecs.money import find_currency
from ...simulators.load import LoadPlan, run_load
from ...simulators.load_report import LoadReport, LoadSecond
from ...simulators.prepared import RRN_MAX, Requests
from ...simulators.scenarios import Leg
from ...simulators.schedule import Arrivals
from ...simulators.slips import Card, TerminalProfile, request
from ...simulators.wire import Unreachable
from .amounts import read_amount
from .cards import TEST_CARD, read_cards_file
from .complaints import Complaint
from .iso8583 import read_spec
from .options import json_option
from .output import write_pairs
from .peers import HostPortType, address_of, with_peer
from .reactor import run_under_reactor


@click.command()
@click.option("--connect", type=HostPortType(), required=True, help="The switch's listener.")
@with_peer
@click.option("--spec", default="iso1987-ascii", show_default=True, callback=read_spec)
@click.option("--framing", default="length2", show_default=True)
@click.option("--connections", type=click.IntRange(1, 20_000), default=64, show_default=True)
@click.option("--in-flight", type=click.IntRange(1, 10_000), default=1, show_default=True, help="On each connection.")
@click.option("--per-second", type=click.FloatRange(0.01), help="An open loop at this rate; none: a closed loop.")
@click.option("--fixed", is_flag=True, help="An open loop with equal gaps, not as customers come (Poisson).")
@click.option("--seconds", type=click.FloatRange(0.1), default=10, show_default=True, help="What is measured.")
@click.option("--warmup-s", type=click.FloatRange(0), default=1, show_default=True, help="What goes before.")
@click.option("--timeout-s", type=click.FloatRange(0.1), default=30, show_default=True, help="Patience.")
@click.option("--count", type=click.IntRange(1), help="Stop after so many requests.")
@click.option("--prepared", type=click.IntRange(0, 5_000_000), default=20_000, show_default=True, help="Made ahead.")
@click.option("--type", "mti", type=click.Choice(["0100", "0200", "0220"]), default="0200", show_default=True)
@click.option("--processing-code", default="00", show_default=True, help="First two digits of DE3.")
@click.option("--amount", default="12.50", show_default=True)
@click.option("--currency", default="978", show_default=True, help="DE49: three digits.")
@click.option("--cards-file", type=click.Path(path_type=Path, dir_okay=False), help="Card numbers, used in turn.")
@click.option("--acquirer-id", default="00000000001", show_default=True, help="DE32.")
@click.option("--seed", type=int, help="Make what is left to chance come out the same again.")
@json_option
@click.pass_context
def load(context: click.Context, /, as_json: bool, **given: Any) -> None:
    """Measure a switch under load.

    A closed loop keeps each connection busy and finds how much a switch can do; an open loop sends at a rate, and
    measures from the moment at which a request was due. Every request is new to the switch. Progress goes to the
    standard error stream. Status 1 when a request was not sent and answered exactly once.
    """
    plan = LoadPlan(
        address=address_of(given["connect"], given["tls_folder"], given["name"], given["server_name"]),
        connections=given["connections"],
        in_flight=given["in_flight"],
        per_second=given["per_second"],
        arrivals=Arrivals.FIXED if given["fixed"] else Arrivals.POISSON,
        seconds=given["seconds"],
        warmup_s=given["warmup_s"],
        timeout_s=given["timeout_s"],
        count_max=given["count"],
        prepared=given["prepared"],
        response_mti=response_mti(given["mti"]),
    )
    now = datetime.now(UTC)
    requests = _requests(given, now)

    async def story(reactor: Any) -> LoadReport:
        return await run_load(reactor, plan, requests, Random(given["seed"]), _tell)

    try:
        report = run_under_reactor(story)
    except Unreachable as error:
        raise Complaint(f"{given['connect'].host}:{given['connect'].port} cannot be reached: {error}") from error
    if as_json:
        click.echo(report.to_json())
    else:
        write_pairs(_summary(report), as_json=False)
    context.exit(0 if report.is_clean else 1)


def _requests(given: dict[str, Any], now: datetime) -> Requests:
    """Make the store of requests: a template for each card, each at a terminal of its own."""
    currency = find_currency(given["currency"])
    if currency is None:
        raise click.BadParameter("ISO 4217 has no such currency", param_hint="--currency")
    spec: Spec = given["spec"]
    cards = read_cards_file(given["cards_file"]) if given["cards_file"] else [Pan(TEST_CARD)]
    leg = Leg(given["mti"], given["processing_code"])
    amount_minor = read_amount(given["amount"], currency)
    templates: list[Message] = [
        request(
            TerminalProfile(f"LD{number:06d}", f"LOAD{number:011d}", given["acquirer_id"]),
            Card(pan, currency.digits),
            leg,
            amount_minor,
            "000001",
            now,
        )
        for number, pan in enumerate(cards)
    ]
    # Milliseconds since 1970: runs that follow one another begin with references of their own.
    first_rrn = int(now.timestamp() * 1000) % RRN_MAX
    return Requests(spec, given["framing"], templates, now, first_rrn, [amount_minor])


def _tell(second: LoadSecond) -> None:
    click.echo(
        f"{second.second:4} s  {second.answered:7} answered  {second.approved:7} approved  "
        f"p50 {second.p50_ms:.2f} ms  p99 {second.p99_ms:.2f} ms  in flight {second.in_flight}  "
        f"waiting {second.waiting}",
        err=True,
    )


def _summary(report: LoadReport) -> dict[str, Any]:
    latency = report.latency
    return {
        "mode": report.mode,
        "sent": report.sent,
        "answered": report.answered,
        "codes": ", ".join(f"{code} x {count}" for code, count in report.codes.items()) or None,
        "not answered": report.timeouts + report.lost,
        "not sent": report.unsent,
        "unmatched": report.unmatched,
        "per second": f"{report.per_second:.1f}",
        "approved per second": f"{report.approved_per_second:.1f}",
        "latency": f"p50 {latency.p50_ms:.2f} ms, p95 {latency.p95_ms:.2f} ms, p99 {latency.p99_ms:.2f} ms",
        "generator": f"{report.cpu_us_per_transaction:.1f} us of CPU a transaction",
    }
