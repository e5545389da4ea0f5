"""How many transfers per second the ledger alone makes durable, beside what pgbench does on the same server.

One writer, as in the switch: the batches are full (256 items) except in the open loop, where items arrive at random
moments 5,000 times a second and whatever waits is the next batch. On PostgreSQL (fsync and synchronous_commit on)
and on SQLite (WAL, synchronous=FULL), in turns with `pgbench -c 8 -j 2` (TPC-B, scale 10): a noisy machine is noisy
for both. Client and server share the machine; making the items is not counted. Every message has a new key unless
it is meant to be a repeat, and the rows stored must be as many as the new ones.

- hot: two-entry transfers from 10,000 accounts, one settlement account in all of them
- uniform: two-entry transfers between 10,000 accounts
- card mix: 40 % 0100 (hold with fee), 25 % 0220 (completion), 20 % 0200 (with fee), 10 % 0400, refunds, 2 % repeats
- open loop: hot transfers arriving at 5,000 a second; p50 and p99 from arrival to commit
- rules: the rule engine alone on the hot batch, without a database, in microseconds per operation

Run: python tests/benchmarks/ledger.py [--seconds N] [--json] [--only hot,uniform,...]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, Final

import attrs

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from junctor.config.settings import DatabaseSettings
from junctor.ledger import Store, Vault, migrate, open_store
from junctor.ledger.connecting import make_engine
from junctor.ledger.engine import Lacks, decide
from junctor.ledger.operations import (
    Authorise,
    Capture,
    Decided,
    Facts,
    Failed,
    Item,
    Movement,
    OpenAccount,
    Outcome,
    Reverse,
)
from junctor.ledger.page import Page
from junctor.ledger.schema import message
from junctor.ledger.state import Account
from postgres_server import PostgresServer
from sqlalchemy import func, select

ROUNDS: Final = 3
BATCH: Final = DatabaseSettings().batch_items_max
ACCOUNTS: Final = 10_000
OPEN_LOOP_PER_SECOND: Final = 5_000
WARM_UP_BATCHES: Final = 40
EUR: Final = 978
RESPONSE: Final = b"0210" + b"0" * 120


def render(_: Any) -> bytes:
    """A response of a usual size."""
    return RESPONSE


def nothing(_: Any) -> None:
    """Forward nothing."""


class Traffic:
    """Makes items; every one has a key of its own, unless it is a repeat."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.number = seed << 40
        self.new = 0
        """Messages made that were not repeats."""
        self._holds: list[bytes] = []
        self._posted: list[bytes] = []
        self._recent: list[Item] = []

    def facts(self, type_: str, amount: int) -> Facts:
        self.number += 1
        self.new += 1
        digest = hashlib.blake2b(self.number.to_bytes(8, "big"), digest_size=16).digest()
        number = self.number % 1_000_000
        return Facts(
            key=digest,
            fingerprint=digest,
            source="acme",
            destination="ledger",
            type=type_,
            received_us=1_700_000_000_000_000 + self.number,
            trace=f"{self.number:032x}",
            processing_code="000000",
            amount_minor=amount,
            currency=EUR,
            stan=f"{number:06d}",
            rrn=f"{number:012d}",
            terminal=f"TERM{number % 1000:04d}",
            pan_masked="476173******0010",
            card_ref=digest,
            auth_code=f"{number:06d}",
        )

    def customer(self) -> str:
        return f"c{self.random.randrange(ACCOUNTS)}"

    def transfer(self, debit: str, credit: str) -> Item:
        amount = self.random.randrange(1, 10_000)
        return Authorise(self.facts("0200", amount), (Movement(debit, credit, amount, EUR),), render)

    def hot(self) -> Item:
        return self.transfer(self.customer(), "hot")

    def uniform(self) -> Item:
        return self.transfer(self.customer(), self.customer())

    def card(self) -> Item:
        """One message of the card mix."""
        kind = self.random.random()
        if kind < 0.02 and self._recent:
            return self.random.choice(self._recent)
        item = self._card_anew(kind)
        if len(self._recent) < 4 * BATCH:
            self._recent.append(item)
        else:
            self._recent[self.number % len(self._recent)] = item
        return item

    def _card_anew(self, kind: float) -> Item:
        amount = self.random.randrange(100, 10_000)
        debit = self.customer()
        moved = (Movement(debit, "hot", amount, EUR), Movement(debit, "fees", 10, EUR, "fee"))
        if kind < 0.25 and self._holds:
            facts = self.facts("0220", amount)
            return Capture(facts, _pick(self._holds, self.random), amount, moved, render, nothing)
        if kind < 0.35 and self._posted:
            return Reverse(self.facts("0400", amount), _pick(self._posted, self.random), render, nothing)
        if kind < 0.55:
            facts = self.facts("0200", amount)
            self._posted.append(facts.key)
            return Authorise(facts, moved, render)
        if kind < 0.58:
            return Authorise(self.facts("0200", amount), (Movement("hot", debit, amount, EUR),), render)
        facts = self.facts("0100", amount)
        self._holds.append(facts.key)
        return Authorise(facts, moved, render, hold=True, expires_us=2_000_000_000_000_000)


