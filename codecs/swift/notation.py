"""The format notation of the SWIFT manuals, compiled into a reader and a writer.

One line of the manual is one line of data:

| notation | meaning |
|---|---|
| `16x`, `4!c`, `2-4a` | up to 16, exactly 4, from 2 to 4 characters of a set |
| `4*35x` | one to four lines of that |
| `[/34x]` | optional, together with what it holds |
| `/` and other signs, capitals | themselves |
| `$` | a line end |
| `(4!a2!a2!c[3!c])` | several components that are one part, with one name |

A line all of whose components are optional goes away together with its line end when it is empty, as the party
identifier above a BIC does. Sets: n digits, a capitals, c capitals and digits, h hexadecimal, x y z the FIN
character sets, e space, d a decimal number whose comma counts in its length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import product
from typing import Final, TypeAlias

import attrs

from ..faults import EncodeFault

Part: TypeAlias = str | tuple[str, ...]
Parts: TypeAlias = Mapping[str, Part]

_X: Final = r"A-Za-z0-9/\-?:().,'+ "
CHARACTER_SETS: Final[Mapping[str, str]] = {
    "n": r"0-9",
    "a": r"A-Z",
    "c": r"A-Z0-9",
    "h": r"0-9A-F",
    "x": _X,
    "y": r"A-Z0-9.,\-()/='+:?!\"%&*<>; ",
    "z": _X + r"=!\"%&*<>;@#_{",
    "e": r" ",
    "d": r"0-9,",
}
"""The characters of each set, as the inside of a regular expression's brackets; line ends aside.

