"""A key-encryption key in a PKCS#11 token: it wraps and unwraps there, and does not come out."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from junctor.ledger.keks import Kek
from junctor.ledger.keyring import KeyRing
from junctor.ledger.token import TokenKeks, TokenPlace, read_pin_file
from junctor.ledger.vault import VaultFault
from key_rings import Calendar

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
KEY = bytes(range(32))

needs_token = pytest.mark.skipif(
    not MODULE.exists() or shutil.which("softhsm2-util") is None or importlib.util.find_spec("pkcs11") is None,
    reason="needs SoftHSM2 and python-pkcs11: apt-get install softhsm2 && pip install 'junctor[pkcs11]'",
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TokenPlace]:
    """A token of its own, in a folder."""
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    config = folder / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(config))
        command = ["softhsm2-util", "--init-token", "--free", "--label", "vault", "--pin", "2468", "--so-pin", "1357"]
        subprocess.run(command, check=True, capture_output=True)
        yield TokenPlace(str(MODULE), "vault", ("kek-1",), "2468")


@pytest.fixture
def kek(place: TokenPlace) -> Kek:
    keks = TokenKeks(place)
    keks.make("kek-1")
    (kek,) = keks.read()
    return kek


@needs_token
def test_a_key_goes_in_wrapped_and_comes_out_as_it_was(kek: Kek) -> None:
    wrapped = kek.wrap(KEY)
    assert len(wrapped) == 40
    assert KEY not in wrapped
    assert kek.unwrap(wrapped) == KEY


@needs_token
def test_a_key_is_made_once_and_has_one_name(place: TokenPlace, kek: Kek) -> None:
    assert TokenKeks(place).make("kek-1") is False
    assert [each.kek_id for each in TokenKeks(place).read()] == [kek.kek_id]


@needs_token
def test_the_key_that_wraps_does_not_come_out(place: TokenPlace, kek: Kek) -> None:
    pkcs11 = importlib.import_module("pkcs11")

    def value(_session: object, key: dict[object, bytes]) -> bytes:
        return key[pkcs11.Attribute.VALUE]

    with pytest.raises(VaultFault, match="AttributeSensitive"):
        TokenKeks(place).use("kek-1", value)


@needs_token
def test_what_was_changed_or_wrapped_by_another_key_does_not_open(place: TokenPlace, kek: Kek) -> None:
    keks = TokenKeks(attrs.evolve(place, labels=("kek-2", "kek-1")))
    keks.make("kek-2")
    other, same = keks.read()
    assert same.kek_id == kek.kek_id != other.kek_id
    wrapped = kek.wrap(KEY)
    with pytest.raises(VaultFault):
        other.unwrap(wrapped)
    with pytest.raises(VaultFault):
        kek.unwrap(wrapped[:-1] + bytes([wrapped[-1] ^ 1]))


@needs_token
def test_a_key_ring_lives_on_a_token_and_moves_to_its_next_key(place: TokenPlace, sqlite_url: str) -> None:
    keks = TokenKeks(place)
    keks.make("kek-1")
    sealed = KeyRing(sqlite_url, keks, Calendar()).open().seal(b"secret", table="t", column="c", row=b"r")
    both = TokenKeks(attrs.evolve(place, labels=("kek-3", "kek-1")))
    both.make("kek-3")
    assert KeyRing(sqlite_url, both, Calendar()).rewrap() == 3
    alone = TokenKeks(attrs.evolve(place, labels=("kek-3",)))
    vault = KeyRing(sqlite_url, alone, Calendar()).open()
    assert vault.open(sealed, table="t", column="c", row=b"r") == b"secret"


@needs_token
@pytest.mark.parametrize(
    "change", [{"pin": "0000"}, {"token": "none"}, {"labels": ("none",)}, {"module": "/none.so"}]
)
def test_a_token_that_cannot_be_used_is_a_fault_without_its_pin(place: TokenPlace, change: dict[str, object]) -> None:
    with pytest.raises(VaultFault) as caught:
        TokenKeks(attrs.evolve(place, **change)).read()  # type: ignore[arg-type]
    assert place.pin not in str(caught.value)
    assert place.pin not in repr(place)


def test_a_pin_is_read_from_a_file_of_its_owner_alone(tmp_path: Path) -> None:
    pin = tmp_path / "pin"
    pin.touch(mode=0o600)
    pin.write_text("2468\n")
    assert read_pin_file(pin) == "2468"
    pin.chmod(0o640)
    with pytest.raises(VaultFault, match="group or others"):
        read_pin_file(pin)
