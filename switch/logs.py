"""Structured logs on twisted.logger: one line an event, as JSON or as text, with nothing in it that must not print.

A line is a constant sentence (`event`) with fields; `trace` is the transaction's. Times are RFC 3339 in UTC. What the
standard library logs, and its warnings, come the same way.
"""

from __future__ import annotations

import json
import logging
import string
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import attrs
from twisted.logger import ILogObserver, LogEvent, Logger, LogLevel, globalLogBeginner
from twisted.python.failure import Failure
from zope.interface import implementer

from ..config.settings import LoggingSettings
from .redaction import STARS, Shown, describe, is_refused, safe_field, safe_text

LEVELS: Final = ("debug", "info", "warn", "error", "critical")

_RANKS: Final = {LogLevel.lookupByName(name): rank for rank, name in enumerate(LEVELS)}
_STDLIB: Final = {"debug": 10, "info": 20, "warn": 30, "error": 40, "critical": 50}
"""Our levels in the standard library's numbers."""

_OURS: Final = frozenset({"ts", "level", "event", "logger", "failure", "frames"})
_LEGACY: Final = frozenset({"message", "time", "system", "isError", "failure", "why", "format", "debugInfo"})
_FRAMES_MAX: Final = 30
_CAUSES_MAX: Final = 5
_PLACES: Final = string.Formatter()


class Stream(Protocol):
    """Where lines go."""

    def write(self, text: str, /) -> object: ...
    def flush(self) -> object: ...
    def isatty(self) -> bool: ...


@attrs.frozen
class Entry:
    """One event in the form in which it may be shown: every text in it is masked already."""

    ts: str
    level: str
    event: str
    """The sentence with its places still open: the same for every event of its kind."""
    logger: str
    fields: Mapping[str, Shown]
    pieces: tuple[tuple[str, str], ...] = ()
    """The sentence with its places filled, in pieces, each with the name of the field that it shows; for people."""

    failure: str | None = None
    frames: tuple[str, ...] = ()


def read_event(event: LogEvent, with_pieces: bool = True) -> Entry:
    """Read a twisted.logger event, masking whatever it holds."""
    level, failure, sentence = event.get("log_level"), event.get("log_failure"), event.get("log_format")
    is_legacy = sentence == "{log_text}"  # an old-style message: its text is all there is
    if is_legacy:
        sentence = safe_text(str(event.get("log_text")))
        pieces: tuple[tuple[str, str], ...] = ((sentence, ""),)
    else:
        sentence = sentence if isinstance(sentence, str) else ""
        pieces = tuple(_fill(sentence, event)) if with_pieces else ()
    fields = {
        (f"field_{name}" if name in _OURS else name): safe_field(name, value)
        for name, value in event.items()
        if not name.startswith("log_") and not (is_legacy and name in _LEGACY)
    }
    return Entry(
        ts=_time(event.get("log_time")),
        level=LEVELS[_RANKS.get(level, 1)],
        event=safe_text(sentence),
        logger=safe_text(str(event.get("log_namespace") or "")),
        fields=fields,
        pieces=pieces,
        failure=_failure_text(failure) if isinstance(failure, Failure) else None,
        frames=_frames(failure) if isinstance(failure, Failure) else (),
    )


def write_json(entry: Entry) -> str:
    """Write an entry as one line of JSON: ts, level, event, trace, the fields, failure and frames."""
    row: dict[str, Any] = {"ts": entry.ts, "level": entry.level, "event": entry.event}
    if "trace" in entry.fields:
        row["trace"] = entry.fields["trace"]
    row |= {"logger": entry.logger, **entry.fields}
    if entry.failure is not None:
        row |= {"failure": entry.failure, "frames": list(entry.frames)}
    return json.dumps(row, ensure_ascii=True, separators=(",", ":"))


def write_text(entry: Entry) -> str:
    """Write an entry as one line for people: time, level, the sentence, then the fields that it does not show."""
    parts = [entry.ts, f"{entry.level.upper():<8}", "".join(piece for piece, _ in entry.pieces)]
    filled = {name for _, name in entry.pieces}
    parts += [f"{name}={_plain(value)}" for name, value in entry.fields.items() if name not in filled]
    if entry.failure is not None:
        parts.append(f"| {entry.failure} | " + " < ".join(entry.frames))
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in " ".join(parts))


WRITERS: Final[Mapping[str, Callable[[Entry], str]]] = {"json": write_json, "text": write_text}


