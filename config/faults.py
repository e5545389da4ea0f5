"""What is wrong with a configuration file: where, and why, with a suggestion."""

from __future__ import annotations

from collections.abc import Sequence

import attrs


@attrs.frozen
class SettingsFault:
    """One mistake. path: the key as an operator would write it (`routing.routes[2].to`, counted from 0).

    `why` never repeats a value that may be a secret.
    """

    path: str
    why: str

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"


class SettingsFaults(Exception):
    """A configuration that cannot be used; `faults` holds every mistake found, in the sections' order."""

    def __init__(self, faults: Sequence[SettingsFault]) -> None:
        super().__init__(*faults)
        self.faults = tuple(faults)

    def __str__(self) -> str:
        return "\n".join(map(str, self.faults))
