"""One line an event, whatever it holds, and no card data in it."""

from __future__ import annotations

import io
import json
import logging
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from junctor.codecs.masking import Pan, is_luhn
from junctor.switch.logs import Bridge, LineLog, bridge_stdlib
from junctor.switch.redaction import is_refused, safe_field, safe_text
from twisted.logger import Logger, LogPublisher
from twisted.python import log as old_log

CARD = "4761730000000011"
MASKED = "476173******0011"


class Recorder:
    """A logger whose events become lines here."""

    def __init__(self, level: str = "debug", form: str = "json") -> None:
        self.stream = io.StringIO()
        self.lines = LineLog(self.stream, level, form)
        self.log = Logger(namespace="junctor.test", observer=LogPublisher(self.lines))

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def row(self) -> dict[str, Any]:
        (row,) = self.rows()
        return row


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def emit_at(lines: LineLog, seconds: float, **event: object) -> None:
    lines({"log_time": seconds, "log_format": "{text}", "log_namespace": "n", **event})


# ----------------------------------------------------------------------------------------------------- lines


def test_event_is_one_line_of_json_with_a_constant_sentence_and_fields(recorder: Recorder) -> None:
    recorder.log.info("link {link} signed on", link="blue-1", attempt=2, trace="00" * 16)
    row = recorder.row()
    assert row.pop("ts").endswith("Z")
    assert row == {
        "level": "info",
        "event": "link {link} signed on",
        "trace": "00000000000000000000000000000000",
        "logger": "junctor.test",
        "link": "blue-1",
        "attempt": 2,
    }


def test_time_is_rfc_3339_in_utc(recorder: Recorder) -> None:
    emit_at(recorder.lines, 1_700_000_000.5, text="x")
    assert recorder.row()["ts"] == "2023-11-14T22:13:20.500Z"


def test_text_shows_the_filled_sentence_and_the_other_fields() -> None:
    recorder = Recorder(form="text")
    recorder.lines(
        {"log_time": 1_700_000_000.0, "log_format": "link {link} is {state}", "link": "b-1", "state": "up", "n": 3}
    )
    assert recorder.text == "2023-11-14T22:13:20.000Z INFO     link b-1 is up n=3\n"


def test_auto_writes_text_on_a_terminal_and_json_elsewhere() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream, begins in ((Terminal(), "2023-"), (io.StringIO(), '{"ts"')):
        emit_at(LineLog(stream, "info", "auto"), 1_700_000_000.0, text="x")
        assert stream.getvalue().startswith(begins)


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("debug", ["debug", "info", "warn", "error", "critical"]),
        ("warn", ["warn", "error", "critical"]),
        ("critical", ["critical"]),
    ],
)
def test_events_below_the_level_are_not_written(level: str, shown: list[str]) -> None:
    recorder = Recorder(level)
    for name in ("debug", "info", "warn", "error", "critical"):
        getattr(recorder.log, name)("x")
    assert [row["level"] for row in recorder.rows()] == shown


@pytest.mark.parametrize("form", ["json", "text"])
def test_line_breaks_and_control_characters_in_values_do_not_make_lines(form: str) -> None:
    recorder = Recorder(form=form)
    recorder.log.info("said {text}", text="a\nb\r\x1b[31m\u2028c", other="d\ne")
    assert recorder.text.count("\n") == 1
    assert recorder.text.endswith("\n")
    assert "\x1b" not in recorder.text
    assert len(recorder.text.splitlines()) == 1


def test_field_that_is_called_like_a_part_of_the_line_does_not_replace_it(recorder: Recorder) -> None:
    recorder.lines({"log_format": "x", "level": "mine", "event": "mine", "ts": "mine"})
    row = recorder.row()
    assert (row["level"], row["event"]) == ("info", "x")
    assert (row["field_level"], row["field_event"], row["field_ts"]) == ("mine", "mine", "mine")


def test_place_that_nothing_fills_is_a_question_mark() -> None:
    recorder = Recorder(form="text")
    recorder.log.info("a {missing} b {peer.host} c {made()}", peer=object(), made=lambda: "d")
    assert " a ? b ? c d" in recorder.text


