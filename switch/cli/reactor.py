"""Run one coroutine under the reactor, and give back what it gives, or raise what it raises."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


def run_under_reactor(story: Callable[[Any], Awaitable[T]]) -> T:
    """Start the reactor, run `story(reactor)` in it, and stop it when the story ends.

    An interrupt stops the reactor, which may cut the story short: then KeyboardInterrupt is raised.
    """
    from twisted.internet.task import react

    ended: list[T] = []
    failed: list[BaseException] = []

    async def tell(reactor: Any) -> None:
        # Kept, not left to the reactor: it would write a traceback where the command line owes one sentence.
        try:
            ended.append(await story(reactor))
        except BaseException as error:
            failed.append(error)

    # `react` leaves by SystemExit when the reactor has stopped; the story's own end is what counts.
    with suppress(SystemExit):
        react(tell)
    if failed:
        raise failed[0]
    if not ended:
        raise KeyboardInterrupt
    return ended[0]
