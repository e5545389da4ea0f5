"""The command line as a whole: what it lists, how it complains, how it writes."""

from __future__ import annotations

from importlib import import_module

import click
import pytest
from command_line import run_command
from junctor.codecs.money import get_currency
from junctor.switch.cli import COMMANDS, cli
from junctor.switch.cli.amounts import read_amount, read_currency, write_amount
from junctor.switch.cli.complaints import Complaint, explain, printable
from junctor.switch.cli.output import Column, aligned, write_rows


def test_help_names_every_command_of_the_table() -> None:
    ended = run_command("--help")
    assert ended.status == 0
    for name in ("run", "demo", "check-config", "migrate", "iso8583", "swift", "link", "queue", "transaction",
                 "account", "ledger", "backup", "simulate", "load"):  # fmt: skip
        assert f"\n  {name} " in ended.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_and_explains_itself(name: str) -> None:
    ended = run_command(name, "--help")
    assert ended.status == 0
    assert ended.out.startswith(f"Usage: junctor {name}")
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    summary = COMMANDS[name].summary.removesuffix(".")
    assert (command.help or "").startswith(summary), "the list tells what the help tells"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["fly"], "No such command 'fly'"),
        (["run", "--fast"], "No such option"),
        (["iso8583", "decode", "3030"], "Missing option '--spec'"),
    ],
)
def test_wrong_usage_ends_with_status_2(arguments: list[str], says: str) -> None:
    ended = run_command(*arguments)
    assert ended.status == 2
    assert says in ended.err
    assert ended.out == ""


def test_missing_configuration_is_one_sentence_and_status_1() -> None:
    ended = run_command("account", "list", "--config", "nowhere/junctor.toml")
    assert ended.status == 1
    assert ended.err.startswith("junctor: nowhere/junctor.toml cannot be used:")
    assert "Traceback" not in ended.err


def test_a_bug_is_told_by_its_kind_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    module = import_module("junctor.switch.cli.iso8583")

    def break_down(*_: object) -> None:
        raise LookupError("4761739001010010")

    monkeypatch.setattr(module, "decode", break_down)
    ended = run_command("iso8583", "decode", "--spec", "iso1987-ascii", "30")
    assert ended.status == 1
    assert "LookupError" in ended.err
    assert "4761739001010010" not in ended.err


def test_debug_shows_where_a_bug_is(monkeypatch: pytest.MonkeyPatch) -> None:
    module = import_module("junctor.switch.cli.iso8583")

    def break_down(*_: object) -> None:
        raise LookupError("here")

    monkeypatch.setattr(module, "decode", break_down)
    with pytest.raises(LookupError):
        run_command("--debug", "iso8583", "decode", "--spec", "iso1987-ascii", "30")


def test_errors_of_the_system_are_told_with_their_file() -> None:
    assert explain(PermissionError(13, "Permission denied", "keys/data.key")) == "keys/data.key: Permission denied"


def test_complaints_show_no_card_number_and_no_control_character() -> None:
    assert printable("card 4761739001010010\x1b[2J") == "card 476173******0010?[2J"
    assert len(printable("x" * 10_000)) < 700


# ---------------------------------------------------------------- amounts


@pytest.mark.parametrize(
    ("text", "currency", "amount_minor"),
    [
        ("12.50", "EUR", 1250),
        ("12.5", "EUR", 1250),
        ("12", "EUR", 1200),
        ("0.01", "EUR", 1),
        ("12", "JPY", 12),
        ("1.234", "KWD", 1234),
        ("92233720368547758.07", "EUR", 2**63 - 1),
    ],
)
def test_amounts_are_read_in_the_decimals_of_their_currency(text: str, currency: str, amount_minor: int) -> None:
    assert read_amount(text, get_currency(currency)) == amount_minor


@pytest.mark.parametrize(
    ("text", "currency", "says"),
    [
        ("12.505", "EUR", "too precise"),
        ("12.500", "EUR", "too precise"),
        ("12.5", "JPY", "too precise"),
        ("-1", "EUR", "not an amount"),
        ("+1", "EUR", "not an amount"),
        ("1e3", "EUR", "not an amount"),
        ("1,000", "EUR", "not an amount"),
        ("", "EUR", "not an amount"),
        ("١٢", "EUR", "not an amount"),
        (".5", "EUR", "not an amount"),
        ("92233720368547758.08", "EUR", "more than an account can hold"),
    ],
)
def test_amounts_that_cannot_be_meant_are_refused(text: str, currency: str, says: str) -> None:
    with pytest.raises(Complaint, match=says):
        read_amount(text, get_currency(currency))


def test_currencies_are_found_by_letters_and_by_digits() -> None:
    assert read_currency("eur").numeric == 978
    assert read_currency("392").alpha == "JPY"
    with pytest.raises(Complaint, match="no currency 'XYZ'"):
        read_currency("XYZ")


def test_amounts_are_written_with_their_currency() -> None:
    assert write_amount(-1205, get_currency("EUR")) == "-12.05 EUR"
    assert write_amount(7, get_currency("JPY")) == "7 JPY"


# ---------------------------------------------------------------- tables

COLUMNS = [Column("code", "account"), Column("posted", "posted", right=True, show=lambda value: f"{value} EUR")]
ROWS = [{"code": "a", "posted": 5, "kind": "x"}, {"code": "longer", "posted": 1250, "kind": "y"}]


def test_tables_stand_in_columns_when_the_output_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    write_rows(ROWS, COLUMNS, as_json=False)
    assert capsys.readouterr().out == "account    posted\na           5 EUR\nlonger   1250 EUR\n"


def test_programs_get_one_json_document_with_the_whole_rows(capsys: pytest.CaptureFixture[str]) -> None:
    write_rows(ROWS, COLUMNS, as_json=True)
    assert capsys.readouterr().out == (
        '[{"code": "a", "posted": 5, "kind": "x"}, {"code": "longer", "posted": 1250, "kind": "y"}]\n'
    )


def test_no_rows_are_an_empty_array_or_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    write_rows([], COLUMNS, as_json=True)
    write_rows([], COLUMNS, as_json=False, empty="no accounts")
    assert capsys.readouterr().out == "[]\nno accounts\n"


def test_what_a_peer_wrote_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    write_rows([{"code": "\x1b]0;x\x07", "posted": None}], COLUMNS, as_json=False)
    assert capsys.readouterr().out.splitlines()[1] == "?]0;x?        -"


def test_columns_without_rows_keep_their_titles() -> None:
    assert aligned([["a", "b"]], [False, True]) == ["a  b"]
