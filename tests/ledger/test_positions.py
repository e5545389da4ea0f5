"""Positions: what an institution owes now, and how its account went through each business day."""

from __future__ import annotations

from junctor.ledger.positions import WindowPosition
from junctor.ledger.settlement_items import CutOver
from ledger_items import Bank, pay, purchase, raw, reverse


def set_day(bank: Bank, bdate: int) -> None:
    with raw(bank.url) as connection:
        connection.execute(f"UPDATE business_day SET bdate = {bdate}")


def of_day(bank: Bank, bdate: int, institution: str | None = None) -> list[WindowPosition]:
    return list(bank.see(lambda reader: reader.positions.of_day(bdate, institution)))


def test_the_position_now_counts_what_is_set_aside_and_tells_the_cap(bank: Bank) -> None:
    bank.commit(
        purchase(1, 300, movements=(pay(300, "blue"),)),
        purchase(2, 200, movements=(pay(200, "blue"),), hold=True),
    )
    (blue,) = bank.see(lambda reader: reader.positions.current("blue"))
    assert (blue.account, blue.currency, blue.position_minor, blue.held_minor, blue.cap_minor) == (
        "blue", "EUR", -500, 200, 50_000,
    )  # fmt: skip
    everyone = bank.see(lambda reader: reader.positions.current())
    assert [(each.institution, each.account, each.cap_minor) for each in everyone] == [
        ("acme", "shop", None),
        ("blue", "blue", 50_000),
    ]


def test_a_day_has_its_own_debits_and_credits_between_opening_and_closing(bank: Bank) -> None:
    set_day(bank, 20260101)
    bank.commit(
        purchase(1, 1_000),
        purchase(2, 300),
        reverse(3, 2),
        CutOver("one"),
        purchase(4, 50),
        CutOver("two"),
        CutOver("three"),
        purchase(5, 7),
        purchase(6, 2, movements=(pay(2, "shop", "anna"),)),
    )
    expected = {
        20251231: [],
        20260101: [(0, 300, 1_300, 1_000, 1_000, 3)],
        20260102: [(1_000, 0, 50, 50, 1_050, 1)],
        20260103: [(1_050, 0, 0, 0, 1_050, 0)],
        20260104: [(1_050, 2, 7, 5, 1_055, 2)],
        20260105: [(1_055, 0, 0, 0, 1_055, 0)],
    }
    for bdate, told in expected.items():
        found = of_day(bank, bdate, "acme")
        assert [
            (it.opening_minor, it.debits_minor, it.credits_minor, it.net_minor, it.closing_minor, it.entries)
            for it in found
        ] == told, bdate


def test_an_account_without_entries_until_then_is_left_out(bank: Bank) -> None:
    set_day(bank, 20260101)
    bank.commit(purchase(1), CutOver("one"), purchase(2, movements=(pay(1, "blue"),)))
    assert [it.account for it in of_day(bank, 20260101)] == ["shop"]
    assert [it.account for it in of_day(bank, 20260102)] == ["shop", "blue"]
