"""How many microseconds of CPU time it takes to unpack, to pack, and to turn a message, beside pyiso8583.

A turn is: unpack the 0200, make its 0210, pack that. Both sides make the same 0210, byte for byte, and this is
checked before anything is measured, as is that both rewrite the 0200 byte for byte. Ours checks content classes,
dates and chip data on both ways; pyiso8583 checks lengths, prefixes and encodings.

pyiso8583 has no hexadecimal element: in the ASCII message its DE55 is text. Its binary spec expresses the binary
message completely: packed digits are its binary elements counted in nibbles, with their pads.

Run: python tests/benchmarks/codec.py [--seconds N] [--json]
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import iso8583
import iso8583.specs
from junctor.codecs.iso8583 import Spec, decode, encode, load_spec, respond
from junctor.codecs.iso8583.response import ECHOED

MESSAGES = Path(__file__).parent.parent / "codecs"
CALLS_PER_BATCH = 100
WARM_UP_CALLS = 200

Operation = Callable[[], object]


def _digits(length: int, **pad: str) -> dict[str, Any]:
    fixed = {"data_enc": "b", "len_enc": "bcd", "len_type": 0, "max_len": length, "len_count": "nibbles"}
    return {**fixed, **pad, "desc": ""}


def _variable_digits(length: int) -> dict[str, Any]:
    return {**_digits(length, right_pad="0"), "len_type": 1}


def _text(length: int) -> dict[str, Any]:
    return {"data_enc": "ascii", "len_enc": "bcd", "len_type": 0, "max_len": length, "desc": ""}


def _peer_ascii_spec() -> dict[str, dict[str, Any]]:
    return deepcopy(dict(iso8583.specs.default_ascii))


def _peer_binary_spec() -> dict[str, dict[str, Any]]:
    """Write down the elements of the two binary messages, as pyiso8583 says them."""
    spec = deepcopy(dict(iso8583.specs.default))
    spec["t"] = _digits(4)
    spec |= {str(de): _variable_digits(length) for de, length in ((2, 19), (32, 11), (35, 37))}
    spec |= {
        str(de): _digits(length, left_pad="0")
        for de, length in ((3, 6), (4, 12), (7, 10), (11, 6), (12, 6), (13, 4), (14, 4), (18, 4), (22, 3), (25, 2))
    }
    spec |= {str(de): _text(length) for de, length in ((37, 12), (39, 2), (41, 8), (42, 15), (43, 40), (49, 3))}
    spec["55"] = {"data_enc": "b", "len_enc": "bcd", "len_type": 2, "max_len": 255, "desc": ""}
    return spec


def _our_operations(spec: Spec, raw: bytes) -> tuple[dict[str, Operation], bytes]:
    message = decode(spec, raw)
    assert encode(spec, message) == raw

    def turn() -> bytes:
        return encode(spec, respond(decode(spec, raw), "00"))

    operations: dict[str, Operation] = {
        "unpack_us": lambda: decode(spec, raw),
        "pack_us": lambda: encode(spec, message),
        "turn_us": turn,
    }
    return operations, turn()


def _peer_operations(spec: Mapping[str, Any], raw: bytes) -> tuple[dict[str, Operation], bytes]:
    fields, _ = iso8583.decode(raw, spec=spec)
    assert iso8583.encode(dict(fields), spec=spec)[0] == raw
    echoed = frozenset(str(de) for de in ECHOED)

    def turn() -> bytes:
        request, _ = iso8583.decode(raw, spec=spec)
        response = {key: value for key, value in request.items() if key in echoed}
        response["t"] = "0210"
        response["39"] = "00"
        return bytes(iso8583.encode(response, spec=spec)[0])

    operations: dict[str, Operation] = {
        "pyiso8583_unpack_us": lambda: iso8583.decode(raw, spec=spec),
        "pyiso8583_pack_us": lambda: iso8583.encode(fields, spec=spec),
        "pyiso8583_turn_us": turn,
    }
    return operations, turn()


def _operations(kind: str) -> dict[str, Operation]:
    raw = bytes.fromhex((MESSAGES / f"msg_iso87{kind}.hex").read_text())
    ours, our_response = _our_operations(load_spec(f"iso1987-{kind}"), raw)
    peers, peer_response = _peer_operations(_peer_ascii_spec() if kind == "ascii" else _peer_binary_spec(), raw)
    assert our_response == peer_response
    return {**ours, **peers}


def _batch_us(operation: Operation) -> float:
    """Time one batch: microseconds of this thread's CPU time for each call."""
    start = time.thread_time_ns()
    for _ in range(CALLS_PER_BATCH):
        operation()
    return (time.thread_time_ns() - start) / CALLS_PER_BATCH / 1000


def measure(seconds: float) -> dict[str, dict[str, float]]:
    """Give the median microseconds of every operation; all of them take turns until the time is over."""
    operations = {(kind, key): op for kind in ("ascii", "binary") for key, op in _operations(kind).items()}
    for operation in operations.values():
        for _ in range(WARM_UP_CALLS):
            operation()
    batches: dict[tuple[str, str], list[float]] = {place: [] for place in operations}
    end = time.monotonic() + seconds
    while True:
        for place, operation in operations.items():
            batches[place].append(_batch_us(operation))
        if time.monotonic() >= end:
            break
    figures: dict[str, dict[str, float]] = {"ascii": {}, "binary": {}}
    for (kind, key), times in batches.items():
        figures[kind][key] = round(statistics.median(times), 3)
    return figures


def _print_table(figures: dict[str, dict[str, float]]) -> None:
    print(f"{'microseconds of CPU':<22}{'junctor':>10}{'pyiso8583':>12}{'times faster':>15}")
    for kind, row in figures.items():
        for operation in ("unpack", "pack", "turn"):
            ours, peer = row[f"{operation}_us"], row[f"pyiso8583_{operation}_us"]
            print(f"{f'{kind} {operation}':<22}{ours:>10.2f}{peer:>12.2f}{peer / ours:>15.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Codec speed beside pyiso8583.")
    parser.add_argument("--seconds", type=float, default=10, help="how long to measure")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    figures = measure(options.seconds)
    if options.json:
        print(json.dumps(figures))
    else:
        _print_table(figures)


if __name__ == "__main__":
    main()
