"""`junctor iso8583`: messages between their bytes and their flat JSON form, one at a time or line by line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

import click

from ...codecs.faults import DecodeFault, EncodeFault
from ...codecs.iso8583 import Spec, decode, encode, from_flat, load_spec, to_flat
from .complaints import Complaint

INPUT_BYTES_MAX: Final = 1_048_576
"""The longest line or document that is read."""

Answer = dict[str, Any]


def read_spec(context: click.Context, parameter: click.Parameter, value: str) -> Spec:
    """Load the spec of an option; what is wrong with the name or the file is wrong usage."""
    from ...codecs.iso8583 import SpecError

    try:
        return load_spec(value)
    except SpecError as error:
        raise click.BadParameter(str(error), context, parameter) from error


_spec_option = click.option(
    "--spec",
    required=True,
    callback=read_spec,
    metavar="NAME_OR_FILE",
    help="iso1987-ascii, iso1987-binary, or a TOML file of your own.",
)
_jsonl_option = click.option(
    "--jsonl", "by_line", is_flag=True, help="Read one message a line, write one result a line."
)


@click.group()
def iso8583() -> None:
    """Read and write ISO 8583 messages."""


@iso8583.command("decode")
@_spec_option
@_jsonl_option
@click.option("--unmask", is_flag=True, help="Show card data: never on a screen that others see.")
@click.argument("text", nargs=-1)
@click.pass_context
def decode_command(context: click.Context, spec: Spec, by_line: bool, unmask: bool, text: tuple[str, ...]) -> None:
    """Read a message, in hex, from the arguments or the standard input, and write it as flat JSON.

    With --jsonl each line is {"raw": "<hex>"}. What cannot be read is written as
    {"error": {"path": ..., "offset": ..., "why": ...}}, with status 1 (with --jsonl: 0).
    """

    def turn(given: str) -> Answer:
        return to_flat(spec, decode(spec, _read_raw(given)), unmask=unmask)

    context.exit(_answer_all(turn, text, by_line))


@iso8583.command("encode")
@_spec_option
@_jsonl_option
@click.argument("text", nargs=-1)
@click.pass_context
def encode_command(context: click.Context, spec: Spec, by_line: bool, text: tuple[str, ...]) -> None:
    """Read a message in flat JSON from the arguments or the standard input, and write {"raw": "<hex>"}.

    The form is the one that `decode` writes. What cannot be written is told as
    {"error": {"path": ..., "offset": null, "why": ...}}, with status 1 (with --jsonl: 0).
    """

    def turn(given: str) -> Answer:
        return {"raw": encode(spec, from_flat(spec, _read_json(given))).hex()}

    context.exit(_answer_all(turn, text, by_line))


def _answer_all(turn: Callable[[str], Answer], arguments: tuple[str, ...], by_line: bool) -> int:
    """Write the answer to each line, or to the whole input; give the status to leave with."""
    if by_line:
        for line in arguments or _lines_of_input():
            if line.strip():
                click.echo(json.dumps(_answer(turn, line), ensure_ascii=False))
        return 0
    answer = _answer(turn, " ".join(arguments) if arguments else _whole_input())
    click.echo(json.dumps(answer, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))
    return 1 if "error" in answer else 0


def _answer(turn: Callable[[str], Answer], given: str) -> Answer:
    try:
        return turn(given)
    except DecodeFault as fault:
        return {"error": {"path": fault.path, "offset": fault.offset, "why": fault.why}}
    except EncodeFault as fault:
        return {"error": {"path": fault.path, "offset": None, "why": fault.why}}


def _read_raw(given: str) -> bytes:
    """Read hex, white space allowed, bare or as {"raw": "<hex>"}."""
    digits = given
    if given.lstrip().startswith("{"):
        try:
            tree = _read_json(given)
        except EncodeFault as fault:
            raise DecodeFault("raw", 0, fault.why) from None
        if not isinstance(tree.get("raw"), str):
            raise DecodeFault("raw", 0, 'the object must be {"raw": "<hex>"}')
        digits = tree["raw"]
    try:
        return bytes.fromhex(digits)
    except ValueError:
        raise DecodeFault("raw", 0, "not hexadecimal digits in pairs") from None


def _read_json(given: str) -> dict[str, Any]:
    if len(given) > INPUT_BYTES_MAX:
        raise EncodeFault("", f"longer than {INPUT_BYTES_MAX} bytes")
    try:
        tree = json.loads(given, object_pairs_hook=_object_without_twins)
    except (ValueError, RecursionError):
        raise EncodeFault("", "not JSON, or an object that has a key twice") from None
    if not isinstance(tree, dict):
        raise EncodeFault("", "not a JSON object")
    return tree


def _object_without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that stands twice: which of its values was meant is nobody's to guess."""
    tree = dict(pairs)
    if len(tree) < len(pairs):
        raise ValueError("a key stands twice")
    return tree


def _whole_input() -> str:
    raw = sys.stdin.buffer.read(INPUT_BYTES_MAX + 1)
    if len(raw) > INPUT_BYTES_MAX:
        raise Complaint(f"the input is longer than {INPUT_BYTES_MAX} bytes")
    return _text(raw)


def _lines_of_input() -> Iterator[str]:
    """Give each line of the input; of one that is too long, as much as shows that it is."""
    stream = sys.stdin.buffer
    while line := stream.readline(INPUT_BYTES_MAX + 1):
        yield _text(line)
        while len(line) > INPUT_BYTES_MAX and not line.endswith(b"\n"):
            line = stream.readline(INPUT_BYTES_MAX + 1)


def _text(raw: bytes) -> str:
    """Give bytes as text; what is no UTF-8 is carried through, for the reader to refuse."""
    return raw.decode("utf-8", errors="surrogateescape")
