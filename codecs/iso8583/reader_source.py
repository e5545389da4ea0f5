"""The source of a reader: regular expressions over runs of elements, and Python between them.

Elements of a fixed length, and those whose prefix allows at most a hundred lengths, are cut and checked by one
regular expression for the whole run. It works on a view of the message: its characters, or its half bytes where
digits are packed. A longer element ends the run: its prefix is the run's last group.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any, Final

import attrs

from .content import Content, value_pattern
from .encoding import Misfit
from .message import Message, set_fields, set_mti
from .spec import Element, Spec
from .table_codec import read_element
from .tlv import Tlv, check_tlv, is_plain, set_raw

SHORT_LENGTHS_MAX: Final = 100
TABLES_MAX: Final = 1024
"""How many tables of prefixes are shared between functions: several specs' worth."""
_UPPER_HEX: Final = "[0-9A-F]"


@attrs.frozen
class Part:
    """What an element adds to the expression of its run.

    pattern: with as many groups as `groups`; value: Python for the element's value, `{0}`, `{1}` being the groups.
    """

    pattern: str
    groups: int
    value: str


def _literal(octets: bytes, is_packed: bool) -> str:
    """Write wire bytes as the view shows them."""
    return octets.hex() if is_packed else octets.decode("latin-1")


def _choice(rows: Iterable[tuple[str, str]]) -> str:
    """Give the expression that takes one of several (literal, rest), by a tree of the literals' characters."""
    branches = []
    for first, group in groupby(rows, lambda row: row[0][:1]):
        tails = [(literal[1:], rest) for literal, rest in group]
        branches.append(re.escape(first) + _choice(tails) if first else tails[0][1])
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"


def _packed_body(element: Element, length: int) -> str:
    body = value_pattern(_unled(element.content), element.calendar, length, length, is_packed=True)
    return body if element.calendar else body.replace("=", "d")


def _unled(content: Content) -> Content:
    return attrs.evolve(content, lead="")


def _body(element: Element, length: int) -> str:
    """Give the expression of a value of a length, in the text view."""
    name = element.encoding.name
    if name == "hex":
        return f"{_UPPER_HEX}{{{2 * length}}}"
    if name == "raw":
        return f".{{{length}}}"
    return value_pattern(element.content, element.calendar, length, length, is_packed=False)


_VALUES: Final = {"ascii": "{0}", "hex": "fromhex({0})", "raw": "{0}.encode('latin-1')"}


def _fixed_part(element: Element) -> Part:
    length = element.length_max
    if not element.encoding.is_packed:
        return Part(f"({_body(element, length)})", 1, _VALUES[element.encoding.name])
    pad = element.pad.character.lower() if element.pad is not None and length % 2 else ""
    is_left = element.pad is not None and element.pad.side == "left"
    body = f"({_packed_body(element, length)})"
    body = pad + body if is_left else body + pad
    if element.content.lead:
        leads = "|".join(_literal(letter.encode("ascii"), True) for letter in element.content.lead)
        return Part(f"({leads}){body}", 2, "LEADS[{0}] + {1}")
    return Part(body, 1, _separated(element, "{0}"))


def _separated(element: Element, value: str) -> str:
    """Give the track separator its character where the class has one."""
    return f"{value}.replace('d', '=')" if "=" in element.content.packed else value


def _short_part(element: Element) -> Part:
    is_packed = element.encoding.is_packed
    assert element.prefix is not None
    lengths = range(element.length_min, element.length_max + 1)
    literals = {n: _literal(element.prefix.write(element.count_of(n)), is_packed) for n in lengths}
    width = len(literals[element.length_max])
    if not is_packed:
        choice = _choice((literals[n], _body(element, n)) for n in lengths)
        return Part(f"({choice})", 1, _VALUES[element.encoding.name].format(f"{{0}}[{width}:]"))
    # Two groups, of which one matches: an odd number of digits has a pad to leave out.
    assert element.pad is not None
    pad = element.pad.character.lower()
    even = _choice((literals[n], _packed_body(element, n)) for n in lengths if n % 2 == 0)
    odd_lengths = [n for n in lengths if n % 2]
    if element.pad.side == "left":
        odd = f"({_choice((literals[n], pad + _packed_body(element, n)) for n in odd_lengths)})"
        value = f"({{0}}[{width + 1}:] if {{0}} else {{1}}[{width}:])"
    else:
        odd = f"({_choice((literals[n], _packed_body(element, n)) for n in odd_lengths)}){pad}"
        value = f"({{0}} or {{1}})[{width}:]"
    return Part(f"(?:{odd}|({even}))", 2, _separated(element, value))


@lru_cache(maxsize=TABLES_MAX)
def _wire_bytes_by_prefix(element: Element) -> dict[str, int]:
    """Give what each prefix that an element may have says, in bytes that follow it; one table for all readers."""
    assert element.prefix is not None
    return {
        _literal(element.prefix.write(element.count_of(length)), False): element.encoding.wire_bytes(length)
        for length in range(element.length_min, element.length_max + 1)
    }


