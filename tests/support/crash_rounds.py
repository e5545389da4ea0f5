"""Crashes under load, many times over, and a checker that knows every acknowledgement.

In each round a process asks the books without pause until it is killed (SIGKILL) at a random moment; in every other
round on PostgreSQL the whole server is killed first, started again, and the process must come through. The next
process begins after the last acknowledgement, so that whatever was committed without one is asked again. A naive
model works out what each item must have been told: an acknowledgement that the books do not give again was lost, and
a balance or a message that the model has not was doubled.

Run: python tests/support/crash_rounds.py [--rounds N] [--seed N] [--only postgresql|sqlite]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Final

from crash_load import CUSTOMERS, FLOOR_MINOR, LIMITS, VAULT, Stubborn, item_of, told
from junctor.ledger import migrate, open_reader, open_store
from junctor.ledger.connecting import make_engine
from junctor.ledger.operations import OpenAccount
from junctor.ledger.schema import message
from junctor.ledger.verify import verify
from ledger_items import EUR
from ledger_model import Holder, Model
from ledger_soundness import check_sound
from postgres_server import PostgresServer
from sqlalchemy import select

SUPPORT: Final = Path(__file__).parent
PATIENCE_S: Final = 60.0
AGAIN_MAX: Final = 64
"""More than a batch, of which none may be left whose outcome is unknown."""


class Crowd:
    """One database, what was acknowledged about it, and the model of what must be there."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.counts: Counter[str] = Counter()
        self.last = 0
        """The last item that was acknowledged; all before it were."""
        self.model = Model()
        self.model.holders["shop"] = Holder(EUR, None)
        self.model.holders.update({code: Holder(EUR, FLOOR_MINOR) for code in CUSTOMERS})
        store = open_store(url, VAULT, LIMITS)
        for code, holder in self.model.holders.items():
            store.commit([OpenAccount(code, "cardholder", EUR, "acme", 1, floor_minor=holder.floor)])
        store.close()

    def hear(self, number: int, heard: str) -> None:
        """Take an acknowledgement, which must be the next one, and what the model says."""
        assert number == self.last + 1, "acknowledged in order"
        assert heard == told(self.model.apply(item_of(number))), f"item {number} was told what the model says"
        self.last = number
        self.counts["acknowledged"] += 1

    def round(self, random: Random, server: PostgresServer | None) -> None:
        """Load, kill at a random moment, and check what was acknowledged."""
        first = self.last + 1
        command = [sys.executable, str(SUPPORT / "crash_load.py"), self.url, str(first)]
        heard: list[bytes] = []
        came = threading.Condition()
        with subprocess.Popen(command, cwd=SUPPORT, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as writer:

            def listen() -> None:
                assert writer.stdout is not None
                for line in writer.stdout:
                    with came:
                        heard.append(line)
                        came.notify()

            listener = threading.Thread(target=listen, daemon=True)
            listener.start()
            try:
                self._wait_for(came, heard, 1)
                time.sleep(random.uniform(0.0, 0.3))
                if server is not None and random.random() < 0.5:
                    server.kill()
                    self.counts["server killed"] += 1
                    server.start()
                    self._wait_for(came, heard, len(heard) + 1)
                    time.sleep(random.uniform(0.0, 0.1))
            finally:
                writer.kill()
                self.counts["process killed"] += 1
            listener.join(PATIENCE_S)
        for line in heard:
            if line.endswith(b"\n"):  # the last one may have been cut off
                number, _, words = line.decode().rstrip("\n").partition(" ")
                self.hear(int(number), words)
        self._ask_again(range(first, self.last + 1))
        for holder in self.model.holders.values():
            holder.history[:] = [(holder.posted, holder.held)]

    def _wait_for(self, came: threading.Condition, heard: list[bytes], lines: int) -> None:
        with came:
            assert came.wait_for(lambda: len(heard) >= lines, PATIENCE_S), "the process came through"

    def _ask_again(self, numbers: range) -> None:
        """What was acknowledged is stored, before it is repeated; repeated, it is answered with the same words."""
        assert set(self.model.known) <= set(self._stored()), "nothing that was acknowledged is lost"
        writer = Stubborn(self.url)
        for start in range(numbers.start, numbers.stop, 256):
            some = range(start, min(start + 256, numbers.stop))
            expected = [told(self.model.apply(item_of(number))) for number in some]
            assert writer.commit(some) == expected, "nothing that was acknowledged is changed"
        writer.close()

    def check(self) -> None:
        """Ask again for the last batch, whose outcome nobody knows; then the books stand where the model stands."""
        writer = Stubborn(self.url)
        numbers = range(self.last + 1, self.last + AGAIN_MAX)
        for number, heard in zip(numbers, writer.commit(numbers), strict=True):
            self.hear(number, heard)
        writer.close()
        assert sorted(self._stored()) == sorted(self.model.known), "each message is stored once, and nothing else"
        with open_reader(self.url, VAULT) as reader:
            balances = {it.code: (it.balance.posted, it.balance.held) for it in reader.accounts()}
        assert balances == {code: (it.posted, it.held) for code, it in self.model.holders.items()}
        check_sound(self.url)
        verdict = verify(self.url, VAULT)
        assert verdict.finding is None, "every chain is whole"

    def _stored(self) -> list[bytes]:
        with make_engine(self.url).connect() as connection:
            return [row.idem_key for row in connection.execute(select(message.c.idem_key))]


def crash_postgresql(rounds: int, random: Random) -> Counter[str]:
    """Crash processes and the server, and give how often what happened; AssertionError when something was lost."""
    server = PostgresServer()
    try:
        url = server.url(server.create_database())
        migrate(url)
        return _crash(Crowd(url), rounds, random, server)
    finally:
        server.close()


def crash_sqlite(rounds: int, random: Random, folder: Path) -> Counter[str]:
    """Crash processes, and give how often what happened; AssertionError when something was lost."""
    url = f"sqlite:///{folder}/crashed.db"
    migrate(url)
    return _crash(Crowd(url), rounds, random, None)


def _crash(crowd: Crowd, rounds: int, random: Random, server: PostgresServer | None) -> Counter[str]:
    for turn in range(1, rounds + 1):
        crowd.round(random, server)
        if turn % 25 == 0 or turn == rounds:
            crowd.check()
    return crowd.counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100, help="how many on each database")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    parser.add_argument("--only", choices=["postgresql", "sqlite"])
    arguments = parser.parse_args()
    print("seed", arguments.seed)
    if arguments.only != "sqlite":
        print("postgresql", dict(crash_postgresql(arguments.rounds, Random(arguments.seed))))
    if arguments.only != "postgresql":
        with tempfile.TemporaryDirectory(prefix="junctor-crash-") as folder:
            print("sqlite", dict(crash_sqlite(arguments.rounds, Random(arguments.seed), Path(folder))))
    print("nothing lost, nothing doubled")


if __name__ == "__main__":
    main()
