"""Read a spec from its TOML file, and say everything that is wrong with the file at once.

The form of the file is told at the head of `specs/iso1987-ascii.toml`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

import attrs

from .content import CONTENTS, FORMATS, Content
from .encoding import ENCODINGS, PADS, PREFIXES, Encoding, Prefix
from .mti import VERSIONS
from .spec import COMPILED_MAX, Element, Sensitivity, Spec

_SPECS: Final = resources.files(__package__).joinpath("specs")
_LENGTH: Final = re.compile(r"([0-9]{0,4})\.\.([0-9]{1,4})")
_TOP_KEYS: Final = ("name", "title", "mti", "bitmap", "de")
_MTI_ENCODINGS: Final = ("ascii", "bcd")
_BITMAP_ENCODINGS: Final = ("hex", "raw")
_ELEMENT_KEYS: Final = (
    ("name", "content", "length", "encoding", "sensitivity"),
    ("prefix", "counts", "pad", "format", "parts"),
)
_DE_MAX: Final = 128
_THIRD_BITMAP: Final = 65

Row = TypeVar("Row")


@attrs.frozen
class Finding:
    """One thing that is wrong with a spec file: the key's path (`de.35.content`) and the rule."""

    path: str
    why: str

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"


class SpecError(ValueError):
    """A spec file that cannot be used, with all that is wrong with it."""

    def __init__(self, source: str, findings: Iterable[Finding]) -> None:
        self.source = source
        self.findings = tuple(findings)
        super().__init__(source, self.findings)

    def __str__(self) -> str:
        return "\n".join([f"{self.source}:", *(f"  {finding}" for finding in self.findings)])


def spec_names() -> list[str]:
    """Give the names of the specs that come with the package."""
    return sorted(file.name.removesuffix(".toml") for file in _SPECS.iterdir() if file.name.endswith(".toml"))


def load_spec(name_or_path: str | Path, compiled_max: int = COMPILED_MAX) -> Spec:
    """Load a spec that comes with the package by its name, or any other by the path of its TOML file.

    A text with a path separator or the suffix `.toml` is a path. compiled_max: bitmaps compiled for each
    direction. Raises SpecError.
    """
    source = str(name_or_path)
    if isinstance(name_or_path, str) and not name_or_path.endswith(".toml") and not {"/", "\\"} & set(source):
        if source not in spec_names():
            known = ", ".join(spec_names())
            raise SpecError(source, [Finding("name", f"no spec of this name comes with the package: {known}")])
        text = _SPECS.joinpath(f"{source}.toml").read_text("utf-8")
    else:
        try:
            text = Path(name_or_path).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SpecError(source, [Finding("file", f"cannot be read: {type(error).__name__}")]) from error
    return parse_spec(text, source, compiled_max)


def parse_spec(text: str, source: str, compiled_max: int = COMPILED_MAX) -> Spec:
    """Read a spec from TOML text; `source` names it in a SpecError."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(source, [Finding("file", f"is not TOML: {error}")]) from error
    reading = _Reading()
    reading.keys("", table, _TOP_KEYS)
    mti = reading.table("mti", table, ("encoding", "versions"))
    bitmap = reading.table("bitmap", table, ("encoding",))
    name = reading.text("name", table)
    title = reading.text("title", table)
    mti_encoding = reading.choice("mti.encoding", mti, _MTI_ENCODINGS)
    versions = reading.text("mti.versions", mti)
    if versions and not set(versions) <= set(VERSIONS):
        reading.find("mti.versions", f"has a digit that is none of {''.join(VERSIONS)}")
    bitmap_encoding = reading.choice("bitmap.encoding", bitmap, _BITMAP_ENCODINGS)
    elements = _read_elements(reading, table.get("de"))
    if reading.findings:
        raise SpecError(source, reading.findings)
    return Spec(
        name=name,
        title=title,
        mti_encoding="bcd" if mti_encoding == "bcd" else "ascii",
        versions=versions,
        bitmap_encoding="raw" if bitmap_encoding == "raw" else "hex",
        elements=MappingProxyType(elements),
        compiled_max=compiled_max,
    )


def _suggest(word: str, known: Collection[str]) -> str:
    close = get_close_matches(word, known, 1)
    return f"; did you mean {close[0]!r}?" if close else f"; one of {', '.join(known)}"


class _Reading:
    """The findings of one file, and the small questions that are asked of every key."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def find(self, path: str, why: str) -> None:
        self.findings.append(Finding(path, why))

    def keys(
        self, path: str, table: Mapping[str, Any], required: Collection[str], optional: Collection[str] = ()
    ) -> None:
        prefix = f"{path}." if path else ""
        known = (*required, *optional)
        for key in table:
            if key not in known:
                self.find(f"{prefix}{key}", f"unknown key{_suggest(key, known)}")
        for key in required:
            if key not in table:
                self.find(f"{prefix}{key}", "is missing")

    def table(self, path: str, parent: Mapping[str, Any], required: Collection[str]) -> Mapping[str, Any]:
        found = parent.get(path)
        if not isinstance(found, dict):
            if path in parent:
                self.find(path, "is not a table")
            return {}
        self.keys(path, found, required)
        return found

    def text(self, path: str, table: Mapping[str, Any]) -> str:
        found = table.get(path.rpartition(".")[2], "")
        if not isinstance(found, str):
            self.find(path, "is not text")
            return ""
        return found

    def choice(self, path: str, table: Mapping[str, Any], known: Collection[str]) -> str | None:
        """Give a text that must be one of a list; None when it is not there or is no such."""
        if path.rpartition(".")[2] not in table:
            return None
        found = self.text(path, table)
        if found not in known:
            self.find(path, f"unknown value{_suggest(found, known)}")
            return None
        return found

    def row(self, path: str, table: Mapping[str, Any], rows: Mapping[str, Row]) -> Row | None:
        found = self.choice(path, table, rows)
        return None if found is None else rows[found]


