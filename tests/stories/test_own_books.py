"""Payments that our own books decide, from a terminal's bytes over mutual TLS to the books and back."""

from __future__ import annotations

import pytest_twisted
from junctor.codecs.iso8583 import Message, decode, encode
from junctor.config import load_settings
from town import ASCII, OTHER_PAN, PAN, Line, Sender, Town

SETTLED = "acme.settlement.EUR"


@pytest_twisted.ensureDeferred
async def test_a_purchase_is_approved_and_booked(town: Town, terminal: Line, sender: Sender) -> None:
    asked = sender.purchase(12_50)
    response = await terminal.ask(asked)
    assert response.mti == "0210"
    assert response[39] == "00"
    assert len(str(response[38])) == 6
    for element in (2, 3, 4, 7, 11, 12, 13, 32, 37, 41, 42, 49):
        assert response[element] == asked[element], f"DE{element} comes back as it went"
    assert town.balance("anna") == (100_000 - 12_50, 0)
    assert town.balance(SETTLED) == (12_50, 0)
    town.assert_books_balance()


@pytest_twisted.ensureDeferred
async def test_a_purchase_beyond_the_funds_is_declined_and_moves_nothing(
    town: Town, terminal: Line, sender: Sender
) -> None:
    response = await terminal.ask(sender.purchase(100_001))
    assert response[39] == "51"
    assert response.get(38) is None
    assert town.balance("anna") == (100_000, 0)


@pytest_twisted.ensureDeferred
async def test_cash_payment_deposit_and_refund_move_the_right_way(town: Town, terminal: Line, sender: Sender) -> None:
    for processing_code, expected in (("010000", -10_00), ("500000", -10_00), ("210000", 10_00), ("200000", 10_00)):
        before, _ = town.balance("anna")
        response = await terminal.ask(sender.message("0200", processing_code, 10_00))
        assert response[39] == "00"
        assert town.balance("anna")[0] - before == expected, processing_code
    town.assert_books_balance()


@pytest_twisted.ensureDeferred
async def test_a_balance_inquiry_tells_ledger_and_available_balance(
    town: Town, terminal: Line, sender: Sender
) -> None:
    await terminal.ask(sender.message("0100", "000000", 30_00))
    for processing_code in ("300000", "310000"):
        response = await terminal.ask(sender.message("0200", processing_code, 0))
        assert response[39] == "00"
        assert response[54] == "0001978C000000100000" + "0002978C000000097000"


@pytest_twisted.ensureDeferred
async def test_a_transfer_moves_between_two_accounts(town: Town, terminal: Line, sender: Sender) -> None:
    asked = sender.message("0200", "400000", 40_00, PAN, {102: "anna", 103: "bert"})
    assert (await terminal.ask(asked))[39] == "00"
    assert town.balance("anna") == (60_00 + 900_00, 0)
    assert town.balance("bert") == (40_00, 0)


@pytest_twisted.ensureDeferred
async def test_a_card_reaches_its_own_accounts_only(town: Town, terminal: Line, sender: Sender) -> None:
    town.open_account("carl", 50_000, OTHER_PAN)
    asked = sender.message("0200", "400000", 40_00, PAN, {102: "carl", 103: "bert"})
    assert (await terminal.ask(asked))[39] == "14"
    own = sender.message("0200", "400000", 40_00, PAN, {102: "anna", 103: SETTLED})
    assert (await terminal.ask(own))[39] == "39", "the switch's own accounts have no name on the wire"
    assert town.balance("carl") == (50_000, 0)


@pytest_twisted.ensureDeferred
async def test_an_authorised_amount_is_held_and_a_completion_posts_what_it_says(
    town: Town, terminal: Line, sender: Sender
) -> None:
    authorised = sender.message("0100", "000000", 80_00)
    assert (await terminal.ask(authorised))[39] == "00"
    assert town.balance("anna") == (100_000, 80_00)
    completion = sender.following(authorised, "0220", {4: f"{65_00:012d}"})
    response = await terminal.ask(completion)
    assert (response.mti, response[39]) == ("0230", "00")
    assert town.balance("anna") == (100_000 - 65_00, 0)
    assert town.balance(SETTLED) == (65_00, 0)


@pytest_twisted.ensureDeferred
async def test_a_plain_advice_posts_even_without_funds(town: Town, terminal: Line, sender: Sender) -> None:
    response = await terminal.ask(sender.message("0220", "000000", 150_000))
    assert (response.mti, response[39]) == ("0230", "00")
    assert town.balance("anna") == (-50_000, 0)
    assert (await terminal.ask(sender.purchase(1)))[39] == "51"


@pytest_twisted.ensureDeferred
async def test_a_hold_that_nobody_completes_expires(town: Town, sender: Sender) -> None:
    town.hold_expiry_s = 0.5
    town.configure()
    await town.start()
    terminal = await town.line()
    assert (await terminal.ask(sender.message("0100", "000000", 80_00)))[39] == "00"
    assert town.balance("anna") == (100_000, 80_00)
    await town.until(lambda: town.balance("anna") == (100_000, 0))


