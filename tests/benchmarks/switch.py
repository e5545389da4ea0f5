"""How many purchases per second the whole switch books durably, beside what pgbench does on the same server.

One 0200 each, over mutual TLS, from 64 terminal connections with one request in flight, approved by our own ledger
and answered after the commit. On PostgreSQL (fsync and synchronous_commit on) and on SQLite (WAL, synchronous=FULL),
in turns with `pgbench -c 8 -j 2` (TPC-B, scale 10): a noisy machine is noisy for both. Every request has a new
key, and the rows stored must be as many as the approvals received. The load generator shares the machine.

Run: python tests/benchmarks/switch.py [--seconds N] [--json] [--connections N] [--in-flight N]
"""

from __future__ import annotations

import argparse
import json
import re
import socket
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from junctor.codecs.iso8583 import Message, load_spec
from junctor.codecs.masking import Pan
from junctor.config.load import load_settings
from junctor.config.settings import TlsSettings
from junctor.ledger import make_key_file, migrate, open_store
from junctor.ledger.connecting import make_engine
from junctor.ledger.operations import Authorise, Facts, Item, Movement, OpenAccount
from junctor.ledger.schema import message
from junctor.ledger.state import Result
from junctor.simulators.authority import make_authority
from junctor.simulators.load import LoadPlan, LoadReport, run_load
from junctor.simulators.prepared import Requests
from junctor.simulators.wire import Address
from junctor.switch.database import open_vault
from postgres_server import PostgresServer
from sqlalchemy import func, select
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

ROUNDS = 3
CUSTOMERS = 1_000
WARM_UP_S = 0.5
EUR = 978
FUNDS_MINOR = 10**15

CONFIG = """
[database]
url = "{url}"
[keys]
kek_file = "kek.key"
[admin]
listen = "tcp:{admin}:interface=127.0.0.1"
[logging]
level = "info"
format = "json"
[tls.ours]
certificate_file = "tls/switch.pem"
key_file = "tls/switch.key"
ca_file = "tls/ca.pem"
[[institutions]]
id = "acme"
pins = ["{pin}"]
[[listeners]]
name = "terminals"
listen = "tcp:{port}:interface=127.0.0.1"
tls = "ours"
[routing]
default = ["ledger"]
"""


def pan_of(customer: int) -> str:
    """Give the card number of a customer: 16 digits that pass Luhn."""
    body = f"47617390{customer:07d}"
    for check in "0123456789":
        digits = body + check
        doubled = [int(d) * 2 for d in digits[-2::-2]]
        if (sum(int(d) for d in digits[-1::-2]) + sum(d - 9 if d > 9 else d for d in doubled)) % 10 == 0:
            return digits
    raise AssertionError("one of ten digits fits")


