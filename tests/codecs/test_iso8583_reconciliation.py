"""Reconciliation messages: totals read from the wire, and the answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from junctor.codecs.iso8583 import Message, decode, encode, load_spec
from junctor.codecs.iso8583.payments import Unacceptable
from junctor.codecs.iso8583.reconciliation import COMPARED, Claim, answer_claim, read_claim, write_figure

ASKED = {7: "1120220000", 11: "000017", 32: "12345678901", 50: "978", 76: "0000000012", 88: "0000000000004500"}


def read(
    mti: str = "0500", changes: dict[int, str] | None = None, drop: tuple[int, ...] = ()
) -> Claim | Unacceptable:
    fields = {element: value for element, value in (ASKED | (changes or {})).items() if element not in drop}
    return read_claim(Message(mti, fields), "acme", (7, 11), ("EUR",))


def test_figures_are_read_as_numbers_and_the_net_amount_with_its_sign() -> None:
    claim = read(changes={97: "D0000000000004500", 15: "1120"})
    assert isinstance(claim, Claim)
    assert claim.figures == ((76, 12), (88, 4500), (97, -4500))
    assert (claim.month_day, claim.currency.alpha, claim.is_issuer) == (1120, "EUR", False)


@pytest.mark.parametrize(("mti", "is_issuer"), [("0500", False), ("0521", False), ("0502", True), ("0523", True)])
def test_the_origin_says_in_which_role_an_institution_reconciles(mti: str, is_issuer: bool) -> None:
    claim = read(mti)
    assert isinstance(claim, Claim)
    assert claim.is_issuer is is_issuer


def test_a_repeat_has_the_same_identity_and_other_totals_another_fingerprint() -> None:
    first, repeat, other = read(), read("0501"), read(changes={76: "0000000013"})
    assert isinstance(first, Claim)
    assert isinstance(repeat, Claim)
    assert isinstance(other, Claim)
    assert (first.key, first.fingerprint) == (repeat.key, repeat.fingerprint)
    assert other.key == first.key
    assert other.fingerprint != first.fingerprint


@pytest.mark.parametrize(
    ("mti", "changes", "drop", "code"),
    [
        ("0500", {}, (11,), "30"),
        ("0500", {}, (76, 88), "30"),
        ("0500", {50: "840"}, (), "12"),
        ("0540", {}, (), "12"),
    ],
)
def test_what_is_no_reconciliation_gets_its_code(
    mti: str, changes: dict[int, str], drop: tuple[int, ...], code: str
) -> None:
    problem = read(mti, changes, drop)
    assert isinstance(problem, Unacceptable)
    assert problem.code == code


def test_without_a_currency_the_only_one_is_meant_and_of_two_none() -> None:
    assert isinstance(read(drop=(50,)), Claim)
    fields = {element: value for element, value in ASKED.items() if element != 50}
    problem = read_claim(Message("0500", fields), "acme", (7, 11), ("EUR", "USD"))
    assert isinstance(problem, Unacceptable)
    assert problem.code == "30"


@pytest.mark.parametrize(
    ("mti", "is_known", "is_balanced", "code", "settlement"),
    [
        ("0500", True, True, "00", "1"),
        ("0500", True, False, "95", "2"),
        ("0520", True, False, "00", "2"),
        ("0500", False, True, "12", "3"),
    ],
)
def test_the_answer_tells_the_settlement_code_and_our_figures(
    mti: str, is_known: bool, is_balanced: bool, code: str, settlement: str
) -> None:
    response = answer_claim(
        Message(mti, dict(ASKED)), is_known, is_balanced, ((76, 11), (97, -5)) if is_known else ()
    )
    assert (response[39], response[66]) == (code, settlement)
    told = (response.get(76), response.get(97))
    assert told == (("0000000011", "D0000000000000005") if is_known else (None, None))


@given(st.dictionaries(st.sampled_from(COMPARED), st.integers(0, 10**10 - 1), min_size=1), st.sampled_from([1, -1]))
def test_figures_go_over_the_wire_and_back(figures: dict[int, int], sign: int) -> None:
    signed = {element: value * sign if element == 97 else value for element, value in figures.items()}
    told = {element: write_figure(element, value) for element, value in signed.items()}
    for spec in (load_spec("iso1987-ascii"), load_spec("iso1987-binary")):
        message = decode(spec, encode(spec, Message("0500", dict(sorted((ASKED | told).items())))))
        claim = read_claim(message, "acme", (7, 11), ("EUR",))
        assert isinstance(claim, Claim)
        assert dict(claim.figures) == {76: 12, 88: 4500} | signed
