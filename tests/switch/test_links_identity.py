from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from cryptography import x509
from junctor.config.settings import InstitutionSettings
from junctor.simulators.authority import Issued, make_authority
from junctor.switch.links.identity import find_common_name, identify, spki_pin

NOW = datetime.datetime(2026, 11, 20, 12, 0, tzinfo=datetime.UTC)

# Made with: openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=a/CN=b
# and the pin with: openssl x509 -pubkey -noout | openssl pkey -pubin -outform der | sha256sum
TWO_NAMES = b"""-----BEGIN CERTIFICATE-----
MIIBhjCCASugAwIBAgIUWxgU8+8DJkEhOyHG3qnhrwQ53rAwCgYIKoZIzj0EAwIw
GDEKMAgGA1UEAwwBYTEKMAgGA1UEAwwBYjAeFw0yNjExMjAxNTQyMjVaFw0yNjEx
MjExNTQyMjVaMBgxCjAIBgNVBAMMAWExCjAIBgNVBAMMAWIwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAAR2fTjZvfET5yYKuTEUNFOXbbrzIBj1vNt+wICZNPdytW9X
aSv7TKGVyI+JaZ7G4oayQo6G8r/66jtyC9i/bW6to1MwUTAdBgNVHQ4EFgQU9iy/
cPTLYTfcVAu91jRiKtzsq18wHwYDVR0jBBgwFoAU9iy/cPTLYTfcVAu91jRiKtzs
q18wDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEA+X14o2lvvWRH
wLmVcUljmSIB5pCiXnsrIwW8e23ryc0CIQCjmOY7VIjpkR/2qTzIMk42V2szhoYm
Bt5dJRxh/5tcjQ==
-----END CERTIFICATE-----
"""
TWO_NAMES_PIN = "4cbd0412a926fa27c4dff6b3a127332e072855854c456722fe0f34858601bffa"


@pytest.fixture
def issued(tmp_path: Path) -> Issued:
    return make_authority(tmp_path, NOW).issue("bank-a")


@pytest.fixture
def certificate(issued: Issued) -> x509.Certificate:
    return x509.load_pem_x509_certificate(issued.certificate_file.read_bytes())


def test_a_pin_speaks_for_its_institution(certificate: x509.Certificate, issued: Issued) -> None:
    institutions = [InstitutionSettings("a", pins=("0" * 64, issued.pin)), InstitutionSettings("b", pins=("1" * 64,))]
    assert identify(certificate, institutions) == "a"


def test_a_pin_may_be_written_in_capitals_and_with_colons(certificate: x509.Certificate, issued: Issued) -> None:
    written = ":".join(issued.pin[index : index + 2] for index in range(0, 64, 2)).upper()
    assert identify(certificate, [InstitutionSettings("a", pins=(written,))]) == "a"


def test_a_common_name_speaks_for_an_institution_without_pins(certificate: x509.Certificate) -> None:
    assert identify(certificate, [InstitutionSettings("a", subjects=("bank-a",))]) == "a"


def test_a_common_name_is_not_enough_where_there_are_pins(certificate: x509.Certificate) -> None:
    institutions = [InstitutionSettings("a", pins=("0" * 64,), subjects=("bank-a",))]
    assert identify(certificate, institutions) is None


def test_a_certificate_of_nobody_is_nobodys(certificate: x509.Certificate) -> None:
    assert identify(certificate, [InstitutionSettings("a", subjects=("bank-b",)), InstitutionSettings("b")]) is None


def test_a_certificate_that_fits_two_institutions_speaks_for_neither(
    certificate: x509.Certificate, issued: Issued
) -> None:
    institutions = [InstitutionSettings("a", subjects=("bank-a",)), InstitutionSettings("b", pins=(issued.pin,))]
    assert identify(certificate, institutions) is None


def test_a_pin_is_of_the_public_key_as_openssl_computes_it() -> None:
    certificate = x509.load_pem_x509_certificate(TWO_NAMES)
    assert spki_pin(certificate) == TWO_NAMES_PIN
    assert find_common_name(certificate) is None
