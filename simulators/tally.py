"""What terminals count: that each request is answered exactly once, by a code that is right for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

import attrs

from .histogram import Histogram, Latency

PROBLEMS_MAX: Final = 100
"""How many sentences about what went wrong are kept; the counters know all of it."""


@attrs.frozen
class Counts:
    """A tally at one moment.

    sent: requests written, follow-ups and repeats included. once, twice, never: how many answers each got. cut: those
    whose terminal hung up by script, which count nowhere else. unexpected: answers that nobody asked for.
    wrong: answers whose code or content is not among those that are right. scenarios: those played to their end.
    unreachable: connections that were not made. codes: answers per response code;
    outcomes: answers per scenario and code.
    """

    sent: int
    once: int
    twice: int
    never: int
    cut: int
    unexpected: int
    wrong: int
    scenarios: int
    unreachable: int
    codes: Mapping[str, int]
    outcomes: Mapping[tuple[str, str], int]
    latency: Latency
    prompt_latency: Latency
    """Of answers that nobody delayed on purpose."""
    problems: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """True when every request that could hear an answer got exactly one, and a right one."""
        failed = self.twice + self.never + self.unexpected + self.wrong + self.unreachable
        return failed == 0 and self.once + self.cut == self.sent


class Tally:
    """Counts for many terminals; used in one thread."""

    def __init__(self) -> None:
        self.sent = 0
        self.once = 0
        self.twice = 0
        self.never = 0
        self.cut = 0
        self.unexpected = 0
        self.wrong = 0
        self.scenarios = 0
        self.unreachable = 0
        self._latencies = Histogram()
        self._prompt = Histogram()
        self._outcomes: Counter[tuple[str, str]] = Counter()
        self._problems: list[str] = []

    def answered(self, scenario: str, code: str, elapsed_s: float, *, is_prompt: bool = True) -> None:
        """Count the first answer to a request; `is_prompt` is false where the issuer was asked to be slow."""
        self.once += 1
        self._outcomes[scenario, code] += 1
        elapsed_us = round(elapsed_s * 1e6)
        self._latencies.record(elapsed_us)
        if is_prompt:
            self._prompt.record(elapsed_us)

    def answered_again(self, problem: str, is_second: bool) -> None:
        """Count a further answer; the second one takes its request from those answered once."""
        if is_second:
            self.twice += 1
            self.once -= 1
        self._note(problem)

    def silent(self, problem: str) -> None:
        """Count a request that nobody answered in time."""
        self.never += 1
        self._note(problem)

    def refused(self, problem: str) -> None:
        """Count a connection that was not made."""
        self.unreachable += 1
        self._note(problem)

    def heard_unexpected(self, problem: str) -> None:
        """Count an answer that belongs to no request."""
        self.unexpected += 1
        self._note(problem)

    def found_wrong(self, problem: str) -> None:
        """Count an answer whose content is not right."""
        self.wrong += 1
        self._note(problem)

    def counts(self) -> Counts:
        """Give everything counted so far."""
        codes: Counter[str] = Counter()
        for (_, code), count in self._outcomes.items():
            codes[code] += count
        return Counts(
            sent=self.sent,
            once=self.once,
            twice=self.twice,
            never=self.never,
            cut=self.cut,
            unexpected=self.unexpected,
            wrong=self.wrong,
            scenarios=self.scenarios,
            unreachable=self.unreachable,
            codes=dict(sorted(codes.items())),
            outcomes=dict(sorted(self._outcomes.items())),
            latency=self._latencies.latency(),
            prompt_latency=self._prompt.latency(),
            problems=tuple(self._problems),
        )

    def _note(self, problem: str) -> None:
        if len(self._problems) < PROBLEMS_MAX:
            self._problems.append(problem)