@pytest_twisted.ensureDeferred
async def test_a_reversal_takes_all_back_and_a_second_one_nothing(town: Town, terminal: Line, sender: Sender) -> None:
    asked = sender.purchase(25_00)
    await terminal.ask(asked)
    for mti in ("0400", "0420"):
        response = await terminal.ask(sender.following(asked, mti))
        assert (response.mti, response[39]) == (mti[:2] + ("10" if mti == "0400" else "30"), "00")
        assert town.balance("anna") == (100_000, 0)
    assert town.balance(SETTLED) == (0, 0)


@pytest_twisted.ensureDeferred
async def test_a_partial_reversal_leaves_the_replacement_amount(town: Town, terminal: Line, sender: Sender) -> None:
    asked = sender.purchase(25_00)
    await terminal.ask(asked)
    response = await terminal.ask(sender.following(asked, "0420", {95: f"{10_00:012d}" + "0" * 30}))
    assert response[39] == "00"
    assert town.balance("anna") == (100_000 - 10_00, 0)


@pytest_twisted.ensureDeferred
async def test_a_request_that_comes_after_its_reversal_is_declined(
    town: Town, terminal: Line, sender: Sender
) -> None:
    asked = sender.purchase(25_00)
    assert (await terminal.ask(sender.following(asked, "0420")))[39] == "00"
    assert (await terminal.ask(asked))[39] == "12"
    assert town.balance("anna") == (100_000, 0)


# ---------------------------------------------------------------- the same message again


@pytest_twisted.ensureDeferred
async def test_a_repeat_gets_the_stored_response_byte_for_byte(town: Town, terminal: Line, sender: Sender) -> None:
    asked = sender.purchase(12_50)
    first = await terminal.ask_raw(asked)
    again = await terminal.ask_raw(asked.with_fields({}, mti="0201"))
    other_line = await town.line()
    assert again == first
    assert await other_line.ask_raw(asked) == first
    assert town.balance("anna") == (100_000 - 12_50, 0)


@pytest_twisted.ensureDeferred
async def test_a_declined_request_stays_declined_when_it_is_repeated(
    town: Town, terminal: Line, sender: Sender
) -> None:
    asked = sender.purchase(200_000)
    first = await terminal.ask_raw(asked)
    await terminal.ask(sender.message("0200", "210000", 300_000))
    assert await terminal.ask_raw(asked.with_fields({}, mti="0201")) == first


@pytest_twisted.ensureDeferred
async def test_a_known_stan_with_another_amount_is_a_duplicate_and_not_booked(
    town: Town, terminal: Line, sender: Sender
) -> None:
    asked = sender.purchase(12_50)
    await terminal.ask(asked)
    response = await terminal.ask(asked.with_fields({4: f"{99_00:012d}"}))
    assert response[39] == "94"
    assert town.balance("anna") == (100_000 - 12_50, 0)


@pytest_twisted.ensureDeferred
async def test_a_burst_of_copies_is_booked_once_and_each_is_answered_alike(
    town: Town, terminal: Line, sender: Sender
) -> None:
    raw = encode(ASCII, sender.purchase(1_00))
    for _ in range(20):
        terminal.send(raw)
    responses = {await terminal.hear_raw() for _ in range(20)}
    assert len(responses) == 1
    assert town.balance("anna") == (100_000 - 1_00, 0)


# ---------------------------------------------------------------- what is refused


@pytest_twisted.ensureDeferred
async def test_what_the_books_refuse_has_a_code_of_its_own(town: Town, terminal: Line, sender: Sender) -> None:
    unknown_card = sender.purchase(1_00, OTHER_PAN)
    dollars = sender.purchase(1_00, PAN, de49="840")
    nothing = sender.purchase(0)
    unserved = sender.message("0200", "990000", 1_00)
    no_currency = sender.purchase(1_00).with_fields({}, drop=[49])
    too_much = sender.purchase(999_999_999_999)
    for asked, code in (
        (unknown_card, "14"),
        (dollars, "57"),
        (nothing, "13"),
        (unserved, "12"),
        (no_currency, "30"),
        (too_much, "51"),
    ):
        assert (await terminal.ask(asked))[39] == code, f"DE39 for {code}"
    assert town.balance("anna") == (100_000, 0)
    town.assert_books_balance()


@pytest_twisted.ensureDeferred
async def test_a_race_for_the_last_money_spends_exactly_what_was_there(town: Town, sender: Sender) -> None:
    """Forty terminals race for the last money: exactly as much leaves as was there."""
    await town.start()
    lines = [await town.line() for _ in range(8)]
    asked: list[Message] = [Sender(f"RACE{n:04d}").purchase(30_00) for n in range(40)]
    for n, message in enumerate(asked):
        lines[n % 8].send(message)
    codes = [decode(ASCII, await lines[n % 8].hear_raw())[39] for n in range(40)]
    assert sorted(map(str, codes)) == ["00"] * 33 + ["51"] * 7
    assert town.balance("anna") == (100_000 - 33 * 30_00, 0)
    assert town.balance(SETTLED) == (33 * 30_00, 0)
    town.assert_books_balance()