Z is written as X, the signs of Y and `@ # _ {`; sources differ on whether Y belongs to it, so it is the wide reading.
"""


@attrs.frozen
class Chars:
    """A run of characters of one set: `34x`, `4!a`."""

    length_min: int
    length_max: int
    charset: str
    name: str | None = None

    @property
    def pattern(self) -> str:
        inside = CHARACTER_SETS[self.charset]
        if self.charset == "d":
            length = f"{{{self.length_min},{self.length_max}}}"
            return f"(?=[{inside}]{length}(?![{inside}]))[0-9]+,[0-9]*"
        return f"[{inside}]{{{self.length_min},{self.length_max}}}"


@attrs.frozen
class Literal:
    """Characters that stand for themselves; `$` inside brackets is a literal line end."""

    text: str
    name: None = None

    @property
    def pattern(self) -> str:
        return re.escape(self.text)


@attrs.frozen
class Maybe:
    """What stands in brackets."""

    items: tuple[Item, ...]
    name: None = None

    @property
    def pattern(self) -> str:
        return f"(?:{''.join(map(named_pattern, self.items))})?"


@attrs.frozen
class Group:
    """What stands in parentheses: one part of several components."""

    items: tuple[Item, ...]
    name: str | None = None

    @property
    def pattern(self) -> str:
        return f"(?:{''.join(item.pattern for item in self.items)})"


@attrs.frozen
class Lines:
    """`4*35x`: up to so many lines of one thing; its part is a tuple of lines."""

    count_max: int
    item: Chars | Group
    name: str | None = None

    @property
    def pattern(self) -> str:
        line = self.item.pattern
        return f"{line}(?:\\n{line}){{0,{self.count_max - 1}}}"


@attrs.frozen
class Guard:
    """Takes no characters, and looks at the ones to come."""

    pattern: str
    name: None = None


Item: TypeAlias = Chars | Literal | Maybe | Group | Lines | Guard
Row: TypeAlias = tuple[Item, ...]

_TOKEN: Final = re.compile(
    r"(?:(?P<count>[0-9]+)\*)?(?:(?P<low>[0-9]+)(?:(?P<exact>!)|-(?P<high>[0-9]+))?(?P<set>[a-z])|(?P<open>\())"
    r"|(?P<sign>[\[\])$])|(?P<literal>[^\[\]()$0-9a-z]+)"
)


@attrs.frozen
class Notation:
    """A compiled notation: text to named parts and back."""

    source: str
    names: tuple[str, ...]
    rows: tuple[Row, ...] = attrs.field(repr=False)
    variants: tuple[tuple[Item, ...], ...] = attrs.field(repr=False)
    """The notation without its rows, once for each choice of empty rows, the fullest first."""
    _readers: tuple[re.Pattern[str], ...] = attrs.field(repr=False)
    _many: frozenset[str] = attrs.field(repr=False)

    def find_parts(self, text: str) -> Parts | None:
        """Read a value (its lines joined by `"\\n"`); None when it does not follow the notation.

        A part of several lines is a tuple; a part that is absent has no key.
        """
        for reader in self._readers:
            match = reader.fullmatch(text)
            if match is not None:
                return {
                    name: tuple(value.split("\n")) if name in self._many else value
                    for name, value in match.groupdict().items()
                    if value is not None
                }
        return None

    def write(self, parts: Parts) -> str:
        """Write a value from its parts; EncodeFault names the part that is missing, unknown or malformed.

        Parts that would be read back differently, as an account of one capital after an absent debit mark, are
        refused too.
        """
        for name in parts:
            if name not in self.names:
                raise EncodeFault(name, "the notation has no such part")
        rows = ["".join(_write(row, parts)) for row in self.rows]
        text = "\n".join(row for row in rows if row)
        got = self.find_parts(text)
        if got != dict(parts):
            wrong = next((name for name in parts if got is None or got.get(name) != parts[name]), self.source)
            raise EncodeFault(wrong, f"the parts do not make a value of the format {self.source}")
        return text


@lru_cache(maxsize=512)
def compile_notation(source: str, names: str = "") -> Notation:
    """Compile a notation; `names` gives its parts names, in order, separated by spaces.

    The notation is ours: one that is malformed, or has another number of parts, is an assertion.
    """
    waiting = iter(names.split())
    rows = _Parser(source, waiting).parse()
    assert next(waiting, None) is None, f"{source} has fewer parts than names"
    keys = tuple(item.name for row in rows for item in _named_items(row) if item.name is not None)
    assert len(set(keys)) == len(keys), f"{source} names a part twice"
    many = frozenset(item.name for row in rows for item in _named_items(row) if isinstance(item, Lines) and item.name)
    variants = tuple(_variants(rows))
    readers = tuple(re.compile("".join(map(named_pattern, items))) for items in variants)
    return Notation(source, keys, rows, variants, readers, many)


class _Parser:
    """Reads the notation left to right, handing each part its name."""

    def __init__(self, source: str, names: Iterator[str]) -> None:
        self._source = source
        self._names = names
        self._offset = 0

    def parse(self) -> tuple[Row, ...]:
        rows: list[Row] = []
        while True:
            rows.append(self._items("$", named=True))
            if self._offset > len(self._source):
                return tuple(rows)

    def _items(self, closing: str, named: bool) -> Row:
        items: list[Item] = []
        while self._offset < len(self._source):
            token = _TOKEN.match(self._source, self._offset)
            assert token is not None, f"{self._source} is malformed at {self._offset}"
            self._offset = token.end()
            if token["sign"] == closing:
                return tuple(items)
            items.append(self._item(token, named))
        assert closing == "$", f"{self._source} does not close"
        self._offset += 1
        return tuple(items)

    def _item(self, token: re.Match[str], named: bool) -> Item:
        if token["literal"] is not None:
            return Literal(token["literal"])
        if token["sign"] == "$":
            return Literal("\n")
        if token["sign"] == "[":
            return Maybe(self._items("]", named))
        assert token["sign"] is None, f"{self._source} closes what is not open"
        name = self._next_name() if named else None
        count = token["count"]
        item: Chars | Group
        if token["open"] is not None:
            item = Group(self._items(")", named=False), None if count else name)
        else:
            low = int(token["low"])
            high = int(token["high"] or low)
            length_min = low if token["exact"] or token["high"] else 1
            item = Chars(length_min, high, token["set"], None if count else name)
        return Lines(int(count), item, name) if count else item

    def _next_name(self) -> str:
        name = next(self._names, None)
        assert name is not None, f"{self._source} has more parts than names"
        return name


def named_pattern(item: Item) -> str:
    """Give the regular expression of an item, which captures it under its name if it has one."""
    return item.pattern if item.name is None else f"(?P<{item.name}>{item.pattern})"


def _named_items(items: Row) -> Iterator[Item]:
    for item in items:
        if isinstance(item, Maybe):
            yield from _named_items(item.items)
        elif item.name is not None:
            yield item


def _variants(rows: tuple[Row, ...]) -> Iterator[tuple[Item, ...]]:
    """Give the rows joined by line ends, for each choice of rows that are empty; the first keeps them all.

    A row that may be empty and is there holds at least a character. Where it is not there, the text does not begin
    as it would: an account line without a name below it is not a name.
    """
    choices = [(True, False) if all(isinstance(item, Maybe) for item in row) else (True,) for row in rows]
    for present in product(*choices):
        items: list[Item] = []
        openings: list[str] = []
        for row, is_there, choice in zip(rows, present, choices, strict=True):
            if not is_there:
                openings.extend(_openings(row))
                continue
            if items:
                items.append(Literal("\n"))
            if openings:
                items.append(Guard(f"(?!{'|'.join(map(re.escape, openings))})"))
                openings = []
            if len(choice) > 1:
                items.append(Guard(r"(?=[^\n])"))
            items.extend(row)
        yield tuple(items)


def _openings(row: Row) -> Iterator[str]:
    for item in row:
        if isinstance(item, Maybe) and isinstance(item.items[0], Literal):
            yield item.items[0].text


def _write(items: Row, parts: Parts) -> Iterator[str]:
    for item in items:
        if isinstance(item, Literal):
            yield item.text
        elif isinstance(item, Maybe):
            if any(named.name in parts for named in _named_items(item.items)):
                yield from _write(item.items, parts)
        elif item.name is not None:
            if item.name not in parts:
                raise EncodeFault(item.name, "the part is missing")
            part = parts[item.name]
            yield part if isinstance(part, str) else "\n".join(part)
