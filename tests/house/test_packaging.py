"""What is shipped: the wheel holds the rooms, whole, and nothing else."""

from __future__ import annotations

import configparser
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from project_files import ROOMS, files_of

SHIPPED_SUFFIXES = {
    ".py",
    ".typed",
    ".toml",
    ".ini",
    ".mako",
    ".json",
    ".yml",
    ".html",
    ".css",
    ".js",
    ".svg",
    ".txt",
}


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of this tree, made by setuptools with nothing from a network and nothing left in the tree."""
    scratch = tmp_path_factory.mktemp("wheel")
    source = scratch / "source"
    source.mkdir()
    for path in root.iterdir():
        if path.name in {*ROOMS, "README.md", "LICENSE", "setup.cfg", "pyproject.toml", "__init__.py", "py.typed"}:
            (source / path.name).symlink_to(path)
    build = subprocess.run(
        [sys.executable, "-c", "import setuptools.build_meta as b, sys; b.build_wheel(sys.argv[1])", str(scratch)],
        cwd=source,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    assert build.returncode == 0, build.stdout + build.stderr
    (made,) = scratch.glob("junctor-*.whl")
    return zipfile.ZipFile(made)


def test_wheel_holds_every_file_of_the_rooms_and_nothing_else(wheel: zipfile.ZipFile, root: Path) -> None:
    in_tree = {"junctor/__init__.py", "junctor/py.typed"}
    in_tree |= {f"junctor/{path.relative_to(root).as_posix()}" for path in files_of(*ROOMS)}
    in_wheel = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert in_wheel - in_tree == set(), "shipped, though not of the package"
    assert in_tree - in_wheel == set(), "not shipped: list its package or its data in setup.cfg"


def test_rooms_hold_only_programs_and_their_tables() -> None:
    strays = [str(path) for path in files_of(*ROOMS) if path.suffix not in SHIPPED_SUFFIXES]
    assert strays == []


def test_setup_cfg_lists_the_packages_that_are_there(root: Path) -> None:
    setup = configparser.ConfigParser()
    setup.read(root / "setup.cfg", encoding="utf-8")
    listed = setup["options"]["packages"].split()
    there = {"junctor"}
    there |= {
        ".".join(("junctor", *path.parent.relative_to(root).parts))
        for path in files_of(*ROOMS)
        if path.name == "__init__.py"
    }
    assert listed == sorted(listed), "kept in order, so that a missing one shows"
    assert set(listed) == there


def test_every_folder_with_programs_is_a_package(root: Path) -> None:
    folders = {path.parent for path in files_of(*ROOMS) if path.suffix == ".py"}
    assert [str(folder.relative_to(root)) for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_wheel_declares_the_command_and_the_licence(wheel: zipfile.ZipFile) -> None:
    names = {name.partition(".dist-info/")[2]: name for name in wheel.namelist() if ".dist-info/" in name}
    assert "junctor = junctor.switch.cli:main" in wheel.read(names["entry_points.txt"]).decode()
    metadata = wheel.read(names["METADATA"]).decode()
    assert "License-Expression: Apache-2.0" in metadata
    assert "Requires-Python: >=3.11" in metadata


def test_readme_names_the_commands_of_the_makefile(root: Path) -> None:
    readme = (root / "README.md").read_text(encoding="utf-8")
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    assert readme.index("make demo") < readme.index("make test") < readme.index("\n## ")
    assert ".venv/bin/python -m pytest" in readme
    assert "$(BIN)/python -m pytest" in makefile, "make test runs the command that the README tells"