@pytest_twisted.ensureDeferred
async def test_a_hold_grows_by_an_authorisation_that_names_it(town: Town, terminal: Line, sender: Sender) -> None:
    authorised = sender.message("0100", "000000", 80_00)
    assert (await terminal.ask(authorised))[39] == "00"
    more = sender.following(authorised, "0100", {4: f"{20_00:012d}"})
    assert (await terminal.ask(more))[39] == "00"
    assert town.balance("anna") == (100_000, 100_00)
    assert (await terminal.ask(sender.following(authorised, "0220", {4: f"{95_00:012d}"})))[39] == "00"
    assert town.balance("anna") == (100_000 - 95_00, 0)


@pytest_twisted.ensureDeferred
async def test_a_completion_in_parts_keeps_the_rest_held(town: Town, sender: Sender) -> None:
    town.partial_completion_conditions = ("52",)
    town.configure()
    await town.start()
    terminal = await town.line()
    authorised = sender.message("0100", "000000", 80_00)
    assert (await terminal.ask(authorised))[39] == "00"
    part = sender.following(authorised, "0220", {4: f"{30_00:012d}", 25: "52"})
    assert (await terminal.ask(part))[39] == "00"
    assert town.balance("anna") == (100_000 - 30_00, 50_00)
    last = sender.following(authorised, "0220", {4: f"{40_00:012d}", 25: "00"})
    assert (await terminal.ask(last))[39] == "00"
    assert town.balance("anna") == (100_000 - 70_00, 0)
    town.assert_books_balance()


@pytest_twisted.ensureDeferred
async def test_refunds_that_name_their_purchase_never_exceed_it(town: Town, terminal: Line, sender: Sender) -> None:
    bought = sender.purchase(50_00)
    assert (await terminal.ask(bought))[39] == "00"

    def refund(amount: int) -> Message:
        return sender.following(bought, "0200", {3: "200000", 4: f"{amount:012d}"})

    codes = [(await terminal.ask(refund(amount)))[39] for amount in (30_00, 20_01, 20_00, 1)]
    assert codes == ["00", "13", "00", "13"]
    assert town.balance("anna") == (100_000, 0)
    stranger = sender.following(sender.purchase(9_99), "0200", {3: "200000", 4: f"{9_99:012d}"})
    assert (await terminal.ask(stranger))[39] == "25", "what was never paid is not given back"


@pytest_twisted.ensureDeferred
async def test_a_fee_is_booked_with_its_payment_and_goes_back_with_it(town: Town, sender: Sender) -> None:
    fee = (
        '[[fees]]\nname = "cash"\ncurrency = "EUR"\nprocessing_codes = ["01"]\nfixed_minor = 100\nper_mille = 10\n\n'
    )
    town.configure(("[routing]\n", fee + "[routing]\n"))
    await town.start()
    terminal = await town.line()
    drawn = sender.message("0200", "010000", 50_00)
    assert (await terminal.ask(drawn))[39] == "00"
    assert (town.balance("anna"), town.balance("fees.EUR")) == ((100_000 - 51_50, 0), (1_50, 0))
    short = sender.message("0200", "010000", 100_000 - 51_50)
    assert (await terminal.ask(short))[39] == "51", "the fee must be there as well"
    assert (await terminal.ask(sender.following(drawn, "0420")))[39] == "00"
    assert (town.balance("anna"), town.balance("fees.EUR")) == ((100_000, 0), (0, 0))
    assert (await terminal.ask(sender.purchase(50_00)))[39] == "00"
    assert town.balance("anna") == (100_000 - 50_00, 0)
    town.assert_books_balance()


@pytest_twisted.ensureDeferred
async def test_a_payment_in_another_currency_is_exchanged_at_the_table_s_rate(town: Town, sender: Sender) -> None:
    rate = '[[rates]]\npayment = "USD"\naccount = "EUR"\nrate = "0.9215"\nspread_per_mille = 20\n'
    town.configure(("[routing]\n", rate + "[routing]\n"))
    town.config_file.write_text(
        town.config_file.read_text().replace('id = "acme"\n', 'id = "acme"\ncurrencies = ["EUR", "USD"]\n')
    )
    town.settings = load_settings(town.config_file)
    await town.start()
    terminal = await town.line()
    bought = sender.message("0200", "000000", 100_00, changes={49: "840"})
    assert (await terminal.ask(bought))[39] == "00"
    assert town.balance("anna") == (100_000 - 93_99, 0)
    assert town.balance("acme.settlement.USD") == (100_00, 0)
    refund = sender.following(bought, "0200", {3: "200000"})
    assert (await terminal.ask(refund))[39] == "00"
    assert town.balance("anna") == (100_000 - 93_99 + 90_31, 0)
    assert town.balance("fx.spread.EUR") == (3_68, 0)
    town.assert_books_balance()
