"""The source of a writer: one check of all text values, then the pieces of the wire joined.

The values are checked together: joined by NUL, which no content class allows, against one regular expression that
holds the pattern of each value with its lengths. What is written is gathered in runs of characters and runs of
half bytes, each turned into bytes once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any, Literal, TypeAlias

from ..faults import EncodeFault
from .bitmap import write_bitmap
from .content import value_pattern
from .reader_source import TABLES_MAX
from .spec import Element, Spec
from .table_codec import write_element
from .tlv import Tlv

Kind: TypeAlias = Literal["text", "packed", "bytes"]
Piece: TypeAlias = tuple[Kind, str]
"""Python for a piece of the wire: characters, half bytes as hexadecimal digits, or bytes."""


def _as_kind(octets: bytes, kind: Kind) -> str:
    return octets.hex() if kind == "packed" else octets.decode("latin-1")


@lru_cache(maxsize=TABLES_MAX)
def _prefixes_by_length(element: Element, kind: Kind, lead_bytes: int) -> list[str]:
    """Give the prefix for each length of a value, counted with its leading letter; one table for all writers."""
    assert element.prefix is not None
    counts = [0] * lead_bytes + [element.count_of(length) for length in range(element.length_max + 1)]
    return [_as_kind(element.prefix.write(count), kind) for count in counts]


class WriterSource:
    """The lines of `write(message)` for messages that hold just these elements, in this order, and its
    constants.

    In the source, `v4` is the value of DE4.
    """

    def __init__(self, spec: Spec, elements: Sequence[int]) -> None:
        self._texts: list[Element] = []
        self._checks: list[str] = []
        head: Kind = "packed" if spec.mti_encoding == "bcd" else "text"
        bitmap: Kind = "packed" if spec.bitmap_encoding == "raw" else "text"
        self._pieces: list[Piece] = [(head, "mti"), (bitmap, "BITMAP")]
        self.constants: dict[str, Any] = {
            "MTIS": spec.mtis,
            "BITMAP": _as_kind(write_bitmap(elements, spec.bitmap_encoding == "hex"), bitmap),
            "EncodeFault": EncodeFault,
            "Tlv": Tlv,
            "fromhex": bytes.fromhex,
            "write_element": write_element,
        }
        for de in sorted(elements):
            self._add(spec.elements[de])
        values = "".join(f"v{de}, " for de in elements)
        body = [
            "mti = message.mti",
            "if mti not in MTIS: return None",
            *([f"{values}= message._fields.values()"] if elements else []),
            *self._check_texts(),
            *self._checks,
            f"return {self._join()}",
        ]
        self.lines = ["def write(message):", *(f" {line}" for line in body)]

    def _check_texts(self) -> list[str]:
        if not self._texts:
            return []
        patterns = [
            value_pattern(
                element.content,
                element.calendar,
                element.length_min,
                element.length_max,
                element.encoding.is_packed,
            )
            for element in self._texts
        ]
        self.constants["CHECK"] = re.compile("\0".join(patterns)).fullmatch
        values = "".join(f"v{element.de}, " for element in self._texts)
        return [
            f"try: joined = '\\0'.join(({values}))",
            "except TypeError: return None",
            "if CHECK(joined) is None: return None",
        ]

    def _join(self) -> str:
        runs = []
        for kind, pieces in groupby(self._pieces, lambda piece: piece[0]):
            codes = [code for _, code in pieces]
            if kind == "bytes":
                runs += codes
                continue
            text = codes[0] if len(codes) == 1 else f"''.join(({', '.join(codes)}))"
            runs.append(f"fromhex({text})" if kind == "packed" else f"{text}.encode('latin-1')")
        return runs[0] if len(runs) == 1 else f"b''.join(({', '.join(runs)}))"

    def _add(self, element: Element) -> None:
        if element.encoding.holds == "bytes":
            self._add_bytes(element)
        elif element.encoding.is_packed and element.content.lead and element.prefix is not None:
            self._add_by_table(element)
        else:
            self._texts.append(element)
            if element.encoding.is_packed:
                self._add_packed(element)
            else:
                self._add_prefix(element, "text", f"v{element.de}", element.lead_bytes)
                self._pieces.append(("text", f"v{element.de}"))

    def _add_prefix(self, element: Element, kind: Kind, value: str, lead_bytes: int = 0) -> None:
        """Add the prefix of a value, from a table by its length."""
        if element.prefix is None:
            return
        self.constants[f"P{element.de}"] = _prefixes_by_length(element, kind, lead_bytes)
        self._pieces.append((kind, f"P{element.de}[len({value})]"))

    def _add_packed(self, element: Element) -> None:
        de, pad = element.de, element.pad
        value = f"v{de}"
        if element.content.lead:
            self.constants["LEADS"] = {letter: letter.encode("ascii").hex() for letter in element.content.lead}
            self._pieces.append(("packed", f"LEADS[v{de}[0]]"))
            value = f"v{de}[1:]"
        self._add_prefix(element, "packed", value)
        if "=" in element.content.packed:
            value = f"{value}.replace('=', 'd')"
        pieces: list[Piece] = [("packed", value)]
        if element.prefix is not None or element.length_max % 2:
            assert pad is not None
            self.constants[f"PAD{de}"] = ("", pad.character)
            nibble: Piece = ("packed", f"PAD{de}[len(v{de}) - {element.lead_bytes} & 1]")
            pieces.insert(0 if pad.side == "left" else 1, nibble)
        self._pieces += pieces

    def _add_bytes(self, element: Element) -> None:
        de = element.de
        content = f"v{de}" if element.parts is None else f"v{de}.raw"
        kept = "bytes" if element.parts is None else "Tlv"
        self._checks += [
            f"if v{de}.__class__ is not {kept}: return None",
            f"if not {element.length_min} <= len({content}) <= {element.length_max}: return None",
        ]
        is_hex = element.encoding.name == "hex"
        self._add_prefix(element, "text", content)
        self._pieces.append(("text", f"{content}.hex().upper()") if is_hex else ("bytes", content))

    def _add_by_table(self, element: Element) -> None:
        """Leave an element of a rare kind to the table."""
        de = element.de
        self.constants[f"E{de}"] = element
        self._checks += [f"try: w{de} = write_element(E{de}, v{de})", "except EncodeFault: return None"]
        self._pieces.append(("bytes", f"w{de}"))
