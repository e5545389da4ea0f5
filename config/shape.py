"""A TOML tree read into the settings' classes: every key is known, every value has its type and range.

The classes themselves are the description. Reading goes on after a mistake, with the default (or an empty value) in
the place of what could not be read, so that one run tells every mistake.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

import attrs

from .bounds import FORMS, find_range
from .faults import SettingsFault
from .settings import Settings
from .suggest import find_near, suggest

T = TypeVar("T")

NOT_READ: Final = frozenset({(Settings, "base")})
"""Fields that are no keys of the file."""

_FOUND: Final = (
    (bool, "true or false"),
    (str, "a string"),
    (int, "a whole number"),
    (float, "a number"),
    (list, "a list"),
    (dict, "a table"),
)


class Reading:
    """One reading of one file: the folder that relative paths start from, and the mistakes so far."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.faults: list[SettingsFault] = []

    def fault(self, path: str, why: str) -> None:
        """Note a mistake."""
        self.faults.append(SettingsFault(path, why))

    def wrong(self, path: str, wanted: str, value: object) -> None:
        """Note a value of the wrong type, without repeating it."""
        found = next((words for type_, words in _FOUND if isinstance(value, type_)), "a date or time")
        self.fault(path, f"expected {wanted}, found {found}")


def read_table(cls: type[T], table: object, path: str, reading: Reading) -> T:
    """Read a table into a settings class; mistakes go to `reading`, and a value comes back in any case."""
    if not isinstance(table, dict):
        reading.wrong(path, "a table", table)
        return read_table(cls, {}, path, Reading(reading.base))  # what it lacks is not reported a second time
    hints = get_type_hints(cls)
    keys = {field.name: field for field in _fields(cls) if (cls, field.name) not in NOT_READ}
    for key in table:
        if key not in keys:
            reading.fault(_join(path, key), f"unknown key{_meant(key, keys, path)}")
    values: dict[str, Any] = {}
    for name, field in keys.items():
        place, hint = _join(path, name), hints[name]
        is_mandatory = field.default is attrs.NOTHING
        if name in table:
            before = len(reading.faults)
            value = _read(hint, table[name], place, reading)
            if value is not _UNREADABLE:
                values[name] = value
            elif is_mandatory:
                values[name] = _empty(hint, place, reading)
            if len(reading.faults) == before:
                _check_bounds(cls, name, value, place, reading)
        elif is_mandatory:
            if not attrs.has(hint):
                reading.fault(place, "missing, and it has no default")
            values[name] = _empty(hint, place, reading)
        elif isinstance(field.default, Path):
            values[name] = reading.base / field.default
        elif attrs.has(hint):
            values[name] = read_table(hint, {}, place, reading)
    return cls(**values)


class _Unreadable:
    """What a reader gives for a value that it has reported."""


_UNREADABLE: Final = _Unreadable()


def _read(hint: Any, value: object, path: str, reading: Reading) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        (hint,) = (each for each in get_args(hint) if each is not type(None))
    if get_origin(hint) is tuple:
        return _read_many(get_args(hint)[0], value, path, reading)
    if attrs.has(hint):
        return read_table(hint, value, path, reading)
    if issubclass(hint, Enum):
        return _read_choice(hint, value, path, reading)
    return _SCALARS[hint](value, path, reading)


def _read_many(hint: Any, value: object, path: str, reading: Reading) -> Any:
    if get_origin(hint) is tuple:
        return _read_named(get_args(hint)[1], value, path, reading)
    if hint is str and isinstance(value, str):
        value = [value]  # one string stands for a list of one: `to = "ledger"`
    if not isinstance(value, list):
        reading.wrong(path, f"[[{path}]] tables" if attrs.has(hint) else "a list", value)
        return _UNREADABLE
    each = (_read(hint, item, f"{path}[{index}]", reading) for index, item in enumerate(value))
    return tuple(item for item in each if item is not _UNREADABLE)


def _read_named(hint: Any, value: object, path: str, reading: Reading) -> Any:
    if not isinstance(value, dict):
        reading.wrong(path, f"[{path}.NAME] tables", value)
        return _UNREADABLE
    return tuple((name, read_table(hint, table, _join(path, name), reading)) for name, table in value.items())


def _read_choice(hint: type[Enum], value: object, path: str, reading: Reading) -> Any:
    choices: dict[str, Enum] = {member.value: member for member in hint}
    if not isinstance(value, str):
        reading.wrong(path, "a string", value)
        return _UNREADABLE
    if value not in choices:
        reading.fault(path, f"{value!r} is not a choice{suggest(value, choices)}")
        return _UNREADABLE
    return choices[value]


def _read_text(value: object, path: str, reading: Reading) -> object:
    if isinstance(value, str):
        return value
    reading.wrong(path, "a string", value)
    return _UNREADABLE


def _read_path(value: object, path: str, reading: Reading) -> object:
    if not isinstance(value, str):
        reading.wrong(path, "a path as a string", value)
        return _UNREADABLE
    if not value or "\0" in value:
        reading.fault(path, "must name a file")
        return _UNREADABLE
    return reading.base / value


def _read_truth(value: object, path: str, reading: Reading) -> object:
    if isinstance(value, bool):
        return value
    reading.wrong(path, "true or false", value)
    return _UNREADABLE


def _read_whole(value: object, path: str, reading: Reading) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    reading.wrong(path, "a whole number", value)
    return _UNREADABLE


def _read_number(value: object, path: str, reading: Reading) -> object:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        reading.wrong(path, "a number", value)
        return _UNREADABLE
    if not math.isfinite(value):
        reading.fault(path, "must be a finite number")
        return _UNREADABLE
    return float(value)


_SCALARS: Final[Mapping[Any, Callable[[object, str, Reading], object]]] = {
    str: _read_text,
    Path: _read_path,
    bool: _read_truth,
    int: _read_whole,
    float: _read_number,
}


def _check_bounds(cls: type, name: str, value: object, path: str, reading: Reading) -> None:
    items = [(path, value)]
    if isinstance(value, tuple):
        items = [(f"{path}[{index}]", item) for index, item in enumerate(value)]
    form, range_ = FORMS.get((cls, name)), find_range(name)
    for place, item in items:
        why = None
        if isinstance(item, str) and form is not None:
            why = form.find_fault(item)
        elif isinstance(item, (int, float)) and not isinstance(item, bool) and range_ is not None:
            why = range_.find_fault(item)
        if why is not None:
            reading.fault(place, why)


def _empty(hint: Any, path: str, reading: Reading) -> Any:
    """Give a value that stands where none could be read; a missing section is read as an empty one."""
    if attrs.has(hint):
        return read_table(hint, {}, path, reading)
    return hint() if get_origin(hint) is None else ()


def _meant(key: str, keys: Mapping[str, object], path: str) -> str:
    near = find_near(key, keys)
    if near is not None:
        return f", did you mean {_join(path, near)}?"
    elsewhere = [place for place in _places() if place.rpartition(".")[2] == key]
    if elsewhere:
        return f", did you mean {elsewhere[0]}?"
    return suggest(key, keys)


def _places() -> list[str]:
    """Give the paths of all keys in the sections that are plain tables."""
    sections = {name: hint for name, hint in get_type_hints(Settings).items() if attrs.has(hint)}
    return [f"{section}.{field.name}" for section, hint in sections.items() for field in _fields(hint)]


def _fields(cls: Any) -> tuple[attrs.Attribute[Any], ...]:
    return tuple(attrs.fields(cls))


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
