"""`junctor simulate` and `junctor load`: each in a process of its own, against each other over real TLS."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import run_command

JUNCTOR = [sys.executable, "-m", "junctor.switch"]
LIMIT_S = 60


class Played:
    """A simulator in a process of its own that listens."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [*JUNCTOR, "simulate", *arguments, "--listen", "tcp:0:interface=127.0.0.1", "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        says = re.fullmatch(r"listening on port (\d+)\n", self._process.stderr.readline())
        assert says is not None, "the simulator did not say where it listens"
        self.address = f"localhost:{says[1]}"

    def stop(self) -> dict[str, int]:
        """Interrupt it, and give what it reports."""
        self._process.send_signal(signal.SIGINT)
        out, err = self._process.communicate(timeout=LIMIT_S)
        assert self._process.returncode == 0, err
        report: dict[str, int] = json.loads(out)
        return report

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


def run_apart(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run one command in a process of its own: only one reactor can run in each."""
    return subprocess.run(
        [*JUNCTOR, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    assert run_command("cert", "dev", folder / "own", "issuer", "bank", "acme-pos").status == 0
    assert run_command("cert", "dev", folder / "other", "acme-pos").status == 0
    return folder


@pytest.fixture
def issuer(tls: Path) -> Iterator[Played]:
    played = Played("issuer", "--tls", str(tls / "own"), "--as", "issuer", "--seed", "1")
    yield played
    played.end()


@pytest.fixture
def bank(tls: Path) -> Iterator[Played]:
    played = Played("bank", "--tls", str(tls / "own"), "--as", "bank")
    yield played
    played.end()


def test_terminals_are_answered_by_an_issuer_which_reports_when_it_is_interrupted(issuer: Played, tls: Path) -> None:
    ended = run_apart(
        "simulate", "terminal", "--connect", issuer.address, "--tls", tls / "own", "--as", "acme-pos", "--seconds", 1,
        "--per-second", 40, "--scenario", "purchase", "--scenario", "balance", "--scenario", "reversal", "--json",
    )  # fmt: skip
    counts = json.loads(ended.stdout)
    assert ended.returncode == 0, ended.stderr
    assert counts["is_clean"]
    assert counts["sent"] == counts["once"] > 0
    assert {row["scenario"] for row in counts["outcomes"]} <= {"purchase", "balance", "reversal"}
    report = issuer.stop()
    assert report["requests"] + report["advices"] == counts["sent"]


def test_a_scenario_that_is_answered_wrongly_gives_status_1(issuer: Played, tls: Path) -> None:
    # This issuer knows no accounts: it approves what "too expensive" expects to be declined.
    ended = run_apart(
        "simulate", "terminal", "--connect", issuer.address, "--tls", tls / "own", "--as", "acme-pos", "--seconds", 1,
        "--per-second", 20, "--scenario", "too expensive",
    )  # fmt: skip
    assert ended.returncode == 1
    assert "was answered 00, expected 51" in ended.stderr


def test_load_sends_as_many_new_requests_as_it_is_told(issuer: Played, tls: Path) -> None:
    ended = run_apart(
        "load", "--connect", issuer.address, "--tls", tls / "own", "--as", "acme-pos", "--connections", 4,
        "--count", 200, "--warmup-s", 0, "--seconds", 30, "--prepared", 200, "--json",
    )  # fmt: skip
    report = json.loads(ended.stdout)
    assert ended.returncode == 0, ended.stderr
    assert (report["sent"], report["answered"], report["codes"]) == (200, 200, {"00": 200})
    counts = issuer.stop()
    assert (counts["requests"], counts["requests repeated"]) == (200, 0)


def test_an_open_loop_sends_at_its_rate(issuer: Played, tls: Path) -> None:
    ended = run_apart(
        "load", "--connect", issuer.address, "--tls", tls / "own", "--as", "acme-pos", "--connections", 2,
        "--per-second", 100, "--fixed", "--warmup-s", 0, "--seconds", 1, "--in-flight", 8, "--json",
    )  # fmt: skip
    report = json.loads(ended.stdout)
    assert ended.returncode == 0, ended.stderr
    assert report["mode"] == "open fixed"
    assert 80 <= report["sent"] <= 120


def test_a_bank_acknowledges_what_another_sends(bank: Played, tls: Path) -> None:
    ended = run_apart(
        "simulate", "bank", "--connect", bank.address, "--tls", tls / "own", "--as", "acme-pos",
        "--bic", "SOUTFRPPXXX", "--to", "NORTDEFFXXX", "--send", 3, "--json",
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["acknowledged"] == 3
    assert bank.stop()["received"] == 3


@pytest.mark.parametrize("command", [["simulate", "terminal", "--seconds", 1], ["load", "--count", 1]])
def test_a_peer_of_another_authority_is_told_in_one_sentence(
    issuer: Played, tls: Path, command: list[object]
) -> None:
    ended = run_apart(*command, "--connect", issuer.address, "--tls", tls / "other", "--as", "acme-pos")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "cannot be reached" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_peer_that_is_not_there_is_told_in_one_sentence() -> None:
    ended = run_apart("load", "--connect", "127.0.0.1:1", "--count", 1)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("junctor: 127.0.0.1:1 cannot be reached")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["simulate", "terminal", "--connect", "localhost"], "not of the form host:port"),
        (["simulate", "terminal", "--connect", "localhost:99999"], "not of the form host:port"),
        (["simulate", "terminal", "--connect", "a:1", "--scenario", "theft"], "'theft' is not one of"),
        (["simulate", "issuer", "--listen", "tcp:0", "--silent", "0.7", "--decline", "0.7"], "more than 1"),
        (["simulate", "bank", "--listen", "tcp:0", "--send", "1"], "--send needs --connect"),
        (["load", "--connect", "a:1", "--currency", "xxq"], "no such currency"),
    ],
)
def test_what_cannot_be_played_is_wrong_usage(arguments: list[str], says: str) -> None:
    ended = run_command(*arguments)
    assert ended.status == 2
    assert says in " ".join(ended.err.split())


def test_missing_certificates_are_told_with_the_command_that_makes_them(tmp_path: Path) -> None:
    ended = run_command("load", "--connect", "localhost:1", "--tls", tmp_path, "--as", "acme-pos")
    assert ended.status == 1
    assert "junctor cert dev" in ended.err