def test_broken_sentence_is_written_as_it_is() -> None:
    recorder = Recorder(form="text")
    recorder.log.info("a { b", n=1)
    assert "a { b n=1" in recorder.text


def test_old_style_messages_are_written(recorder: Recorder) -> None:
    publisher = old_log.LogPublisher(observerPublisher=LogPublisher(), publishPublisher=LogPublisher(recorder.lines))
    publisher.msg("factory {x} starts with", CARD)
    assert recorder.row()["event"] == f"factory {{x}} starts with {MASKED}"


# -------------------------------------------------------------------------------------------------- never raises


class Hostile:
    """A value whose every method fails."""

    def __str__(self) -> str:
        raise RuntimeError(CARD)

    __repr__ = __str__
    __len__ = __str__
    __iter__ = __str__


class HostileError(Exception):
    def __str__(self) -> str:
        raise RuntimeError(CARD)


@pytest.mark.parametrize("form", ["json", "text"])
def test_hostile_values_do_not_take_their_line_with_them(form: str) -> None:
    recorder = Recorder(form=form)
    recorder.log.info("a {bad}", bad=Hostile(), error=HostileError(), many=[Hostile()], nan=float("nan"))
    try:
        raise HostileError
    except HostileError:
        recorder.log.failure("broken")
    assert recorder.text.count("\n") == 2
    assert "<Hostile>" in recorder.text
    assert "HostileError" in recorder.text
    assert CARD not in recorder.text


@pytest.mark.parametrize("form", ["json", "text"])
def test_events_that_are_no_events_are_written(form: str) -> None:
    recorder = Recorder(form=form)
    for event in (
        {},
        {"log_format": 3},
        {"log_time": "x", "log_level": "y"},
        {"log_failure": 3, "log_namespace": None},
    ):
        recorder.lines(event)
    assert recorder.text.count("\n") == 4


def test_full_disk_loses_lines_and_nothing_else() -> None:
    class Full(io.StringIO):
        def write(self, text: str, /) -> int:
            raise OSError(28, "No space left on device")

    closed = io.StringIO()
    closed.close()
    for stream in (Full(), closed):
        lines = LineLog(stream, "info", "json")
        emit_at(lines, 0.0, text="x")
        emit_at(lines, 0.0, text="x")
        assert lines.lost == 2


def test_narrow_terminal_gets_what_it_can_show() -> None:
    raw = io.BytesIO()
    lines = LineLog(io.TextIOWrapper(raw, "ascii"), "info", "text")
    emit_at(lines, 1_700_000_000.0, text="Müller")
    assert raw.getvalue().endswith(b"M\\xfcller\n")


def test_long_values_are_cut() -> None:
    recorder = Recorder()
    recorder.log.info("x", text="a" * 100_000, many=list(range(1000)))
    row = recorder.row()
    assert row["text"] == "a" * 2000 + "... 100000 characters"
    assert len(row["many"]) == 20


def test_deep_values_end_in_their_type(recorder: Recorder) -> None:
    recorder.log.info("x", deep=[[[[[[CARD]]]]]])
    assert recorder.row()["deep"] == [[[["<list>"]]]]


# ------------------------------------------------------------------------------------------------------- masking


class Colour(Enum):
    RED = "red"


