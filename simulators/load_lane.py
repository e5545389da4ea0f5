"""One connection of a load run: frames cut and matched with as little work as can be."""

from __future__ import annotations

from collections.abc import Iterator
from ssl import SSLContext
from typing import Protocol as Interface

from ..codecs.framing import make_framer
from .load_socket import LoadReactor, LoadSocket, open_socket
from .prepared import Prepared
from .response_reader import ResponseReader
from .wire import FRAME_BYTES_MAX, Address


class LaneOwner(Interface):
    """What a connection tells its run."""

    def seconds(self) -> float: ...
    def hear(self, code: str, elapsed_s: float) -> None: ...
    def hear_stray(self, is_message: bool) -> None: ...
    def refill(self, lane: Lane, places: int) -> None: ...
    def lose(self, lane: Lane) -> None: ...


class Lane:
    """A connection; `in_flight` holds DE11 of what waits for an answer -> the second from which it is measured."""

    def __init__(self, owner: LaneOwner, reader: ResponseReader, framing: str) -> None:
        self._owner = owner
        self._reader = reader
        self._framer = None if framing == "length2" else make_framer(framing, FRAME_BYTES_MAX)
        self._tail = b""
        self._socket: LoadSocket | None = None
        self.in_flight: dict[bytes, float] = {}

    @property
    def is_up(self) -> bool:
        return self._socket is not None

    async def dial(self, reactor: LoadReactor, address: Address, tls: SSLContext | None) -> None:
        """Connect. Raises Unreachable."""
        self._socket = await open_socket(reactor, address, tls, self)

    def send(self, batch: list[tuple[Prepared, float]]) -> None:
        """Write requests together, each with the second from which it is measured."""
        assert self._socket is not None
        in_flight = self.in_flight
        for (_, stan), due_s in batch:
            in_flight[stan] = due_s
        self._socket.send(batch[0][0][0] if len(batch) == 1 else b"".join([frame for (frame, _), _ in batch]))

    def forget(self, before_s: float) -> int:
        """Give up on what was due before some second, and tell how many those were."""
        overdue = [stan for stan, due_s in self.in_flight.items() if due_s < before_s]
        for stan in overdue:
            del self.in_flight[stan]
        return len(overdue)

    def close(self) -> None:
        """Hang up; the owner hears no more of it."""
        closing, self._socket = self._socket, None
        if closing is not None:
            closing.close()

    def went_down(self) -> None:
        """Tell the owner, with what is in flight still here."""
        self._socket = None
        self._owner.lose(self)

    def received(self, data: bytes) -> None:
        """Match answers, tell the owner each, and let it use the places that became free."""
        bodies = self._cut(data) if self._framer is None else (frame.body for frame in self._framer.feed(data))
        owner, reader, in_flight, answered = self._owner, self._reader, self.in_flight, 0
        now_s = owner.seconds()
        for body in bodies:
            read = reader.read(body)
            if read is None or read[0] not in in_flight:
                read = reader.read_whole(body)
            if read is not None and read[0] in in_flight:
                owner.hear(read[1], now_s - in_flight.pop(read[0]))
                answered += 1
            elif body:
                owner.hear_stray(read is not None)
        if answered:
            owner.refill(self, answered)

    def _cut(self, data: bytes) -> Iterator[bytes]:
        """Cut frames with a length of two bytes, as many as are there."""
        if self._tail:
            data = self._tail + data
        start, size = 0, len(data)
        while size - start >= 2:
            stop = start + 2 + (data[start] << 8 | data[start + 1])
            if stop > size:
                break
            yield data[start + 2 : stop]
            start = stop
        self._tail = data[start:]
