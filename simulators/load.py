"""The load generator: many connections, a closed or an open loop, and next to no work for each transaction.

Closed loop: every connection keeps a number of requests in flight and sends the next when one is answered, which
finds how much a switch can do. Open loop: requests are due at times of their own, and a latency counts from then,
which finds how a switch feels at a given rate.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Final

import attrs
from twisted.internet.defer import Deferred, FirstError, gatherResults
from twisted.internet.task import LoopingCall

from .load_lane import Lane
from .load_report import LoadReport, LoadSecond
from .load_socket import LoadReactor, make_context
from .load_tally import LoadTally
from .prepared import Prepared, Requests
from .response_reader import ResponseReader
from .schedule import Arrivals, Due, due_times
from .waiting import pause, wait_until
from .wire import Address, Unreachable

__all__ = ["LoadPlan", "LoadReport", "LoadSecond", "run_load"]

_TICK_S: Final = 0.001
"""An open loop sends together what became due within this time; the wait counts in the latencies."""
_DIALLED_AT_ONCE: Final = 32
_LOOK_S: Final = 0.02
"""How often the end of a run is looked for."""


@attrs.frozen
class LoadPlan:
    """What to do to a switch.

    in_flight: requests of one connection that wait for their answer. per_second: None is a closed loop, a number an
    open one at that rate; waiting_max: its requests that may wait for a free place, one more is not sent at all.
    seconds follow after warmup_s and are measured; count_max ends a run early. prepared: requests made before the
    clock runs.
    """

    address: Address
    connections: int = 64
    in_flight: int = 1
    per_second: float | None = None
    arrivals: Arrivals = Arrivals.POISSON
    seconds: float = 10.0
    warmup_s: float = 0.0
    timeout_s: float = 30.0
    waiting_max: int = 100_000
    count_max: int | None = None
    prepared: int = 20_000
    response_mti: str = "0210"


def _ignore(second: LoadSecond) -> None:
    """Take no notice of progress."""


async def run_load(
    reactor: LoadReactor,
    plan: LoadPlan,
    requests: Requests,
    random: Random,
    progress: Callable[[LoadSecond], None] = _ignore,
    seconds: Callable[[], float] = time.perf_counter,
    cpu_seconds: Callable[[], float] = time.thread_time,
) -> LoadReport:
    """Connect, run the plan, wait for the last answers, and report.

    progress is called once a second. cpu_seconds: CPU of this thread; the report divides it by the transactions, so
    that a reader sees whether the generator or the switch was the limit. Raises Unreachable when a connection cannot
    be made.
    """
    requests.prepare(plan.prepared)
    run = _Run(reactor, plan, requests, random, seconds, cpu_seconds)
    await run.connect()
    return await run.carry_out(progress)


class _Run:
    """The connections of one run and who may send next."""

    def __init__(
        self,
        reactor: LoadReactor,
        plan: LoadPlan,
        requests: Requests,
        random: Random,
        seconds: Callable[[], float],
        cpu_seconds: Callable[[], float],
    ) -> None:
        self._reactor = reactor
        self._plan = plan
        self._requests = requests
        self._cpu_seconds = cpu_seconds
        self._tally = LoadTally()
        self._lanes: list[Lane] = []
        self._free: deque[Lane] = deque()
        self._due = None
        if plan.per_second is not None:
            self._due = Due(due_times(plan.arrivals, plan.per_second, random), plan.waiting_max)
        self._left = plan.count_max
        self._is_sending = False
        self._started_s = 0.0
        self.seconds = seconds
        self.hear = self._tally.hear

    async def connect(self) -> None:
        plan = self._plan
        tls = None if plan.address.tls is None else make_context(plan.address.tls)
        reader = ResponseReader(self._requests.spec, plan.response_mti)
        while len(self._lanes) < plan.connections:
            count = min(_DIALLED_AT_ONCE, plan.connections - len(self._lanes))
            group = [Lane(self, reader, self._requests.framing) for _ in range(count)]
            self._lanes += group
            dialled = [Deferred.fromCoroutine(lane.dial(self._reactor, plan.address, tls)) for lane in group]
            try:
                await gatherResults(dialled, consumeErrors=True)
            except FirstError as error:
                self._close()
                raise Unreachable(str(error.subFailure.value)) from error

    async def carry_out(self, progress: Callable[[LoadSecond], None]) -> LoadReport:
        plan, tally = self._plan, self._tally
        each_second = LoopingCall(lambda: progress(self._end_second()))
        each_second.clock = self._reactor
        self._started_s = self.seconds()
        self._is_sending = True
        each_second.start(1.0, now=False)
        try:
            if self._due is not None:
                self._free.extend(lane for _ in range(plan.in_flight) for lane in self._lanes)
                self._tick()
            else:
                for lane in self._lanes:
                    self.refill(lane, plan.in_flight)
            await pause(self._reactor, plan.warmup_s)
            tally.begin_window(self.seconds(), self._cpu_seconds())
            await wait_until(self._reactor, self._is_spent, plan.seconds, _LOOK_S)
            self._is_sending = False
            if plan.count_max is not None:
                await self._wait_for_answers()
            tally.end_window(self.seconds(), self._cpu_seconds())
            await self._wait_for_answers()
        finally:
            self._is_sending = False
            each_second.stop()
            self._close()
        return tally.report(
            mode="closed" if self._due is None else f"open {plan.arrivals.value}",
            connections=plan.connections,
            in_flight=plan.in_flight,
            offered_per_second=plan.per_second,
            unsent=0 if self._due is None else self._due.unsent + len(self._due.waiting),
        )

    def _close(self) -> None:
        for lane in self._lanes:
            lane.close()

    async def _wait_for_answers(self) -> None:
        """Wait until nothing is in flight; what is not answered in time is given up on."""
        await wait_until(self._reactor, lambda: self._in_flight == 0, self._plan.timeout_s, _LOOK_S)
        self._give_up(before_s=self.seconds() + 1)

    @property
    def _in_flight(self) -> int:
        return sum(len(lane.in_flight) for lane in self._lanes)

    def _is_spent(self) -> bool:
        return self._left == 0 or self._tally.lost_connections == len(self._lanes)

    def _end_second(self) -> LoadSecond:
        self._give_up(before_s=self.seconds() - self._plan.timeout_s)
        return self._tally.end_second(self._in_flight, len(self._due.waiting) if self._due is not None else 0)

    def _give_up(self, before_s: float) -> None:
        for lane in self._lanes:
            count = lane.forget(before_s)
            if count:
                self._tally.timeouts += count
                self.refill(lane, count)

    def _take(self, count: int) -> list[Prepared]:
        """Give the next requests, fewer when the plan's number is reached."""
        if self._left is not None:
            count = min(count, self._left)
            self._left -= count
        self._tally.sent += count
        return [self._requests.next() for _ in range(count)]

    def _tick(self) -> None:
        """Send what is due, and look again when the next is, a millisecond from now at the earliest."""
        assert self._due is not None
        if self._is_sending:
            self._send_due()
            wait_s = self._started_s + self._due.next_s - self.seconds()
            self._reactor.callLater(max(wait_s, _TICK_S), self._tick)

    def _send_due(self) -> None:
        """Send what is due, one to each connection in turn that has a free place."""
        due = self._due
        assert due is not None
        if not self._is_sending:
            return
        due.advance(self.seconds() - self._started_s)
        batches: dict[Lane, list[tuple[Prepared, float]]] = {}
        while due.waiting and self._free and self._left != 0:
            lane = self._free.popleft()
            if lane.is_up:
                due_s = self._started_s + due.waiting.popleft()
                batches.setdefault(lane, []).append((self._take(1)[0], due_s))
        for lane, batch in batches.items():
            lane.send(batch)

    # ------------------------------------------------------------ what connections tell

    def hear_stray(self, is_message: bool) -> None:
        """Count what came and answers nothing in flight."""
        if is_message:
            self._tally.unmatched += 1
        else:
            self._tally.undecodable += 1

    def refill(self, lane: Lane, places: int) -> None:
        """Use places that have become free on a connection."""
        if self._due is not None:
            self._free.extend([lane] * places)
            if self._due.waiting:
                self._send_due()
        elif self._is_sending and lane.is_up:
            now_s = self.seconds()
            batch = [(request, now_s) for request in self._take(places)]
            if batch:
                lane.send(batch)

    def lose(self, lane: Lane) -> None:
        """Count a connection that went down, and what was in flight on it."""
        self._tally.lost_connections += 1
        self._tally.lost += len(lane.in_flight)
        lane.in_flight.clear()
