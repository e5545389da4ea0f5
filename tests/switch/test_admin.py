"""The admin page over a real loopback socket: what it tells, and what it never does."""

from __future__ import annotations

import datetime
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from enum import Enum
from threading import Event
from typing import Any

import attrs
import pytest
import pytest_twisted
from junctor.config.settings import RoutingSettings, Settings
from junctor.switch.admin import CONNECTIONS_MAX, AdminPage, Views
from junctor.switch.links.directory import LinkView
from junctor.switch.metrics import CONTENT_TYPE, Metrics
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

CARD = "4761730000000011"
LINK = LinkView(
    name="blue-1",
    institution="blue-bank",
    protocol="iso8583",
    direction="dials",
    state="up",
    since=datetime.datetime(2026, 11, 20, 12, 30, 15, tzinfo=datetime.UTC),
    in_flight=3,
    peer="127.0.0.1:9000",
    tls_version="TLSv1.3",
)


class Answer:
    """One response, cut into status, headers and body."""

    def __init__(self, raw: bytes) -> None:
        head, _, self.body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        self.status = int(first.split(" ")[1])
        self.headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class World:
    """A page with views that a test can change."""

    def __init__(self) -> None:
        self.metrics = Metrics(Settings(RoutingSettings(("ledger",))), "1.2.3")
        self.troubles: dict[str, str | None] = {"database": None, "listeners": None}
        self.links: list[object] = [LINK]
        self.status: dict[str, object] = {"lanes": [], "ready": True}
        self.told_ready: list[bool] = []
        self.render: Callable[[], bytes] = self.metrics.render
        views = Views(
            components={name: self._check(name) for name in self.troubles},
            links=lambda: self.links,
            status=lambda: self.status,
            metrics=lambda: self.render(),
            metrics_type=CONTENT_TYPE,
            before_metrics=self.told_ready.append,
        )
        self.page = AdminPage(reactor, "tcp:0:interface=127.0.0.1", views)

    def _check(self, name: str) -> Callable[[], str | None]:
        return lambda: self.troubles[name]

    @property
    def number(self) -> int:
        port: Any = self.page.port
        return int(port.getHost().port)

    async def ask(self, path: str, method: str = "GET", more: str = "") -> Answer:
        raw: bytes = await deferToThread(self._ask, f"{method} {path} HTTP/1.0\r\n{more}\r\n".encode())
        return Answer(raw)

    def _ask(self, request: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.number), 5) as connection:
            connection.sendall(request)
            return self.read(connection)

    def read(self, connection: socket.socket) -> bytes:
        with connection:
            return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    pytest_twisted.blockon(Deferred.fromCoroutine(world.page.start()))
    yield world
    pytest_twisted.blockon(world.page.close())


@pytest_twisted.ensureDeferred
async def test_alive_is_told_whatever_is_broken(world: World) -> None:
    world.troubles["database"] = "cannot be used"
    answer = await world.ask("/livez")
    assert (answer.status, answer.body) == (200, b"alive\n")


@pytest_twisted.ensureDeferred
async def test_ready_is_told_when_every_component_is_well(world: World) -> None:
    answer = await world.ask("/readyz")
    assert (answer.status, answer.body) == (200, b"ready\n")


@pytest_twisted.ensureDeferred
async def test_not_ready_lists_the_components_when_asked(world: World) -> None:
    world.troubles["database"] = f"cannot be used by {CARD}"
    short, long = await world.ask("/readyz"), await world.ask("/readyz?verbose")
    assert (short.status, short.body) == (503, b"not ready\n")
    assert long.status == 503
    assert long.body == b"not ready\ndatabase: cannot be used by 476173******0011\nlisteners: ok\n"


@pytest_twisted.ensureDeferred
async def test_check_that_fails_is_not_well(world: World) -> None:
    del world.troubles["database"]
    answer = await world.ask("/readyz?verbose")
    assert answer.status == 503
    assert b"database: its check failed\n" in answer.body


