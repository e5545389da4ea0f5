"""What a peer did wrong: where and why, never what it said.

A fault is raised for bytes that break a format. Its texts hold paths, offsets and rules, and never content, so
that a fault may be logged, counted and shown without leaking card data.
"""

from __future__ import annotations


class Fault(Exception):
    """Base of everything that a peer's bytes can be blamed for."""


class DecodeFault(Fault):
    """Bytes that are not a message of the format.

    path: dotted place in the message (`"55.9F02"`, `"bitmap"`, `"mti"`, `"4.32A"`); offset: byte offset from the
    start of the message; why: the rule that is broken.
    """

    def __init__(self, path: str, offset: int, why: str) -> None:
        super().__init__(path, offset, why)
        self.path = path
        self.offset = offset
        self.why = why

    def __str__(self) -> str:
        return f"{self.path} at byte {self.offset}: {self.why}"


class EncodeFault(Fault):
    """A message that the format cannot carry."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(path, why)
        self.path = path
        self.why = why

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"


class FramingFault(Fault):
    """A byte stream that cannot be cut into frames: the connection cannot go on."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return self.why
