from __future__ import annotations

import datetime
import stat
from pathlib import Path

import pytest
from cryptography import x509
from junctor.simulators.authority import Authority, make_authority
from junctor.switch.links.identity import spki_pin

NOW = datetime.datetime(2026, 11, 20, 12, 0, tzinfo=datetime.UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return make_authority(tmp_path / "tls", NOW)


def load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_what_it_issues_is_signed_by_it_and_names_its_holder(authority: Authority) -> None:
    issued = authority.issue("bank-a")
    certificate = load(issued.certificate_file)
    certificate.verify_directly_issued_by(load(authority.ca_file))
    assert certificate.subject.rfc4514_string() == "CN=bank-a"
    assert issued.pin == spki_pin(certificate)


def test_certificates_are_for_localhost_by_name_and_by_address(authority: Authority) -> None:
    certificate = load(authority.issue("server").certificate_file)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


def test_file_names_follow_from_what_they_hold(authority: Authority) -> None:
    authority.issue("server")
    authority.revoke()
    assert sorted(path.name for path in authority.folder.iterdir()) == [
        "ca.key",
        "ca.pem",
        "crl.pem",
        "server.key",
        "server.pem",
    ]


def test_keys_are_readable_by_their_owner_alone(authority: Authority) -> None:
    issued = authority.issue("server")
    for key in (issued.key_file, authority.folder / "ca.key"):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(authority.folder.stat().st_mode) == 0o700


def test_a_key_that_everybody_could_read_is_replaced_by_one_that_nobody_can(authority: Authority) -> None:
    exposed = authority.folder / "server.key"
    exposed.write_text("old")
    exposed.chmod(0o644)
    authority.issue("server")
    assert stat.S_IMODE(exposed.stat().st_mode) == 0o600
    assert b"PRIVATE KEY" in exposed.read_bytes()


def test_an_expired_certificate_ended_before_the_authority_began(authority: Authority) -> None:
    certificate = load(authority.issue_expired("late").certificate_file)
    assert certificate.not_valid_before_utc < certificate.not_valid_after_utc == NOW - datetime.timedelta(days=1)


def test_the_revocation_list_grows_and_is_signed_by_the_authority(authority: Authority) -> None:
    first, second = authority.issue("first"), authority.issue("second")
    authority.revoke(first)
    crl = x509.load_pem_x509_crl(authority.revoke(second).read_bytes())
    assert {each.serial_number for each in crl} == {first.serial, second.serial}
    key = load(authority.ca_file).public_key()
    assert crl.is_signature_valid(key)  # type: ignore[arg-type]
    assert crl.next_update_utc == NOW + datetime.timedelta(days=30)


def test_a_new_authority_in_the_same_folder_replaces_the_old_one(tmp_path: Path) -> None:
    first = load(make_authority(tmp_path, NOW).ca_file)
    second = load(make_authority(tmp_path, NOW).ca_file)
    assert spki_pin(first) != spki_pin(second)
