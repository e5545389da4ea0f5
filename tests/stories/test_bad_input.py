"""What a peer may do wrong: each has a defined answer or a closed link, a counter, and loses nothing."""

from __future__ import annotations

import pytest
import pytest_twisted
from junctor.codecs.iso8583 import Message, encode
from town import ASCII, BLUE_PAN, PAN, Line, Sender, Town

GOOD = encode(ASCII, Sender().purchase(1_00))


async def is_alive(terminal: Line) -> bool:
    return (await terminal.ask(Sender("ALIVE001").purchase(1)))[39] == "00"


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("garbage", b"\x00\xff" * 40),
        ("nothing but a type", b"0200"),
        ("a type that does not exist", b"9999" + GOOD[4:]),
        ("half a message", GOOD[: len(GOOD) // 2]),
        ("bytes after the last element", GOOD + b"123456789"),
        ("a bitmap that names what the spec lacks", b"0200" + b"8000000000000000" + b"8000000000000000"),
        ("letters where digits belong", GOOD.replace(b"000000000100", b"00000000o100")),
        ("a negative amount", GOOD.replace(b"000000000100", b"-00000000100")),
    ],
)
@pytest_twisted.ensureDeferred
async def test_an_undecodable_message_moves_nothing_and_the_next_one_is_served(
    town: Town, terminal: Line, name: str, raw: bytes
) -> None:
    terminal.send(raw)
    await town.pause(0.1)
    for answer in list(terminal.frames.pending):
        assert answer[:4] in (b"0210", b"0610"), name
        assert b"00" not in answer[-2:], name
    terminal.frames.pending.clear()
    assert await is_alive(terminal)
    assert town.balance("anna") == (100_000 - 1, 0)
    assert await town.metric("junctor_parse_errors_total", institution="acme") == 1


@pytest_twisted.ensureDeferred
async def test_a_broken_element_gets_a_format_error_that_the_asker_can_match(
    town: Town, terminal: Line, sender: Sender
) -> None:
    asked = sender.purchase(1_00)
    raw = encode(ASCII, asked).replace(b"978", b"9x8")
    response = await terminal.ask_raw(raw)
    assert response[:4] == b"0210"
    assert str(asked[11]).encode() in response
    assert await town.metric("junctor_parse_errors_total", institution="acme") == 1


@pytest_twisted.ensureDeferred
async def test_a_giant_length_closes_the_link(town: Town, terminal: Line) -> None:
    assert terminal.wire is not None
    terminal.wire.transport.write(b"\xff\xff" + b"x" * 100)  # type: ignore[union-attr]
    await town.until(lambda: terminal.lost.called)
    assert await is_alive(await town.line())


@pytest_twisted.ensureDeferred
async def test_half_a_frame_and_then_nothing_closes_the_link(town: Town, terminal: Line) -> None:
    assert terminal.wire is not None
    terminal.wire.transport.write(b"\x01\x00" + b"0200")  # type: ignore[union-attr]
    await town.until(lambda: terminal.lost.called, within_s=5)
    assert await is_alive(await town.line())


@pytest_twisted.ensureDeferred
async def test_a_response_nobody_asked_for_is_counted_and_changes_nothing(
    town: Town, terminal: Line, sender: Sender
) -> None:
    terminal.send(sender.message("0210", "000000", 1_00, PAN, {39: "00"}))
    assert await terminal.hears_nothing()
    assert await town.metric("junctor_link_late_responses_total", institution="acme") == 1
    assert town.balance("anna") == (100_000, 0)


@pytest_twisted.ensureDeferred
async def test_a_foreign_acquirer_is_not_permitted(town: Town, sender: Sender) -> None:
    town.configure(('id = "acme"', 'id = "acme"\nacquirer_ids = ["12345678901"]'))
    await town.start()
    terminal = await town.line()
    assert (await terminal.ask(sender.purchase(1_00)))[39] == "00"
    assert (await terminal.ask(sender.purchase(1_00, PAN, de32="99999999999")))[39] == "58"
    assert town.balance("anna") == (100_000 - 1_00, 0)


@pytest_twisted.ensureDeferred
async def test_more_requests_than_may_be_in_hand_are_read_later_and_all_answered(town: Town, sender: Sender) -> None:
    await town.start()
    terminal = await town.line()
    messages = [encode(ASCII, sender.purchase(1)) for _ in range(500)]
    for raw in messages:
        terminal.send(raw)
    answers = {await terminal.hear_raw() for _ in messages}
    assert len(answers) == 500
    assert town.balance("anna") == (100_000 - 500, 0)


@pytest_twisted.ensureDeferred
async def test_card_numbers_do_not_show_in_metrics_links_or_database(
    town: Town, terminal: Line, sender: Sender
) -> None:
    track2 = f"{PAN}D28122011234567890"
    asked = sender.purchase(1_00, PAN, de35=track2)
    assert (await terminal.ask(asked))[39] == "00"
    assert (await terminal.ask(sender.purchase(1_00, BLUE_PAN, de35=track2)))[39] == "91"
    for page in ("/metrics", "/links", "/status"):
        assert PAN not in await town.fetch(page)
    if town.url.startswith("sqlite"):
        stored = b"".join(path.read_bytes() for path in town.folder.parent.rglob("*.db*"))
        assert stored
        for secret in (PAN, BLUE_PAN, track2[17:]):
            assert secret.encode() not in stored
            assert bytes.fromhex(secret + "0" * (len(secret) % 2)) not in stored


def test_a_message_shows_no_card_number() -> None:
    message = Message("0200", {2: PAN, 35: f"{PAN}D2812"})
    assert PAN not in repr(message) + str(message)
