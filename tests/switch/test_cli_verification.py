"""What an operator sees of verifying: sound books, a finding with status 1, anchors kept in files."""

from __future__ import annotations

import json
from pathlib import Path

from ledger_items import raw
from office import Office

NOBODY = "00" * 32


def test_sound_books_are_verified_with_status_0(paid: Office) -> None:
    told = paid.json("ledger", "verify")
    assert (told["ok"], told["finding"]) == (True, None)
    assert told["messages"] > 0
    ended = paid.run("ledger", "verify", "--progress")
    assert ended.out.endswith("sound\n")
    assert " batches, " in ended.err


def test_a_finding_is_told_with_status_1(paid: Office, database_url: str) -> None:
    with raw(database_url) as connection:
        connection.execute("UPDATE entry SET amount = amount + 1 WHERE amount > 0")
    ended = paid.run("ledger", "verify", "--json")
    assert ended.status == 1
    assert ended.json["ok"] is False
    assert ended.json["finding"]["what"] == "altered"
    assert ended.json["finding"]["where"].startswith("entry ")
    ended = paid.run("ledger", "verify")
    assert ended.status == 1
    assert ended.out.splitlines()[-1].startswith("altered: entry ")


def test_an_anchor_is_written_once_and_holds(paid: Office, tmp_path: Path) -> None:
    file = tmp_path / "anchor.json"
    told = paid.json("ledger", "anchor", "--to", file)
    written = json.loads(file.read_text())
    assert (written["root"], len(written["heads"])) == (told["root"], told["chains"])
    assert paid.run("ledger", "verify", "--anchors", file).status == 0
    again = paid.run("ledger", "anchor", "--to", file)
    assert again.status == 1
    assert "File exists" in again.err


def test_books_unlike_their_anchor_are_found(paid: Office, tmp_path: Path, database_url: str) -> None:
    file = tmp_path / "anchor.json"
    paid.json("ledger", "anchor", "--to", file)
    with raw(database_url) as connection:
        connection.execute("DELETE FROM journal_batch WHERE chain_id = 1")
        connection.execute("DELETE FROM chain WHERE chain_id = 1")
    ended = paid.run("ledger", "verify", "--anchors", file)
    assert ended.status == 1
    assert ended.out.splitlines()[-1].startswith("missing: batch 1/")


def test_what_is_no_anchor_is_refused_in_one_sentence(paid: Office, tmp_path: Path) -> None:
    file = tmp_path / "anchor.json"
    paid.json("ledger", "anchor", "--to", file)
    tree = json.loads(file.read_text())
    changed = {
        "no json": "{",
        "no heads": json.dumps({"bdate": 20260102, "root": NOBODY}),
        "another end": json.dumps({**tree, "heads": [{**tree["heads"][0], "batch_n": 7}]}),
        "no number": json.dumps({**tree, "bdate": "today"}),
        "short hash": json.dumps({**tree, "heads": [{**tree["heads"][0], "hash": "00"}]}),
    }
    for what, text in changed.items():
        file.write_text(text)
        ended = paid.run("ledger", "verify", "--anchors", file)
        assert (ended.status, ended.out) == (1, ""), what
        assert "anchor" in ended.err
