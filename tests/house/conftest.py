"""The project's own files, read once."""

from __future__ import annotations

from pathlib import Path

import pytest
from project_files import ROOT, Source, read_sources, read_texts


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def sources() -> list[Source]:
    """Every Python file of the rooms and of the tests."""
    found = read_sources()
    assert len(found) > 30, "the project's files were not found"
    return found


@pytest.fixture(scope="session")
def package_sources(sources: list[Source]) -> list[Source]:
    """The Python files that are shipped."""
    return [source for source in sources if source.room != "tests"]


@pytest.fixture(scope="session")
def texts() -> dict[str, str]:
    """Every text that a person may read, by path: programs, documents and configuration."""
    return read_texts()
