"""Keys are changed at both levels while payments run: every one is answered, and every stored answer is read."""

from __future__ import annotations

import pytest_twisted
from command_line import Ended, run_command
from junctor.codecs.iso8583 import Message
from junctor.ledger.reencrypt import count_sealed
from town import Sender, Town
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread


@pytest_twisted.ensureDeferred
async def test_no_read_fails_while_keys_of_both_levels_are_changed(town: Town, sender: Sender) -> None:
    await town.start_process()
    line = await town.line()
    asked: list[tuple[Message, bytes]] = []

    def command(*words: object) -> Ended:
        return run_command("key", *words, "--json", "--config", town.config_file)

    async def pay() -> None:
        """Pay once, and ask again for an answer of before."""
        message = sender.purchase(1)
        asked.append((message, await line.ask_raw(message)))
        earlier, answer = asked[len(asked) // 2]
        assert await line.ask_raw(earlier) == answer

    async def pay_during(work: Deferred[Ended]) -> Ended:
        done: list[Ended] = []
        work.addCallback(done.append)
        while not done:
            await pay()
        return done[0]

    for _ in range(20):
        await pay()
    for words in (
        ("rotate", "--data"),
        ("rotate", "--reencrypt"),
        ("rotate", "--kek"),
        ("rotate", "--data", "--reencrypt", "--destroy"),
        ("rotate", "--kek", "--data"),
        ("rotate", "--reencrypt"),
    ):
        ended = await pay_during(deferToThread(command, *words))
        assert ended.status == 0, ended.err
    for message, answer in asked:
        assert await line.ask_raw(message) == answer
    assert town.balance("anna") == (100_000 - len(asked), 0)
    assert run_command("ledger", "verify", "--config", town.config_file).status == 0
    assert await town.terminate() == 0
    assert command("rotate", "--reencrypt").status == 0
    assert len(count_sealed(town.url)) == 1
    town.assert_books_balance()
