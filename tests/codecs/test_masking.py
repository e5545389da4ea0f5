"""Card numbers do not print, and texts that hold one are scrubbed."""

from __future__ import annotations

import pickle

import pytest
from junctor.codecs.masking import Pan, is_luhn, mask_pan, scrub

CARD = "4761730000000011"


@pytest.mark.parametrize(
    ("digits", "shown"),
    [
        (CARD, "476173******0011"),
        ("4761730000011", "476173***0011"),
        ("476173000001", "************"),
        ("4761730000000000011", "476173*********0011"),
        ("", ""),
    ],
)
def test_mask_shows_six_and_four_of_thirteen_and_more(digits: str, shown: str) -> None:
    assert mask_pan(digits) == shown


def test_luhn_tells_one_wrong_digit() -> None:
    # 79927398713: the example of ISO/IEC 7812-1's check digit that is widely published.
    assert is_luhn("79927398713")
    assert not any(is_luhn(f"7992739871{digit}") for digit in "012456789")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"card {CARD} refused", "card 476173******0011 refused"),
        ("4761 7300 0000 0011", "476173******0011"),
        ("4761-7300-0000-0011", "476173******0011"),
        (f"{CARD} 51", "476173******0011 51"),
        (f"51 {CARD}", "51 476173******0011"),
        (f"{CARD} {CARD}", "476173******0011 476173******0011"),
        (f"{CARD}=2512", "476173******0011=2512"),
        ("4761730000000012", "4761730000000012"),
        ("12 345 678", "12 345 678"),
        ("1" * 25, "1" * 25),
    ],
)
def test_scrub_masks_what_may_be_a_card_number_and_nothing_else(text: str, shown: str) -> None:
    assert scrub(text) == shown


def test_long_text_of_digits_is_scrubbed_in_reasonable_time() -> None:
    assert len(scrub("1 " * 50_000)) > 0


def test_card_number_has_no_printable_form_by_accident() -> None:
    pan = Pan(CARD)
    assert f"{pan} {pan!r} {[pan]}" == "476173******0011 Pan(476173******0011) [Pan(476173******0011)]"
    assert pan.reveal() == CARD
    assert pan == Pan(CARD)
    assert len({pan, Pan(CARD)}) == 1
    with pytest.raises(TypeError):
        pickle.dumps(pan)
