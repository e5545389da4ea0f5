"""What the command line says when something cannot be done: one sentence, and never the content of a message."""

from __future__ import annotations

from typing import IO, Any, Final

import click

from ...codecs.masking import scrub

_TEXT_CHARS_MAX: Final = 600
_PACKAGE: Final = __name__.partition(".")[0]


class Complaint(click.ClickException):
    """What was asked cannot be done, or the answer is no: a sentence for a person, and status 1."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"junctor: {printable(self.message)}", file=file, err=file is None)


def explain(error: BaseException) -> str:
    """Say in one sentence what an error means to the person at the keyboard.

    Exceptions of our own and the system's errors (files, sockets) may be told as they are; what else arises is a
    bug or a library's, of which only the kind is told, because its text may quote what was being worked on.
    """
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if isinstance(error.filename, str) else ""
        return printable(f"{where}{error.strerror}")
    # Known by where they are defined: importing them here would load the ledger for every command.
    if type(error).__module__.partition(".")[0] == _PACKAGE and str(error):
        return printable(str(error))
    return f"an error of Junctor itself ({type(error).__name__}); `junctor --debug ...` shows where"


def printable(text: str) -> str:
    """Mask card numbers, make control characters harmless to a terminal, and keep a bounded length."""
    told = harmless(scrub(text))
    return told if len(told) <= _TEXT_CHARS_MAX else told[:_TEXT_CHARS_MAX] + " ..."


def harmless(text: str) -> str:
    """Replace control characters, which a peer might have sent to steer the terminal; line ends stay."""
    return "".join(char if char.isprintable() or char == "\n" else "?" for char in text)
