"""`junctor check-config` and `junctor cert dev`: what an operator does before there is a switch."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import run_command
from cryptography import x509

EXAMPLE = Path(__file__).resolve().parents[2] / "config" / "demo" / "junctor.toml"


def test_the_example_configuration_is_good() -> None:
    ended = run_command("check-config", "--config", EXAMPLE)
    assert ended.status == 0
    assert "is good: " in ended.out
    assert run_command("check-config", "--config", EXAMPLE, "--json").json == {"ok": True, "faults": []}


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    # A misspelt key, a spec that does not exist, an unknown destination, and a row that can never be reached.
    text = EXAMPLE.read_text(encoding="utf-8")
    text = text.replace("idle_s = 600", "idle = 600").replace('spec = "iso1987-binary"', 'spec = "iso1993"')
    broken = tmp_path / "junctor.toml"
    broken.write_text(text, encoding="utf-8")
    ended = run_command("check-config", "--config", broken, "--json")
    assert ended.status == 1
    assert [fault["path"] for fault in ended.json["faults"]] == ["links.idle", "diallers[0].spec"]
    assert "did you mean" in ended.json["faults"][0]["why"]
    assert run_command("check-config", "--config", broken).out.splitlines()[0].startswith("links.idle: ")


def test_routes_that_hide_each_other_are_told_with_their_path(tmp_path: Path) -> None:
    hidden = '[[routing.routes]]\nname = "hidden"\nbins = ["476173"]\nprocessing_codes = ["00"]\nto = "ledger"\n'
    broken = tmp_path / "junctor.toml"
    broken.write_text(EXAMPLE.read_text(encoding="utf-8") + hidden, encoding="utf-8")
    ended = run_command("check-config", "--config", broken, "--json")
    assert ended.status == 1
    (fault,) = ended.json["faults"]
    assert fault["path"].startswith("routing.routes[2]")
    assert "blue-cards" in fault["why"]


def test_a_spec_file_of_ones_own_is_checked_too(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('name = "own"\n', encoding="utf-8")
    text = EXAMPLE.read_text(encoding="utf-8").replace('spec = "iso1987-binary"', 'spec = "own.toml"')
    broken = tmp_path / "junctor.toml"
    broken.write_text(text, encoding="utf-8")
    ended = run_command("check-config", "--config", broken, "--json")
    assert ended.status == 1
    assert {fault["path"] for fault in ended.json["faults"]} == {"diallers[0].spec"}


def test_no_command_works_on_a_broken_configuration(tmp_path: Path) -> None:
    broken = tmp_path / "junctor.toml"
    broken.write_text("[routing]\n", encoding="utf-8")
    ended = run_command("account", "list", "--config", broken)
    assert (ended.status, ended.out) == (1, "")
    assert "\n  routing.default: " in ended.err


# ---------------------------------------------------------------- certificates


def test_development_certificates_come_with_their_pins(tmp_path: Path) -> None:
    ended = run_command("cert", "dev", tmp_path / "tls", "switch", "acme-pos", "--json")
    assert ended.status == 0
    authority = x509.load_pem_x509_certificate(Path(ended.json["ca_file"]).read_bytes())
    for issued in ended.json["certificates"]:
        certificate = x509.load_pem_x509_certificate(Path(issued["certificate_file"]).read_bytes())
        certificate.verify_directly_issued_by(authority)
        assert Path(issued["key_file"]).stat().st_mode & 0o777 == 0o600
        assert len(bytes.fromhex(issued["pin"])) == 32
    assert [issued["name"] for issued in ended.json["certificates"]] == ["switch", "acme-pos"]


def test_an_authority_is_replaced_only_when_asked(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    assert run_command("cert", "dev", folder, "switch").status == 0
    before = (folder / "ca.pem").read_bytes()
    ended = run_command("cert", "dev", folder, "other")
    assert ended.status == 1
    assert "--replace" in ended.err
    assert (folder / "ca.pem").read_bytes() == before
    assert run_command("cert", "dev", folder, "switch", "--replace").status == 0
    assert (folder / "ca.pem").read_bytes() != before


@pytest.mark.parametrize("name", ["../switch", "ca", "crl", "a/b", "", "-", "."])
def test_a_name_that_is_no_file_of_its_own_is_refused(tmp_path: Path, name: str) -> None:
    ended = run_command("cert", "dev", tmp_path / "tls", "--", name)
    assert ended.status == 1
    assert not (tmp_path / "tls").exists()
