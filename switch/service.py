"""The switch as a service: started step by step, stopped in the order that loses nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

import attrs
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.defer import TimeoutError as Overdue
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ..config.settings import Settings
from ..ledger.operations import Done, Item
from .books import Books
from .couriers import Courier
from .day_clock import DayClock
from .desk import Desk
from .keywatch import KeyWatch
from .links.directory import Directory
from .lookups import Lookups
from .mailroom import Mailroom
from .pulse import Pulse
from .runtime import settle
from .sweeper import Sweeper

log = Logger()


class Door(Protocol):
    """A listener, a dialler, or the admin page."""

    @property
    def name(self) -> str: ...
    async def start(self) -> None: ...


class Listening(Door, Protocol):
    def close(self) -> Deferred[None]: ...


class Dialling(Door, Protocol):
    def stop(self) -> Deferred[None]: ...


@attrs.define
class SwitchService:
    """Everything that runs; `build` makes it."""

    settings: Settings
    clock: IReactorTime
    books: Books
    lookups: Lookups
    directory: Directory
    desk: Desk
    mailroom: Mailroom
    couriers: Mapping[str, Courier]
    sweeper: Sweeper
    pulse: Pulse
    day_clock: DayClock
    listeners: Sequence[Listening]
    diallers: Sequence[Dialling]
    keys: KeyWatch
    accounts: Sequence[Item]
    """Accounts that must be there: settlement accounts of every institution."""
    check_schema: Callable[[], None]
    """Raises WrongSchema when the database has another schema than this code; run in the reading thread."""
    admin: Listening | None = None
    is_draining: bool = False
    is_listening: bool = False

    async def start(self) -> None:
        """Start; whatever fails here ends the start, and what was started is stopped again."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> None:
        self.books.start()
        await self.books.read(self.check_schema)
        await self.keys.start()
        for item in self.accounts:
            outcome = await self.books.submit(item)
            if not isinstance(outcome, Done):
                log.warn("an account of the configuration is kept as it is in the books: {item}", item=repr(item))
        self.pulse.start()
        self.sweeper.start()
        self.day_clock.start()
        for courier in self.couriers.values():
            courier.wake()
        if self.admin is not None:
            await self.admin.start()
        for door in (*self.listeners, *self.diallers):
            await door.start()
        self.is_listening = True
        log.info("{name} is ready", name=self.settings.switch.name)

    async def stop(self) -> None:
        """Drain: accept nothing new, finish what is in hand within `drain_s`, sign off, close."""
        if self.is_draining:
            return
        self.is_draining = True
        log.info("draining: {in_hand} in hand", in_hand=self.desk.in_hand + self.mailroom.in_hand)
        await DeferredList([door.close() for door in self.listeners])
        self.directory.refuse_requests()
        finished = DeferredList([self.desk.idle(), self.mailroom.idle()])
        with suppress(Overdue):
            await finished.addTimeout(self.settings.switch.drain_s, self.clock)
        carried = DeferredList([courier.stop() for courier in self.couriers.values()])
        with suppress(Overdue):
            await carried.addTimeout(self.settings.switch.drain_s, self.clock)
        self.sweeper.stop()
        self.day_clock.stop()
        self.keys.stop()
        await DeferredList([dialler.stop() for dialler in self.diallers])
        await self.directory.leave_all()
        await self.books.stop()
        self.lookups.close()
        self.pulse.stop()
        if self.admin is not None:
            await self.admin.close()
        log.info("{name} has stopped", name=self.settings.switch.name)


async def run(reactor: Any, settings: Settings) -> None:
    """Run a switch until a signal stops the reactor; then drain, and return."""
    from .build import build

    service = build(reactor, settings)
    settle()
    stopped: Deferred[None] = Deferred()

    async def stop() -> None:
        try:
            await service.stop()
        finally:
            stopped.callback(None)

    await service.start()
    reactor.addSystemEventTrigger("before", "shutdown", lambda: Deferred.fromCoroutine(stop()))
    await stopped