@attrs.frozen
class Holder:
    track: str


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("text", f"card {CARD} is bad", f"card {MASKED} is bad"),
        ("text", "4761 7300 0000 0011", MASKED),
        ("text", f";{CARD}=25121010000012300000?", f";{MASKED}=<20 digits>?"),
        ("text", "0200" + CARD + "000000000000001250", "<38 digits>"),
        ("text", "F4F7F6F1F7F3F0F0F0F0F0F0F0F0F1F1", "<16 digits>"),
        ("text", f"{CARD} 51 200 and 12 {CARD} 8", f"{MASKED} 51 200 and 12 {MASKED} 8"),
        ("text", f"{CARD}123", "<19 digits>"),
        ("number", int(CARD), MASKED),
        ("pan", CARD, "***"),
        ("pan", None, "***"),
        ("newPAN", CARD, "***"),
        ("track2", "x", "***"),
        ("track_2_data", "x", "***"),
        ("pin_block", "04 12 FF", "***"),
        ("raw", b"0200", "***"),
        ("rawMessage", "0200", "***"),
        ("body", {"a": 1}, "***"),
        ("cvv2", 123, "***"),
        ("password", "hunter2", "***"),
        ("key", b"k" * 32, "***"),
        ("pan_masked", MASKED, MASKED),
        ("pan_masked", CARD, MASKED),
        ("key_file", Path("/keys/data.key"), "/keys/data.key"),
        ("card", Pan(CARD), "***"),
        ("who", Pan(CARD), MASKED),
        ("frame_bytes", 230, 230),
        ("things", b"\x30\x31", "<2 bytes>"),
        ("things", bytearray(3), "<3 bytes>"),
        ("holder", Holder(track=CARD), "<Holder>"),
        ("holder", Holder, "Holder"),
        ("colour", Colour.RED, "red"),
        ("when", datetime(2026, 11, 20, tzinfo=UTC), "2026-11-20T00:00:00+00:00"),
        ("items", ["a", CARD, 3], ["a", MASKED, 3]),
        ("items", {"pan": CARD, "a": CARD, CARD: 1}, {"pan": "***", "a": MASKED, MASKED: 1}),
        ("error", ValueError(f"bad {CARD}"), f"ValueError: bad {MASKED}"),
        ("amount_minor", 1250, 1250),
        ("ok", True, True),
        ("rrn", "000000000000", "000000000000"),
        ("text", "000000000000", "************"),
        ("rrn", CARD, MASKED),
        ("trace", "12345678901234567890123456789012", "12345678901234567890123456789012"),
        ("trace", CARD, MASKED),
        ("stan", "000001", "000001"),
    ],
)
def test_field_shows_what_its_name_and_type_allow(name: str, value: object, shown: object) -> None:
    assert safe_field(name, value) == shown


def test_ordinary_names_are_not_refused() -> None:
    names = [
        "company",
        "pandas",
        "spin",
        "institution",
        "link",
        "keyboard",
        "path",
        "why",
        "message_type",
        "listener",
    ]
    assert [name for name in names if is_refused(name)] == []


def test_sentence_with_a_card_number_built_in_is_masked(recorder: Recorder) -> None:
    recorder.log.info(f"card {CARD} of {{who}}", who="x")
    assert recorder.row()["event"] == f"card {MASKED} of {{who}}"


@pytest.mark.parametrize("place", ["{pan}", "{holder.track}", "{holder.pan}", "{items[0]}", "{pan!r}", "{pan:>20}"])
def test_card_number_at_any_place_of_a_sentence_is_masked(place: str) -> None:
    recorder = Recorder(form="text")
    recorder.log.info(f"x {place} y", pan=CARD, holder=Holder(track=CARD), items=[CARD])
    assert CARD not in recorder.text
    assert "x " in recorder.text


@pytest.mark.parametrize("form", ["json", "text"])
def test_failure_is_told_without_local_variables_and_with_its_causes(form: str) -> None:
    recorder = Recorder(form=form)

    def inner(secret: str) -> None:
        local = [secret]
        raise ValueError(f"cannot route {local[0]}")

    try:
        try:
            inner(CARD)
        except ValueError as error:
            raise RuntimeError("the desk gave up") from error
    except RuntimeError:
        recorder.log.failure("serving failed", trace="ab" * 16)
    assert CARD not in recorder.text
    assert f"RuntimeError: the desk gave up, because of ValueError: cannot route {MASKED}" in recorder.text
    assert "switch/test_logs.py:" in recorder.text
    assert "ab" * 16 in recorder.text
    assert recorder.text.count("\n") == 1


