"""Child processes: real ones, short-lived."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest
import pytest_twisted
from answering import reactor
from junctor.simulators.children import (
    OUTPUT_BYTES_MAX,
    ChildFailed,
    Daemon,
    junctor_command,
    run_command,
    run_junctor,
)
from junctor.simulators.waiting import wait_until


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


@pytest_twisted.ensureDeferred
async def test_a_command_gives_its_status_and_what_it_wrote() -> None:
    finished = await run_command(
        reactor, python("import sys; print('out'); print('err', file=sys.stderr); exit(3)"), 30
    )
    assert (finished.status, finished.out, finished.err) == (3, b"out\n", b"err\n")


@pytest_twisted.ensureDeferred
async def test_a_command_that_takes_too_long_is_killed() -> None:
    with pytest.raises(ChildFailed, match="longer than 0 s"):
        await run_command(reactor, python("import time; time.sleep(60)"), 0.05)


@pytest_twisted.ensureDeferred
async def test_a_command_that_writes_without_end_is_killed() -> None:
    finished = await run_command(reactor, python("while True: print('x' * 65536)"), 30)
    assert finished.status == -signal.SIGKILL
    assert len(finished.out) < 2 * OUTPUT_BYTES_MAX


@pytest_twisted.ensureDeferred
async def test_junctor_runs_as_a_child_and_its_complaint_is_told() -> None:
    assert b"junctor" in await run_junctor(reactor, "--version")
    with pytest.raises(ChildFailed, match=r"junctor check-config --config: .*nowhere\.toml"):
        await run_junctor(reactor, "check-config", "--config", "nowhere.toml")
    assert junctor_command("run")[1:] == ["-m", "junctor.switch", "run"]


@pytest_twisted.ensureDeferred
async def test_a_daemon_writes_to_its_file_and_stops_when_told(tmp_path: Path) -> None:
    code = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("stopping", flush=True), sys.exit(0)))
print("running", flush=True)
time.sleep(60)
"""
    daemon = Daemon(reactor, python(code), tmp_path / "log")
    assert await wait_until(reactor, lambda: (tmp_path / "log").read_text() == "running\n", 20.0, 0.01)
    assert daemon.status is None
    assert await daemon.stop(20.0) == 0
    assert await daemon.stop(20.0) == 0
    assert (tmp_path / "log").read_text() == "running\nstopping\n"
    assert (tmp_path / "log").stat().st_mode & 0o077 == 0


@pytest_twisted.ensureDeferred
async def test_a_daemon_that_does_not_stop_is_killed(tmp_path: Path) -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    daemon = Daemon(reactor, python(code), tmp_path / "log")
    assert await wait_until(reactor, lambda: (tmp_path / "log").read_text() == "1\n", 20.0, 0.01)
    assert await daemon.stop(0.05) == -signal.SIGKILL


@pytest_twisted.ensureDeferred
async def test_a_daemon_does_not_outlive_us(tmp_path: Path) -> None:
    code = f"""
from pathlib import Path
from twisted.internet import reactor
from junctor.simulators.children import Daemon
script = "trap 'echo stopping; exit 0' TERM; echo running; while :; do sleep 0.05; done"
Daemon(reactor, ["/bin/sh", "-c", script], Path({str(tmp_path / "log")!r}))
reactor.callLater(0.5, reactor.stop)
reactor.run()
"""
    finished = await run_command(reactor, python(code), 30)
    assert finished.status == 0, finished.err
    assert (tmp_path / "log").read_text() == "running\nstopping\n"
