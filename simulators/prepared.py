"""Requests made ahead of a load run: encoded once, and from then on only cut and joined.

A template is a whole message that went through the codec. Where its trace number, reference, time and amount stand is
found by encoding it with other digits there, so that it holds for every spec, packed digits or not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final, TypeAlias

import attrs

from ..codecs.framing import make_framer
from ..codecs.iso8583 import Message, Spec, encode

SPLICED: Final[tuple[tuple[int, int], ...]] = ((4, 12), (7, 10), (11, 6), (37, 12))
"""Elements that differ from request to request, and how many digits each has."""

RRN_MAX: Final = 10**12
STAN_MAX: Final = 999_999
_FRAME_BYTES_MAX: Final = 16_384


@attrs.frozen
class Place:
    """Where the digits of one element stand in encoded bytes, and whether two share a byte."""

    element: int
    start: int
    stop: int
    is_packed: bool

    def write(self, digits: str) -> bytes:
        return bytes.fromhex(digits) if self.is_packed else digits.encode("ascii")


def find_place(spec: Spec, message: Message, element: int, digits: int) -> Place:
    """Find where a numeric element of fixed length stands: its bytes are those that change with it.

    The two values tried are dates as well as numbers, and differ in every digit and every packed byte.
    """
    one, other = (encode(spec, message.with_fields({element: pair * (digits // 2)})) for pair in ("01", "12"))
    assert len(one) == len(other), f"DE{element} has a variable length"
    changed = [index for index, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    start, stop = changed[0], changed[-1] + 1
    assert stop - start in (digits, digits // 2), f"DE{element} is neither text nor packed digits"
    return Place(element, start, stop, is_packed=stop - start != digits)


@attrs.frozen
class Pattern:
    """A framed template, cut where digits go in: `pieces` has one more than `places`."""

    pieces: tuple[bytes, ...] = attrs.field(repr=False)
    places: tuple[Place, ...]


def make_pattern(spec: Spec, framing: str, template: Message) -> Pattern:
    """Encode and frame a template, and cut it at the elements that are SPLICED."""
    frame = make_framer(framing, _FRAME_BYTES_MAX).wrap(encode(spec, template))
    lead = len(frame) - len(encode(spec, template))
    places = sorted((find_place(spec, template, *row) for row in SPLICED), key=lambda place: place.start)
    pieces, end = [], 0
    for place in places:
        pieces.append(frame[end : lead + place.start])
        end = lead + place.stop
    pieces.append(frame[end:])
    return Pattern(tuple(pieces), tuple(places))


Prepared: TypeAlias = tuple[bytes, bytes]
"""A frame ready to be written, and the bytes of DE11 that its response must echo.

A plain tuple, since a store of a hundred thousand must not burden the garbage collector, which lets these alone.
"""


def _join(pattern: Pattern) -> Callable[[str, str, str, str], Prepared]:
    """Give the function that puts amount, time, trace number and reference into one pattern."""
    pieces, places = pattern.pieces, pattern.places
    order = [[element for element, _ in SPLICED].index(place.element) for place in places]
    writers = [place.write for place in places]
    trace_at = order.index(2)

    def join(*digits: str) -> Prepared:
        written = [write(digits[index]) for write, index in zip(writers, order, strict=True)]
        parts = [pieces[0]]
        for value, piece in zip(written, pieces[1:], strict=True):
            parts.append(value)
            parts.append(piece)
        return b"".join(parts), written[trace_at]

    return join


class Requests:
    """Gives requests, each with an identity of its own, from a store that is filled ahead.

    templates: messages that carry DE4, 7, 11, 37 (12 digits); they are used in turn. first_rrn: DE37 counts up from
    there, so that runs with ranges of their own never repeat an identity; DE11 counts along, and DE7 is `at` for all.
    amounts_minor: used in turn. When the store is empty it is filled again by `chunk` requests.
    """

    def __init__(
        self,
        spec: Spec,
        framing: str,
        templates: Sequence[Message],
        at: datetime,
        first_rrn: int,
        amounts_minor: Sequence[int] = (1_250,),
        chunk: int = 1_000,
    ) -> None:
        assert templates, "a load needs a template"
        self.spec: Final = spec
        self.framing: Final = framing
        joins = [_join(make_pattern(spec, framing, template)) for template in templates]
        self._made = self._make(joins, f"{at:%m%d%H%M%S}", first_rrn, [f"{amount:012d}" for amount in amounts_minor])
        self._ready: deque[Prepared] = deque()
        self._chunk = chunk

    @staticmethod
    def _make(
        joins: Sequence[Callable[..., Prepared]], moment: str, first_rrn: int, amounts: Sequence[str]
    ) -> Iterator[Prepared]:
        kinds, sums = len(joins), len(amounts)
        number = first_rrn
        while True:
            digits = (amounts[number % sums], moment, f"{number % STAN_MAX + 1:06d}", f"{number % RRN_MAX:012d}")
            yield joins[number % kinds](*digits)
            number += 1

    def prepare(self, count: int) -> None:
        """Make `count` requests more, before the clock runs."""
        made = self._made
        self._ready.extend(next(made) for _ in range(count))

    def next(self) -> Prepared:
        """Give the next request."""
        if not self._ready:
            self.prepare(self._chunk)
        return self._ready.popleft()
