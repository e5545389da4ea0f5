"""The admin page: health, metrics, links and status over HTTP, for the operator's own machine.

It only tells: GET and HEAD, no parameters but `verbose`, no names of programs, no tracebacks. Bodies of requests are
thrown away as they come, connections are few, and metrics are written in a thread, once for all who ask meanwhile.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from io import BytesIO
from typing import Any, Final

import attrs
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IAddress, IListeningPort
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from twisted.web.http import Request as HttpRequest
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from .redaction import safe_text

log = Logger()

CONNECTIONS_MAX: Final = 64
IDLE_S: Final = 30

TEXT: Final = b"text/plain; charset=utf-8"
JSON: Final = b"application/json"

Check = Callable[[], str | None]
"""Tells in a few words why a component cannot do its work; None: it can. The words hold no secrets."""


@attrs.frozen
class Views:
    """What the page shows, as functions called when somebody asks.

    components: checks by name, all of which must be well for the switch to be ready. links, status: values of attrs
    classes, mappings, sequences, texts, numbers, times. metrics: called in a thread. before_metrics: called in the
    reactor's thread with whether the switch is ready, to bring gauges up to date.
    """

    components: Mapping[str, Check]
    links: Callable[[], Sequence[object]]
    status: Callable[[], Mapping[str, object]]
    metrics: Callable[[], bytes]
    metrics_type: str
    before_metrics: Callable[[bool], None]


@attrs.frozen
class Page:
    """An answer: status, type and body."""

    status: int
    type: bytes
    body: bytes


Asker = Any
"""A twisted.web.server.Request, most of whose methods have no types."""

NOT_FOUND: Final = Page(404, TEXT, b"not found\n")
NOT_ALLOWED: Final = Page(405, TEXT, b"GET or HEAD\n")
BROKEN: Final = Page(500, TEXT, b"internal error\n")


class Pages(Resource):
    """All paths of the page, by a table."""

    isLeaf = True  # noqa: N815 - Twisted's name

    def __init__(self, reactor: Any, views: Views) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._reactor = reactor
        self._views = views
        self._waiting: list[Asker] = []
        self._table: Mapping[bytes, Callable[[Asker], Page | None]] = {
            b"/livez": self._live,
            b"/readyz": self._ready,
            b"/metrics": self._metrics,
            b"/links": self._links,
            b"/status": self._status,
        }

    def render(self, request: Asker) -> int:
        """Answer a request, whatever is wrong with it or with us."""
        show = self._table.get(request.path)
        if request.method not in (b"GET", b"HEAD"):
            request.setHeader(b"allow", b"GET, HEAD")
            answer(request, NOT_ALLOWED)
        elif show is None:
            answer(request, NOT_FOUND)
        else:
            try:
                page = show(request)
            except Exception:  # a view that fails must not show its insides
                log.failure("the admin page {path} failed", path=request.path.decode("ascii", "replace"))
                page = BROKEN
            if page is not None:
                answer(request, page)
        return NOT_DONE_YET

    def _live(self, request: Asker) -> Page:
        return Page(200, TEXT, b"alive\n")

    def _ready(self, request: Asker) -> Page:
        states = find_states(self._views.components)
        is_ready = not any(states.values())
        lines = ["ready" if is_ready else "not ready"]
        if b"verbose" in request.uri.partition(b"?")[2].split(b"&"):
            lines += [f"{name}: {why or 'ok'}" for name, why in states.items()]
        return Page(200 if is_ready else 503, TEXT, "".join(f"{line}\n" for line in lines).encode())

    def _links(self, request: Asker) -> Page:
        return json_page([legible(link) for link in self._views.links()])

    def _status(self, request: Asker) -> Page:
        return json_page(legible(self._views.status()))

    def _metrics(self, request: Asker) -> None:
        """Write the metrics in a thread; whoever asks meanwhile gets the same."""
        self._waiting.append(request)
        if len(self._waiting) > 1:
            return
        try:
            self._views.before_metrics(not any(find_states(self._views.components).values()))
            written = deferToThreadPool(self._reactor, self._reactor.getThreadPool(), self._views.metrics)
        except Exception:  # whoever waits must be answered, and the next asker begin anew
            self._show_metrics(Failure())  # type: ignore[no-untyped-call]
        else:
            written.addBoth(self._show_metrics)

    def _show_metrics(self, written: bytes | Failure) -> None:
        if isinstance(written, Failure):
            log.failure("the metrics cannot be written", failure=written)
            page = BROKEN
        else:
            page = Page(200, self._views.metrics_type.encode(), written)
        waiting, self._waiting = self._waiting, []
        for request in waiting:
            answer(request, page)


def find_states(components: Mapping[str, Check]) -> dict[str, str | None]:
    """Ask every component how it is; one that fails to answer is not well."""
    states: dict[str, str | None] = {}
    for name, check in components.items():
        try:
            why = check()
            states[name] = None if why is None else safe_text(why)
        except Exception:  # a check that fails has answered
            log.failure("the check of {component} failed", component=name)
            states[name] = "its check failed"
    return states


def answer(request: Asker, page: Page) -> None:
    """Write a page and end the request, unless who asked has gone."""
    if request.channel is None:
        return
    request.setResponseCode(page.status)
    request.responseHeaders.removeHeader(b"server")
    request.setHeader(b"content-type", page.type)
    request.setHeader(b"content-length", str(len(page.body)).encode())
    request.setHeader(b"cache-control", b"no-store")
    request.setHeader(b"x-content-type-options", b"nosniff")
    request.write(b"" if request.method == b"HEAD" else page.body)
    request.finish()


def json_page(document: object) -> Page:
    """Give a JSON page of a legible document."""
    return Page(200, JSON, json.dumps(document, separators=(",", ":")).encode() + b"\n")


def legible(value: object) -> object:
    """Give a value in what JSON can write, every text in it scrubbed; an unknown type is its name."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return safe_text(value)
    if isinstance(value, Enum):
        return legible(value.value)
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    kind: Any = type(value)
    if attrs.has(kind):
        return {field.name: legible(getattr(value, field.name)) for field in attrs.fields(kind) if field.repr}
    if isinstance(value, Mapping):
        return {str(key): legible(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [legible(item) for item in value]
    return f"<{kind.__name__}>"


# ------------------------------------------------------------------------------------------------ the listener


class _Asked(Request):
    """A request whose body is not kept."""

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's name
        self.content = BytesIO()

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        pass


class _Quiet(Site):
    """A site without a log of accesses."""

    displayTracebacks = False  # noqa: N815 - Twisted's name
    requestFactory = _Asked  # noqa: N815 - Twisted's name

    def log(self, request: HttpRequest) -> None:
        pass


class _Few(WrappingFactory[ProtocolWrapper]):
    """Takes no more than `CONNECTIONS_MAX` connections at a time, and knows them."""

    noisy = False

    def buildProtocol(self, addr: IAddress | None) -> ProtocolWrapper | None:  # type: ignore[override]  # noqa: N802
        if len(self.protocols) >= CONNECTIONS_MAX:
            return None
        return super().buildProtocol(addr)


class AdminPage:
    """The admin listener."""

    name = "admin"

    def __init__(self, reactor: Any, listen: str, views: Views) -> None:
        self._reactor = reactor
        self._listen = listen
        self._views = views
        self._port: IListeningPort | None = None
        self._factory: _Few | None = None

    @property
    def port(self) -> IListeningPort:
        """The port that is listened on."""
        assert self._port is not None, "started first"
        return self._port

    async def start(self) -> None:
        """Listen; fails when the address is taken."""
        pages = Pages(self._reactor, self._views)
        site = _Quiet(pages, reactor=self._reactor, timeout=IDLE_S)  # type: ignore[no-untyped-call]
        self._factory = _Few(site)  # type: ignore[no-untyped-call]
        endpoint = serverFromString(self._reactor, self._listen)  # type: ignore[no-untyped-call]
        self._port = await endpoint.listen(self._factory)

    def close(self) -> Deferred[Any]:
        """Stop listening and close what is open; fires when both are done."""
        if self._port is None or self._factory is None:
            return DeferredList([])
        stopped = self._port.stopListening()
        for protocol in list(self._factory.protocols):
            protocol.loseConnection()
        return DeferredList([] if stopped is None else [stopped])
