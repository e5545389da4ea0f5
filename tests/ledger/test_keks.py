"""Key-encryption keys: what they wrap opens under them alone, wherever they come from."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from junctor.ledger.keks import KekCredential, KekFile, SoftKek, check_value, combine, read_key_file
from junctor.ledger.vault import VaultFault, make_key_file

KEK, DEK = bytes(range(32)), bytes.fromhex("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f")


def test_a_key_is_wrapped_as_the_standard_says() -> None:
    # RFC 3394, section 4.6: 256 bits of key data under a 256-bit key.
    wrapped = bytes.fromhex("28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21")
    assert SoftKek(KEK).wrap(DEK) == wrapped
    assert SoftKek(KEK).unwrap(wrapped) == DEK


@given(st.integers(0, 39), st.integers(1, 255))
def test_a_wrapped_key_that_was_changed_does_not_open(at: int, flip: int) -> None:
    wrapped = bytearray(SoftKek(KEK).wrap(DEK))
    wrapped[at] ^= flip
    with pytest.raises(VaultFault, match="does not open"):
        SoftKek(KEK).unwrap(bytes(wrapped))


def test_a_key_opens_under_no_other() -> None:
    with pytest.raises(VaultFault, match="does not open"):
        SoftKek(DEK).unwrap(SoftKek(KEK).wrap(DEK))
    with pytest.raises(VaultFault, match="does not open"):
        SoftKek(KEK).unwrap(b"short")
    assert SoftKek(DEK).kek_id != SoftKek(KEK).kek_id


def test_a_key_shows_its_name_alone() -> None:
    assert repr(SoftKek(KEK)) == f"SoftKek({SoftKek(KEK).kek_id.hex()})"
    with pytest.raises(TypeError):
        pickle.dumps(SoftKek(KEK))


def test_the_check_value_is_what_another_program_says() -> None:
    # By openssl: mac -cipher AES-128-CBC -macopt hexkey:2b7e151628aed2a6abf7158809cf4f3c CMAC over 16 zero bytes.
    assert check_value(bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")) == "7AD386"
    assert check_value(KEK) == "377822", "by openssl, with AES-256-CBC and the bytes 00 to 1f"


@pytest.mark.parametrize(
    "content", ["", "00" * 31, "00" * 33, "zz" * 32, "é" * 64, "00" * 200, "\n".join(["00" * 32] * 5)]
)
def test_a_file_that_holds_no_key_is_refused_and_not_shown(tmp_path: Path, content: str) -> None:
    broken = tmp_path / "kek.key"
    broken.write_bytes(content.encode("latin-1"))
    broken.chmod(0o600)
    with pytest.raises(VaultFault, match="64 hexadecimal digits") as caught:
        KekFile(broken).read()
    assert content == "" or content not in str(caught.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620, 0o601])
def test_a_key_file_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    make_key_file(tmp_path / "kek.key")
    (tmp_path / "kek.key").chmod(mode)
    with pytest.raises(VaultFault, match="group or others"):
        KekFile(tmp_path / "kek.key").read()


def test_a_new_key_stands_first_and_those_before_it_go_when_nothing_needs_them(tmp_path: Path) -> None:
    file = KekFile(tmp_path / "kek.key")
    make_key_file(file.path)
    (old,) = file.read()
    file.put_first(KEK)
    assert [kek.kek_id for kek in file.read()] == [SoftKek(KEK).kek_id, old.kek_id]
    assert file.path.stat().st_mode & 0o777 == 0o600
    file.keep(frozenset([SoftKek(KEK).kek_id, old.kek_id]))
    assert len(file.read()) == 2
    file.keep(frozenset([SoftKek(KEK).kek_id]))
    assert read_key_file(file.path, 1) == [KEK]


def test_a_file_takes_no_more_keys_than_it_may_hold(tmp_path: Path) -> None:
    file = KekFile(tmp_path / "kek.key")
    for number in range(4):
        file.put_first(bytes([number]) * 32)
    with pytest.raises(VaultFault, match="finish the rotation"):
        file.put_first(KEK)
    assert len(file.read()) == 4


def test_a_credential_of_systemd_is_read_where_systemd_says(tmp_path: Path) -> None:
    make_key_file(tmp_path / "junctor-kek")
    found = KekCredential("junctor-kek", {"CREDENTIALS_DIRECTORY": str(tmp_path)}).read()
    assert [kek.kek_id for kek in found] == [SoftKek(read_key_file(tmp_path / "junctor-kek", 1)[0]).kek_id]
    with pytest.raises(VaultFault, match="no credentials"):
        KekCredential("junctor-kek", {})


def test_two_components_make_a_key_that_neither_is() -> None:
    assert combine(b"\x0f" * 32, b"\xf0" * 32) == b"\xff" * 32


@pytest.mark.parametrize(
    ("first", "second"),
    [(KEK, KEK), (bytes(32), KEK), (KEK, bytes(32)), (KEK[:31], KEK), (KEK, KEK + b"\0"), (b"", b"")],
)
def test_components_that_leave_one_custodian_in_the_know_are_refused(first: bytes, second: bytes) -> None:
    with pytest.raises(VaultFault, match="component") as caught:
        combine(first, second)
    assert KEK.hex() not in str(caught.value)
