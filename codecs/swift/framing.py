"""FIN messages cut from a byte stream by their braces.

A FIN message has no length and no end mark: after the brace of its last block another block may follow, or not.
The framer decides with what it has seen, and the same bytes give the same frames however they were split:

- after block 5 the message is complete (after block S where the link expects one), and is given out at once;
- after any other block it is complete as soon as the next byte shows it: a separator (line end, space, ETX) or
  the beginning of the next message;
- when nothing follows, the framer holds the message and `is_waiting` is true. The link then calls `flush` after
  an idle gap that it measures with its own clock (some tens of milliseconds).

A sender that ends each message with a line end, as `wrap` does, never waits for that gap. On a link that can
choose, a length prefix is the safer frame.
"""

from __future__ import annotations

import re
from typing import Final

from ..faults import EncodeFault, FramingFault
from ..framing import Frame
from .blocks import BLOCK_ORDER, skip_separators

LINE_END: Final = b"\r\n"

_BRACE: Final = re.compile(rb"[{}]")
_END_OF_TEXT: Final = b"\n-}"


class FinFramer:
    """Cuts a stream into FIN messages of at most `frame_bytes_max` bytes, in linear time.

    `fault` is set when the stream cannot be cut further: no more frames come, and the connection must close.
    `with_system_block`: a block S may follow block 5 (Alliance interfaces add it), so that block 5 does not
    complete a message; without it, a block S after block 5 is a fault.
    """

    def __init__(self, frame_bytes_max: int, with_system_block: bool = False) -> None:
        assert frame_bytes_max > 0, "a frame holds at least a byte"
        self.fault: FramingFault | None = None
        self._frame_bytes_max = frame_bytes_max
        self._orders = BLOCK_ORDER if with_system_block else BLOCK_ORDER.removesuffix(b"S")
        self._buffer = bytearray()
        self._start = 0  # of the message in hand
        self._scanned = 0  # up to here the bytes are understood
        self._order = -1  # place of the message's latest block in BLOCK_ORDER, -1 before its first
        self._depth = 0  # braces open within the message
        self._in_text = False  # in a block 4 whose braces are text

    @property
    def is_mid_frame(self) -> bool:
        """Tell whether bytes of a message that was not given out are held."""
        return bool(self._buffer)

    @property
    def is_waiting(self) -> bool:
        """Tell whether what is held could be a whole message: `flush` would give it out."""
        return self._order >= 0 and self._depth == 0 and self._scanned == len(self._buffer)

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes of the stream; give the messages they complete, those before a fault included."""
        frames: list[Frame] = []
        if self.fault is not None:
            return frames
        self._buffer += data
        while self._advance(frames):
            pass
        if self._start:
            del self._buffer[: self._start]
            self._scanned -= self._start
            self._start = 0
        return frames

    def flush(self) -> list[Frame]:
        """Give out the message in hand if it ends where the bytes end: nothing came after it for a while."""
        if not self.is_waiting:
            return []
        frames: list[Frame] = []
        self._complete(frames)
        self._buffer.clear()
        self._start = self._scanned = 0
        return frames

    def wrap(self, body: bytes, reply_to: bytes = b"") -> bytes:
        """Give a message as it goes on the wire, with a line end so that the peer need not wait for more.

        An empty body is a keep-alive: the line end alone. EncodeFault when the message is too long or none.
        """
        if body and not body.startswith(b"{1:"):
            raise EncodeFault("frame", "a FIN message begins with block 1")
        if len(body) > self._frame_bytes_max:
            raise EncodeFault("frame", f"longer than the {self._frame_bytes_max} bytes of a frame")
        return body + LINE_END

    def _advance(self, frames: list[Frame]) -> bool:
        """Understand some more bytes; False when there are too few or a fault stopped the stream."""
        if self._depth:
            going_on = self._find_block_end()
        elif self._order < 0:
            going_on = self._find_message()
        else:
            going_on = self._find_next_block(frames)
        if self.fault is not None:
            return False
        in_hand = self._scanned if going_on or not self._depth else len(self._buffer)
        if in_hand - self._start > self._frame_bytes_max:
            return self._fail(f"a message is longer than {self._frame_bytes_max} bytes")
        if going_on and not self._depth and self._order == len(self._orders) - 1:
            self._complete(frames)
        return going_on

    def _find_message(self) -> bool:
        self._start = self._scanned = skip_separators(self._buffer, self._scanned)
        opening = bytes(self._buffer[self._start : self._start + 3])
        if opening == b"{1:":
            return self._open_block(0)
        if not b"{1:".startswith(opening):
            return self._fail("a message does not begin with block 1, or a block came where none may follow")
        return False

    def _find_next_block(self, frames: list[Frame]) -> bool:
        opening = bytes(self._buffer[self._scanned : self._scanned + 3])
        if not opening or opening == b"{":
            return False
        order = self._orders.find(opening[1:2]) if opening.startswith(b"{") else -1
        if order <= self._order:
            self._complete(frames)
            return True
        if len(opening) < 3:
            return False
        if opening[2:] != b":":
            self._complete(frames)
            return True
        return self._open_block(order)

    def _open_block(self, order: int) -> bool:
        if BLOCK_ORDER[order : order + 1] == b"4":
            first = self._buffer[self._scanned + 3 : self._scanned + 4]
            if not first:
                return False
            self._in_text = first == b"\r" or first == b"\n"
        self._order = order
        self._depth = 1
        self._scanned += 3
        return True

    def _find_block_end(self) -> bool:
        if self._in_text:
            end = self._buffer.find(_END_OF_TEXT, self._scanned)
            if end < 0:
                # The last two bytes may be the beginning of the end mark: look at them again.
                self._scanned = max(self._scanned, len(self._buffer) - len(_END_OF_TEXT) + 1)
                return False
            self._scanned = end + len(_END_OF_TEXT)
            self._in_text = False
            self._depth = 0
            return True
        for brace in _BRACE.finditer(self._buffer, self._scanned):
            self._depth += 1 if brace[0] == b"{" else -1
            if self._depth == 0:
                self._scanned = brace.end()
                return True
        self._scanned = len(self._buffer)
        return False

    def _complete(self, frames: list[Frame]) -> None:
        frames.append(Frame(header=b"", body=bytes(self._buffer[self._start : self._scanned])))
        self._start = self._scanned
        self._order = -1

    def _fail(self, why: str) -> bool:
        self.fault = FramingFault(why)
        self._buffer.clear()
        self._start = self._scanned = 0
        self._order = -1
        return False
