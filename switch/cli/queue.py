"""`junctor queue`: deliveries that wait, dead letters, and what an operator does about them."""

from __future__ import annotations

from pathlib import Path

import click

from ...ledger.operations import Drop, Revive
from .books import carry_out, reading, tell, writing
from .complaints import Complaint
from .options import config_option, json_option, read_settings
from .output import Column, write_json, write_rows
from .times import write_time

_LANE_COLUMNS = [
    Column("lane", "lane"),
    Column("depth", "waiting", right=True),
    Column("oldest_us", "oldest since", show=write_time),
    Column("attempts", "attempts of the first", right=True),
    Column("next_us", "next attempt", show=write_time),
    Column("dead", "dead letters", right=True),
]
_DELIVERY_COLUMNS = [
    Column("lane", "lane"),
    Column("seq", "number", right=True),
    Column("kind", "kind"),
    Column("created_us", "since", show=write_time),
    Column("attempts", "attempts", right=True),
    Column("not_before_us", "next attempt", show=write_time),
    Column("last_result", "last result"),
]
_DEAD_COLUMNS = [
    Column("lane", "lane"),
    Column("seq", "number", right=True),
    Column("kind", "kind"),
    Column("created_us", "since", show=write_time),
    Column("attempts", "attempts", right=True),
    Column("died_us", "given up", show=write_time),
    Column("reason", "reason"),
]


@click.group()
def queue() -> None:
    """Deliveries that wait, and dead letters."""


@queue.command("list")
@config_option
@click.option("--lane", help="The deliveries of one lane, in the order in which they will be sent.")
@click.option("--dead", is_flag=True, help="Dead letters: deliveries that were given up, with the reason.")
@click.option("--dropped", is_flag=True, help="With --dead: the records of what was dropped for good, too.")
@click.option("--most", type=click.IntRange(1, 100_000), default=1_000, show_default=True)
@json_option
def list_queue(config_file: Path, lane: str | None, dead: bool, dropped: bool, most: int, as_json: bool) -> None:
    """List the lanes with what waits in each; with --lane or --dead, the deliveries themselves.

    Their content stays encrypted.
    """
    with reading(read_settings(config_file)) as reader:
        if dead or dropped:
            letters = [tell(letter) for letter in reader.dead_letters(lane, dropped=dropped)[:most]]
            write_rows(letters, _DEAD_COLUMNS, as_json=as_json, empty="no dead letters")
        elif lane is not None:
            waiting = [tell(each) for each in reader.deliveries(lane, most=most)]
            write_rows(waiting, _DELIVERY_COLUMNS, as_json=as_json, empty="nothing waits")
        else:
            write_rows([tell(each) for each in reader.lanes()], _LANE_COLUMNS, as_json=as_json, empty="nothing waits")


@queue.command("retry")
@config_option
@click.argument("lane")
@click.argument("number", type=click.IntRange(0), required=False)
@click.option("--all", "all_of_them", is_flag=True, help="Every dead letter of the lane, in their order.")
@json_option
def retry(config_file: Path, lane: str, number: int | None, all_of_them: bool, as_json: bool) -> None:
    """Put a dead letter at the end of its lane again, its attempts forgotten.

    A running switch takes it up by itself.
    """
    if (number is None) == (not all_of_them):
        raise click.UsageError("give the NUMBER of a dead letter, or --all")
    settings = read_settings(config_file)
    with reading(settings) as reader:
        numbers = [letter.seq for letter in reader.dead_letters(lane)]
    revived = []
    with writing(settings) as (store, _):
        for each in numbers if number is None else [number]:
            done = carry_out(store, Revive(lane, each), f"{lane} has no dead letter {each} that can be sent again")
            revived.append({"lane": lane, "number": each, "now": done.number})
    if as_json:
        write_json(revived)
    else:
        for row in revived:
            click.echo(f"{lane} {row['number']} waits again as {row['now']}")
        if not revived:
            raise Complaint(f"{lane} has no dead letters")


@queue.command("drop")
@config_option
@click.argument("lane")
@click.argument("number", type=click.IntRange(0))
@click.option("--reason", required=True, help="Why: it is kept with the record of the delivery.")
@json_option
def drop(config_file: Path, lane: str, number: int, reason: str, as_json: bool) -> None:
    """Discard a waiting delivery or a dead letter for good.

    What its transaction still has set aside is released. The peer will not get the message from us.
    """
    if not reason.strip() or len(reason) > 200:
        raise click.BadParameter("give a reason of 1 to 200 characters", param_hint="--reason")
    with writing(read_settings(config_file)) as (store, _):
        carry_out(store, Drop(lane, number, reason), f"{lane} has no delivery {number}")
    if as_json:
        write_json({"lane": lane, "number": number, "dropped": True})
    else:
        click.echo(f"{lane} {number} is dropped")
