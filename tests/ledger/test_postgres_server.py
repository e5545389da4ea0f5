"""The PostgreSQL that the tests run on: found or unpacked, run by an unprivileged user, and removed."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import psycopg
import pytest
from junctor.ledger import Vault, migrate, open_store
from junctor.ledger.operations import Answered, Decided
from ledger_items import Bank, purchase
from postgres_server import PostgresServer, choose_runner, find_binaries, find_wheel


def test_the_server_flushes_listens_on_no_port_and_is_not_run_by_root(postgres: PostgresServer) -> None:
    with psycopg.connect(postgres.url("postgres")) as connection:
        said = {
            name: connection.execute(f"SHOW {name}".encode()).fetchone()
            for name in ("fsync", "synchronous_commit", "listen_addresses")
        }
        (pid,) = connection.execute("SELECT pg_backend_pid()").fetchone() or (0,)
    assert said == {"fsync": ("on",), "synchronous_commit": ("on",), "listen_addresses": ("",)}
    assert psutil.Process(pid).uids().real != 0


@pytest.mark.parametrize("names", [["nobody"], []], ids=["nobody", "whoever there is"])
def test_the_binaries_of_the_wheel_keep_books_too(vault: Vault, names: list[str]) -> None:
    wheel = find_wheel()
    assert wheel is not None, "the test extra brings a wheel with PostgreSQL in it"
    server = PostgresServer(wheel, choose_runner(names))
    try:
        url = server.url(server.create_database())
        migrate(url)
        bank = Bank(open_store(url, vault), url, vault)
        bank.open("anna", 1_000)
        bank.open("shop", kind="settlement")
        assert isinstance(bank.one(purchase(1)), Decided)
        server.kill()
        server.start()
        assert isinstance(bank.one(purchase(1)), Answered)
        bank.store.close()
    finally:
        server.close()
    assert not server.folder.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to step down to another user")
def test_binaries_that_the_servers_user_cannot_reach_are_copied(tmp_path: Path) -> None:
    wheel = find_wheel()
    assert wheel is not None
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    (hidden / "pgserver").symlink_to(wheel.parents[1])
    forced = hidden / "pgserver" / "pginstall" / "bin"
    assert not choose_runner().can_run(forced / "postgres")
    server = PostgresServer(forced)
    try:
        assert server.folder in server.binaries.parents
        with psycopg.connect(server.url("postgres")) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        server.close()


def test_a_folder_without_programs_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    before = set(Path("/tmp").glob("junctor-pg-*"))
    with pytest.raises(RuntimeError, match="no PostgreSQL server that runs"):
        PostgresServer(tmp_path)
    assert set(Path("/tmp").glob("junctor-pg-*")) <= before


def test_programs_on_the_path_that_do_not_work_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "shim" / "bin"
    programs.mkdir(parents=True)
    for name in ("initdb", "postgres"):
        (programs / name).write_text('#!/bin/sh\n[ "$1" = --version ] && exit 0\necho "not here" >&2\nexit 1\n')
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    assert next(find_binaries()) == programs
    server = PostgresServer()
    try:
        assert server.binaries != programs
        assert server.is_up
    finally:
        server.close()