class Bench:
    """A switch as a child process on one database."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.authority = make_authority(folder / "tls", datetime.now(UTC))
        self.issued = {name: self.authority.issue(name) for name in ("switch", "acme")}
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            other.bind(("127.0.0.1", 0))
            self.port, self.admin = one.getsockname()[1], other.getsockname()[1]
        make_key_file(folder / "kek.key")
        text = CONFIG.format(url=url, admin=self.admin, port=self.port, pin=self.issued["acme"].pin)
        (folder / "junctor.toml").write_text(text)
        migrate(url)
        self.vault = open_vault(load_settings(folder / "junctor.toml"))
        self._open_accounts()
        self.process: subprocess.Popen[bytes] | None = None
        self.run_number = 0

    def _open_accounts(self) -> None:
        key = b"opening-of-books"
        items: list[Item] = [OpenAccount("opening.978", "suspense", EUR, "", 1, floor_minor=None)]
        for customer in range(CUSTOMERS):
            code = f"customer{customer}"
            card = self.vault.card_ref(Pan(pan_of(customer)))
            items.append(OpenAccount(code, "cardholder", EUR, "", 1, cards=(card,)))
            own = Random(customer).randbytes(16)
            facts = Facts(own, key, "bench", "ledger", "journal", 1, "bench", amount_minor=FUNDS_MINOR, currency=EUR)
            movement = Movement("opening.978", code, FUNDS_MINOR, EUR)
            items.append(Authorise(facts, (movement,), lambda _: b""))
        store = open_store(self.url, self.vault)
        for start in range(0, len(items), 256):
            store.commit(items[start : start + 256])
        store.close()

    def start(self) -> None:
        command = [sys.executable, "-m", "junctor.switch", "run", "--config", str(self.folder / "junctor.toml")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        for _ in range(400):
            time.sleep(0.05)
            if self.process.poll() is not None:
                raise RuntimeError((self.folder / "log").read_text()[-2_000:])
            try:
                with socket.create_connection(("127.0.0.1", self.admin), 1) as connection:
                    connection.sendall(b"GET /readyz HTTP/1.0\r\n\r\n")
                    if b" 200 " in connection.recv(100):
                        return
            except OSError:
                continue
        raise RuntimeError("the switch did not get ready")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    def stored(self) -> int:
        """Count the rows of approved purchases."""
        engine = make_engine(self.url)
        with engine.connect() as connection:
            query = select(func.count()).where(message.c.type == "0200", message.c.result == int(Result.APPROVED))
            count = int(connection.execute(query).scalar_one())
        engine.dispose()
        return count

    def cpu_s(self) -> float:
        assert self.process is not None
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    async def load(self, seconds: float, connections: int, in_flight: int) -> tuple[LoadReport, float]:
        """Load the switch; give the report and the switch's CPU seconds per transaction, warm-up included."""
        self.run_number += 1
        acme = self.issued["acme"]
        tls = TlsSettings(acme.certificate_file, acme.key_file, self.authority.ca_file)
        now = datetime.now(UTC)
        templates = [template(customer, now) for customer in range(CUSTOMERS)]
        first_rrn = self.run_number * 1_000_000_000
        requests = Requests(load_spec("iso1987-ascii"), "length2", templates, now, first_rrn, amounts_minor=(1,))
        plan = LoadPlan(
            Address("127.0.0.1", self.port, tls),
            connections=connections,
            in_flight=in_flight,
            seconds=seconds,
            warmup_s=WARM_UP_S,
            prepared=min(400_000, int(30_000 * (seconds + WARM_UP_S))),
        )
        before_s, before = self.cpu_s(), self.stored()
        report = await run_load(reactor, plan, requests, Random(self.run_number))  # type: ignore[arg-type]
        cpu_s = self.cpu_s() - before_s
        if not report.is_clean or report.approved != report.answered:
            raise RuntimeError(f"not every request was approved once: {report.to_json()[:2_000]}")
        if self.stored() - before != report.approved:
            raise RuntimeError(f"{report.approved} approvals, but {self.stored() - before} stored")
        return report, cpu_s / report.answered


def template(customer: int, now: datetime) -> Message:
    """Make a purchase with 19 elements; amount, time, trace number and reference are put in by the generator."""
    fields = {
        2: pan_of(customer),
        3: "000000",
        4: f"{1:012d}",
        7: f"{now:%m%d%H%M%S}",
        11: "000001",
        12: f"{now:%H%M%S}",
        13: f"{now:%m%d}",
        14: "2812",
        18: "5411",
        22: "051",
        25: "00",
        32: "12345678901",
        35: f"{pan_of(customer)}D28122011234567890",
        37: "000000000001",
        41: f"TERM{customer % 64:04d}",
        42: "MERCHANT0000001",
        43: "ACME SUPERMARKET 42     MONTEVIDEO    UY",
        49: "978",
    }
    return Message("0200", fields)


