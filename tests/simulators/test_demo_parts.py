"""What the demonstration is made of: its configuration, its people, its readings and its checks."""

from __future__ import annotations

import json
import tomllib
from importlib import resources
from pathlib import Path

import attrs
import pytest
from junctor.codecs.iso8583 import Message
from junctor.codecs.masking import is_luhn
from junctor.config.load import load_settings
from junctor.simulators.correspondence import Kind, MailCounts
from junctor.simulators.demo_people import ISSUER_BINS, OWN_BIN, account_lines, make_cards, make_pan
from junctor.simulators.demo_report import (
    Check,
    DemoReport,
    check_books,
    check_issuer,
    check_mail,
    check_terminals,
    sum_up_mail,
)
from junctor.simulators.demo_settings import (
    RESPONSE_TIMEOUT_S,
    SOUTH_BANK,
    DemoPorts,
    listener_names,
    make_configuration,
    set_key,
)
from junctor.simulators.journal import Journal
from junctor.simulators.probe import parse_readings
from junctor.simulators.rules import Act
from junctor.simulators.tally import Tally

EXAMPLE = resources.files("junctor.config.demo").joinpath("junctor.toml").read_text("utf-8")
REQUEST = Message("0200", {2: "4761739001010119", 4: "000000001250", 7: "1120150421", 11: "000042", 32: "12345"})
REVERSAL = Message("0420", {7: "1120150500", 11: "000043", 90: "020000004211201504210000001234500000000000"})
TEXT = """\
# first
[a]
x = 1   # how many
y = 2

[[b]]
x = 3
[[b]]
z = 4
[c.d]
x = 5
"""


def test_a_key_is_set_in_place_and_comments_stay() -> None:
    text = set_key(TEXT, "a", "x", "7")
    assert "x = 7   # how many\n" in text
    assert tomllib.loads(text)["a"] == {"x": 7, "y": 2}
    assert tomllib.loads(text)["c"]["d"] == {"x": 5}


def test_a_key_is_added_to_every_table_of_an_array_or_to_one_of_them() -> None:
    assert tomllib.loads(set_key(TEXT, "b", "x", "9"))["b"] == [{"x": 9}, {"x": 9, "z": 4}]
    assert tomllib.loads(set_key(TEXT, "b", "x", "9", 1))["b"] == [{"x": 3}, {"x": 9, "z": 4}]
    assert tomllib.loads(set_key(TEXT, "c.d", "x", "9"))["c"]["d"] == {"x": 9}


def test_a_table_that_is_not_there_is_told() -> None:
    with pytest.raises(KeyError, match="nowhere"):
        set_key(TEXT, "nowhere", "x", "1")
    with pytest.raises(KeyError, match="b"):
        set_key(TEXT, "b", "x", "1", 2)


def test_the_configuration_is_the_example_on_ports_of_its_own(tmp_path: Path) -> None:
    names = listener_names(EXAMPLE)
    ports = DemoPorts(20_001, {name: 20_010 + number for number, name in enumerate(names)}, 20_002, 20_003)
    path = tmp_path / "junctor.toml"
    path.write_text(make_configuration(EXAMPLE, ports), encoding="utf-8")
    settings = load_settings(path)
    assert settings.admin.listen == "tcp:20001:interface=127.0.0.1"
    assert [each.listen for each in settings.listeners] == [
        f"tcp:{20_010 + number}:interface=127.0.0.1" for number in range(len(names))
    ]
    assert {each.institution: each.port for each in settings.diallers} == {"blue-bank": 20_002, "north-bank": 20_003}
    assert settings.requests.response_timeout_s == RESPONSE_TIMEOUT_S
    assert SOUTH_BANK in {each.id for each in settings.institutions}


def test_cards_are_unique_pass_luhn_and_lead_where_the_example_routes_them() -> None:
    cards = make_cards()
    numbers = [card.pan.reveal() for card in cards]
    assert len(set(numbers)) == len(numbers)
    assert all(len(number) == 16 and is_luhn(number) for number in numbers)
    bins = tomllib.loads(EXAMPLE)["routing"]["routes"][0]["bins"]
    assert set(ISSUER_BINS) == set(bins)
    for card in cards:
        assert card.pan.reveal().startswith((OWN_BIN,) if card.group == "own" else ISSUER_BINS)
        assert (card.account is not None) == (card.group == "own")
    assert make_pan("476173", 900101011).reveal() == "4761739001010119"


def test_accounts_are_written_for_own_cards_alone() -> None:
    cards = make_cards()
    lines = [json.loads(line) for line in account_lines(cards).splitlines()]
    assert len(lines) == sum(card.group == "own" for card in cards)
    assert {line["currency"] for line in lines} == {"EUR", "USD", "JPY"}
    assert lines[0]["cards"] == [cards[0].pan.reveal()]


