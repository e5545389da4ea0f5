"""Reading the books: what is found, how much at most, and that reading changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from junctor.ledger import Reader, StoreUnavailable, Vault, open_reader
from junctor.ledger.operations import Conclude, NewDelivery
from ledger_items import BIG, USD, Bank, capture, dispatch, key, pay, purchase, raw, reverse
from sqlalchemy import text


def test_messages_are_found_by_what_is_known_of_them_newest_first(bank: Bank) -> None:
    card = b"\x05" * 16
    about = {"stan": "000017", "terminal": "T1", "card_ref": card, "pan_masked": "476173******0119"}
    bank.commit(
        dispatch(1, about={**about, "rrn": "R1", "reference": "REF"}),
        purchase(2),
        dispatch(3, about={**about, "rrn": "R3"}),
        Conclude(key(3), True, 100, "00", b"yes", "A1"),
    )

    def found(**wanted: object) -> list[bytes]:
        return [it.key for it in bank.see(lambda reader: reader.find_transactions(**wanted))]

    assert found(stan="000017") == found(card_ref=card) == found(terminal="T1") == [key(3), key(1)]
    assert found(rrn="R1") == found(reference="REF") == found(rrn="R1", stan="000017") == [key(1)]
    assert found(rrn="R1", stan="000018") == []
    assert found(since_us=1_002, terminal="T1") == [key(3)]
    assert found(since_us=1_001, terminal="T1", most=1) == [key(3)]
    assert key(2) in found()
    (message,) = bank.see(lambda reader: reader.find_transactions(rrn="R3"))
    assert (message.pan_masked, message.auth_code, message.code, message.currency) == (
        "476173******0119",
        "A1",
        "00",
        "EUR",
    )


def test_a_payment_is_shown_whole_under_any_of_its_messages(bank: Bank) -> None:
    advice = NewDelivery("blue", "advice", b"tell")
    bank.commit(
        purchase(1, 300, hold=True, destination="blue", type="0100"),
        capture(2, 1, 250, forward=lambda _: advice, about={"destination": "blue"}),
        reverse(3, 2, 100, forward=lambda _: advice),
    )
    shown = [bank.see(lambda reader, it=it: reader.show_transaction(key(it))) for it in (1, 2, 3)]  # type: ignore[misc]
    assert shown[0] == shown[1] == shown[2]
    (whole,) = {it.key: it for it in shown}.values()
    assert [message.step for message in whole.messages] == ["authorise", "capture", "reverse"]
    assert [(leg.debit, leg.credit, leg.amount_minor, leg.kind) for leg in whole.legs] == [
        ("anna", "shop", 100, "principal")
    ]
    assert [(it.account, it.kind, it.amount_minor, it.held_delta_minor) for it in whole.entries] == [
        ("anna", "hold", 0, 300),
        ("anna", "principal", -250, -300),
        ("shop", "principal", 250, 0),
        ("anna", "reversal", 150, 0),
        ("shop", "reversal", -150, 0),
    ]
    assert [(it.seq, it.origin) for it in whole.deliveries] == [(1, key(2)), (2, key(3))]
    assert sum(it.amount_minor for it in whole.entries) == 0


def test_an_open_payment_is_shown_with_where_it_went(bank: Bank) -> None:
    bank.one(dispatch(1, 300))
    shown = bank.see(lambda reader: reader.show_transaction(key(1)))
    assert (shown.state, shown.authorised_minor, [it.kind for it in shown.entries]) == ("open", 300, ["hold"])
    assert (shown.messages[0].result, shown.messages[0].link) == ("open", "blue-1")


def test_what_is_not_there_is_not_found(bank: Bank) -> None:
    with open_reader(bank.url, bank.vault) as reader:
        assert reader.show_transaction(key(1)) is None
        assert reader.account("nobody") is None
        assert reader.lane_head("nowhere") is None
        assert (reader.statement("nobody"), reader.open_transactions(), reader.dead_letters()) == ([], [], [])
        assert (reader.lanes(), reader.delivery_heads(), reader.open_count()) == ([], [], 0)


def test_a_long_payment_is_shown_with_every_entry(bank: Bank) -> None:
    bank.one(purchase(1, 1, movements=tuple(pay(1) for _ in range(450))))
    assert len(bank.see(lambda reader: reader.show_transaction(key(1))).entries) == 900


def test_a_statement_goes_on_where_the_last_one_ended(bank: Bank) -> None:
    bank.commit(*(purchase(number, number) for number in range(1, 8)))
    with open_reader(bank.url, bank.vault) as reader:
        first = reader.statement("shop", most=3)
        rest = reader.statement("shop", after_seq=first[-1].seq)
    assert [it.amount_minor for it in (*first, *rest)] == [1, 2, 3, 4, 5, 6, 7]
    assert [it.balance_minor for it in (*first, *rest)] == [1, 3, 6, 10, 15, 21, 28]
    assert [it.seq for it in (*first, *rest)] == [1, 2, 3, 4, 5, 6, 7]


def test_the_trial_balance_is_zero_in_each_currency(bank: Bank) -> None:
    bank.open("dora", 700, currency=USD)
    bank.commit(purchase(1, 300), purchase(2, 200, hold=True))
    eur, usd = sorted(bank.see(lambda reader: reader.trial_balance()), key=lambda row: row.currency)
    assert (eur.currency, eur.total_minor, eur.debit_minor, eur.credit_minor, eur.held_minor) == (
        "EUR",
        0,
        100_000,
        100_000,
        200,
    )
    assert (usd.currency, usd.total_minor, usd.debit_minor, usd.accounts) == ("USD", 0, 700, 2)
    assert bank.see(lambda reader: reader.imbalance()) == {"EUR": 0, "USD": 0}


def test_an_imbalance_is_told_exactly_even_when_sums_do_not_fit(bank: Bank) -> None:
    for code in ("x", "y", "z"):
        bank.open(code, floor_minor=None)
    bank.commit(
        purchase(1, BIG, movements=(pay(BIG, "x", "y"),)),
        purchase(2, BIG - 100_000, movements=(pay(BIG - 100_000, "z", "anna"),)),
    )
    assert bank.see(lambda reader: reader.imbalance()) == {"EUR": 0}
    with raw(bank.url) as connection:
        connection.execute("UPDATE balance SET posted = posted + 17 WHERE posted < -5")
    assert bank.see(lambda reader: reader.imbalance()) == {"EUR": 51}


def test_the_first_overdue_comes_first(bank: Bank) -> None:
    bank.commit(*(dispatch(number, 1, until_us=until) for number, until in ((1, 30), (2, 10), (3, 20))))
    with open_reader(bank.url, bank.vault) as reader:
        assert [it.key for it in reader.overdue(30)] == [key(2), key(3)]
        assert [it.key for it in reader.open_transactions(most=2)] == [key(2), key(3)]
        assert reader.open_count() == 3


def test_a_reader_sees_commits_made_after_it_was_opened(bank: Bank) -> None:
    with open_reader(bank.url, bank.vault) as reader:
        assert reader.open_count() == 0
        bank.one(dispatch(1))
        assert reader.open_count() == 1


def test_a_reader_cannot_change_the_books(bank: Bank) -> None:
    with open_reader(bank.url, bank.vault) as reader:
        with pytest.raises(StoreUnavailable), reader._reading() as run:
            run(text("UPDATE balance SET posted = 0"))
        assert reader.account("anna").balance.posted == 100_000  # type: ignore[union-attr]


def test_books_that_are_not_there_cannot_be_read(tmp_path: Path, vault: Vault) -> None:
    with pytest.raises(StoreUnavailable):
        open_reader(f"sqlite:///{tmp_path}/none.db", vault)
    assert not (tmp_path / "none.db").exists()
    with pytest.raises(StoreUnavailable):
        open_reader(f"postgresql://nobody@/none?host={tmp_path}", vault)


def test_a_closed_reader_says_that_it_cannot_read(bank: Bank) -> None:
    reader: Reader = open_reader(bank.url, bank.vault)
    reader.close()
    reader.close()
    with pytest.raises(StoreUnavailable):
        reader.open_count()


def test_reports_print_no_names_and_no_bodies(bank: Bank) -> None:
    bank.open("kate", name="Kate Secret")
    bank.one(purchase(1, deliveries=(NewDelivery("blue", "advice", b"4761739001010119"),)))
    with open_reader(bank.url, bank.vault) as reader:
        assert "Secret" not in repr(reader.account("kate"))
        assert "4761739001010119" not in repr(reader.lane_head("blue"))


def test_a_balance_in_the_past_is_that_after_the_last_entry_before_it(bank: Bank) -> None:
    assert bank.see(lambda reader: reader.balance_at("nobody")) is None
    found = bank.see(lambda reader: reader.balance_at("shop"))
    assert (found.seq, found.at_us, found.posted_minor, found.held_minor, found.currency) == (0, None, 0, 0, "EUR")
    for number, amount in ((1, 100), (2, 200), (3, 400)):
        bank.one(purchase(number, amount))
    times = [entry.at_us for entry in bank.see(lambda reader: reader.statement("shop"))]
    at = bank.see(lambda reader: [reader.balance_at("shop", moment) for moment in (*times, None)])
    # Two commits may fall into one tick of the database's clock.
    seqs = [*(sum(earlier < moment for earlier in times) for moment in times), 3]
    assert [(it.seq, it.posted_minor) for it in at] == [(seq, (0, 100, 300, 700)[seq]) for seq in seqs]


def test_an_export_gives_every_entry_of_its_dates_once_in_steps(bank: Bank) -> None:
    bank.commit(purchase(1, 100), purchase(2, 200, hold=True))
    (bdate,) = {entry.bdate for entry in bank.see(lambda reader: reader.statement("anna"))}
    whole = bank.see(lambda reader: reader.exported(bdate, bdate))
    assert [(it.account, it.seq, it.kind, it.amount_minor, it.held_delta_minor) for it in whole[:3]] == [
        ("anna", 1, "principal", 100_000, 0),
        ("anna", 2, "principal", -100, 0),
        ("anna", 3, "hold", 0, 200),
    ]
    assert [(it.account, it.seq) for it in whole[3:]] == [("shop", 1), ("world.978", 1)]
    assert {(it.currency, it.bdate) for it in whole} == {("EUR", bdate)}
    rest = bank.see(lambda reader: reader.exported(bdate, bdate, after=("anna", 2), most=2))
    assert rest == whole[2:4]
    assert bank.see(lambda reader: reader.exported(bdate + 1, bdate + 9)) == []
