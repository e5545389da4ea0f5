"""The watch over the keys: the vault learns what other nodes began, and a new month begins a new data key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

log = Logger()

INTERVAL_S: Final = 60.0
"""How long a node may go on sealing under a key that another node has retired."""


class KeyRow(Protocol):
    @property
    def purpose(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def activated_us(self) -> int | None: ...


class Ring(Protocol):
    """What is asked of the key ring, in the reading thread."""

    def open(self) -> object: ...
    def report(self) -> Sequence[KeyRow]: ...


class ReadingThread(Protocol):
    def read(self, work: Callable[[], Sequence[KeyRow]]) -> Deferred[Sequence[KeyRow]]: ...


class KeyMeter(Protocol):
    def key_activated(self, purpose: str, timestamp_s: float) -> None: ...


class KeyWatch:
    """Reads the keys now and every minute; a round that fails leaves the vault as it was."""

    def __init__(self, clock: IReactorTime, thread: ReadingThread, ring: Ring, meter: KeyMeter) -> None:
        self._thread = thread
        self._ring = ring
        self._meter = meter
        self._loop = LoopingCall(self._round)
        self._loop.clock = clock

    async def start(self) -> None:
        """Read the keys for the first time; whatever fails ends the start."""
        await self._look()
        self._loop.start(INTERVAL_S, now=False)

    def stop(self) -> None:
        if self._loop.running:
            self._loop.stop()

    def _round(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._look()).addErrback(self._stumble)

    async def _look(self) -> None:
        for key in await self._thread.read(self._read):
            if key.state == "active" and key.activated_us is not None:
                self._meter.key_activated(key.purpose, key.activated_us / 1_000_000)

    def _read(self) -> Sequence[KeyRow]:
        self._ring.open()
        return self._ring.report()

    def _stumble(self, failure: Failure) -> None:
        log.warn("the keys could not be read: {why}", why=type(failure.value).__name__)
