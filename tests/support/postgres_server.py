"""A PostgreSQL server for tests: a direct child on a UNIX socket in a folder of its own, with fsync on.

Server binaries come from PATH, from Debian's folders, or from a wheel that carries them. PostgreSQL refuses to run
as root: then it runs under another user, who must be able to reach the binaries, or they are copied.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import attrs
import psutil
import psycopg

START_S = 20.0
_PROGRAMS = ("initdb", "postgres")


@attrs.frozen
class Runner:
    """The user as whom the server runs: None for ourselves."""

    uid: int | None
    gid: int | None

    @property
    def options(self) -> dict[str, Any]:
        """What `subprocess` needs to run something as this user."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LD_"))}
        options: dict[str, Any] = {"env": clean, "stdin": subprocess.DEVNULL}
        if self.uid is not None:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return options

    def can_run(self, program: Path) -> bool:
        """Tell whether this user can start a program at all."""
        try:
            done = subprocess.run([program, "--version"], capture_output=True, cwd="/", timeout=10, **self.options)
        except (OSError, subprocess.SubprocessError):
            return False
        return done.returncode == 0


def choose_runner(names: Iterable[str] = ("postgres", "nobody")) -> Runner:
    """Choose who runs the server: ourselves, or the first of these users, or any user who is not root."""
    if os.geteuid() != 0:
        return Runner(None, None)
    for name in names:
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return Runner(user.pw_uid, user.pw_gid)
    for user in pwd.getpwall():
        if user.pw_uid:
            return Runner(user.pw_uid, user.pw_gid)
    raise RuntimeError("PostgreSQL does not run as root, and there is no other user")


def find_binaries() -> Iterator[Path]:
    """Give folders that hold the server's programs, the most local first."""
    found = shutil.which("postgres")
    if found is not None:
        yield Path(found).resolve().parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    wheel = find_wheel()
    if wheel is not None:
        yield wheel


def find_wheel() -> Path | None:
    """Find the programs that a wheel carries."""
    spec = importlib.util.find_spec("pgserver")
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"
    return folder if folder.is_dir() else None


def _version(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in folder.parent.name.split(".") if part.isdigit())


