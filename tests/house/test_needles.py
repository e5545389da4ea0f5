"""The search for secrets finds them: a search that cannot find would prove nothing."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from needles import find_all, forms_of

PAN = "4761739001013339"


@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("text", b"4761739001013339"),
        ("text in hex", b"34373631373339303031303133333339"),
        ("BCD from digit 1", bytes.fromhex("4761739001013339")),
        ("BCD from digit 2", bytes.fromhex("04761739001013339f")),
        ("EBCDIC", bytes.fromhex("f4f7f6f1f7f3f9f0f0f1f0f1f3f3f3f9")),
        ("text in base64 after 0", b"NDc2MTczOTAwMTAxMzMzOQ=="),
    ],
)
def test_a_card_is_found_in_every_way_it_may_be_written(form: str, written: bytes) -> None:
    assert f"card: {form}" in find_all(b"\x00junk" + written + b"junk", {"card": PAN})


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_a_card_within_base64_is_found_wherever_it_stands(before: bytes, after: bytes) -> None:
    for raw in (PAN.encode(), bytes.fromhex(PAN)):
        assert find_all(base64.b64encode(before + raw + after), {"card": PAN})
        assert find_all(base64.urlsafe_b64encode(before + raw + after), {"card": PAN})


@given(st.binary(min_size=8, max_size=8), st.binary(max_size=20))
def test_bytes_are_found_raw_in_hex_and_in_base64(block: bytes, before: bytes) -> None:
    for written in (block, block.hex().encode(), block.hex().upper().encode(), base64.b64encode(before + block)):
        assert find_all(b"x" + written + b"x", {"PIN block": block})


def test_no_form_is_so_short_that_chance_would_find_it() -> None:
    assert min(len(form) for form in forms_of(PAN).values()) >= 6
