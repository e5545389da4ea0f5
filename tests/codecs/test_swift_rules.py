"""Each network validated rule: a message that breaks exactly it, and a neighbour that just passes."""

from __future__ import annotations

import pytest
from junctor.codecs.swift import RULES, Rule, check, new_message

BASE = {
    "20": "REF",
    "23B": "CRED",
    "32A": "260119EUR100,",
    "50K": "ORDERING CUSTOMER",
    "59": "BENEFICIARY",
    "71A": "SHA",
}
ORDER = ["20", "23B", "32A", "33B", "36", "50K", "56A", "57A", "59", "71A", "71F", "71G"]


def _found(fields: dict[str, str]) -> list[tuple[str, str | None, str]]:
    text = sorted({**BASE, **fields}.items(), key=lambda item: ORDER.index(item[0]))
    header = [("121", "c8b66b47-2bd9-48fe-be90-93c2096f27d2")]
    message = new_message("103", sender="BANKBEBB", receiver="BANKDEFF", user_header=header, text=text)
    return [(finding.code, finding.tag, finding.text.partition(":")[0]) for finding in check(message)]


@pytest.mark.parametrize(
    ("fields", "code", "tag", "number"),
    [
        ({"33B": "USD120,"}, "D75", "33B", "C1"),
        ({"33B": "EUR100,", "36": "1,2"}, "D75", "36", "C1"),
        ({"36": "1,2"}, "D75", "36", "C1"),
        ({"56A": "CHASUS33"}, "C81", "56A", "C9"),
        ({"71A": "OUR", "33B": "EUR100,", "71F": "EUR1,"}, "E13", "71F", "C14"),
        ({"71A": "SHA", "33B": "EUR100,", "71G": "EUR1,"}, "D50", "71G", "C14"),
        ({"71A": "BEN"}, "E15", "71A", "C14"),
        ({"71A": "BEN", "33B": "EUR100,", "71F": "EUR1,", "71G": "EUR1,"}, "E15", "71G", "C14"),
        ({"71A": "SHA", "71F": "EUR1,"}, "D51", "71F", "C15"),
        ({"71A": "OUR", "71G": "EUR1,"}, "D51", "71G", "C15"),
        ({"71A": "OUR", "33B": "EUR100,", "71G": "USD1,"}, "C02", "71G", "C18"),
    ],
)
def test_message_that_breaks_one_rule(fields: dict[str, str], code: str, tag: str, number: str) -> None:
    assert _found(fields) == [(code, tag, number)]


@pytest.mark.parametrize(
    "fields",
    [
        {"33B": "USD120,", "36": "1,2"},
        {"33B": "EUR100,"},
        {},
        {"57A": "DEUTDEFF"},
        {"56A": "CHASUS33", "57A": "DEUTDEFF"},
        {"71A": "OUR"},
        {"71A": "OUR", "33B": "EUR100,", "71G": "EUR1,"},
        {"71A": "SHA", "33B": "EUR100,", "71F": "EUR1,"},
        {"71A": "BEN", "33B": "EUR100,", "71F": "EUR1,"},
        {"71A": "BEN", "33B": "EUR100,", "71F": "USD1,"},
    ],
)
def test_neighbour_that_just_passes(fields: dict[str, str]) -> None:
    assert _found(fields) == []


@pytest.mark.parametrize("fields", [{"32A": "260119EUR100", "33B": "USD1,"}, {"33B": "USD1", "36": "1,2"}])
def test_rule_says_nothing_about_a_field_that_cannot_be_read(fields: dict[str, str]) -> None:
    assert [code for code, _, _ in _found(fields)] == ["T43"]


def test_register_lists_each_rule_with_its_sentence_and_source() -> None:
    rules = RULES["103"]
    assert [(rule.number, rule.codes) for rule in rules] == [
        ("C1", ("D75",)),
        ("C9", ("C81",)),
        ("C14", ("E13", "D50", "E15")),
        ("C15", ("D51",)),
        ("C18", ("C02",)),
    ]
    assert all(isinstance(rule, Rule) and rule.sentence.endswith(".") and "SR 2025" in rule.source for rule in rules)
