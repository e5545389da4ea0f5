"""`junctor simulate`: play a terminal, an issuer or a bank against a switch, over real sockets."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import attrs
import click

from ...codecs.framing import Frame
from ...codecs.masking import Pan
from ...simulators import scenarios
from ...simulators.bank import Acknowledge, Bank, BankRule, BankSettings, Ignore, Reject, Transfer
from ...simulators.fleet import Fleet
from ...simulators.issuer import Issuer, IssuerSettings
from ...simulators.rules import Act, Behaviour, Rule, signal_rules
from ...simulators.slips import Card, Stans, TerminalProfile
from ...simulators.tally import Counts, Tally
from ...simulators.terminal import Terminal, TerminalSettings
from ...simulators.wire import Unreachable, Wire, dial
from .cards import TEST_CARD, read_cards_file
from .complaints import Complaint
from .iso8583 import read_spec
from .options import json_option
from .output import write_json, write_pairs
from .peers import HostPort, HostPortType, address_of, tls_of, with_peer
from .reactor import Shift, run_under_reactor

_share = click.FloatRange(0, 1)
_spec_option = click.option("--spec", default="iso1987-ascii", show_default=True, callback=read_spec)
_framing_option = click.option("--framing", default="length2", show_default=True)
_connect_option = click.option("--connect", type=HostPortType(), help="Dial a switch that listens there.")
_listen_option = click.option("--listen", help="Let a switch dial us: a Twisted endpoint, as tcp:8600.")
_seconds_option = click.option("--seconds", type=click.FloatRange(0.1), help="How long; default: until interrupted.")
_seed_option = click.option("--seed", type=int, help="Make what is left to chance come out the same again.")


@click.group()
def simulate() -> None:
    """Play a terminal, an issuer or a bank."""


@simulate.command()
@click.option("--connect", type=HostPortType(), required=True, help="The switch's listener.")
@with_peer
@_spec_option
@_framing_option
@click.option("--count", type=click.IntRange(1, 10_000), default=8, show_default=True, help="How many terminals.")
@click.option("--per-second", type=click.FloatRange(0.01), default=10, show_default=True, help="Scenarios a second.")
@click.option("--seconds", type=click.FloatRange(0.1), default=10, show_default=True, help="How long.")
@click.option("--scenario", "names", multiple=True, help="Play only this one; may be given several times.")
@click.option("--cards-file", type=click.Path(path_type=Path, dir_okay=False), help="Card numbers, one a line.")
@click.option("--currency", default="978", show_default=True, help="DE49: three digits.")
@click.option("--acquirer-id", default="00000000001", show_default=True, help="DE32.")
@click.option("--patience-s", type=click.FloatRange(0.1), default=30, show_default=True, help="Wait for an answer.")
@_seed_option
@json_option
@click.pass_context
def terminal(context: click.Context, /, as_json: bool, **given: Any) -> None:
    """Be payment terminals that play scenarios, and check every answer.

    Status 1 when a request was not answered exactly once, or by something that is not right for it.
    """
    known = {scenario.name for scenario in scenarios.SCENARIOS}
    for name in given["names"]:
        if name not in known:
            raise click.BadParameter(f"{name!r} is not one of: {', '.join(sorted(known))}", param_hint="--scenario")
    address = address_of(given["connect"], given["tls_folder"], given["name"], given["server_name"])
    settings = TerminalSettings(address, given["spec"], given["framing"], given["patience_s"])
    counts = run_under_reactor(lambda reactor: _play(reactor, settings, given))
    if as_json:
        write_json(_counts_json(counts))
    else:
        for (scenario, code), count in counts.outcomes.items():
            click.echo(f"{count:8}  {code:2}  {scenario}")
        fields = ("sent", "once", "twice", "never", "cut", "unexpected", "wrong", "unreachable")
        click.echo(", ".join(f"{name} {getattr(counts, name)}" for name in fields))
        for problem in counts.problems:
            click.echo(problem, err=True)
    context.exit(0 if counts.is_clean and counts.sent else 1)


class _Knock:
    """Hears nothing: a connection that is only tried."""

    def wire_up(self, wire: Wire) -> None: ...
    def hear(self, wire: Wire, frame: Frame) -> None: ...
    def wire_down(self, wire: Wire, why: str) -> None: ...


async def _play(reactor: Any, settings: TerminalSettings, given: dict[str, Any]) -> Counts:
    # Terminals are patient with a peer that is away; somebody who mistyped its address is told at once.
    (await _reach(dial(reactor, settings.address, settings.framing, _Knock()), given["connect"])).hang_up()
    random = Random(given["seed"])
    tally = Tally()
    numbers = read_cards_file(given["cards_file"]) if given["cards_file"] else [Pan(TEST_CARD)]
    # A card of every group, so that each scenario finds one; whose card it is, the switch's routes decide.
    groups = sorted({scenario.group for scenario in scenarios.SCENARIOS} - {""})
    cards = [Card(pan, given["currency"], group, pan.reveal()) for pan in numbers for group in groups]
    terminals = [
        Terminal(
            reactor,
            settings,
            TerminalProfile(f"SIM{number:05d}", f"SIMULATED{number:06d}", given["acquirer_id"]),
            tally,
            _now,
            Stans(random.randrange(1_000_000)),
        )
        for number in range(given["count"])
    ]
    names = given["names"]
    mix = scenarios.make_mix([(name, 1) for name in names] if names else scenarios.EVERYDAY)
    fleet = Fleet(reactor, terminals, cards, mix, given["per_second"], random)
    async with Shift(reactor) as shift:
        shift.when_over(fleet.stop)
        await fleet.work(given["seconds"])
    return tally.counts()


def _counts_json(counts: Counts) -> dict[str, Any]:
    tree = attrs.asdict(counts)
    tree["outcomes"] = [
        {"scenario": scenario, "code": code, "count": count} for (scenario, code), count in counts.outcomes.items()
    ]
    return {"is_clean": counts.is_clean, **tree}


@simulate.command()
@_listen_option
@_connect_option
@with_peer
@_spec_option
@_framing_option
@click.option("--decline", "decline_share", type=_share, default=0.0, help="Share of requests to decline.")
@click.option("--decline-code", default="05", show_default=True, help="DE39 of those.")
@click.option("--silent", "silent_share", type=_share, default=0.0, help="Share of requests to leave unanswered.")
@click.option("--twice", "twice_share", type=_share, default=0.0, help="Share of requests to answer twice.")
@click.option("--garble", "garble_share", type=_share, default=0.0, help="Share of answers to garble.")
@click.option("--disconnect", "disconnect_share", type=_share, default=0.0, help="Share of requests to hang up on.")
@click.option("--late", "late_share", type=_share, default=0.0, help="Share of requests to answer late.")
@click.option("--late-s", type=click.FloatRange(0), default=30.0, show_default=True, help="How late.")
@click.option("--delay-s", type=click.FloatRange(0), default=0.0, show_default=True, help="Before every answer.")
@click.option("--sign-on/--no-sign-on", default=False, help="Sign on when we dial.")
@_seconds_option
@_seed_option
@json_option
def issuer(as_json: bool, **given: Any) -> None:
    """Be an issuer that approves, and does otherwise as often as told.

    Amounts that end in 51, 54, 61, 65, 80 and 90 to 94 are signals: decline, be slow, be silent, late, answer twice,
    garble, hang up. At the end what was asked and done is written.
    """
    settings = IssuerSettings(
        spec=given["spec"], framing=given["framing"], rules=_issuer_rules(given), signs_on=given["sign_on"]
    )

    async def story(reactor: Any) -> dict[str, Any]:
        played = Issuer(reactor, settings, Random(given["seed"]), _now)
        async with Shift(reactor) as shift:
            await _open(played, given)
            await shift.over(given["seconds"])
            await played.close()
        return {**attrs.asdict(played.counts), **played.journal.counts()}

    write_pairs(run_under_reactor(story), as_json=as_json)


def _issuer_rules(given: dict[str, Any]) -> tuple[Rule, ...]:
    """Make the table: signals first, then each share of what is left, then the delay before an approval."""
    shares = (
        ("decline", Behaviour(Act.DECLINE, given["decline_code"], given["delay_s"])),
        ("silent", Behaviour(Act.SILENT)),
        ("late", Behaviour(Act.LATE, delay_s=given["late_s"])),
        ("twice", Behaviour(Act.TWICE, delay_s=given["delay_s"])),
        ("garble", Behaviour(Act.GARBLE, delay_s=given["delay_s"])),
        ("disconnect", Behaviour(Act.DISCONNECT)),
    )
    left, rules = 1.0, list(signal_rules(delay_s=0.5, late_s=given["late_s"]))
    for name, behaviour in shares:
        share = given[f"{name}_share"]
        if share > left + 1e-9:
            raise click.UsageError("the shares add up to more than 1")
        if share > 0:
            rules.append(Rule(name, behaviour, chance=min(1.0, share / left)))
            left -= share
    return (*rules, Rule("approve", Behaviour(delay_s=given["delay_s"])))


@simulate.command()
@_listen_option
@_connect_option
@with_peer
@click.option("--framing", default="length4", show_default=True)
@click.option("--bic", default="NORTDEFFXXX", show_default=True, help="Who the bank is.")
@click.option("--nak", "nak_share", type=_share, default=0.0, help="Share of messages to reject.")
@click.option("--nak-code", default="H50", show_default=True)
@click.option("--silent", "silent_share", type=_share, default=0.0, help="Share of messages to ignore at first.")
@click.option("--send", type=click.IntRange(0, 1_000_000), default=0, show_default=True, help="MT103s to send.")
@click.option("--to", "receiver", default="JUNCDEFFXXX", show_default=True, help="BIC that they are for.")
@click.option("--from-account", default="DE02100100100006820101", show_default=True)
@click.option("--to-account", default="DE02300209000106531065", show_default=True)
@click.option("--amount", default="100,00", show_default=True, help="As SWIFT writes it.")
@click.option("--currency", default="EUR", show_default=True)
@_seconds_option
@_seed_option
@json_option
@click.pass_context
def bank(context: click.Context, /, as_json: bool, **given: Any) -> None:
    """Be a SWIFT bank: acknowledge, reject or ignore what comes, and send MT103s of its own.

    With --connect and --send it ends when all are answered. Status 1 when one of its own was not acknowledged.
    """
    if given["send"] and given["connect"] is None:
        raise click.UsageError("--send needs --connect")
    ignored, left = given["silent_share"], 1.0 - given["silent_share"]
    rules = [
        BankRule(Ignore(), chance=ignored, first_only=True),
        BankRule(Reject(given["nak_code"]), chance=min(1.0, given["nak_share"] / left) if left > 0 else 0.0),
        BankRule(Acknowledge()),
    ]
    settings = BankSettings(given["bic"], given["framing"], [rule for rule in rules if rule.chance > 0])
    counts = run_under_reactor(lambda reactor: _bank(reactor, settings, given))
    write_pairs(counts, as_json=as_json)
    context.exit(0 if counts["acknowledged"] == given["send"] else 1)


async def _bank(reactor: Any, settings: BankSettings, given: dict[str, Any]) -> dict[str, int]:
    random = Random(given["seed"])
    played = Bank(reactor, settings, random, _now)
    counts = dict.fromkeys(("acknowledged", "rejected", "unanswered"), 0)
    async with Shift(reactor) as shift:
        wire = await _open(played, given)
        for _ in range(given["send"]):
            if shift.is_over:
                break
            number = random.getrandbits(128)
            message = played.compose(_transfer(number, given), given["receiver"][:8] + "A" + given["receiver"][8:11])
            answer = await played.send(wire, message, timeout_s=30.0)
            result = "unanswered" if answer is None else "acknowledged" if answer.accepted else "rejected"
            counts[result] += 1
        if not given["send"] or given["seconds"] is not None:
            await shift.over(given["seconds"])
        await played.close()
    return {**counts, "received": len(played.received), "undecodable": played.undecodable}


def _transfer(number: int, given: dict[str, Any]) -> Transfer:
    digits = f"{number:032x}"
    return Transfer(
        reference=f"SIM{digits[:12].upper()}",
        # A version 4 UUID has its version and variant at fixed places (RFC 9562 section 5.4).
        uetr=f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}",
        currency=given["currency"],
        amount=given["amount"],
        value_date=_now().date(),
        from_account=given["from_account"],
        to_account=given["to_account"],
    )


async def _open(played: Issuer | Bank, given: dict[str, Any]) -> Any:
    """Listen or dial, as told; give the wire that was dialled."""
    connect: HostPort | None = given["connect"]
    if (connect is None) == (given["listen"] is None):
        raise Complaint("say either --listen or --connect")
    if connect is None:
        port = await played.listen(given["listen"], tls_of(given["tls_folder"], given["name"]))
        click.echo(f"listening on port {port}", err=True)
        return None
    address = address_of(connect, given["tls_folder"], given["name"], given["server_name"])
    return await _reach(played.dial(address), connect)


async def _reach(dialling: Awaitable[Wire], at: HostPort) -> Wire:
    try:
        return await dialling
    except Unreachable as error:
        raise Complaint(f"{at.host}:{at.port} cannot be reached: {error}") from error


def _now() -> datetime:
    return datetime.now(UTC)