@implementer(ILogObserver)
class LineLog:
    """Writes each event of at least a level as one line; never raises, whatever an event holds."""

    def __init__(self, stream: Stream, level: str, form: str) -> None:
        """level: one of LEVELS; form: `json`, `text`, or `auto` (text on a terminal)."""
        self._stream = stream
        self._least = LEVELS.index(level)
        self._write = WRITERS[form if form != "auto" else "text" if stream.isatty() else "json"]
        self.lost = 0
        """Lines that could not be written."""

    def __call__(self, event: LogEvent) -> None:
        if _RANKS.get(event.get("log_level"), 1) < self._least:
            return
        try:
            line = self._write(read_event(event, with_pieces=self._write is write_text))
        except Exception as error:  # the log must go on, and the event's own text cannot be trusted now
            row = {"level": "error", "event": "an event could not be written", "why": type(error).__name__}
            line = json.dumps(row)
        try:
            self._put(line)
        except UnicodeEncodeError:  # a terminal that knows fewer characters than the text has
            self._put(line.encode("ascii", "backslashreplace").decode())

    def _put(self, line: str) -> None:
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except UnicodeEncodeError:
            raise
        except (OSError, ValueError):  # a full disk or a closed stream: payments go on
            self.lost += 1


class Bridge(logging.Handler):
    """Hands what the standard library logs to twisted.logger."""

    def emit(self, record: logging.LogRecord) -> None:
        name = max((name for name in LEVELS if _STDLIB[name] <= record.levelno), key=LEVELS.index, default="debug")
        try:
            said = record.getMessage()
        except Exception:  # a record whose arguments do not fit its text
            said = "a message that does not fit its arguments"
        extra: dict[str, Any] = {}
        if record.exc_info and record.exc_info[1] is not None:
            extra["log_failure"] = Failure(record.exc_info[1])  # type: ignore[no-untyped-call]
        Logger(namespace=record.name).emit(LogLevel.lookupByName(name), "{text}", text=said, **extra)


def begin_logging(settings: LoggingSettings, stream: Stream | None = None) -> LineLog:
    """Send all logs and warnings of this process to a stream (standard error), for good; call it once."""
    lines = LineLog(stream or sys.stderr, settings.level, settings.format)
    globalLogBeginner.beginLoggingTo([lines], redirectStandardIO=False)
    bridge_stdlib(settings.level)
    return lines


def bridge_stdlib(level: str) -> Bridge:
    """Let the standard library's loggers and warnings speak through twisted.logger."""
    bridge = Bridge()
    logging.basicConfig(handlers=[bridge], level=_STDLIB[level], force=True)
    logging.captureWarnings(True)
    return bridge


# ------------------------------------------------------------------------------------------- parts of a line


def _time(seconds: object) -> str:
    if not isinstance(seconds, (int, float)):
        return "-"
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fill(sentence: str, event: LogEvent) -> Iterator[tuple[str, str]]:
    """Give the pieces of a sentence with its places filled, and the names of the fields that filled them."""
    try:
        parsed = list(_PLACES.parse(sentence))
    except ValueError:
        yield safe_text(sentence), ""
        return
    for literal, place, _, _ in parsed:
        yield safe_text(literal), ""
        if place is not None:
            yield _plain(_find(place, event)), place


def _find(place: str, event: LogEvent) -> Shown:
    """Give what may be shown at a place: a field, an attribute of one (`peer.host`), or what it gives (`name()`)."""
    try:
        path = place.removesuffix("()")
        if any(is_refused(step) for step in path.replace("[", ".").replace("]", "").split(".")):
            return STARS
        value, _ = _PLACES.get_field(path, (), event)
        return safe_field(path, value() if place.endswith("()") else value)
    except Exception:  # a place that nothing fills
        return "?"


def _plain(value: Shown) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _failure_text(failure: Failure) -> str:
    """Tell an exception and its causes, outermost first."""
    told: list[str] = []
    error = failure.value
    while isinstance(error, BaseException) and len(told) < _CAUSES_MAX:
        told.append(describe(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return ", because of ".join(told)


def _frames(failure: Failure) -> tuple[str, ...]:
    """Give where it happened, innermost first: file, line and function, and never a local variable."""
    places = [f"{_short(file)}:{line} {name}" for name, file, line, *_ in failure.frames]
    return tuple(reversed(places))[:_FRAMES_MAX]


def _short(file: str) -> str:
    return "/".join(file.rsplit("/", 2)[-2:])
