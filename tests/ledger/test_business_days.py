"""Business days: closed under traffic, and what is counted on each."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from junctor.ledger import open_store
from junctor.ledger.operations import Answered, Conclude, Decided, Done, Failed, Gone, Inquire
from junctor.ledger.settlement_items import Break, CutOver, Reconcile, Reconciled, Role
from junctor.ledger.windows import TotalReport
from ledger_items import EUR, Bank, approved, capture, dispatch, facts, key, purchase, raw, render, reverse
from ledger_soundness import check_sound

DEBIT, CREDIT = "000000", "200000"


def open_day(bank: Bank) -> int:
    return int(bank.see(lambda reader: reader.windows.days())[0].bdate)


def set_day(bank: Bank, bdate: int) -> None:
    with raw(bank.url) as connection:
        connection.execute(f"UPDATE business_day SET bdate = {bdate}")


def days_of(bank: Bank, code: str) -> list[int]:
    return [entry.bdate for entry in bank.see(lambda reader: reader.statement(code))]


def about(number: int, processing_code: str = DEBIT, **changes: Any) -> Any:
    return facts(number, changes.pop("amount", 100), processing_code=processing_code, **changes)


def totals(bank: Bank, institution: str = "acme") -> dict[str, tuple[int, int]]:
    found: list[TotalReport] = bank.see(lambda reader: reader.windows.totals(institution=institution))
    return {f"{row.role} {row.total_class}": (row.count, row.amount_minor) for row in found}


def show(found: Reconciled) -> bytes:
    return f"{found.bdate} {len(found.breaks)}".encode()


# ---------------------------------------------------------------- the cutover


def test_a_cutover_closes_the_open_day_and_opens_the_next_one(bank: Bank) -> None:
    set_day(bank, 20281231)
    bank.one(purchase(1))
    assert bank.one(CutOver("operator 1")) == Done(number=20290101)
    bank.one(purchase(2))
    assert days_of(bank, "shop") == [20281231, 20290101]
    new, old = bank.see(lambda reader: reader.windows.days())
    assert (new.bdate, new.state, new.cut_us) == (20290101, "open", None)
    assert (old.bdate, old.state, old.cut_by) == (20281231, "cut over", "operator 1")
    assert old.cut_us == new.opened_us


def test_within_a_batch_the_day_turns_where_the_cutover_stands(bank: Bank) -> None:
    set_day(bank, 20260101)
    outcomes = bank.commit(purchase(1), CutOver("clock"), purchase(2), purchase(2))
    assert outcomes[1] == Done(number=20260102)
    assert days_of(bank, "shop") == [20260101, 20260102]
    with raw(bank.url) as connection:
        stored = connection.execute("SELECT bdate FROM message WHERE bdate <= 20260102 ORDER BY bdate").fetchall()
    assert [row[0] for row in stored] == [20260101, 20260102]


def test_the_same_cutover_again_changes_nothing(bank: Bank) -> None:
    set_day(bank, 20260101)
    first, again, within = bank.one(CutOver("acme 1")), bank.one(CutOver("acme 1")), bank.commit(CutOver("acme 1"))
    assert first == again == within[0] == Done(number=20260102)
    assert open_day(bank) == 20260102


def test_a_cutover_of_a_day_that_is_not_open_does_nothing(bank: Bank) -> None:
    set_day(bank, 20260105)
    assert bank.one(CutOver("a", closes=20260104)) == Gone()
    assert bank.one(CutOver("b", opens=20260105)) == Done(number=20260105)
    assert bank.one(CutOver("c", opens=20260101)) == Done(number=20260105)
    assert isinstance(bank.one(CutOver("d", opens=20260132)), Failed)
    assert bank.one(CutOver("e", closes=20260105, opens=20260108)) == Done(number=20260108)
    assert open_day(bank) == 20260108


def test_an_item_that_fails_behind_a_cutover_does_not_take_it_back(bank: Bank) -> None:
    set_day(bank, 20260101)

    def explode(_: object) -> bytes:
        raise RuntimeError

    _, failed, after = bank.commit(CutOver("a"), purchase(1, render=explode), purchase(2))
    assert isinstance(failed, Failed)
    assert approved(after) == 100
    assert days_of(bank, "shop") == [20260102]


def test_a_repeat_after_the_cutover_gets_the_stored_answer(bank: Bank) -> None:
    first = bank.one(purchase(1))
    bank.one(CutOver("a"))
    assert bank.one(purchase(1)) == Answered(first.response)
    assert len(days_of(bank, "shop")) == 1


def test_two_writers_and_a_cutover_lose_and_double_nothing(bank: Bank) -> None:
    """Each account's days never go back, and each day's totals are those of its own entries."""
    set_day(bank, 20260101)
    bank.open("rich", 10_000_000)
    writers = [open_store(bank.url, bank.vault) for _ in range(3)]
    wrong: list[BaseException] = []

    def write(number: int) -> None:
        try:
            for batch in range(30):
                first = 1_000 * number + 10 * batch
                items: list[Any] = [_debit(n) for n in range(first, first + 8)]
                if number == 2 and batch % 10 == 5:
                    items.insert(4, CutOver(f"cut {batch}"))
                for outcome in writers[number].commit(items):
                    assert isinstance(outcome, Decided | Done), outcome
        except BaseException as error:  # told to the test's own thread
            wrong.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for writer in writers:
        writer.close()
    assert wrong == []
    assert open_day(bank) == 20260104
    days = days_of(bank, "shop")
    assert days == sorted(days), "in the order of an account's entries the days never go back"
    assert len(days) == 3 * 30 * 8
    counted = {row.bdate: row.count for row in bank.see(lambda reader: reader.windows.totals(institution="acme"))}
    assert counted == {bdate: days.count(bdate) for bdate in set(days)}
    check_sound(bank.url)


def _debit(number: int) -> Any:
    item = purchase(number, 1)
    moved = item.movements[0]
    from_rich = type(moved)("rich", "shop", 1, EUR)
    return type(item)(about(number, amount=1), (from_rich,), render)


# ---------------------------------------------------------------- what is counted


def test_each_class_counts_what_was_approved_at_the_amount_that_was_approved(bank: Bank) -> None:
    posted = purchase(1, 100)
    bank.commit(
        type(posted)(about(1), posted.movements, render),
        type(posted)(about(2, amount=10**9), purchase(2, 10**9).movements, render),
        type(posted)(about(3, "010000", amount=50), purchase(3, 50).movements, render),
        type(posted)(about(4, CREDIT, amount=30), purchase(4, 30).movements, render),
        type(posted)(about(5, "400000", amount=20), purchase(5, 20).movements, render),
        type(posted)(about(6, type="0100", amount=70), purchase(6, 70).movements, render, hold=True),
        Inquire(about(7, "310000", amount=0), "anna", render),
    )
    assert totals(bank) == {
        "acquirer debits": (2, 150),
        "acquirer credits": (1, 30),
        "acquirer transfers": (1, 20),
        "acquirer inquiries": (1, 0),
        "acquirer authorisations": (1, 70),
    }
    bank.one(capture(8, 6, 65, about={"processing_code": DEBIT}))
    assert totals(bank)["acquirer debits"] == (3, 215)


def test_a_reversal_counts_what_it_takes_back_of_what_was_posted(bank: Bank) -> None:
    posted = purchase(1, 100)
    bank.commit(
        type(posted)(about(1), posted.movements, render),
        type(posted)(about(2, type="0100"), posted.movements, render, hold=True),
    )
    of_debits = {"processing_code": DEBIT}
    bank.commit(
        reverse(11, 1, 40, about=of_debits),
        reverse(12, 1, about=of_debits),
        reverse(13, 2, about=of_debits),
        reverse(14, 99, about=of_debits),
    )
    assert totals(bank)["acquirer debit reversals"] == (1, 60)


def test_what_a_peer_approves_counts_for_both_institutions(bank: Bank) -> None:
    bank.commit(
        dispatch(1, about={"processing_code": DEBIT}),
        Conclude(key(1), True, 80, "10", b"yes"),
        dispatch(2, about={"processing_code": DEBIT}),
        Conclude(key(2), False, 0, "51", b"no"),
        reverse(3, 1, about={"processing_code": DEBIT}),
    )
    assert totals(bank) == {"acquirer debits": (1, 80), "acquirer debit reversals": (1, 80)}
    assert totals(bank, "blue") == {"issuer debits": (1, 80), "issuer debit reversals": (1, 80)}


def test_a_repeat_and_a_failed_item_count_nothing(bank: Bank) -> None:
    item = purchase(1)
    counted = type(item)(about(1), item.movements, render)

    def explode(_: object) -> bytes:
        raise RuntimeError

    bank.commit(counted, counted, type(item)(about(2), item.movements, explode))
    bank.one(counted)
    assert totals(bank) == {"acquirer debits": (1, 100)}


# ---------------------------------------------------------------- reconciliation


def claim(number: int, *figures: tuple[int, int], **changes: Any) -> Reconcile:
    given: dict[str, Any] = {"role": Role.ACQUIRER, "month_day": None, "render": show}
    return Reconcile(facts(number, 0, type="0500"), figures=figures, **(given | changes))


@pytest.fixture
def day(bank: Bank) -> int:
    """A day with two purchases of 1.00 and 2.00 and a refund of 0.30, which is still open."""
    set_day(bank, 20260101)
    item = purchase(1)
    bank.commit(
        type(item)(about(1), item.movements, render),
        type(item)(about(2, amount=200), purchase(2, 200).movements, render),
        type(item)(about(3, CREDIT, amount=30), purchase(3, 30).movements, render),
    )
    return 20260101


ALL = ((74, 1), (75, 0), (76, 2), (77, 0), (86, 30), (87, 0), (88, 300), (89, 0), (97, 270))


def test_equal_totals_are_in_balance(bank: Bank, day: int) -> None:
    assert bank.one(claim(9, *ALL)) == Decided(None, b"20260101 0")
    (found,) = bank.see(lambda reader: reader.windows.reconciliations())
    assert (found.bdate, found.role, found.currency, found.compared, found.breaks) == (day, "acquirer", "EUR", 9, ())


def test_every_figure_that_differs_is_kept(bank: Bank, day: int) -> None:
    told = dict(ALL) | {76: 3, 88: 400, 97: 370}
    assert bank.one(claim(9, *told.items())).response == b"20260101 3"
    (found,) = bank.see(lambda reader: reader.windows.reconciliations(day, "acme"))
    assert found.breaks == (Break(76, 3, 2), Break(88, 400, 300), Break(97, 370, 270))
    assert bank.see(lambda reader: reader.windows.break_counts()) == {("acme", "acquirer"): 3}
    with raw(bank.url) as connection:
        connection.execute("UPDATE reconciliation SET at_us = 1")  # SQLite's clock tells milliseconds only
    bank.one(claim(10, *ALL))
    assert bank.see(lambda reader: reader.windows.break_counts()) == {("acme", "acquirer"): 0}


def test_a_repeat_of_a_reconciliation_gets_its_first_answer(bank: Bank, day: int) -> None:
    first = bank.one(claim(9, *ALL))
    item = purchase(4)
    bank.one(type(item)(about(4), item.movements, render))
    assert bank.one(claim(9, *ALL)) == Answered(first.response)
    assert len(bank.see(lambda reader: reader.windows.reconciliations())) == 1


def test_the_day_that_was_closed_last_is_meant_and_an_older_one_by_its_date(bank: Bank, day: int) -> None:
    item = purchase(4, 1)
    bank.commit(CutOver("a"), type(item)(about(4, amount=1), item.movements, render))
    assert bank.one(claim(9, *ALL)).response == b"20260101 0"
    assert bank.one(claim(10, (76, 1), (88, 1), month_day=102)).response == b"20260102 0"
    assert bank.one(claim(11, *ALL, month_day=101)).response == b"20260101 0"
    assert bank.one(claim(12, *ALL, month_day=630)).response == b"None 0"


def test_what_stands_before_in_the_same_batch_is_compared_too(bank: Bank, day: int) -> None:
    item = purchase(4)
    last = type(item)(about(4), item.movements, render)
    *_, outcome = bank.commit(last, claim(9, (76, 3), (88, 400)))
    assert outcome.response == b"20260101 0"


def test_an_issuer_reconciles_what_was_passed_on_to_it(bank: Bank, day: int) -> None:
    bank.commit(dispatch(5, about={"processing_code": DEBIT}), Conclude(key(5), True, 100, "00", b"yes"))
    asked = Reconcile(facts(9, 0, source="blue", type="0500"), Role.ISSUER, None, ((76, 1), (97, -100)), show)
    assert bank.one(asked).response == b"20260101 0"
