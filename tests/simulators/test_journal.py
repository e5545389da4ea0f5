"""The issuer's own books."""

from __future__ import annotations

from junctor.codecs.iso8583 import Message
from junctor.simulators.journal import Journal, identity_named, identity_of
from junctor.simulators.rules import Act

REQUEST = Message(
    "0200",
    {2: "4761739001010119", 3: "000000", 4: "000000001250", 7: "1120150421", 11: "000042", 32: "12345", 49: "978"},
)
NAMED = "0200" + "000042" + "1120150421" + "00000012345" + "00000000000"
REVERSAL = Message("0420", {7: "1120150500", 11: "000043", 32: "12345", 90: NAMED})


def test_de90_leads_to_the_message_it_names() -> None:
    assert identity_of(REQUEST) == ("020", "000042", "1120150421", "12345")
    assert identity_named(REVERSAL) == identity_of(REQUEST)
    assert identity_named(REQUEST) is None
    assert identity_named(Message("0420", {90: "0200"})) is None


def test_a_reversal_that_comes_twice_is_one_reversal() -> None:
    journal = Journal(10)
    entry = journal.open(REQUEST, Act.SILENT, "00")
    assert journal.unreversed() == [entry]
    assert journal.follow(REVERSAL)
    assert not journal.follow(Message("0421", REVERSAL.fields))
    assert journal.unreversed() == []
    assert journal.over_reversed() == []
    assert journal.counts()["reversals repeated"] == 1


def test_two_reversals_of_one_request_are_told() -> None:
    journal = Journal(10)
    entry = journal.open(REQUEST, Act.APPROVE, "00")
    journal.follow(REVERSAL)
    journal.follow(REVERSAL.with_fields({11: "000044"}))
    assert journal.over_reversed() == [entry]


def test_an_approval_that_could_not_be_written_must_be_reversed_and_others_need_not() -> None:
    journal = Journal(10)
    entry = journal.open(REQUEST, Act.APPROVE, "00")
    assert journal.unreversed() == []
    entry.reached = False
    assert journal.unreversed() == [entry]


def test_the_same_request_again_is_one_entry_and_the_first_decision_stands() -> None:
    journal = Journal(10)
    first = journal.open(REQUEST, Act.APPROVE, "00")
    again = journal.open(Message("0201", REQUEST.fields), Act.DECLINE, "05")
    assert again is first
    assert (first.act, first.heard, len(journal)) == (Act.APPROVE, 2, 1)


def test_a_completion_is_no_reversal() -> None:
    journal = Journal(10)
    entry = journal.open(REQUEST, Act.SILENT, "00")
    journal.follow(REVERSAL.with_fields({}, mti="0220"))
    assert journal.unreversed() == [entry]
    assert len(entry.completions) == 1


def test_a_reversal_of_what_never_arrived_is_a_stray() -> None:
    journal = Journal(10)
    assert journal.follow(REVERSAL)
    assert not journal.follow(REVERSAL)
    assert journal.stray_reversals == 1


def test_the_oldest_entries_and_further_strays_are_given_up_beyond_the_limit() -> None:
    journal = Journal(2)
    for number in range(3):
        journal.open(REQUEST.with_fields({11: f"{number:06d}"}), Act.APPROVE, "00")
    assert (len(journal), journal.forgotten) == (2, 1)
    assert journal.find(("020", "000000", "1120150421", "12345")) is None
    for number in range(3):
        journal.follow(Message("0220", {7: "1120150500", 11: f"{number:06d}"}))
    assert journal.strays_dropped == 1


def test_an_entry_shows_its_card_masked() -> None:
    entry = Journal(2).open(REQUEST, Act.APPROVE, "00")
    assert entry.describe()["pan"] == "476173******0119"
    assert "4761739001010119" not in repr(entry)
