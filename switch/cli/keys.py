"""`junctor key`: the keys that protect card data at rest, from their making to their end."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...config.settings import KekSource, Settings
from .cards import read_cards_file
from .complaints import Complaint
from .options import config_option, json_option, read_settings
from .output import Column, write_json, write_pairs, write_rows
from .times import write_time

if TYPE_CHECKING:
    from ...ledger.keyring import KeyRing


@click.group()
def key() -> None:
    """Keys that protect card data at rest."""


@key.command("init")
@config_option
@json_option
def init(config_file: Path, as_json: bool) -> None:
    """Make the key-encryption key that the configuration names: a file, or a key in a token.

    Under it the database keeps the keys that encrypt card data and hash card numbers; they are made when the books
    are first opened. One that is there already stays as it is: without it the books could not be read. Keep a copy
    of the file apart from the database's.
    """
    where, is_new = _INITS[(settings := read_settings(config_file)).keys.kek](settings)
    if as_json:
        write_json([{"file": where, "made": is_new}])
    else:
        click.echo(f"{where}: {'made' if is_new else 'is there already, and stays'}")


@key.command("status")
@config_option
@json_option
def status(config_file: Path, as_json: bool) -> None:
    """Tell which keys there are, since when, and how many sealed values each still opens."""
    from ...ledger.reencrypt import count_sealed
    from ..database import check_schema, connection_url, key_ring, limits_of

    settings = read_settings(config_file)
    check_schema(settings)
    counts = count_sealed(connection_url(settings), limits_of(settings))
    rows = [
        {
            "key_id": row.key_id.hex(),
            "purpose": row.purpose,
            "state": row.state,
            "kek_id": row.kek_id.hex(),
            "created_us": row.created_us,
            "activated_us": row.activated_us,
            "retired_us": row.retired_us,
            "destroyed_us": row.destroyed_us,
            "values": counts.get(row.key_id, 0) if row.purpose == "data" else None,
        }
        for row in key_ring(settings).report()
    ]
    write_rows(rows, _COLUMNS, as_json=as_json, empty="no keys: they are made when the books are first opened")


@key.command("rotate")
@config_option
@click.option("--data", is_flag=True, help="Seal under a new data key from now on.")
@click.option("--reencrypt", is_flag=True, help="Seal anew what is sealed under older data keys.")
@click.option("--destroy", is_flag=True, help="Then destroy older data keys under which nothing is left.")
@click.option("--kek", is_flag=True, help="Wrap every key under a new key-encryption key.")
@json_option
def rotate(config_file: Path, data: bool, reencrypt: bool, destroy: bool, kek: bool, as_json: bool) -> None:
    """Change keys, beside a switch that may be running.

    All of it may be stopped at any point and run again: with --reencrypt alone the sealing anew goes on where it
    was, and a key-encryption key that was begun is finished. A new data key begins by itself each month. A data key
    is destroyed when it has been out of use for an hour.
    """
    from ...ledger.reencrypt import count_sealed
    from ...ledger.reencrypt import reencrypt as seal_anew
    from ..database import check_schema, connection_url, key_ring, limits_of

    if not (data or reencrypt or kek) or (destroy and not reencrypt):
        raise click.UsageError("say --data, --reencrypt (with or without --destroy) or --kek")
    settings = read_settings(config_file)
    check_schema(settings)
    ring = key_ring(settings)
    vault = ring.open()
    told: dict[str, object] = {}
    if kek:
        told["wrapped_anew"] = _rotate_kek(settings, ring)
    if data:
        told["data_key"] = ring.rotate_data().hex()
    if reencrypt:
        url, limits, count = connection_url(settings), limits_of(settings), 0
        for done in seal_anew(url, vault, limits):
            count += done
            if sys.stderr.isatty():
                click.echo(f"\r{count} values sealed anew", nl=False, err=True)
        told["sealed_anew"] = count
        if destroy:
            in_use = count_sealed(url, limits)
            idle = frozenset(row.key_id for row in ring.report()) - in_use.keys()
            told["destroyed"] = " ".join(key_id.hex() for key_id in ring.destroy(idle)) or None
    write_pairs(told, as_json=as_json)


@key.command("ceremony")
@config_option
@click.option("--custodian", "custodians", multiple=True, required=True, help="Who brings a component; give two.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Where to; default: keys.kek_file.")
@json_option
def ceremony(config_file: Path, custodians: tuple[str, ...], out: Path | None, as_json: bool) -> None:
    """Make a key-encryption key of two components that two people bring, neither of whom then knows the key.

    Each types 64 hexadecimal digits, twice and unseen, and compares the check value that is shown (AES-CMAC over
    zeros, three bytes). The key is the XOR of both. In a file that has a key already it becomes the first:
    `junctor key rotate --kek` then wraps everything under it.
    """
    from ...ledger.keks import KekFile, check_value, combine

    if len(custodians) != 2 or custodians[0] == custodians[1]:
        raise Complaint("a ceremony has two custodians, with different names")
    settings = read_settings(config_file)
    if out is None and settings.keys.kek is KekSource.PKCS11:
        raise Complaint("a key in a token is made in the token: junctor key init")
    path = out or settings.keys.kek_file
    components = []
    for custodian in custodians:
        component = _ask_for_component(custodian)
        click.echo(f"{custodian}: check value {check_value(component)}", err=True)
        components.append(component)
    key_bytes = combine(components[0], components[1])
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    KekFile(path).put_first(key_bytes)
    record = {
        "file": str(path),
        "check_value": check_value(key_bytes),
        "custodians": ", ".join(custodians),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    write_pairs(record, as_json=as_json)


@key.command("shred")
@config_option
@click.option(
    "--card-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    help="A file with the card's number in one line.",
)
@json_option
def shred_card(config_file: Path, card_file: Path, as_json: bool) -> None:
    """Take a card out of the books: what is sealed for it, its masked number, its hash, and its link to accounts.

    The payments stay, without a card, and the hash chain holds. Nothing is changed while something of the card is on
    its way. Copies made before still have it: change the data key and the key-encryption key, and they open no more.
    """
    from ...ledger.shred import StillOpen, shred
    from ..database import connection_url, limits_of, open_vault

    settings = read_settings(config_file)
    cards = read_cards_file(card_file)
    if len(cards) != 1:
        raise Complaint(f"{card_file} must hold one card number")
    outcome = shred(connection_url(settings), open_vault(settings).card_ref(cards[0]), limits_of(settings))
    if isinstance(outcome, StillOpen):
        raise Complaint(f"nothing was changed: of this card there are {outcome.count} {outcome.why}")
    write_pairs({"messages": outcome.messages, "accounts": outcome.accounts}, as_json=as_json)


_COLUMNS = [
    Column("key_id", "key"),
    Column("purpose", "purpose"),
    Column("state", "state"),
    Column("kek_id", "under"),
    Column("activated_us", "activated", show=write_time),
    Column("retired_us", "retired", show=write_time),
    Column("destroyed_us", "destroyed", show=write_time),
    Column("values", "values", right=True),
]


def _init_file(settings: Settings) -> tuple[str, bool]:
    from ...ledger.vault import make_key_file

    path = settings.keys.kek_file
    is_new = not path.exists()
    if is_new:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        make_key_file(path)
    return str(path), is_new


def _init_token(settings: Settings) -> tuple[str, bool]:
    from ..database import token_keks

    label = settings.keys.pkcs11_labels[0]
    return f"token {settings.keys.pkcs11_token}, key {label}", token_keks(settings).make(label)


def _init_credential(_settings: Settings) -> tuple[str, bool]:
    raise Complaint("systemd hands this key over: make it with `junctor key ceremony --out FILE`")


_INITS = {KekSource.FILE: _init_file, KekSource.PKCS11: _init_token, KekSource.CREDENTIAL: _init_credential}


def _rotate_kek(settings: Settings, ring: KeyRing) -> int:
    """Wrap every key under a new key-encryption key, or under the one that an earlier run has begun."""
    from ...ledger.keks import KekFile
    from ...ledger.vault import KEY_BYTES

    file = KekFile(settings.keys.kek_file) if settings.keys.kek is KekSource.FILE else None
    if ring.is_wrapped_anew():
        if file is None:
            raise Complaint("everything is under the first key already: put the new one first, then run this again")
        file.put_first(os.urandom(KEY_BYTES))
    count = ring.rewrap()
    if file is not None:
        file.keep(ring.kek_ids())
    return count


def _ask_for_component(custodian: str) -> bytes:
    """Ask for a component without echo, or read a line of the standard input when nobody sits there."""
    if sys.stdin.isatty():
        text = click.prompt(f"{custodian}, your component", hide_input=True, confirmation_prompt=True, err=True)
    else:
        text = sys.stdin.readline(200)
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise Complaint(f"{custodian}: a component has 64 hexadecimal digits") from None
