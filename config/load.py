"""One TOML file read into `Settings`, with every mistake told at once."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, TypeVar

import attrs

from .crosscheck import find_faults
from .database_url import find_url_fault, resolve_url
from .faults import SettingsFault, SettingsFaults
from .settings import DiallerSettings, ListenerSettings, Settings
from .shape import Reading, read_table

Check = Callable[[Settings], Iterable[SettingsFault]]
"""A check of well-formed settings that needs more than this package knows."""

FILE_BYTES_MAX: Final = 16_777_216

_Link = TypeVar("_Link", ListenerSettings, DiallerSettings)


def load_settings(path: Path, checks: Iterable[Check] = ()) -> Settings:
    """Read the configuration file, and give settings in which every path is resolved against the file's folder.

    checks: further checks, run when every value could be read; where we found a mistake they are not heard.
    Raises SettingsFaults with all mistakes: unknown keys, wrong types, values out of range, names given twice,
    references to nothing, secrets written where only their files belong.
    """
    base = path.parent.absolute()
    reading = Reading(base)
    tree = _read_tree(path)
    settings = read_table(Settings, tree, "", reading)
    was_read = not reading.faults
    if (why := find_url_fault(settings.database.url)) is not None:
        reading.fault("database.url", why)
    reading.faults.extend(find_faults(settings))
    settings = _resolve(settings, base)
    if was_read:
        told = {fault.path for fault in reading.faults}
        reading.faults.extend(fault for check in checks for fault in check(settings) if fault.path not in told)
    if reading.faults:
        raise SettingsFaults(reading.faults)
    return settings


def _read_tree(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            text = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise SettingsFaults([SettingsFault(str(path), f"cannot be read: {error.strerror}")]) from None
    if len(text) > FILE_BYTES_MAX:
        raise SettingsFaults([SettingsFault(str(path), f"is longer than {FILE_BYTES_MAX} bytes")])
    try:
        return tomllib.loads(text.decode())
    except UnicodeDecodeError as error:
        raise SettingsFaults([SettingsFault(str(path), f"is not UTF-8 at byte {error.start}")]) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsFaults([SettingsFault(str(path), f"is not TOML: {error}")]) from None


def _resolve(settings: Settings, base: Path) -> Settings:
    """Give the settings with the paths that are not of type Path resolved as well."""
    return attrs.evolve(
        settings,
        base=base,
        database=attrs.evolve(settings.database, url=resolve_url(settings.database.url, base)),
        listeners=tuple(_with_spec(each, base) for each in settings.listeners),
        diallers=tuple(_with_spec(each, base) for each in settings.diallers),
        tls=settings.tls,
    )


def _with_spec(link: _Link, base: Path) -> _Link:
    return attrs.evolve(link, spec=str(base / link.spec)) if link.spec.endswith(".toml") else link