def _pick(keys: list[bytes], random: Random) -> bytes:
    """Take one out, whichever."""
    at = random.randrange(len(keys))
    keys[at], keys[-1] = keys[-1], keys[at]
    return keys.pop()


@attrs.frozen
class Run:
    """What one round gave; CPU in seconds for all items, waits in seconds (of a batch, or of an item)."""

    items: int
    seconds: float
    client_s: float
    server_s: float
    waits_s: list[float]


class Bench:
    """Books with 10,000 customers and two hot accounts, on one database."""

    def __init__(self, url: str, server_cpu_s: Callable[[], float]) -> None:
        self.url = url
        self.server_cpu_s = server_cpu_s
        self.vault = Vault(b"d" * 32, b"c" * 32)
        self.traffic = Traffic(seed=1)
        migrate(url)
        with_accounts = [OpenAccount(code, "settlement", EUR, "", 1, floor_minor=None) for code in ("hot", "fees")]
        with_accounts += [
            OpenAccount(f"c{number}", "cardholder", EUR, "", 1, floor_minor=-(10**15)) for number in range(ACCOUNTS)
        ]
        store = self.open()
        for start in range(0, len(with_accounts), 1_000):
            store.commit(with_accounts[start : start + 1_000])
        store.close()

    def open(self) -> Store:
        return open_store(self.url, self.vault)

    def stored(self) -> int:
        engine = make_engine(self.url)
        with engine.connect() as connection:
            count = int(connection.execute(select(func.count()).select_from(message)).scalar_one())
        engine.dispose()
        return count

    def closed(self, make: Callable[[], Item], seconds: float) -> Run:
        """Commit full batches one after the other."""
        store = self.open()
        for _ in range(WARM_UP_BATCHES):
            _check(store.commit([make() for _ in range(BATCH)]))
        items, busy_s, client_s, waits = 0, 0.0, 0.0, []
        server_s = self.server_cpu_s()
        while busy_s < seconds:
            batch = [make() for _ in range(BATCH)]
            begun, cpu = time.perf_counter(), time.process_time()
            outcomes = store.commit(batch)
            waits.append(time.perf_counter() - begun)
            client_s += time.process_time() - cpu
            busy_s += waits[-1]
            items += BATCH
            _check(outcomes)
        server_s = self.server_cpu_s() - server_s
        store.close()
        return Run(items, busy_s, client_s, server_s, waits)

    def open_loop(self, per_second: float, seconds: float) -> Run:
        """Commit what arrives when it arrives, lingering as the switch's books do."""
        settings = DatabaseSettings()
        store = self.open()
        for _ in range(WARM_UP_BATCHES):
            _check(store.commit([self.traffic.hot() for _ in range(BATCH)]))
        items = [self.traffic.hot() for _ in range(int(per_second * seconds))]
        waits: list[float] = []
        server_s, cpu_s, begun = self.server_cpu_s(), time.process_time(), time.perf_counter()
        due = list(_arrivals(self.traffic.random, per_second, len(items), begun + 0.01))
        at = 0
        while at < len(items):
            _sleep_until(due[at])
            if _due(due, at, time.perf_counter()) - at < 48:
                time.sleep(settings.linger_ms / 1000)
            end = min(_due(due, at, time.perf_counter()), at + BATCH)
            _check(store.commit(items[at:end]))
            done = time.perf_counter()
            waits += [done - moment for moment in due[at:end]]
            at = end
        seconds = time.perf_counter() - begun
        cpu_s, server_s = time.process_time() - cpu_s, self.server_cpu_s() - server_s
        store.close()
        return Run(len(items), seconds, cpu_s, server_s, waits)


