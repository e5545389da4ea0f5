"""One linear pass over bytes: where each block of a FIN message begins and ends, and the tags nested in it.

`{1:…}{2:…}{3:{tag:value}…}{4:…}{5:{tag:value}…}{S:{tag:value}…}`, each block at most once, in this order, with
nothing between. Block 4 is the text of a user message (from a line end to `-}` at the start of a line, and any
brace in between is text) or, in system and service messages, a run of tags like blocks 3, 5 and S.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from ..faults import DecodeFault

BLOCK_ORDER: Final = b"12345S"

_NESTED: Final = frozenset("35S")
_TAG: Final = re.compile(rb"\{([0-9A-Z]{3}):")
_PLAIN_SUB_BLOCK: Final = re.compile(rb"\{([0-9A-Z]{3}):([^{}]*)\}")
_BRACE: Final = re.compile(rb"[{}]")
_NOT_A_SEPARATOR: Final = re.compile(rb"[^\r\n \x01\x02\x03]")


class SubBlock(NamedTuple):
    """One `{tag:value}` of a user header, a service text or a trailer; its value never prints."""

    tag: str
    value: str

    def __repr__(self) -> str:
        return f"SubBlock({self.tag}, {len(self.value)} characters)"


class Block(NamedTuple):
    """Where a block lies in the bytes it was read from, from its brace to after its brace.

    `sub_blocks` is None for headers and for the text of a user message.
    """

    id: str
    start: int
    end: int
    sub_blocks: tuple[SubBlock, ...] | None

    def __repr__(self) -> str:
        return f"Block({self.id}, bytes {self.start} to {self.end})"

    @property
    def content_start(self) -> int:
        return self.start + 3


def scan_blocks(raw: bytes, start: int = 0) -> tuple[tuple[Block, ...], int]:
    """Find the blocks of the one message that begins at `start`, and the offset after its last brace.

    The message ends where no block of a higher order follows. DecodeFault when it does not begin with block 1,
    when a block does not close, or when an unknown or misplaced block follows.
    """
    if not raw.startswith(b"{1:", start):
        raise DecodeFault("message", start, "a FIN message begins with block 1")
    blocks: list[Block] = []
    order = -1
    offset = start
    while raw.startswith(b"{", offset):
        block_id = raw[offset + 1 : offset + 2]
        if blocks and block_id == b"1":
            break
        following = BLOCK_ORDER.find(block_id) if block_id else -1
        if following < 0 or raw[offset + 2 : offset + 3] != b":":
            raise DecodeFault("message", offset, "a block is one of 1 to 5 and S, followed by a colon")
        if following <= order:
            raise DecodeFault("message", offset, "a block is repeated or out of order")
        order = following
        block = _scan_block(raw, offset, block_id.decode("ascii"))
        blocks.append(block)
        offset = block.end
    return tuple(blocks), offset


def skip_separators(raw: bytes | bytearray, start: int) -> int:
    """Give the offset of the first byte from `start` that is no separator, or the length of the bytes.

    Between two messages may stand line ends, spaces, and the frame bytes of DOS-PCC and STX/ETX feeds.
    """
    match = _NOT_A_SEPARATOR.search(raw, start)
    return len(raw) if match is None else match.start()


def _scan_block(raw: bytes, start: int, block_id: str) -> Block:
    inside = start + 3
    if block_id in _NESTED or (block_id == "4" and raw[inside : inside + 1] in (b"{", b"}")):
        sub_blocks, end = _scan_sub_blocks(raw, inside, block_id)
        return Block(block_id, start, end, sub_blocks)
    if block_id == "4":
        if raw[inside : inside + 1] not in (b"\r", b"\n"):
            raise DecodeFault("4", inside, "the text begins with neither a line end nor a tag")
        end = raw.find(b"\n-}", inside)
        if end < 0:
            raise DecodeFault("4", len(raw), "the text does not end with -} at the start of a line")
        return Block(block_id, start, end + 3, None)
    end = raw.find(b"}", inside)
    if end < 0:
        raise DecodeFault(block_id, len(raw), "the block does not close")
    return Block(block_id, start, end + 1, None)


def _scan_sub_blocks(raw: bytes, start: int, block_id: str) -> tuple[tuple[SubBlock, ...], int]:
    found: list[SubBlock] = []
    offset = start
    while True:
        match = _PLAIN_SUB_BLOCK.match(raw, offset)
        if match is not None:
            found.append(SubBlock(match[1].decode("ascii"), match[2].decode("latin-1")))
            offset = match.end()
        elif raw.startswith(b"{", offset):
            sub_block, offset = _scan_deep_sub_block(raw, offset, block_id)
            found.append(sub_block)
        elif raw.startswith(b"}", offset):
            return tuple(found), offset + 1
        elif offset >= len(raw):
            raise DecodeFault(block_id, offset, "the block does not close")
        else:
            raise DecodeFault(block_id, offset, "text stands between the tags of the block")


def _scan_deep_sub_block(raw: bytes, start: int, block_id: str) -> tuple[SubBlock, int]:
    """Read a tag whose value holds braces of its own (a retrieved message is such a value): they must balance."""
    match = _TAG.match(raw, start)
    if match is None:
        raise DecodeFault(block_id, start, "a tag is three capital letters or digits and a colon")
    tag = match[1].decode("ascii")
    depth = 1
    for brace in _BRACE.finditer(raw, match.end()):
        depth += 1 if brace[0] == b"{" else -1
        if depth == 0:
            return SubBlock(tag, raw[match.end() : brace.start()].decode("latin-1")), brace.end()
    raise DecodeFault(f"{block_id}.{tag}", len(raw), "the tag does not close")
