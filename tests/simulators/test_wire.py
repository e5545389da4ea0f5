"""Framed connections over real sockets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import pytest_twisted
from answering import Answering, reactor
from junctor.codecs.framing import Frame
from junctor.codecs.iso8583 import Message, Spec, encode, respond
from junctor.simulators.waiting import pause, wait_until
from junctor.simulators.wire import FRAME_BYTES_MAX, Address, Unreachable, Wire, dial
from twisted.internet.defer import ensureDeferred
from twisted.internet.task import Clock

MakePeer = Callable[..., Awaitable[tuple[Answering, Address]]]
ECHO = Message("0800", {7: "1120150421", 11: "000001", 70: "301"})


class Listening:
    """An ear that keeps what it hears."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.bodies: list[bytes] = []

    def wire_up(self, wire: Wire) -> None:
        self.told.append("up")

    def hear(self, wire: Wire, frame: Frame) -> None:
        self.bodies.append(frame.body)

    def wire_down(self, wire: Wire, why: str) -> None:
        self.told.append(why)


@pytest_twisted.ensureDeferred
async def test_a_frame_that_is_too_long_ends_the_connection_and_says_why(make_peer: MakePeer) -> None:
    peer, address = await make_peer(lambda message: [])
    ear = Listening()
    wire = await dial(reactor, address, "length2", ear)
    await wait_until(reactor, lambda: bool(peer.wires), 5.0, 0.01)
    peer.push((FRAME_BYTES_MAX + 1).to_bytes(2, "big"))
    assert await wait_until(reactor, lambda: len(ear.told) == 2, 5.0, 0.01)
    assert ear.told == ["up", f"frame length exceeds the limit of {FRAME_BYTES_MAX} bytes"]
    assert not wire.is_up


@pytest_twisted.ensureDeferred
async def test_a_keep_alive_is_not_heard_and_bytes_one_at_a_time_are_one_frame(make_peer: MakePeer) -> None:
    peer, address = await make_peer(lambda message: [])
    ear = Listening()
    wire = await dial(reactor, address, "length2", ear)
    await wait_until(reactor, lambda: bool(peer.wires), 5.0, 0.01)
    for byte in b"\0\0" + b"\0\5hello" + b"\0\0":
        peer.push(bytes([byte]))
        await pause(reactor, 0.001)
    assert await wait_until(reactor, lambda: bool(ear.bodies), 5.0, 0.01)
    assert ear.bodies == [b"hello"]
    wire.hang_up()


@pytest_twisted.ensureDeferred
async def test_a_wire_goes_down_once_and_writes_nothing_after(make_peer: MakePeer, ascii_spec: Spec) -> None:
    peer, address = await make_peer(lambda message: [respond(message, "00")])
    ear = Listening()
    wire = await dial(reactor, address, "length2", ear)
    wire.hang_up()
    wire.cut()
    wire.send(b"too late")
    await wait_until(reactor, lambda: not peer.wires, 5.0, 0.01)
    assert ear.told == ["up", "hung up"]
    assert peer.heard == []


@pytest_twisted.ensureDeferred
async def test_hanging_up_ends_the_connection_under_tls_after_what_was_written(
    ascii_spec: Spec, identities: Any
) -> None:
    peer = Answering(ascii_spec, lambda message: [])
    plain = await peer.listen(identities.server)
    address = Address(plain.host, plain.port, identities.client, "localhost")
    for leave in (Wire.hang_up, Wire.cut):
        wire = await dial(reactor, address, "length2", Listening())
        assert await wait_until(reactor, lambda: len(peer.wires) == 1, 5.0, 0.01)
        wire.send(encode(ascii_spec, ECHO))
        leave(wire)
        assert await wait_until(reactor, lambda: not peer.wires, 5.0, 0.01)
    assert ECHO in peer.heard
    await peer.close()


@pytest_twisted.ensureDeferred
async def test_a_closed_door_is_unreachable(ascii_spec: Spec) -> None:
    peer = Answering(ascii_spec, lambda message: [])
    address = await peer.listen()
    await peer.close()
    with pytest.raises(Unreachable):
        await dial(reactor, address, "length2", Listening())


def test_a_wait_ends_when_it_holds_or_when_its_time_is_over() -> None:
    clock = Clock()
    things: list[int] = []
    holds = ensureDeferred(wait_until(clock, lambda: bool(things), 1.0, 0.25))
    never = ensureDeferred(wait_until(clock, lambda: False, 1.0, 0.25))
    outcomes: dict[str, bool] = {}
    holds.addCallback(lambda result: outcomes.update(holds=result))
    never.addCallback(lambda result: outcomes.update(never=result))
    clock.pump([0.25, 0.25])
    assert outcomes == {}
    things.append(1)
    clock.advance(0.25)
    assert outcomes == {"holds": True}
    clock.pump([0.25, 0.25])
    assert outcomes == {"holds": True, "never": False}
