"""FIN messages made from parts, and messages sent on under new headers.

Whatever is composed here is read back before it is given out: a value that would change the structure (a line
that looks like a field, a brace in a header) is an EncodeFault and never a different message.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from ..faults import DecodeFault, EncodeFault
from .blocks import SubBlock
from .headers import ApplicationHeader, BasicHeader, InputHeader, Mir, lt_of
from .message import FinMessage, parse_fin
from .text import Field, write_text

Pairs: TypeAlias = Iterable[tuple[str, str]]
FieldLike: TypeAlias = Field | tuple[str, str]

_SENDER_LT_CODE = "A"


def build_fin(
    basic: BasicHeader,
    application: ApplicationHeader | None = None,
    *,
    user_header: Pairs = (),
    text: Iterable[FieldLike] | None = None,
    service: Pairs | None = None,
    trailers: Pairs = (),
    system: Pairs = (),
) -> FinMessage:
    """Compose a message from its blocks; `text` for a user message or `service` for a service message.

    Lines within a value are joined by `"\\n"` and written with CRLF. A block without content is left out, but for
    block 4, which is there whenever `text` or `service` is given. EncodeFault when the parts do not make a
    message that reads back as the same parts.
    """
    assert text is None or service is None, "block 4 is a text or a run of tags, not both"
    fields = None if text is None else [(item[0], item[1]) for item in text]
    for tag, value in fields or ():
        if "\r" in value:
            raise EncodeFault(f"4.{tag}", "the lines of a value are joined by a line feed alone")
    tags = {"3": list(user_header), "4": list(service or ()), "5": list(trailers), "S": list(system)}
    parts = [f"{{1:{basic}}}"]
    if application is not None:
        parts.append(f"{{2:{application}}}")
    if tags["3"]:
        parts.append(_nested("3", tags["3"]))
    if fields is not None:
        parts.append(f"{{4:{write_text(fields)}}}")
    elif service is not None:
        parts.append(_nested("4", tags["4"]))
    parts.extend(_nested(block_id, tags[block_id]) for block_id in "5S" if tags[block_id])
    message = _read_back("".join(parts))
    _same("1", message.basic, basic)
    _same("2", message.application, application)
    _same("3", list(message.user_header), tags["3"])
    _same("4", [(field.tag, field.value) for field in message.text], fields or [])
    _same("4", list(message.service), tags["4"])
    _same("5", list(message.trailers), tags["5"])
    _same("S", list(message.system), tags["S"])
    return message


def new_message(
    message_type: str,
    *,
    sender: str,
    receiver: str,
    text: Iterable[FieldLike],
    user_header: Pairs = (),
    session: str = "0000",
    sequence: str = "000000",
    priority: str | None = "N",
    trailers: Pairs = (),
) -> FinMessage:
    """Compose an input message of a user; a sender or receiver of 12 characters is an LT, of 8 or 11 a BIC.

    A sender's BIC gets terminal A, a receiver's X. Session and sequence of zeros leave them to the interface.
    """
    basic = BasicHeader("F", "01", _lt(sender, _SENDER_LT_CODE), session, sequence)
    application = InputHeader(message_type, _lt(receiver, "X"), priority)
    return build_fin(basic, application, user_header=user_header, text=text, trailers=trailers)


def replace_headers(
    message: FinMessage,
    basic: BasicHeader,
    application: ApplicationHeader,
    trailers: Pairs | None = None,
) -> FinMessage:
    """Give the same message under new blocks 1 and 2: block 3 and the text stay byte for byte.

    Without `trailers` block 5 stays byte for byte too; with them it is written anew. Block S belongs to the
    interface that the message came through and is left behind. EncodeFault when a header or trailer is malformed.
    """
    assert application.message_type == message.message_type, "a message keeps its type under new headers"
    kept = [block.decode("latin-1") for block in map(message.find_block, "34") if block is not None]
    block_5 = message.find_block("5")
    if trailers is not None:
        wanted = list(trailers)
        tail = _nested("5", wanted) if wanted else ""
    else:
        wanted = list(message.trailers)
        tail = "" if block_5 is None else block_5.decode("latin-1")
    sent_on = _read_back("".join((f"{{1:{basic}}}", f"{{2:{application}}}", *kept, tail)))
    _same("1", sent_on.basic, basic)
    _same("2", sent_on.application, application)
    _same("5", list(sent_on.trailers), wanted)
    return sent_on


def possible_duplicate(
    trailers: Iterable[SubBlock], time: str | None = None, first: Mir | None = None
) -> tuple[SubBlock, ...]:
    """Give trailers with a PDE added: the sender does not know whether an earlier emission arrived.

    `time` (HHMM) and `first` (the MIR of the first try) go into it when both are known, else it is empty.
    """
    value = "" if time is None or first is None else f"{time}{first}"
    return (*trailers, SubBlock("PDE", value))


def _lt(address: str, code: str) -> str:
    return address if len(address) == 12 else lt_of(address, code)


def _nested(block_id: str, pairs: Sequence[tuple[str, str]]) -> str:
    return f"{{{block_id}:{''.join(f'{{{tag}:{value}}}' for tag, value in pairs)}}}"


def _read_back(text: str) -> FinMessage:
    try:
        return parse_fin(text.encode("latin-1"))
    except UnicodeEncodeError:
        raise EncodeFault("message", "a character that FIN has no byte for") from None
    except DecodeFault as fault:
        raise EncodeFault(fault.path, fault.why) from None


def _same(path: str, got: object, wanted: object) -> None:
    if got != wanted:
        raise EncodeFault(path, "a value would be read back as something else")
