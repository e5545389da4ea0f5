"""Reads of a response only what a load run needs, at offsets that were found once by decoding one like it."""

from __future__ import annotations

from typing import Final

import attrs

from ..codecs.faults import DecodeFault
from ..codecs.iso8583 import Message, Spec, decode, encode
from .prepared import find_place

LAYOUTS_MAX: Final = 64
"""Shapes of responses that are remembered; a response of a further shape is decoded whole."""


@attrs.frozen(slots=True)
class _Layout:
    stan_start: int
    stan_stop: int
    code_start: int
    code_stop: int


class ResponseReader:
    """Tells trace number and code of responses of one type.

    Responses of one length with the same type and bitmap have one layout, since the variable elements that come
    before DE39 are echoed from requests of equal shape. Should that not hold, the trace number that is read will
    match nothing, and `read_whole` has the last word.
    """

    def __init__(self, spec: Spec, mti: str) -> None:
        self._spec = spec
        self._mti = mti
        self._lead = find_place(spec, Message(mti, {3: "000000"}), 3, 6).start
        self._layouts: dict[tuple[int, bytes], _Layout] = {}

    def read(self, body: bytes) -> tuple[bytes, str] | None:
        """Give the bytes of DE11 and the code of a response, None when it is not one of our type."""
        layout = self._layouts.get((len(body), body[: self._lead]))
        if layout is None:
            return self._learn(body)
        return body[layout.stan_start : layout.stan_stop], body[layout.code_start : layout.code_stop].decode(
            "latin-1"
        )

    def read_whole(self, body: bytes) -> tuple[bytes, str] | None:
        """Give the same by decoding all of the message."""
        try:
            message = decode(self._spec, body)
        except DecodeFault:
            return None
        code = message.get(39)
        if message.mti != self._mti or message.get(11) is None or not isinstance(code, str):
            return None
        place = find_place(self._spec, message, 11, 6)
        return body[place.start : place.stop], code

    def _learn(self, body: bytes) -> tuple[bytes, str] | None:
        read = self.read_whole(body)
        if read is not None and len(self._layouts) < LAYOUTS_MAX:
            message = decode(self._spec, body)
            stan, code = find_place(self._spec, message, 11, 6), find_place(self._spec, message, 39, 2)
            layout = _Layout(stan.start, stan.stop, code.start, code.stop)
            if encode(self._spec, message) == body:
                self._layouts[len(body), body[: self._lead]] = layout
        return read