class ReaderSource:
    """The lines of `read(raw)` for messages of a spec that hold just these elements, and its constants.

    In the source, `t` is the message as characters and `h` as half bytes, `p` the place in bytes that reading has
    come to, and `g1_0` a group of a run.
    """

    def __init__(self, spec: Spec, elements: Sequence[int]) -> None:
        self._values: dict[int, str] = {}
        self._groups: list[str] = []
        self._patterns: list[str] = []
        self._is_packed = False
        self._runs = 0
        self._place = str(spec.mti_bytes + spec.bitmap_bytes * (2 if elements and elements[-1] > 64 else 1))
        self._body: list[str] = []
        self.constants: dict[str, Any] = {
            "MTIS": spec.mtis,
            "LEADS": {letter.encode("ascii").hex(): letter for letter in "CD"},
            "Message": Message,
            "Tlv": Tlv,
            "Misfit": Misfit,
            "check_tlv": check_tlv,
            "is_plain": is_plain,
            "fromhex": bytes.fromhex,
            "new": object.__new__,
            "read_element": read_element,
            "set_raw": set_raw,
            "set_mti": set_mti,
            "set_fields": set_fields,
        }
        for de in elements:
            self._add(spec.elements[de])
        self._end(spec)

    def _end(self, spec: Spec) -> None:
        if self._patterns:
            self._end_run(is_last=True)
        else:
            self._body.append(f"if len(raw) != {self._place}: return None")
        uses_packed = spec.mti_encoding == "bcd" or any("(h, " in line for line in self._body)
        pairs = ", ".join(f"{de}: {value}" for de, value in self._values.items())
        body = [
            "t = raw.decode('latin-1')",
            *(["h = raw.hex()"] if uses_packed else []),
            f"mti = {'h' if spec.mti_encoding == 'bcd' else 't'}[:4]",
            "if mti not in MTIS: return None",
            *self._body,
            "m = new(Message)",
            "set_mti(m, mti)",
            f"set_fields(m, {{{pairs}}})",
            "return m",
        ]
        self.lines = ["def read(raw):", *(f" {line}" for line in body)]

    def _add(self, element: Element) -> None:
        is_short = element.length_max - element.length_min < SHORT_LENGTHS_MAX
        if element.prefix is None:
            self._add_part(element, _fixed_part(element))
        elif element.content.lead or (element.encoding.is_packed and not is_short):
            self._add_by_table(element)
        elif is_short:
            self._add_part(element, _short_part(element))
        else:
            self._add_long(element)

    def _add_part(self, element: Element, part: Part) -> None:
        is_packed = element.encoding.is_packed
        if self._patterns and is_packed != self._is_packed:
            self._end_run()
        self._is_packed = is_packed
        value = part.value.format(*(self._new_group() for _ in range(part.groups)))
        self._patterns.append(part.pattern)
        if element.parts is not None:
            self._end_run()
            value = self._check_composite(element, value)
        self._values[element.de] = value

    def _new_group(self) -> str:
        self._groups.append(f"g{self._runs}_{len(self._groups)}")
        return self._groups[-1]

    def _end_run(self, is_last: bool = False) -> None:
        """Match the run that was gathered, and take its groups."""
        pattern = re.compile("".join(self._patterns), re.DOTALL)
        self.constants[f"R{self._runs}"] = pattern.fullmatch if is_last else pattern.match
        view, place = ("h", f"2 * {self._place}") if self._is_packed else ("t", self._place)
        self._body += [
            f"m = R{self._runs}({view}, {place})",
            "if m is None: return None",
            f"{', '.join(self._groups)}, = m.groups()",
        ]
        if not is_last:
            self._body.append("p = m.end() // 2" if self._is_packed else "p = m.end()")
        self._place = "p"
        self._runs += 1
        self._groups = []
        self._patterns = []

    def _add_long(self, element: Element) -> None:
        """Cut an element by its prefix, which the run before it ends with."""
        de, prefix = element.de, element.prefix
        assert prefix is not None
        if self._patterns and self._is_packed:
            self._end_run()
        self._is_packed = False
        group = self._new_group()
        self._patterns.append(f"(.{{{prefix.wire_bytes}}})")
        self._end_run()
        self.constants[f"N{de}"] = _wire_bytes_by_prefix(element)
        is_raw = element.encoding.name == "raw"
        self._body += [
            f"n = N{de}.get({group})",
            "if n is None: return None",
            "e = p + n",
            f"v{de} = {'raw' if is_raw else 't'}[p:e]",
            f"if len(v{de}) != n: return None",
            "p = e",
        ]
        if not is_raw:
            sets = (_UPPER_HEX,) if element.content.is_binary else [f"[{chars}]" for chars in element.content.sets]
            self.constants[f"C{de}"] = re.compile("|".join(f"{chars}*+" for chars in sets)).fullmatch
            self._body.append(f"if C{de}(v{de}) is None: return None")
        value = f"fromhex(v{de})" if element.encoding.name == "hex" else f"v{de}"
        self._values[de] = value if element.parts is None else self._check_composite(element, value)

    def _check_composite(self, element: Element, value: str) -> str:
        de = element.de
        self._body += [
            f"x{de} = {value}",
            f"if is_plain(x{de}) is None:",
            f" try: check_tlv(x{de})",
            " except Misfit: return None",
            f"v{de} = new(Tlv)",
            f"set_raw(v{de}, x{de})",
        ]
        return f"v{de}"

    def _add_by_table(self, element: Element) -> None:
        """Leave an element of a rare kind to the table."""
        if self._patterns:
            self._end_run()
        de = element.de
        self.constants[f"E{de}"] = element
        self._body += [
            f"try: v{de}, p = read_element(E{de}, raw, {self._place})",
            "except Misfit: return None",
        ]
        self._place = "p"
        self._values[de] = f"v{de}"
