"""Couriers carry deliveries: one per lane, the head first, until the peer acknowledges.

The order within a lane never changes. An attempt is written down before it is made, so that a repeat is known as one
after any crash: it goes out with the repeat MTI, or with PDE. What cannot be delivered ends among the dead letters.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Protocol

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..config.settings import DeliverySettings
from ..ledger.operations import Attempt, Bury, Delivered, Done, Item, Outcome, Postpone
from .books import Unavailable

log = Logger()


@attrs.frozen
class Head:
    """The first delivery of a lane, as the ledger gives it."""

    lane: str
    seq: int
    kind: str
    body: bytes = attrs.field(repr=False)
    attempts: int
    not_before_us: int
    created_us: int
    expires_us: int | None


class Verdict(Enum):
    """What became of one attempt."""

    DELIVERED = "delivered"
    RETRY = "retry"
    REFUSED = "refused"
    NO_LINK = "no link"
    """Nothing was sent: no attempt was made at all."""


@attrs.frozen
class Attempted:
    """How an attempt ended, and why, in words without content."""

    verdict: Verdict
    why: str = ""


class Carrier(Protocol):
    """Takes one delivery to the peer: an ISO 8583 link or a FIN link of the lane's institution."""

    def is_ready(self) -> bool:
        """Tell whether a link is up over which it could go now."""
        ...

    async def carry(self, head: Head, attempt: int) -> Attempted:
        """Send it as the attempt of that number (1 is the first) and tell what became of it."""
        ...


class Door(Protocol):
    def submit(self, item: Item) -> Deferred[Outcome | Unavailable]: ...


class CourierMeter(Protocol):
    def delivery_attempt(self, lane: str, result: str) -> None: ...
    def delivered(self, lane: str, kind: str) -> None: ...


class Courier:
    """Works off one lane."""

    def __init__(
        self,
        lane: str,
        clock: IReactorTime,
        books: Door,
        find_head: Callable[[str], Deferred[Head | None]],
        carrier: Carrier,
        settings: DeliverySettings,
        random: Callable[[], float],
        meter: CourierMeter,
    ) -> None:
        self._lane = lane
        self._clock = clock
        self._books = books
        self._find_head = find_head
        self._carrier = carrier
        self._settings = settings
        self._random = random
        self._meter = meter
        self._timer: IDelayedCall | None = None
        self._is_working = False
        self._is_woken = False
        self._is_stopped = False
        self._idle: list[Deferred[None]] = []

    def wake(self) -> None:
        """Look at the lane now: a delivery was queued, or a link came up."""
        if self._is_stopped:
            return
        if self._is_working:
            self._is_woken = True
            return
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._is_working = True
        work = Deferred.fromCoroutine(self._work())
        work.addErrback(self._stumble)
        work.addCallback(self._rest)

    def stop(self) -> Deferred[None]:
        """Take nothing more in hand; fires when the delivery on its way has its end."""
        self._is_stopped = True
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        done: Deferred[None] = Deferred()
        if self._is_working:
            self._idle.append(done)
        else:
            done.callback(None)
        return done

    async def _work(self) -> float:
        """Carry heads until the lane is empty or must wait; give the seconds until the next look."""
        settings = self._settings
        while not self._is_stopped:
            self._is_woken = False
            if not self._carrier.is_ready():
                return settings.poll_s
            head = await self._find_head(self._lane)
            if head is None:
                return settings.poll_s
            now_us = self._now_us()
            if self._is_spent(head, now_us):
                # What was sent may have arrived: then the amount stays set aside until an operator decides.
                await self._bury(head, "no acknowledgement within the limits", releases=head.attempts == 0)
                continue
            if head.not_before_us > now_us:
                return min((head.not_before_us - now_us) / 1_000_000, settings.poll_s)
            if not await self._try(head, now_us):
                return settings.poll_s
        return settings.poll_s

    def _is_spent(self, head: Head, now_us: int) -> bool:
        too_often = head.attempts >= self._settings.attempts_max
        return too_often or (head.expires_us is not None and now_us >= head.expires_us)

    async def _try(self, head: Head, now_us: int) -> bool:
        """Make one attempt; False when the lane must wait."""
        until_us = now_us + int(self._settings.ack_timeout_s * 1_000_000)
        noted = await self._books.submit(Attempt(head.lane, head.seq, until_us))
        if not isinstance(noted, Done):
            return not isinstance(noted, Unavailable)
        attempted = await self._carrier.carry(head, noted.number)
        self._meter.delivery_attempt(self._lane, attempted.verdict.value)
        match attempted.verdict:
            case Verdict.DELIVERED:
                await self._books.submit(Delivered(head.lane, head.seq))
                self._meter.delivered(self._lane, head.kind)
                return True
            case Verdict.REFUSED:
                await self._bury(head, attempted.why, releases=True)
                return True
            case Verdict.RETRY | Verdict.NO_LINK:
                wait_s = self._backoff_s(noted.number)
                log.info(
                    "delivery {lane}/{seq} is tried again in {wait_s} s: {why}",
                    lane=head.lane,
                    seq=head.seq,
                    kind=head.kind,
                    attempt=noted.number,
                    wait_s=round(wait_s, 2),
                    why=attempted.why,
                )
                not_before_us = self._now_us() + int(wait_s * 1_000_000)
                await self._books.submit(Postpone(head.lane, head.seq, not_before_us, attempted.why))
                return True

    async def _bury(self, head: Head, reason: str, *, releases: bool) -> None:
        log.warn("delivery {lane}/{seq} is a dead letter: {why}", lane=head.lane, seq=head.seq, why=reason)
        self._meter.delivery_attempt(self._lane, "dead")
        await self._books.submit(Bury(head.lane, head.seq, reason, releases))

    def _backoff_s(self, attempt: int) -> float:
        settings = self._settings
        full = min(settings.backoff_initial_s * settings.backoff_factor ** (attempt - 1), settings.backoff_max_s)
        return full * (1 - settings.backoff_jitter * self._random())

    def _rest(self, wait_s: float) -> None:
        self._is_working = False
        waiting, self._idle = self._idle, []
        for done in waiting:
            done.callback(None)
        if self._is_stopped:
            return
        if self._is_woken:
            self.wake()
        else:
            self._timer = self._clock.callLater(max(wait_s, 0.001), self.wake)

    def _stumble(self, failure: Failure) -> float:
        """A database that is gone, or a bug of ours: the delivery stays where it is, and is looked at again."""
        log.failure("while working off lane {lane}", failure, lane=self._lane)
        return self._settings.poll_s

    def _now_us(self) -> int:
        return int(self._clock.seconds() * 1_000_000)
