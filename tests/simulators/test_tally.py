"""What terminals count."""

from __future__ import annotations

from junctor.simulators.tally import PROBLEMS_MAX, Tally


def test_a_tally_is_clean_when_each_request_was_answered_once_or_cut_by_script() -> None:
    tally = Tally()
    tally.sent, tally.cut = 3, 1
    tally.answered("purchase", "00", 0.010)
    assert not tally.counts().is_clean
    tally.answered("purchase", "51", 0.030)
    counts = tally.counts()
    assert counts.is_clean
    assert counts.codes == {"00": 1, "51": 1}
    assert counts.outcomes == {("purchase", "00"): 1, ("purchase", "51"): 1}
    assert counts.latency.max_ms == 30.0


def test_delays_on_purpose_are_told_apart() -> None:
    tally = Tally()
    tally.answered("purchase", "00", 0.010)
    tally.answered("issuer silent", "91", 2.500, is_prompt=False)
    counts = tally.counts()
    assert (counts.latency.count, counts.latency.max_ms) == (2, 2500.0)
    assert (counts.prompt_latency.count, counts.prompt_latency.max_ms) == (1, 10.0)


def test_a_second_answer_takes_its_request_from_those_answered_once() -> None:
    tally = Tally()
    tally.sent = 1
    tally.answered("purchase", "00", 0.01)
    tally.answered_again("0210 came again", is_second=True)
    tally.answered_again("0210 came again", is_second=False)
    counts = tally.counts()
    assert (counts.once, counts.twice) == (0, 1)
    assert not counts.is_clean


def test_silence_strays_wrong_answers_and_closed_doors_are_each_told_and_never_clean() -> None:
    for name in ("silent", "heard_unexpected", "found_wrong", "refused"):
        tally = Tally()
        getattr(tally, name)("why")
        counts = tally.counts()
        assert counts.problems == ("why",)
        assert not counts.is_clean, name


def test_only_so_many_problems_are_kept_and_all_are_counted() -> None:
    tally = Tally()
    for index in range(PROBLEMS_MAX + 5):
        tally.found_wrong(f"problem {index}")
    counts = tally.counts()
    assert counts.wrong == PROBLEMS_MAX + 5
    assert len(counts.problems) == PROBLEMS_MAX