def pgbench(server: PostgresServer, database: str, seconds: float) -> float:
    """Run TPC-B for some seconds and give transactions per second."""
    program = next(place for place in (server.binaries / "pgbench", Path("/usr/bin/pgbench")) if place.exists())
    command = [
        str(program),
        "-h",
        str(server.folder),
        "-U",
        "postgres",
        "-c",
        "8",
        "-j",
        "2",
        "-T",
        f"{max(1, round(seconds))}",
    ]
    done = subprocess.run([*command, database], capture_output=True, text=True, check=True, cwd="/")
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    assert found is not None, done.stdout
    return float(found[1])


async def measure(seconds: float, connections: int, in_flight: int, folder: Path) -> dict[str, Any]:
    """Measure both databases in turns with pgbench."""
    server = PostgresServer()
    benches: dict[str, Bench] = {}
    try:
        tpcb = server.create_database(name="tpcb")
        program = next(place for place in (server.binaries / "pgbench", Path("/usr/bin/pgbench")) if place.exists())
        command = [str(program), "-h", str(server.folder), "-U", "postgres", "-i", "-s", "10", "-q", tpcb]
        subprocess.run(command, capture_output=True, check=True, cwd="/")
        for kind in ("postgresql", "sqlite"):
            (folder / kind).mkdir()
            url = (
                server.url(server.create_database())
                if kind == "postgresql"
                else f"sqlite:///{folder / kind}/ledger.db"
            )
            benches[kind] = Bench(folder / kind, url)
        share_s = seconds / ROUNDS
        rates: list[float] = []
        runs: dict[str, list[tuple[LoadReport, float]]] = {kind: [] for kind in benches}
        for _ in range(ROUNDS):
            rates.append(pgbench(server, tpcb, share_s))
            for kind, bench in benches.items():
                bench.start()
                runs[kind].append(await bench.load(share_s, connections, in_flight))
                bench.stop()
        beside = median(rates)
        return {kind: summary(found, beside) for kind, found in runs.items()}
    finally:
        for bench in benches.values():
            bench.stop()
        server.close()


def summary(runs: list[tuple[LoadReport, float]], pgbench_per_second: float) -> dict[str, float]:
    """Put the rounds on one database together: medians."""
    per_second = median(report.approved_per_second for report, _ in runs)
    return {
        "switch_per_second": round(per_second, 1),
        "pgbench_per_second": round(pgbench_per_second, 1),
        "ratio": round(per_second / pgbench_per_second, 3),
        "cpu_us_per_transaction": round(median(cpu_s for _, cpu_s in runs) * 1_000_000, 1),
        "p50_ms": round(median(report.latency.p50_ms for report, _ in runs), 2),
        "p99_ms": round(median(report.latency.p99_ms for report, _ in runs), 2),
        "generator_cpu_us_per_transaction": round(median(report.cpu_us_per_transaction for report, _ in runs), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=9.0, help="how long each of the three is measured")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--in-flight", type=int, default=1, help="requests in flight per connection")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    failures: list[BaseException] = []

    async def story() -> None:
        with tempfile.TemporaryDirectory(prefix="junctor-bench-") as folder:
            Path(folder).chmod(0o755)
            found = await measure(arguments.seconds, arguments.connections, arguments.in_flight, Path(folder))
        if arguments.json:
            print(json.dumps(found))
            return
        for kind, figures in found.items():
            print(kind)
            for name, value in figures.items():
                print(f"  {name:34} {value:12,.2f}")

    def keep(failure: Failure) -> None:
        failures.append(failure.value or RuntimeError("failed without a reason"))

    def run() -> None:
        done = Deferred.fromCoroutine(story())
        done.addErrback(keep)
        done.addBoth(lambda _: deferLater(reactor, 0, reactor.stop))  # type: ignore[arg-type,attr-defined]

    reactor.callWhenRunning(run)  # type: ignore[attr-defined]
    reactor.run()  # type: ignore[attr-defined]
    if failures:
        raise failures[0]


if __name__ == "__main__":
    main()
