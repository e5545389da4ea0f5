"""Which room imports which: the contract written in pyproject.toml."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from project_files import Source

LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def test_import_contract_is_kept(root: Path) -> None:
    # In a process of its own and inside tests/: at the root, codecs/ would shadow the standard library's module.
    check = subprocess.run(
        [sys.executable, "-c", LINT, "--config", str(root / "pyproject.toml"), "--no-logo", "--no-cache"],
        cwd=root / "tests",
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    assert check.returncode == 0, check.stdout + check.stderr
    assert "0 broken" in check.stdout


def test_simulators_know_nothing_of_the_switch_but_its_links(package_sources: list[Source]) -> None:
    strays = [
        f"{source.path}:{node.lineno} {node.module}"
        for source in package_sources
        if source.room == "simulators"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ImportFrom) and node.level == 2 and (node.module or "").startswith("switch")
        if not (node.module or "").startswith("switch.links")
    ]
    assert strays == []


def test_importing_the_command_line_is_light(root: Path) -> None:
    # People type `junctor --help`, and shells complete with it: no reactor and no database before they are needed.
    listing = subprocess.run(
        [sys.executable, "-c", "import sys, junctor.switch.cli; print(*sorted(sys.modules))"],
        cwd=root / "tests",
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=True,
    )
    loaded = set(listing.stdout.split())
    assert "click" in loaded
    assert loaded.isdisjoint({"twisted", "sqlalchemy", "psycopg", "cryptography", "OpenSSL", "alembic", "rich"})
