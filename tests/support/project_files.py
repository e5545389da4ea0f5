"""The project's own files as values, for the tests that keep the house in order."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs

ROOT: Final = Path(__file__).resolve().parents[2]
ROOMS: Final = ("codecs", "routing", "ledger", "switch", "simulators", "config")
_PROSE: Final = {".md", ".toml", ".cfg", ".ini", ".yml", ".yaml", ".json", ".service", ".mako"}


@attrs.frozen(eq=False)
class Source:
    """One Python file of the project: `room` is its top-level folder, `path` is relative to the repository."""

    path: str
    room: str
    text: str = attrs.field(repr=False)
    tree: ast.Module = attrs.field(repr=False)

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @property
    def imported(self) -> set[str]:
        """The top-level names of what the file imports from outside, wherever in the file it does."""
        names: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                names.update(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
                names.add(node.module.partition(".")[0])
        return names


def files_of(*folders: str) -> Iterator[Path]:
    """Every file below these folders of the repository, without what Python makes of it."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc":
                yield path


def read_sources() -> list[Source]:
    """Every Python file of the rooms and of the tests."""
    found = []
    for path in files_of(*ROOMS, "tests"):
        if path.suffix == ".py":
            name = path.relative_to(ROOT).as_posix()
            text = path.read_text(encoding="utf-8")
            found.append(Source(path=name, room=name.partition("/")[0], text=text, tree=ast.parse(text, name)))
    return found


def read_texts() -> dict[str, str]:
    """Every text of the project that a person may read, by path: programs, documents, configuration."""
    top = [path for path in ROOT.iterdir() if path.is_file() and path.name != ".git"]
    below = [path for path in files_of(*ROOMS, "tests", "docs", "deploy") if path.suffix in {".py", *_PROSE}]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in [*top, *below]}
