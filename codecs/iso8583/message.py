"""An ISO 8583 message as a value: the type indicator and the elements, as the wire writes them.

Text keeps its wire form (DE4 stays "000000001000", DE43 keeps its blanks). A repr shows what is known to be
harmless and the length of everything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from ..masking import mask_pan
from .tlv import Tlv

Value: TypeAlias = str | bytes | Tlv

_AMOUNTS: Final = frozenset({4, 5, 6, 8, 9, 10, 28, 29, 30, 31, 49, 50, 51, 95, 97})
_DATES_AND_NUMBERS: Final = frozenset({7, 11, 12, 13, 15, 16, 17, 37, 38, 71, 72, 73, 90})
_CODES: Final = frozenset({3, 18, 22, 24, 25, 26, 39, 66, 67, 70})
_PARTIES: Final = frozenset({19, 21, 32, 33, 41, 42, 68, 69, 99, 100})
_TOTALS: Final = frozenset(range(74, 90))
SHOWN_ELEMENTS: Final = _AMOUNTS | _DATES_AND_NUMBERS | _CODES | _PARTIES | _TOTALS
"""The elements whose content names no card and no person: a repr shows these and no others."""
_PAN: Final = 2


def show_value(de: int, value: Value) -> str:
    """Write a value for people: harmless elements whole, the card number masked, of all else the length."""
    if isinstance(value, Tlv):
        return repr(value)
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if de == _PAN:
        return mask_pan(value)
    return value if de in SHOWN_ELEMENTS else f"<{len(value)} characters>"


class Fields(Mapping[int, Value]):
    """A read-only view of the elements of a message, by number, ascending; its repr is masked."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[int, Value]) -> None:
        self._fields = {de: fields[de] for de in sorted(fields)}

    def __getitem__(self, de: int) -> Value:
        return self._fields[de]

    def __iter__(self) -> Iterator[int]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return ", ".join(f"{de}={show_value(de, value)}" for de, value in self._fields.items())


class Message:
    """A message: `mti` is four digits, and the elements are reached by number or by dotted path.

    `message[4]` and `message["4"]` give an element, `message["55.9F26"]` the bytes of a chip tag (the first of
    that tag; `"55.9F26#2"` the second). Nothing is checked here: the encoder checks everything.
    """

    __slots__ = ("_fields", "mti")
    mti: str
    _fields: dict[int, Value]

    def __init__(self, mti: str, fields: Mapping[int, Value]) -> None:
        set_mti(self, mti)
        set_fields(self, dict(fields))

    @property
    def fields(self) -> Fields:
        return Fields(self._fields)

    def get(self, key: int | str) -> Value | None:
        """Find an element by number, or an element or tag by path; None when the message has none."""
        if isinstance(key, int):
            return self._fields.get(key)
        head, _, tag = key.partition(".")
        value = self._fields.get(int(head)) if head.isascii() and head.isdigit() else None
        if not tag:
            return value
        return value.find(tag) if isinstance(value, Tlv) else None

    def text(self, element: int) -> str:
        """Give the text of an element; empty when the message has none, or no text."""
        value = self._fields.get(element)
        return value if isinstance(value, str) else ""

    def __getitem__(self, key: int | str) -> Value:
        value = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __contains__(self, key: object) -> bool:
        return isinstance(key, int | str) and self.get(key) is not None

    def __iter__(self) -> Iterator[int]:
        return iter(sorted(self._fields))

    def with_fields(self, changes: Mapping[int, Value], drop: Iterable[int] = (), mti: str | None = None) -> Message:
        """Give this message with elements set, elements dropped where it has them, and perhaps another type."""
        fields = {**self._fields, **changes}
        for de in drop:
            fields.pop(de, None)
        return make_message(self.mti if mti is None else mti, fields)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and self.mti == other.mti and self._fields == other._fields

    def __hash__(self) -> int:
        return hash((self.mti, *self.fields.items()))

    def __repr__(self) -> str:
        mti = self.mti if len(self.mti) == 4 else "mti unknown"
        return f"Message({', '.join(filter(None, (mti, repr(self.fields))))})"

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a message is frozen: {name}")

    def __reduce__(self) -> str:
        raise TypeError("a message is not pickled")


set_mti: Final = Message.__dict__["mti"].__set__
set_fields: Final = Message.__dict__["_fields"].__set__


def make_message(mti: str, fields: dict[int, Value]) -> Message:
    """Make a message of a dict that nobody else will change."""
    message = object.__new__(Message)
    set_mti(message, mti)
    set_fields(message, fields)
    return message
