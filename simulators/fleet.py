"""Many terminals at once, each playing scenarios drawn from a mix, at a rate for all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReactorTime

from .scenarios import Mix, Scenario
from .slips import Card
from .terminal import Terminal
from .waiting import pause


class Fleet:
    """Terminals with the cards that come to them.

    per_second: scenarios of the whole fleet in a second, spread as customers come (a slow answer makes its terminal
    late, and no other). A scenario of a group takes a card of that group; a mix must not ask for a group without one.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        terminals: Sequence[Terminal],
        cards: Sequence[Card],
        mix: Mix,
        per_second: float,
        random: Random,
    ) -> None:
        self._reactor = reactor
        self._terminals = terminals
        self._mix = mix
        self._gap_s = len(terminals) / per_second
        self._random = random
        self._is_stopped = False
        groups = {card.group for card in cards}
        self._cards = {group: [card for card in cards if card.group == group] for group in groups}
        self._cards[""] = list(cards)
        self._accounts: dict[str, list[str]] = {}
        for card in cards:
            if card.account is not None:
                self._accounts.setdefault(card.currency, []).append(card.account)
        for row in mix.rows:
            assert self._cards.get(row.scenario.group), f"no card for {row.scenario.name}"

    async def work(self, seconds: float) -> None:
        """Play for some seconds, or until `stop`, then let every terminal end its scenario and hang up."""
        until_s = self._reactor.seconds() + seconds
        shifts = [Deferred.fromCoroutine(self._shift(terminal, until_s)) for terminal in self._terminals]
        await gatherResults(shifts, consumeErrors=True)

    def stop(self) -> None:
        """Let no terminal begin another scenario."""
        self._is_stopped = True

    async def _shift(self, terminal: Terminal, until_s: float) -> None:
        due_s = self._reactor.seconds() + self._random.uniform(0, self._gap_s)
        while not self._is_stopped:
            wait_s = max(0.0, due_s - self._reactor.seconds())
            if self._reactor.seconds() + wait_s >= until_s:
                break
            await pause(self._reactor, wait_s)
            scenario = self._mix.draw(self._random)
            card, to = self._draw_card(scenario)
            await terminal.play(scenario, card, scenario.amount_minor(self._random), to)
            due_s = max(due_s + self._random.expovariate(1 / self._gap_s), self._reactor.seconds())
        terminal.close()

    def _draw_card(self, scenario: Scenario) -> tuple[Card, str | None]:
        """Draw a card, and an account in its currency for a transfer to go to: another one where there is one."""
        card = self._random.choice(self._cards[scenario.group])
        accounts = self._accounts.get(card.currency)
        if not accounts:
            return card, None
        index = self._random.randrange(len(accounts))
        return card, accounts[index - 1] if accounts[index] == card.account else accounts[index]
