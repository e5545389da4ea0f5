"""Child processes of a simulator: commands that end by themselves, and a daemon that is told to stop."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessExitedAlready, ProcessTerminated
from twisted.internet.interfaces import IProcessTransport, IReactorCore, IReactorProcess, IReactorTime
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

OUTPUT_BYTES_MAX: Final = 4_194_304
"""What is kept of a command's output; a command that writes more is killed."""


class ChildReactor(IReactorCore, IReactorProcess, IReactorTime):
    """What children need of a reactor."""


@attrs.frozen
class Finished:
    """A command that ended: its status (negative: the signal that killed it), and what it wrote."""

    status: int
    out: bytes = attrs.field(repr=False)
    err: bytes = attrs.field(repr=False)


class ChildFailed(Exception):
    """A command that ended badly or not in time; the text is its last line of complaint."""


def junctor_command(*arguments: str) -> list[str]:
    """Give the command line that runs `junctor` with this interpreter, wherever it is installed."""
    return [sys.executable, "-m", f"{__package__.rpartition('.')[0]}.switch", *arguments]


class _Listener(ProcessProtocol):
    """Gathers what a command writes, and tells when it has ended."""

    def __init__(self) -> None:
        self.ended: Deferred[Finished] = Deferred()
        self._written: dict[int, bytearray] = {1: bytearray(), 2: bytearray()}

    def childDataReceived(self, childFD: int, data: bytes) -> None:  # noqa: N802, N803
        written = self._written[childFD]
        written += data
        if len(written) > OUTPUT_BYTES_MAX:
            kill(self.transport, signal.SIGKILL)

    def processEnded(self, reason: Failure) -> None:  # noqa: N802
        self.ended.callback(Finished(_status(reason), bytes(self._written[1]), bytes(self._written[2])))


def kill(process: IProcessTransport | None, number: signal.Signals) -> None:
    """Send a signal to a process of ours, if it still runs."""
    if process is not None:
        with suppress(ProcessExitedAlready):
            process.signalProcess(int(number))


async def run_command(reactor: ChildReactor, command: Sequence[str], timeout_s: float) -> Finished:
    """Run a command to its end. Raises ChildFailed when it takes longer; it is killed then."""
    listener = _Listener()
    process = reactor.spawnProcess(listener, command[0], list(command), env=dict(os.environ))
    limit = reactor.callLater(timeout_s, kill, process, signal.SIGKILL)
    finished = await listener.ended
    if not limit.active():
        raise ChildFailed(f"{' '.join(command[2:5])} took longer than {timeout_s:.0f} s")
    limit.cancel()
    return finished


async def run_junctor(reactor: ChildReactor, *arguments: str, timeout_s: float = 60.0) -> bytes:
    """Run a command of `junctor` and give what it wrote. Raises ChildFailed when its status is not zero."""
    finished = await run_command(reactor, junctor_command(*arguments), timeout_s)
    if finished.status != 0:
        complaint = (finished.err.strip() or finished.out.strip()).decode("utf-8", "replace")
        lines = complaint.splitlines() or [f"status {finished.status}"]
        raise ChildFailed(f"junctor {' '.join(arguments[:2])}: {lines[-1]}")
    return finished.out


STOP_S: Final = 30.0
"""How long a daemon may take to stop before it is killed."""


class Daemon(ProcessProtocol):
    """A child that runs until it is told to stop; what it writes goes to a file.

    It does not outlive us: when the reactor stops, it is stopped.
    """

    def __init__(self, reactor: ChildReactor, command: Sequence[str], log_file: Path) -> None:
        self._reactor = reactor
        self._waiting: list[Deferred[int]] = []
        self._is_stopping = False
        self.status: int | None = None
        """How it ended; None while it runs."""
        descriptor = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._process = reactor.spawnProcess(
                self, command[0], list(command), env=dict(os.environ), childFDs={0: "w", 1: descriptor, 2: descriptor}
            )
        finally:
            os.close(descriptor)
        reactor.addSystemEventTrigger("before", "shutdown", lambda: Deferred.fromCoroutine(self.stop(STOP_S)))

    def processEnded(self, reason: Failure) -> None:  # noqa: N802
        self.status = _status(reason)
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(self.status)

    async def stop(self, timeout_s: float) -> int:
        """Send SIGTERM, wait for the end, and give the status; after `timeout_s` it is killed."""
        if self.status is None and not self._is_stopping:
            self._is_stopping = True
            kill(self._process, signal.SIGTERM)
        if self.status is None:
            ended: Deferred[int] = Deferred()
            self._waiting.append(ended)
            limit = self._reactor.callLater(timeout_s, kill, self._process, signal.SIGKILL)
            await ended
            if limit.active():
                limit.cancel()
        assert self.status is not None
        return self.status


def _status(reason: Failure) -> int:
    if isinstance(reason.value, ProcessTerminated):
        return -reason.value.signal if reason.value.signal else int(reason.value.exitCode or 1)
    assert isinstance(reason.value, ProcessDone)
    return 0