@pytest_twisted.ensureDeferred
async def test_metrics_are_in_the_format_of_prometheus(world: World) -> None:
    world.metrics.database_error("gone")
    answer = await world.ask("/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert b'junctor_database_errors_total{kind="gone"} 1.0\n' in answer.body
    assert world.told_ready == [True]


@pytest_twisted.ensureDeferred
async def test_metrics_are_written_once_for_all_who_wait(world: World) -> None:
    may_go, written = Event(), []

    def render() -> bytes:
        may_go.wait(5)
        written.append(1)
        return b"x 1\n"

    world.render = render

    def ask_thrice() -> list[socket.socket]:
        asking = [socket.create_connection(("127.0.0.1", world.number), 5) for _ in range(3)]
        for each in asking:
            each.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        return asking

    asking = await deferToThread(ask_thrice)
    for _ in range(3):  # whoever asked before was heard before
        await world.ask("/livez")
    may_go.set()
    for each in asking:
        raw: bytes = await deferToThread(world.read, each)
        assert Answer(raw).body == b"x 1\n"
    assert written == [1]


@pytest_twisted.ensureDeferred
async def test_metrics_that_cannot_be_written_are_an_error_without_insides(world: World) -> None:
    def render() -> bytes:
        raise RuntimeError(CARD)

    world.render = render
    broken = await world.ask("/metrics")
    assert (broken.status, broken.body) == (500, b"internal error\n")
    world.render = lambda: b"x 1\n"
    assert (await world.ask("/metrics")).body == b"x 1\n"


@pytest_twisted.ensureDeferred
async def test_links_are_a_list_of_json_objects(world: World) -> None:
    answer = await world.ask("/links")
    assert answer.headers["content-type"] == "application/json"
    (row,) = answer.json
    assert row["name"] == "blue-1"
    assert row["since"] == "2026-11-20T12:30:15+00:00"
    assert row["in_flight"] == 3
    assert row.keys() == {field.name for field in attrs.fields(LinkView)}


class Colour(Enum):
    RED = "red"


@attrs.frozen
class Secretive:
    name: str
    inside: str = attrs.field(repr=False)


@pytest_twisted.ensureDeferred
async def test_status_is_made_of_whatever_values_and_scrubbed(world: World) -> None:
    world.status = {
        "lanes": (Secretive(f"x {CARD}", "hidden"),),
        "colour": Colour.RED,
        "none": None,
        "ratio": 0.5,
        "odd": object(),
    }
    assert (await world.ask("/status")).json == {
        "lanes": [{"name": "x 476173******0011"}],
        "colour": "red",
        "none": None,
        "ratio": 0.5,
        "odd": "<object>",
    }


@pytest_twisted.ensureDeferred
async def test_view_that_fails_is_an_error_without_insides(world: World) -> None:
    world.links = Broken()
    answer = await world.ask("/links")
    assert (answer.status, answer.body) == (500, b"internal error\n")


class Broken(list[object]):
    def __iter__(self) -> Iterator[object]:
        raise RuntimeError(CARD)


@pytest.mark.parametrize("path", ["/", "/metrics/", "/../etc/passwd", "/livez/x", "//livez", "/%6civez"])
@pytest_twisted.ensureDeferred
async def test_unknown_path_is_not_found(world: World, path: str) -> None:
    answer = await world.ask(path)
    assert (answer.status, answer.body) == (404, b"not found\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "X"])
@pytest.mark.parametrize("path", ["/livez", "/nowhere"])
@pytest_twisted.ensureDeferred
async def test_only_get_and_head_are_allowed(world: World, method: str, path: str) -> None:
    answer = await world.ask(path, method)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/links", "/metrics"])
@pytest_twisted.ensureDeferred
async def test_head_has_the_headers_of_get_and_no_body(world: World, path: str) -> None:
    got, headed = await world.ask(path), await world.ask(path, "HEAD")
    assert headed.body == b""
    assert headed.status == got.status
    assert headed.headers["content-type"] == got.headers["content-type"]
    assert int(headed.headers["content-length"]) > 0


@pytest.mark.parametrize("path", ["/livez", "/nowhere", "/links"])
@pytest_twisted.ensureDeferred
async def test_no_answer_names_the_program_or_may_be_kept(world: World, path: str) -> None:
    answer = await world.ask(path)
    assert "server" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest_twisted.ensureDeferred
async def test_body_of_a_request_is_thrown_away(world: World) -> None:
    answer = await world.ask("/livez", more=f"Content-Length: 1000000\r\n\r\n{'x' * 1_000_000}")
    assert answer.status == 200


@pytest_twisted.ensureDeferred
async def test_connections_are_few(world: World) -> None:
    def one_more() -> bytes:
        with suppress(ConnectionError):  # a connection that is refused may end by a reset
            return world._ask(b"GET /livez HTTP/1.0\r\n\r\n")
        return b""

    def crowd() -> tuple[bytes, bytes]:
        with ExitStack() as held:
            for _ in range(CONNECTIONS_MAX):
                each = held.enter_context(socket.create_connection(("127.0.0.1", world.number), 5))
                each.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
                assert each.recv(100).startswith(b"HTTP/1.1 200")
            refused = one_more()
        return refused, next((served for _ in range(100) if (served := one_more())), b"")

    refused, served = await deferToThread(crowd)
    assert refused == b""
    assert b" 200 " in served
