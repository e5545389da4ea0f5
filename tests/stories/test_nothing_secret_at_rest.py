"""Cards, tracks, PIN blocks, verification values and chip data go through a switch, and are nowhere afterwards."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import pytest_twisted
from command_line import run_command
from junctor.codecs.iso8583 import Message, Tlv, Value, encode
from junctor.codecs.iso8583.payments import read_payment
from junctor.codecs.payment import Payment
from junctor.ledger.connecting import make_engine
from junctor.ledger.rows import place_row
from junctor.simulators.rules import Act, Behaviour, Rule
from needles import find_all, find_in_files
from postgres_server import PostgresServer
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import text
from town import ASCII, Sender, Town
from twisted.internet.threads import deferToThread

CARD, AWAY = "4761739001013337", "5413330089017777"
"""A card of our own books and one of the issuer blue, used nowhere else."""
DISCRETIONARY = "15123678901234"
PIN_BLOCK = bytes.fromhex("3fe1b7c29d5a86f4")
CRYPTOGRAM = bytes.fromhex("b1d6c8e2f3a49507")
ISSUER_DATA = bytes.fromhex("06010a03a4b8d2c6e1f0")
UNPREDICTABLE = bytes.fromhex("d3c1b5e79a68f042")
VERIFICATION = "9203614CVC2614"
SECRETS: dict[str, str | bytes] = {
    "card": CARD,
    "card of an issuer": AWAY,
    "track data": DISCRETIONARY,
    "track 2": f"{CARD}=3012{DISCRETIONARY}",
    "track 2 packed": bytes.fromhex(f"{CARD}D3012{DISCRETIONARY}F"),
    "track 1": f"B{CARD}^DOE/JANE ROE^3012",
    "PIN block": PIN_BLOCK,
    "verification value": VERIFICATION,
    "cryptogram": CRYPTOGRAM,
    "issuer application data": ISSUER_DATA,
    "unpredictable number": UNPREDICTABLE,
}


def laden(message: Message) -> Message:
    """Put on a message everything that must never be kept."""
    pan = str(message[2])
    track = bytes.fromhex(f"{pan}D3012{DISCRETIONARY}F")
    chip = [("57", track), ("5A", bytes.fromhex(pan)), ("9F26", CRYPTOGRAM), ("9F10", ISSUER_DATA)]
    secrets: dict[int, Value] = {
        14: "3012",
        35: f"{pan}=3012{DISCRETIONARY}",
        45: f"B{pan}^DOE/JANE ROE^3012{DISCRETIONARY}",
        48: VERIFICATION,
        52: PIN_BLOCK,
        55: Tlv.of([*chip, ("9F37", UNPREDICTABLE)]),
        63: VERIFICATION,
    }
    return message.with_fields(secrets)


def files_of(town: Town, server: Callable[[], PostgresServer]) -> list[Path]:
    """Give the files in which the database and the log are: tables, write-ahead log, and what the server said."""
    assert town.log_file is not None
    if town.url.startswith("sqlite"):
        files = list(town.folder.glob("ledger.db*"))
        assert any(file.name.endswith("-wal") for file in files)
    else:
        data = server().folder / "data"
        with psycopg.connect(town.url) as connection:
            (oid,) = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()  # type: ignore[misc]
        files = [*(data / "base" / str(oid)).iterdir(), *(data / "pg_wal").glob("0*"), server().folder / "log"]
    return [*files, town.log_file]


def dump_of(town: Town, server: Callable[[], PostgresServer]) -> bytes:
    """Give what a backup of the database says, as text."""
    if town.url.startswith("sqlite"):
        import sqlite3

        with sqlite3.connect(town.folder / "ledger.db") as connection:
            return "\n".join(connection.iterdump()).encode()
    program = server().binaries / "pg_dump"
    if not program.exists():
        with psycopg.connect(town.url) as connection:
            tables = [
                name for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            ]
            parts = []
            for table in tables:
                with connection.cursor().copy(f"COPY {table} TO STDOUT".encode()) as copy:
                    parts += [bytes(row) for row in copy]
            return b"".join(parts)
    place = conninfo_to_dict(town.url)
    arguments = [str(program), "-h", str(place["host"]), "-U", "postgres", str(place["dbname"])]
    return subprocess.run(arguments, capture_output=True, check=True, timeout=60).stdout


def opened(town: Town) -> bytes:
    """Give what is sealed in the database, opened."""
    plain = []
    with make_engine(town.url).connect() as connection:
        for key, response in connection.execute(text("SELECT idem_key, response FROM message")):
            plain.append(town.vault.open(response, table="message", column="response", row=bytes(key)))
        for lane, seq, body in connection.execute(text("SELECT lane, seq, body FROM delivery")):
            plain.append(town.vault.open(body, table="delivery", column="body", row=place_row(lane, seq)))
    assert len(plain) > 10
    return b"|".join(plain)


def told_by_commands(town: Town) -> bytes:
    """Give what the commands of an operator tell about all of it."""
    told = b""
    for words in (
        ("transaction", "find", "--terminal", "TERM0001", "--most", 100),
        ("queue", "list"),
        ("queue", "list", "--dead"),
        ("account", "list"),
        ("ledger", "trial-balance"),
        ("ledger", "export", "--date", f"{datetime.now(UTC):%Y%m%d}"),
        ("ledger", "statement", "zoe"),
        ("ledger", "position"),
        ("ledger", "totals"),
        ("ledger", "verify"),
    ):
        ended = run_command(*words, "--json", "--config", town.config_file)
        assert ended.status == 0, (words, ended.err)
        told += ended.out.encode() + ended.err.encode()
    return told


@pytest_twisted.ensureDeferred
async def test_what_must_not_be_kept_is_nowhere(town: Town, sender: Sender, request: pytest.FixtureRequest) -> None:
    def server() -> PostgresServer:
        found: PostgresServer = request.getfixturevalue("postgres")
        return found

    town.open_account("zoe", 100_000, CARD)
    town.log_file = town.folder / "switch.log"
    town.response_timeout_s = 0.4
    town.configure(('level = "warn"', 'level = "debug"'))
    quiet = Rule("quiet", Behaviour(Act.SILENT), amount_endings=(66,))
    await town.start_issuer("blue", (quiet,))
    await town.start_process()
    try:
        await town.until(lambda: town.issuers["blue"].counts.network)  # signed on
        terminal = await town.line()

        async def say(message: Message) -> str:
            return str((await terminal.ask(laden(message)))[39])

        purchase = sender.purchase(12_50, CARD)
        assert [await say(purchase), await say(purchase.with_fields({}, mti="0201"))] == ["00", "00"]
        assert await say(sender.purchase(200_000, CARD)) == "51"
        held = sender.message("0100", "000000", 30_00, CARD)
        assert await say(held) == "00"
        assert await say(sender.following(held, "0220")) == "00"
        assert await say(sender.following(purchase, "0420")) == "00"
        assert await say(sender.purchase(20_00, AWAY)) == "00"
        assert await say(sender.purchase(20_66, AWAY)) == "91", "silence leaves a reversal to be delivered"
        await town.issuers["blue"].close()
        assert await say(sender.message("0220", "000000", 10_00, AWAY)) == "00", "an advice waits for its issuer"
        assert await say(sender.purchase(1_00, CARD).with_fields({}, drop=[49])) == "30"
        raw = encode(ASCII, laden(sender.purchase(1_00, CARD)))
        terminal.send(raw[:-9])
        terminal.send(raw.replace(b"0200", b"02X0", 1))
        assert await terminal.ask(laden(sender.purchase(2_00, CARD)))

        def search() -> list[str]:
            return find_in_files(files_of(town, server), SECRETS) + [
                f"{where}: {what}"
                for where, said in (("dump", dump_of(town, server)), ("commands", told_by_commands(town)))
                for what in find_all(said, SECRETS)
            ]

        pages = [(await town.fetch(page)).encode() for page in ("/metrics", "/links", "/status", "/readyz")]
        assert not find_all(b"".join(pages), SECRETS)
        assert await deferToThread(search) == []
        guess = read_payment(purchase, "acme")
        assert isinstance(guess, Payment)
        by_trying = {"hash without a key": guess.fingerprint}
        assert await deferToThread(find_in_files, files_of(town, server), by_trying) == []
        credentials = {name: secret for name, secret in SECRETS.items() if not name.startswith("card")}
        assert find_all(opened(town), credentials) == [], "nor may it be kept sealed"
        assert find_all(opened(town), {"card": CARD}), "responses echo the card, and are kept sealed"
        assert await town.terminate() == 0
        assert await deferToThread(find_in_files, [*town.folder.glob("ledger.db"), town.log_file], SECRETS) == []
        assert b"476173******3337" in dump_of(town, server), "what people may see of a card is there"
    finally:
        town.issuers.clear()