def _read_elements(reading: _Reading, table: Any) -> dict[int, Element]:
    if not isinstance(table, dict):
        if table is not None:
            reading.find("de", "is not a table")
        return {}
    elements: dict[int, Element] = {}
    for key, row in table.items():
        de = int(key) if key.isascii() and key.isdigit() and str(int(key)) == key else 0
        if not 2 <= de <= _DE_MAX:
            reading.find(f"de.{key}", f"is not the number of an element, 2 to {_DE_MAX}")
        elif de == _THIRD_BITMAP:
            reading.find(f"de.{key}", "announces a third bitmap and is never an element")
        elif not isinstance(row, dict):
            reading.find(f"de.{key}", "is not a table")
        else:
            element = _read_element(reading, de, row)
            if element is not None:
                elements[de] = element
    return dict(sorted(elements.items()))


def _read_element(reading: _Reading, de: int, row: Mapping[str, Any]) -> Element | None:
    path = f"de.{de}"
    before = len(reading.findings)
    reading.keys(path, row, *_ELEMENT_KEYS)
    content = reading.row(f"{path}.content", row, CONTENTS)
    encoding = reading.row(f"{path}.encoding", row, ENCODINGS)
    prefix = reading.row(f"{path}.prefix", row, PREFIXES)
    pad = reading.row(f"{path}.pad", row, PADS)
    counts = reading.choice(f"{path}.counts", row, ("value", "wire"))
    calendar = reading.choice(f"{path}.format", row, FORMATS)
    parts = reading.choice(f"{path}.parts", row, ("ber-tlv",))
    sensitivity = reading.choice(f"{path}.sensitivity", row, [level.value for level in Sensitivity])
    name = reading.text(f"{path}.name", row)
    limits = _read_length(reading, f"{path}.length", row.get("length"))
    if len(reading.findings) > before:
        return None
    assert content is not None
    assert encoding is not None
    assert limits is not None
    assert sensitivity is not None
    element = Element(
        de=de,
        name=name,
        content=content,
        length_min=limits[0],
        length_max=limits[1],
        encoding=encoding,
        prefix=prefix,
        counts="wire" if counts == "wire" else "value",
        pad=pad,
        calendar=calendar,
        parts="ber-tlv" if parts else None,
        sensitivity=Sensitivity(sensitivity),
    )
    _check_element(reading, path, element, isinstance(row["length"], str))
    return element


def _read_length(reading: _Reading, path: str, length: Any) -> tuple[int, int] | None:
    """Read `6` (fixed), `"..19"` (0 to 19) or `"1..19"`."""
    if length is None:
        return None
    if isinstance(length, int) and not isinstance(length, bool) and 1 <= length <= 9999:
        return length, length
    match = _LENGTH.fullmatch(length) if isinstance(length, str) else None
    if match is None:
        reading.find(path, 'is neither a number from 1 to 9999 nor a range like "..19" or "1..19"')
        return None
    limits = int(match[1] or 0), int(match[2])
    if limits[0] > limits[1] or limits[1] == 0:
        reading.find(path, "is an empty range")
        return None
    return limits


def _check_element(reading: _Reading, path: str, element: Element, is_variable: bool) -> None:
    """Check that the choices of one element go together."""
    content, encoding, prefix = element.content, element.encoding, element.prefix
    rules: tuple[tuple[bool, str, str], ...] = (
        (content.is_binary != (encoding.holds == "bytes"), "encoding", f"does not carry content {content.name}"),
        (_cannot_pack(content, encoding), "encoding", f"cannot pack content {content.name}"),
        (is_variable and prefix is None, "prefix", "is missing: the length varies"),
        (not is_variable and prefix is not None, "prefix", "has nothing to say: the length is fixed"),
        (_exceeds(element, prefix), "prefix", "has too few digits for the longest value"),
        (element.counts == "wire" and encoding.is_packed, "counts", "cannot tell an odd number of digits"),
        (_needs_nibble(element) and element.pad is None, "pad", "is missing: the number of digits can be odd"),
        (encoding.is_packed and _is_blank(element), "pad", "is not a nibble"),
        (encoding.holds == "bytes" and element.pad is not None, "pad", "has nothing to fill"),
        (_misdates(element), "format", "needs content n and its own fixed length"),
        (element.parts is not None and not content.is_binary, "parts", "needs content b"),
        (
            (element.sensitivity is Sensitivity.EMV) != (element.parts == "ber-tlv"),
            "sensitivity",
            "emv and parts ber-tlv go together",
        ),
    )
    for is_broken, key, why in rules:
        if is_broken:
            reading.find(f"{path}.{key}", why)


def _cannot_pack(content: Content, encoding: Encoding) -> bool:
    return encoding.is_packed and not content.is_binary and not content.packed


def _exceeds(element: Element, prefix: Prefix | None) -> bool:
    return prefix is not None and element.count_of(element.length_max) > prefix.count_max


def _needs_nibble(element: Element) -> bool:
    is_odd = element.prefix is not None or element.length_max % 2 == 1
    return element.encoding.is_packed and is_odd


def _is_blank(element: Element) -> bool:
    return element.pad is not None and element.pad.character == " "


def _misdates(element: Element) -> bool:
    if element.calendar is None:
        return False
    is_digits = element.content.name == "n" and element.prefix is None
    return not is_digits or element.length_max != len(element.calendar)
