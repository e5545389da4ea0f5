"""How the command line finds and asks the running switch."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from command_line import run_command
from junctor.switch.cli.admin import admin_address
from junctor.switch.cli.complaints import Complaint


@pytest.mark.parametrize(
    ("endpoint", "address"),
    [
        ("tcp:9583:interface=127.0.0.1", ("127.0.0.1", 9583)),
        ("tcp:9583", ("127.0.0.1", 9583)),
        ("tcp:port=9583:interface=10.1.2.3", ("10.1.2.3", 9583)),
        ("tcp:9583:interface=0.0.0.0:backlog=50", ("127.0.0.1", 9583)),
        (r"tcp6:9583:interface=\:\:1", ("::1", 9583)),
        (r"tcp6:9583:interface=\:\:", ("::1", 9583)),
    ],
)
def test_admin_endpoint_is_read_as_an_address(endpoint: str, address: tuple[str, int]) -> None:
    assert admin_address(endpoint) == address


@pytest.mark.parametrize("endpoint", ["unix:/run/junctor.sock", "systemd:domain=INET:index=0", "tcp:http"])
def test_admin_endpoint_that_cannot_be_asked_is_told(endpoint: str) -> None:
    with pytest.raises(Complaint, match="TCP endpoint only"):
        admin_address(endpoint)


class Page(BaseHTTPRequestHandler):
    """An admin page that answers what a test put there."""

    answers: ClassVar[dict[str, tuple[int, bytes]]] = {}

    def do_GET(self) -> None:
        status, body = self.answers.get(self.path, (404, b""))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet."""


@pytest.fixture
def config_file(tmp_path: Path) -> Iterator[Path]:
    server = HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    path = tmp_path / "junctor.toml"
    path.write_text(
        f'[admin]\nlisten = "tcp:{server.server_port}:interface=127.0.0.1"\n[routing]\ndefault = "ledger"\n'
    )
    yield path
    Page.answers = {}
    server.shutdown()
    thread.join()
    server.server_close()


LINK = {
    "name": "blue-bank-1", "institution": "blue-bank", "protocol": "iso8583", "direction": "dialled",
    "state": "up", "in_flight": 3, "peer": "127.0.0.1:8585", "tls_version": "TLSv1.3",
}  # fmt: skip


def test_links_of_the_running_switch_are_listed(config_file: Path) -> None:
    Page.answers["/links"] = (200, json.dumps([LINK]).encode())
    ended = run_command("link", "list", "--config", config_file)
    assert ended.status == 0
    assert [line.split()[:2] for line in ended.out.splitlines()] == [
        ["link", "institution"],
        ["blue-bank-1", "blue-bank"],
    ]
    assert run_command("link", "list", "--config", config_file, "--json").json == [LINK]


def test_a_configuration_may_be_named_before_the_command_or_by_the_environment(
    config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Page.answers["/links"] = (200, b"[]")
    assert run_command("--config", config_file, "link", "list", "--json").json == []
    monkeypatch.setenv("JUNCTOR_CONFIG", str(config_file))
    assert run_command("link", "list", "--json").json == []


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((200, b"<html>"), "is not a switch's admin page"),
        ((200, b"5"), "is not a switch's admin page"),
        ((503, b""), "answered 503"),
    ],
)
def test_an_answer_that_is_no_list_of_links_is_one_sentence(
    config_file: Path, answer: tuple[int, bytes], says: str
) -> None:
    Page.answers["/links"] = answer
    ended = run_command("link", "list", "--config", config_file)
    assert (ended.status, ended.out) == (1, "")
    assert says in ended.err


def test_a_switch_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "junctor.toml"
    path.write_text('[admin]\nlisten = "tcp:1:interface=127.0.0.1"\n[routing]\ndefault = "ledger"\n')
    ended = run_command("link", "list", "--config", path)
    assert (ended.status, ended.out) == (1, "")
    assert ended.err == "junctor: no switch answers at 127.0.0.1:1 (Connection refused): is it running?\n"