def test_readings_add_up_by_label() -> None:
    readings = parse_readings(
        "# TYPE junctor_delivery_depth gauge\n"
        'junctor_delivery_depth{lane="blue"} 2\njunctor_delivery_depth{lane="north"} 3\n'
        "# TYPE junctor_messages counter\n"
        'junctor_messages_total{institution="blue",type="0200"} 7\n'
        'junctor_messages_total{institution="blue",type="0210"} 1\n'
    )
    assert readings.total("delivery_depth") == 5
    assert readings.total("delivery_depth", lane="north") == 3
    assert readings.by("delivery_depth", "lane") == {"blue": 2, "north": 3}
    assert readings.total("messages_total", institution="blue") == 8
    assert readings.total("nothing") == 0


def test_what_is_no_metrics_page_is_refused() -> None:
    with pytest.raises(ValueError, match="invalid metric name"):
        parse_readings("<html>no numbers here</html>\n")


# ---------------------------------------------------------------- checks: each fails when one thing is wrong


def good_tally() -> Tally:
    tally = Tally()
    tally.sent, tally.cut = 2, 1
    tally.answered("purchase", "00", 0.01)
    return tally


def test_terminals_are_checked_for_every_way_to_go_wrong() -> None:
    assert [check.ok for check in check_terminals(good_tally().counts())] == [True, True]
    for name in ("sent", "never", "twice", "unexpected", "unreachable"):
        tally = good_tally()
        setattr(tally, name, getattr(tally, name) + 1)
        assert [check.ok for check in check_terminals(tally.counts())] == [False, True], name
    tally = good_tally()
    tally.found_wrong("purchase: 0200 was answered 05")
    assert [check.ok for check in check_terminals(tally.counts())] == [True, False]


def test_a_demonstration_without_a_request_proves_nothing() -> None:
    assert not check_terminals(Tally().counts())[0].ok


def test_the_issuer_is_checked_for_reversals_that_are_missing_or_one_too_many() -> None:
    def is_ok(journal: Journal) -> bool:
        (check,) = check_issuer(journal)
        return check.ok

    journal = Journal(10)
    assert is_ok(journal)
    journal.open(REQUEST, Act.SILENT, "00")
    assert not is_ok(journal)
    journal.follow(REVERSAL)
    journal.follow(REVERSAL)
    assert is_ok(journal)
    journal.follow(REVERSAL.with_fields({11: "000099"}))
    assert not is_ok(journal)


def test_mail_is_checked_for_what_did_not_arrive_or_arrived_twice() -> None:
    counts = MailCounts(sent=3, acknowledged=3, onward=["PASS1", "LAZY2"])
    lazy = [("LAZY2", False, False), ("LAZY2", True, True)]

    def verdicts(received: list[tuple[str, bool, bool]]) -> list[bool]:
        return [check.ok for check in check_mail(sum_up_mail(counts, received), counts.onward)]

    assert verdicts([("PASS1", False, True), *lazy]) == [True, True]
    assert verdicts(lazy) == [True, False]
    assert verdicts([("PASS1", False, True), ("PASS1", True, True), *lazy]) == [True, False]
    assert verdicts([("PASS1", False, True), ("PASS9", False, True), *lazy]) == [True, False]
    counts.problems.append("BOOK: no answer")
    assert verdicts([("PASS1", False, True), *lazy]) == [False, True]
    assert sum_up_mail(counts, lazy).resent == 1


def test_books_are_checked_in_each_currency_and_no_currency_is_no_proof() -> None:
    assert [check_books(each)[0].ok for each in ({"EUR": 0, "USD": 0}, {"EUR": 0, "USD": 1}, {})] == [
        True,
        False,
        False,
    ]


def test_a_report_is_good_when_every_check_holds_and_tells_all_as_json() -> None:
    report = DemoReport(
        seconds=2.0,
        counts=good_tally().counts(),
        mail=sum_up_mail(MailCounts(sent=1, acknowledged=1), [("PASS1", False, True)]),
        reversals_delivered=1,
        advices_delivered=0,
        issuer={"approve": 1},
        trial_balance={"EUR": 0},
        checks=(Check("one", True), Check("two", True)),
    )
    assert report.ok
    assert report.per_second == 0.5
    values = json.loads(json.dumps(report.as_json()))
    assert values["ok"] is True
    assert values["terminals"]["outcomes"] == [{"scenario": "purchase", "code": "00", "count": 1}]
    assert values["mt103"]["delivered"] == 1
    assert not attrs.evolve(report, checks=(Check("one", True), Check("two", False))).ok
    assert not attrs.evolve(report, checks=()).ok


def test_every_kind_of_mail_has_a_prefix_of_four_so_that_references_stay_short() -> None:
    assert all(len(kind.value) == 4 for kind in Kind)
