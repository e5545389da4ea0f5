"""`junctor key`: status, rotation of both levels, and the ceremony."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest
from junctor.codecs.masking import Pan
from junctor.ledger.keks import check_value, read_key_file
from junctor.ledger.operations import Refuse
from office import OTHER_PAN, PAN, Office, facts

ONE, OTHER = "0f" * 32, "f0" * 16 + "00" * 16
BOTH = "ff" * 16 + "0f" * 16


@pytest.fixture
def office(tmp_path: Path, database_url: str) -> Office:
    """An office whose books have one sealed value."""
    office = Office(tmp_path, database_url)
    store, _ = office.open_store()
    store.commit([Refuse(facts(1), b"no road", "92")])
    store.close()
    return office


def keys(office: Office) -> list[tuple[str, str, int | None]]:
    return [(row["purpose"], row["state"], row["values"]) for row in office.json("key", "status")]


def test_status_tells_every_key_and_what_it_still_opens(office: Office) -> None:
    assert sorted(keys(office), key=str) == [
        ("card-hash", "active", None),
        ("data", "active", 1),
        ("data", "pre-active", 0),
    ]
    shown = office.run("key", "status").out
    assert "pre-active" in shown
    assert read_key_file(office.config_file.parent / "keys" / "kek.key", 1)[0].hex() not in shown


def test_status_of_books_that_were_never_opened_is_one_sentence(tmp_path: Path, database_url: str) -> None:
    assert Office(tmp_path, database_url).run("key", "status").out.startswith("no keys: they are made when")


def test_a_data_key_is_rotated_and_everything_sealed_anew(office: Office) -> None:
    told = office.json("key", "rotate", "--data", "--reencrypt", "--destroy")
    assert told["sealed_anew"] == 1
    assert told["destroyed"] is None, "within the hour no key is destroyed"
    assert sorted(keys(office), key=str) == [
        ("card-hash", "active", None),
        ("data", "active", 1),
        ("data", "decrypt-only", 0),
        ("data", "pre-active", 0),
    ]
    assert office.json("key", "rotate", "--reencrypt") == {"sealed_anew": 0}


def test_the_key_encryption_key_is_rotated_and_the_old_one_forgotten(office: Office) -> None:
    path = office.config_file.parent / "keys" / "kek.key"
    before = path.read_text()
    assert office.json("key", "rotate", "--kek") == {"wrapped_anew": 3}
    assert before.strip() not in path.read_text()
    assert len(path.read_text().split()) == 1
    assert office.run("account", "list").status == 0


def test_a_rotation_that_stopped_with_both_keys_in_the_file_is_finished(office: Office) -> None:
    path = office.config_file.parent / "keys" / "kek.key"
    path.write_text(BOTH + "\n" + path.read_text())
    assert office.run("account", "list").status == 0, "until then both work"
    assert office.json("key", "rotate", "--kek") == {"wrapped_anew": 3}
    assert path.read_text() == BOTH + "\n"


def test_a_rotation_must_say_of_what(office: Office) -> None:
    assert office.run("key", "rotate").status == 2
    assert office.run("key", "rotate", "--data", "--destroy").status == 2


def test_a_ceremony_makes_a_key_of_two_components_and_shows_check_values_alone(office: Office) -> None:
    path = office.config_file.parent / "keys" / "kek.key"
    ended = office.run("key", "ceremony", "--custodian", "Ada", "--custodian", "Grace", stdin=f"{ONE}\n{OTHER}\n")
    assert ended.status == 0
    assert path.read_text().split()[0] == BOTH, "the first of the file is the XOR of both"
    assert f"Ada: check value {check_value(bytes.fromhex(ONE))}" in ended.err
    assert check_value(bytes.fromhex(BOTH)) in ended.out
    for secret in (ONE, OTHER, BOTH):
        assert secret not in ended.out + ended.err
    assert office.json("key", "rotate", "--kek") == {"wrapped_anew": 3}
    assert path.read_text() == BOTH + "\n"


@pytest.mark.parametrize(
    ("custodians", "typed"),
    [
        (["Ada"], [ONE]),
        (["Ada", "Ada"], [ONE, OTHER]),
        (["Ada", "Grace", "Joan"], [ONE, OTHER, ONE]),
        (["Ada", "Grace"], [ONE, ONE]),
        (["Ada", "Grace"], [ONE, "no key"]),
        (["Ada", "Grace"], [ONE]),
    ],
)
def test_a_ceremony_that_one_alone_could_hold_changes_nothing(
    office: Office, custodians: list[str], typed: list[str]
) -> None:
    path = office.config_file.parent / "keys" / "kek.key"
    before = path.read_text()
    options = [word for name in custodians for word in ("--custodian", name)]
    ended = office.run("key", "ceremony", *options, stdin="\n".join(typed) + "\n")
    assert ended.status == 1
    assert ONE not in ended.out + ended.err
    assert path.read_text() == before


def test_a_card_is_taken_out_of_the_books(office: Office) -> None:
    store, vault = office.open_store()
    paid = attrs.evolve(facts(2), card_ref=vault.card_ref(Pan(PAN)))
    store.commit([Refuse(paid, b"no road", "92")])
    store.close()
    cards = office.config_file.parent / "cards"
    cards.write_text(PAN + "\n")
    assert office.json("key", "shred", "--card-file", cards) == {"messages": 1, "accounts": 0}
    assert office.json("key", "shred", "--card-file", cards) == {"messages": 0, "accounts": 0}
    assert office.run("ledger", "verify").status == 0
    cards.write_text(f"{PAN}\n{OTHER_PAN}\n")
    ended = office.run("key", "shred", "--card-file", cards)
    assert (ended.status, PAN in ended.err) == (1, False)
