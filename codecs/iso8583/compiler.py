"""Compile the functions that read and write the messages of one bitmap.

A compiled function takes the straight way of a good message and gives None for any other: the table then says
what is wrong, so that faults are the same whichever way was taken. The source of a function holds numbers of
elements, offsets and names that are made here; everything of a spec reaches it as a constant, and nothing of a
message reaches it at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from .message import Message
from .reader_source import ReaderSource
from .spec import Spec
from .writer_source import WriterSource


def compile_reader(spec: Spec, elements: Sequence[int]) -> Callable[[bytes], Message | None]:
    """Compile the reader of messages that hold just these elements (ascending, all defined by the spec)."""
    source = ReaderSource(spec, elements)
    return cast(
        Callable[[bytes], Message | None], _make("read", source.lines, source.constants, f"{spec.name} reader")
    )


def compile_writer(spec: Spec, elements: Sequence[int]) -> Callable[[Message], bytes | None]:
    """Compile the writer of messages that hold just these elements, in this order, all defined by the spec.

    The order is that in which a message holds them, which is not always ascending; the wire's always is.
    """
    source = WriterSource(spec, elements)
    return cast(
        Callable[[Message], bytes | None], _make("write", source.lines, source.constants, f"{spec.name} writer")
    )


def _make(function: str, lines: Sequence[str], constants: dict[str, Any], title: str) -> Any:
    namespace = dict(constants)
    exec(compile("\n".join(lines), f"<{title}>", "exec"), namespace)
    return namespace[function]
