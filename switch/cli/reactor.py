"""Run one coroutine under the reactor, and give back what it gives, or raise what it raises."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.task import react

from ...config.settings import LoggingSettings
from ..logs import begin_logging
from .complaints import Complaint

T = TypeVar("T")

_WARNINGS: Final = LoggingSettings(level="warn")


def run_under_reactor(story: Callable[[Any], Awaitable[T]], logging: LoggingSettings = _WARNINGS) -> T:
    """Start the reactor, run `story(reactor)` in it, and stop it when the story ends; logs go to standard error.

    A signal stops the reactor, which may cut the story short: then KeyboardInterrupt is raised. A story that ends in
    its own way uses a `Shift`.
    """
    begin_logging(logging)
    ended: list[T] = []
    failed: list[BaseException] = []

    async def tell(reactor: Any) -> None:
        try:
            ended.append(await story(reactor))
        except BaseException as error:  # the reactor would write a traceback where we owe one sentence
            failed.append(error)

    # `react` leaves by SystemExit when the reactor has stopped; the story's own end is what counts.
    with suppress(SystemExit):
        react(tell)
    if failed:
        raise _told(failed[0])
    if not ended:
        raise KeyboardInterrupt
    return ended[0]


def _told(error: BaseException) -> BaseException:
    """Put into words what Twisted says in its own way."""
    if isinstance(error, CannotListenError):
        why = getattr(error.socketError, "strerror", None) or "it cannot be opened"
        return Complaint(f"port {error.port} of {error.interface or 'every interface'}: {why}")
    return error


class Shift:
    """A stretch of work that lasts some seconds, or until a signal; what follows inside it is still done.

    Used as `async with Shift(reactor) as shift`: the reactor stops after the block has been left.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._over: Deferred[None] = Deferred()
        self._left: Deferred[None] = Deferred()
        self._trigger: Any = None

    @property
    def is_over(self) -> bool:
        return bool(self._over.called)

    async def __aenter__(self) -> Shift:
        self._trigger = self._reactor.addSystemEventTrigger("before", "shutdown", self._stop)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.is_over:
            self._reactor.removeSystemEventTrigger(self._trigger)
        self._left.callback(None)

    def when_over(self, act: Callable[[], None]) -> None:
        """Call `act` when a signal comes, or when the seconds of `over` have passed."""
        self._over.addCallback(lambda _: act())

    async def over(self, seconds: float | None = None) -> None:
        """Wait until the seconds have passed, or a signal came; None waits for the signal alone."""
        limit = None if seconds is None else self._reactor.callLater(seconds, self._end)
        await self._over
        if limit is not None and limit.active():
            limit.cancel()

    def _end(self) -> None:
        if not self._over.called:
            self._reactor.removeSystemEventTrigger(self._trigger)
            self._over.callback(None)

    def _stop(self) -> Deferred[None]:
        if not self._over.called:
            self._over.callback(None)
        return self._left
