"""`junctor run`: the daemon as an operator meets it, in a process of its own."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import run_command

JUNCTOR = [sys.executable, "-m", "junctor.switch"]
LIMIT_S = 60

CONFIG = """
[database]
url = "sqlite:///junctor.db"

[admin]
listen = "tcp:{admin}:interface=127.0.0.1"

[logging]
format = "json"

[[institutions]]
id = "acme-pos"

[[listeners]]
name = "terminals"
listen = "tcp:{terminals}:interface=127.0.0.1"
institution = "acme-pos"

[routing]
default = "ledger"
"""


def free_ports(count: int) -> list[int]:
    """Find ports that were free a moment ago."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    admin, terminals = free_ports(2)
    path = tmp_path / "junctor.toml"
    path.write_text(CONFIG.format(admin=admin, terminals=terminals), encoding="utf-8")
    assert run_command("keys", "init", "--config", path).status == 0
    return path


@pytest.fixture
def switch(config_file: Path) -> Iterator[subprocess.Popen[str]]:
    """A running switch, ready for traffic."""
    assert run_command("migrate", "--config", config_file).status == 0
    process = subprocess.Popen(
        [*JUNCTOR, "run", "--config", str(config_file)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if "is ready" in line:
            break
    assert process.poll() is None, "".join(said)
    yield process
    process.kill()
    process.communicate()


def run_apart(config_file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*JUNCTOR, "run", "--config", str(config_file)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_switch_drains_and_leaves_with_status_0_when_it_is_told_to_stop(
    switch: subprocess.Popen[str], number: signal.Signals
) -> None:
    switch.send_signal(number)
    out, err = switch.communicate(timeout=LIMIT_S)
    assert switch.returncode == 0, err
    assert out == "", "the log goes to standard error"
    events = [json.loads(line)["event"] for line in err.splitlines()]
    assert any("has stopped" in event for event in events)


def test_links_of_the_switch_can_be_listed_while_it_runs(switch: subprocess.Popen[str], config_file: Path) -> None:
    ended = run_command("link", "list", "--config", config_file, "--json")
    assert (ended.status, ended.json) == (0, [])


def test_the_books_can_be_read_and_changed_beside_the_running_switch(
    switch: subprocess.Popen[str], config_file: Path
) -> None:
    created = run_command("account", "create", "--config", config_file, "--code", "a", "--currency", "EUR")
    assert created.status == 0
    codes = [row["code"] for row in run_command("account", "list", "--config", config_file, "--json").json]
    assert codes == ["a", "acme-pos.settlement.EUR"]


def test_a_database_without_tables_stops_the_start(config_file: Path) -> None:
    ended = run_apart(config_file)
    assert ended.returncode == 1
    assert "run junctor migrate" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_port_that_is_taken_stops_the_start(config_file: Path) -> None:
    assert run_command("migrate", "--config", config_file).status == 0
    with socket.create_server(("127.0.0.1", 0)) as taken:
        text = config_file.read_text(encoding="utf-8")
        port = taken.getsockname()[1]
        doors = [line for line in text.splitlines() if line.startswith("listen = ")]
        config_file.write_text(text.replace(doors[1], f'listen = "tcp:{port}:interface=127.0.0.1"'), encoding="utf-8")
        ended = run_apart(config_file)
    assert ended.returncode == 1
    assert str(port) in ended.stderr
    assert "Traceback" not in ended.stderr


def test_missing_keys_stop_the_start(config_file: Path) -> None:
    (config_file.parent / "keys" / "kek.key").unlink()
    ended = run_apart(config_file)
    assert ended.returncode == 1
    assert ended.stderr.endswith("kek.key: No such file or directory\n")