def _check(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        if isinstance(outcome, Failed):
            raise RuntimeError(outcome.why)


def _arrivals(random: Random, per_second: float, count: int, begin: float) -> Iterator[float]:
    """Give the moments of a Poisson process."""
    moment = begin
    for _ in range(count):
        moment += random.expovariate(per_second)
        yield moment


def _due(due: list[float], at: int, now: float) -> int:
    while at < len(due) and due[at] <= now:
        at += 1
    return at


def _sleep_until(moment: float) -> None:
    left = moment - time.perf_counter()
    if left > 0:
        time.sleep(left)


def rules_us(seconds: float) -> float:
    """Microseconds that the rules take per hot transfer: the median of many batches."""
    traffic = Traffic(seed=2)
    found = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        items = [traffic.hot() for _ in range(BATCH)]
        page = Page(1, 20260101)
        for item in items:
            assert isinstance(item, Authorise)
            for table in (page.messages, page.flights, page.transactions):
                table.loaded[item.facts.key] = None
            for code in (str(item.movements[0].debit), str(item.movements[0].credit)):
                number = page.codes.loaded.setdefault(code, len(page.codes.loaded) + 1)
                assert number is not None
                page.accounts.loaded[number] = Account(number, EUR, 0, 0, 0, -(10**15), None, 0, 0, 0)
        begun = time.process_time()
        outcomes = decide(items, page)
        found.append((time.process_time() - begun) / BATCH)
        if isinstance(outcomes, Lacks) or not all(isinstance(it, Decided) for it in outcomes):
            raise RuntimeError("every transfer is decided")
    return median(found) * 1_000_000


def pgbench(server: PostgresServer, database: str, seconds: float) -> float:
    """Run TPC-B for some seconds and give transactions per second."""
    command = [_pgbench(server), "-h", str(server.folder), "-U", "postgres", "-c", "8", "-j", "2"]
    command += ["-T", f"{max(1, round(seconds))}", database]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/")
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    assert found is not None, done.stdout
    return float(found[1])


def _pgbench(server: PostgresServer) -> str:
    return str(next(place for place in (server.binaries / "pgbench", Path("/usr/bin/pgbench")) if place.exists()))


def measure(seconds: float, cases: list[str], folder: Path) -> dict[str, Any]:
    """Measure every case in turns with pgbench."""
    server = PostgresServer()
    try:
        tpcb = server.create_database(name="tpcb")
        init = [_pgbench(server), "-h", str(server.folder), "-U", "postgres", "-i", "-s", "10", "-q", tpcb]
        subprocess.run(init, capture_output=True, check=True, cwd="/")
        books = Bench(server.url(server.create_database()), server.cpu_s)
        on_sqlite = Bench(f"sqlite:///{folder}/ledger.db", lambda: 0.0)
        share_s = seconds / ROUNDS
        runners: dict[str, Callable[[], Run]] = {
            "hot": lambda: books.closed(books.traffic.hot, share_s),
            "uniform": lambda: books.closed(books.traffic.uniform, share_s),
            "card mix": lambda: books.closed(books.traffic.card, share_s),
            "open loop": lambda: books.open_loop(OPEN_LOOP_PER_SECOND, share_s),
            "sqlite": lambda: on_sqlite.closed(on_sqlite.traffic.hot, share_s),
        }
        rates: list[float] = []
        runs: dict[str, list[Run]] = {case: [] for case in runners if case in cases}
        for _ in range(ROUNDS):
            rates.append(pgbench(server, tpcb, share_s))
            for case, found in runs.items():
                found.append(runners[case]())
        for bench in (books, on_sqlite):
            # Each account was opened without a message.
            if bench.stored() != bench.traffic.new:
                raise RuntimeError(f"{bench.traffic.new} messages were new, but {bench.stored()} are stored")
        beside = median(rates)
        result: dict[str, Any] = {case: summary(found, beside) for case, found in runs.items()}
        if "rules" in cases:
            result["rules"] = {"us_per_operation": round(rules_us(min(seconds, 2.0)), 2)}
        return result
    finally:
        server.close()


def summary(runs: list[Run], pgbench_per_second: float) -> dict[str, float]:
    """Put the rounds of one case together: medians."""
    per_second = median(run.items / run.seconds for run in runs)
    waits = sorted(wait for run in runs for wait in run.waits_s)
    return {
        "ledger_per_second": round(per_second, 1),
        "pgbench_per_second": round(pgbench_per_second, 1),
        "ratio": round(per_second / pgbench_per_second, 3),
        "client_cpu_us_per_item": round(median(run.client_s / run.items for run in runs) * 1_000_000, 2),
        "server_cpu_us_per_item": round(median(run.server_s / run.items for run in runs) * 1_000_000, 2),
        "p50_ms": round(waits[len(waits) // 2] * 1000, 3),
        "p99_ms": round(waits[len(waits) * 99 // 100] * 1000, 3),
    }


CASES: Final = ("hot", "uniform", "card mix", "open loop", "sqlite", "rules")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=9.0, help="how long each case is measured")
    parser.add_argument("--only", default=",".join(CASES), help="cases, with commas between")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    cases = arguments.only.split(",")
    if not set(cases) <= set(CASES):
        parser.error(f"the cases are {', '.join(CASES)}")
    with tempfile.TemporaryDirectory(prefix="junctor-bench-") as folder:
        os.chmod(folder, 0o755)
        found = measure(arguments.seconds, cases, Path(folder))
    if arguments.json:
        print(json.dumps(found))
        return
    for case, figures in found.items():
        print(case)
        for name, value in figures.items():
            print(f"  {name:28} {value:12,.2f}")


if __name__ == "__main__":
    main()