class PostgresServer:
    """A server and its folder; `close()` removes both."""

    def __init__(self, binaries: Path | None = None, runner: Runner | None = None) -> None:
        """`binaries`: the folder of the programs to use, else the first that is found and runs; `runner`: as whom."""
        self.runner = runner or choose_runner()
        self.folder = self._make_folder()
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)
        self._contents: dict[str, dict[str, list[Any]]] = {}
        try:
            self.binaries = self._install(binaries)
            self.start()
        except BaseException:
            self.close()
            raise

    def _make_folder(self) -> Path:
        """A folder that the other user reaches too, with a path short enough for a socket."""
        for parent in dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp")):
            folder = Path(tempfile.mkdtemp(prefix="junctor-pg-", dir=parent))
            folder.chmod(0o755)
            if self.runner.uid is not None:
                os.chown(folder, self.runner.uid, self.runner.gid or 0)
            reached = subprocess.run(["/bin/sh", "-c", f"cd '{folder}' && : > probe"], cwd="/", **self.runner.options)
            if reached.returncode == 0 and len(str(folder)) < 80:
                return folder
            shutil.rmtree(folder)
        raise RuntimeError("there is no temporary folder that an unprivileged user reaches")

    def _install(self, forced: Path | None) -> Path:
        """Make the data folder with the first programs that do it, and give their folder."""
        failures = []
        for folder in self._usable([forced] if forced is not None else find_binaries()):
            shutil.rmtree(self.folder / "data", ignore_errors=True)
            said = self._initialise(folder)
            if said is None:
                return folder
            failures.append(f"{folder}: {said}")
        raise RuntimeError(f"no PostgreSQL server that runs was found {failures or ''}")

    def _usable(self, folders: Iterable[Path]) -> Iterator[Path]:
        for folder in folders:
            if not all((folder / name).exists() for name in _PROGRAMS):
                continue
            if not all(self.runner.can_run(folder / name) for name in _PROGRAMS):
                folder = self._copy(folder)
            if all(self.runner.can_run(folder / name) for name in _PROGRAMS):
                yield folder

    def _copy(self, folder: Path) -> Path:
        """Copy an installation, and the libraries that a wheel keeps beside it, to where that user reaches it."""
        root = folder.resolve().parent
        target = self.folder / "installed" / root.parent.name / root.name
        shutil.copytree(root, target, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
        libraries = root.parent.with_name(f"{root.parent.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, self.folder / "installed" / libraries.name)
        for place in (self.folder / "installed").rglob("*"):
            if not place.is_symlink():
                place.chmod(0o755 if place.is_dir() or place.parent.name == "bin" else 0o644)
        return target / folder.name

    def _initialise(self, binaries: Path) -> str | None:
        """Make the data folder; gives what went wrong, if anything did."""
        command: list[str | Path] = [
            binaries / "initdb", "-D", self.folder / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8",
            "--locale=C", "--no-sync",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, cwd=self.folder, text=True, **self.runner.options)
        return None if done.returncode == 0 else done.stderr.strip()[-500:]

    def start(self) -> None:
        """Start the server and wait until it answers."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "max_connections": "50",
            "shared_buffers": "64MB",
            "log_min_messages": "fatal",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self.binaries / "postgres", "-D", self.folder / "data", *options],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                start_new_session=True,
                **self.runner.options,
            )
        self._wait_until_it_answers()

    def _wait_until_it_answers(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_S
        while True:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=5).close()
                return
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    said = (self.folder / "log").read_text()[-500:]
                    raise RuntimeError(f"PostgreSQL does not start: {said}") from None
                time.sleep(0.01)

    @property
    def is_up(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """Kill the server and all its children at once, as a crash would."""
        for process in self._family():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._reap()

    def cpu_s(self) -> float:
        """Tell how many seconds of processor time the server has used, processes that ended included."""
        total = 0.0
        for process in self._family():
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
                if self._process is not None and process.pid == self._process.pid:
                    total += times.children_user + times.children_system
        return total

    def freeze(self) -> None:
        """Stop the processes that serve connections: the sockets stay open, and nobody answers."""
        for process in self._family():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()

    def thaw(self) -> None:
        """Let everything go on after `freeze`."""
        for process in self._family():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()

    def stop(self) -> None:
        """Stop the server in order, dropping its connections."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(START_S)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    def close(self) -> None:
        """Stop the server and remove its folder."""
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _family(self) -> list[psutil.Process]:
        if self._process is None:
            return []
        try:
            parent = psutil.Process(self._process.pid)
            return [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def _reap(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.wait(START_S)

    # ------------------------------------------------------------ databases

    def url(self, database: str) -> str:
        """Give the address of a database on this server."""
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def create_database(self, template: str = "template1", name: str | None = None) -> str:
        """Create a database as a copy of another, and give its name."""
        name = name or f"test{next(self._numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        return name

    def empty_database(self, name: str, template: str) -> bool:
        """Make a used copy of a template as good as new; False, and the copy dropped, when that cannot be done."""
        try:
            with psycopg.connect(self.url(name), connect_timeout=5) as connection:
                connection.execute("SET lock_timeout = '1s'")
                for table, rows in self._content_of(template).items():
                    if _rows(connection, table) != rows:
                        connection.execute(f"DELETE FROM {table}".encode())
                        for row in rows:
                            marks = ", ".join(["%s"] * len(row))
                            connection.execute(f"INSERT INTO {table} VALUES ({marks})".encode(), row)
            return True
        except psycopg.Error:
            self.drop_database(name)
            return False

    def _content_of(self, name: str) -> dict[str, list[Any]]:
        if name not in self._contents:
            with psycopg.connect(self.url(name)) as connection:
                tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
                self._contents[name] = {it: _rows(connection, it) for (it,) in connection.execute(tables)}
        return self._contents[name]

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is connected to it."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())


def _rows(connection: psycopg.Connection[Any], table: str) -> list[Any]:
    return sorted(connection.execute(f"SELECT * FROM {table}".encode()).fetchall())