texts = st.text(max_size=20)
numbers = st.sampled_from([4761730000000011, 5413330089600119])
cards = st.sampled_from([CARD, "5413330089600119", "4761 7300 0000 0011", "4761-7300-0000-0011"])
anything = st.recursive(
    st.none()
    | st.integers()
    | st.floats()
    | texts
    | st.binary(max_size=9)
    | cards
    | cards.map(lambda card: int(re.sub("[ -]", "", card))),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@given(before=texts, card=cards, after=texts, fields=st.dictionaries(texts, anything, max_size=4))
@settings(deadline=None, max_examples=200)
def test_planted_card_numbers_never_reach_a_line(
    before: str, card: str, after: str, fields: dict[str, object]
) -> None:
    planted = f"{before} {card} {after}".replace("{", "").replace("}", "")
    for form in ("json", "text"):
        recorder = Recorder(form=form)
        event = {name: value for name, value in fields.items() if not name.startswith("log_")}
        recorder.lines({"log_format": f"{planted} {{planted}}", "planted": planted, **event})
        assert recorder.text.count("\n") == 1
        for digits in ("4761730000000011", "5413330089600119", "4761 7300 0000 0011", "4761-7300-0000-0011"):
            assert digits not in recorder.text


@given(st.text("0123456789 -x", max_size=60))
@settings(deadline=None, max_examples=300)
def test_no_digits_of_a_safe_text_could_be_a_card_number(text: str) -> None:
    for run in re.findall("[0-9]{13,}", safe_text(text)):
        assert len(run) < 20
        assert not any(is_luhn(run[at : at + size]) for size in range(13, 20) for at in range(len(run) - size + 1))


# ----------------------------------------------------------------------------------------- the standard library


@pytest.fixture
def stdlib(monkeypatch: pytest.MonkeyPatch, recorder: Recorder) -> Iterator[Recorder]:
    """The standard library's root logger, bridged to a recorder for one test."""
    monkeypatch.setattr("junctor.switch.logs.Logger", lambda namespace: Logger(namespace, observer=recorder.lines))
    handlers, level = logging.root.handlers[:], logging.root.level
    logging.root.handlers.clear()
    bridge_stdlib("info")
    yield recorder
    logging.captureWarnings(False)
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def test_standard_library_speaks_the_same_way(stdlib: Recorder) -> None:
    logging.getLogger("some.library").warning("card %s refused", CARD)
    logging.getLogger("some.library").debug("below the level")
    row = stdlib.row()
    assert (row["level"], row["logger"], row["text"]) == ("warn", "some.library", f"card {MASKED} refused")


def test_exception_of_the_standard_library_comes_as_failure(stdlib: Recorder) -> None:
    try:
        raise ValueError(CARD)
    except ValueError:
        logging.getLogger("some.library").exception("broken")
    row = stdlib.row()
    assert (row["level"], row["text"]) == ("error", "broken")
    assert row["failure"] == f"ValueError: {MASKED}"


def test_record_that_does_not_fit_its_arguments_is_told(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("junctor.switch.logs.Logger", lambda namespace: Logger(namespace, observer=recorder.lines))
    Bridge().emit(logging.LogRecord("lib", logging.INFO, "lib.py", 1, "broken %s %s", (1,), None))
    assert recorder.row()["text"] == "a message that does not fit its arguments"


def test_warnings_speak_the_same_way(stdlib: Recorder) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn(f"old card {CARD}", UserWarning, stacklevel=1)
        logging.captureWarnings(False)
    row = stdlib.row()
    assert (row["level"], row["logger"]) == ("warn", "py.warnings")
    assert f"old card {MASKED}" in row["text"]


def test_whole_process_logs_json_lines_without_card_numbers() -> None:
    program = f"""
import logging, warnings
from twisted.internet.defer import Deferred, fail
from twisted.logger import Logger
Logger("early").info("before it began {{card}}", card="{CARD}")
from junctor.config.settings import LoggingSettings
from junctor.switch.logs import begin_logging
begin_logging(LoggingSettings(level="info", format="auto"))
logging.getLogger("lib").error("card %s", "{CARD}")
warnings.warn("card {CARD}")
fail(ValueError("card {CARD}"))
import gc; gc.collect()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, cwd=Path(__file__).parent
    )
    assert done.returncode == 0
    rows = [json.loads(line) for line in done.stderr.splitlines()]
    assert [row["logger"] for row in rows[:3]] == ["early", "lib", "py.warnings"]
    assert any(row.get("failure") == f"ValueError: card {MASKED}" for row in rows)
    assert CARD not in done.stdout + done.stderr
