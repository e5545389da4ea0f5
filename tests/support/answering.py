"""A peer for simulators: listens on loopback, and answers each message as a function says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from junctor.codecs.framing import Frame
from junctor.codecs.iso8583 import Message, Spec, decode, encode
from junctor.config.settings import TlsSettings
from junctor.simulators.wire import Address, Wire, open_door
from twisted.internet import reactor as installed

reactor: Any = installed
"""The reactor under which the tests run, for whatever part of it a simulator asks."""

Replies = Callable[[Message], Sequence[Message | bytes]]
LOOPBACK = "tcp:0:interface=127.0.0.1"


class Answering:
    """Hears frames on any number of connections; an Ear of all of them."""

    def __init__(self, spec: Spec, replies: Replies) -> None:
        self.spec = spec
        self.replies = replies
        self.heard: list[Message] = []
        self.wires: list[Wire] = []
        self.connections = 0

    async def listen(self, tls: TlsSettings | None = None, framing: str = "length2") -> Address:
        port: Any = await open_door(reactor, LOOPBACK, tls, framing, lambda: self)
        self._port = port
        return Address("127.0.0.1", port.getHost().port)

    async def close(self) -> None:
        await self._port.stopListening()
        for wire in list(self.wires):
            wire.cut()

    def push(self, data: bytes) -> None:
        """Write bytes as they are, whatever they mean."""
        transport = self.wires[0].transport
        assert transport is not None
        transport.write(data)

    def wire_up(self, wire: Wire) -> None:
        self.wires.append(wire)
        self.connections += 1

    def wire_down(self, wire: Wire, why: str) -> None:
        self.wires.remove(wire)

    def hear(self, wire: Wire, frame: Frame) -> None:
        message = decode(self.spec, frame.body)
        self.heard.append(message)
        for reply in self.replies(message):
            wire.send(reply if isinstance(reply, bytes) else encode(self.spec, reply), frame.header)
