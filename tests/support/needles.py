"""Search bytes for secrets in every form in which they might have been written down.

Digits and texts are looked for as ASCII and EBCDIC, in hex, packed (BCD, both alignments of the digits), and in
base64 at each of its three alignments; bytes likewise. A form is never shorter than six bytes, so that it is not
found by chance.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

_SHORTEST = 6


def forms_of(secret: str | bytes) -> dict[str, bytes]:
    """Give the forms of one secret by name: a text of digits, another text, or bytes."""
    if isinstance(secret, bytes):
        return dict(_written(secret, "bytes"))
    forms = dict(_written(secret.encode("ascii"), "text"))
    forms["EBCDIC"] = secret.encode("cp037")
    if secret.isdigit():
        for shift in (0, 1):
            digits = secret[shift:]
            packed = bytes.fromhex(digits[: len(digits) // 2 * 2])
            forms |= dict(_written(packed, f"BCD from digit {shift + 1}"))
    return {name: form for name, form in forms.items() if len(form) >= _SHORTEST}


def _written(raw: bytes, name: str) -> Iterator[tuple[str, bytes]]:
    yield name, raw
    yield f"{name} in hex", raw.hex().encode()
    yield f"{name} in upper hex", raw.hex().upper().encode()
    for before in range(3):
        # What stands before and after shares the characters at the edges: only those within are always the same.
        whole = base64.b64encode(bytes(before) + raw)
        inner = whole[(before * 8 + 5) // 6 : (before + len(raw)) * 8 // 6]
        yield f"{name} in base64 after {before}", inner
        yield f"{name} in URL base64 after {before}", inner.replace(b"+", b"-").replace(b"/", b"_")


def find_all(haystack: bytes, secrets: Mapping[str, str | bytes]) -> list[str]:
    """Tell which secrets are in the bytes, and in which form."""
    return [
        f"{name}: {form}"
        for name, secret in secrets.items()
        for form, needle in forms_of(secret).items()
        if needle in haystack
    ]


def find_in_files(files: Iterable[Path], secrets: Mapping[str, str | bytes]) -> list[str]:
    """Tell which secrets are in which files."""
    return [f"{file.name}: {found}" for file in files for found in find_all(file.read_bytes(), secrets)]
