"""What is sealed opens in its place only, and keys stay with their owner."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from junctor.codecs.masking import Pan
from junctor.ledger.vault import Keys, Vault, VaultFault, key_id_of, make_key_file

DATA, CARD = bytes(range(32)), bytes(range(32, 64))
PLACE: dict[str, Any] = {"table": "message", "column": "response", "row": b"k" * 16}


def counted() -> Vault:
    """A vault whose nonces are counted, not random."""
    numbers = iter(range(1, 1000))
    return Vault(DATA, CARD, random=lambda size: next(numbers).to_bytes(size, "big"))


@given(st.binary(max_size=2000))
def test_what_is_sealed_opens_again_and_does_not_show(plaintext: bytes) -> None:
    vault = Vault(DATA, CARD)
    sealed = vault.seal(plaintext, **PLACE)
    assert vault.open(sealed, **PLACE) == plaintext
    assert len(sealed) == 1 + 4 + 12 + len(plaintext) + 16
    assert len(plaintext) < 8 or plaintext not in sealed


def test_a_sealed_value_is_laid_out_as_promised() -> None:
    sealed = counted().seal(b"4761739001010119", **PLACE)
    key_id, nonce = sealed[1:5], sealed[5:17]
    assert (sealed[:1], nonce) == (b"\x01", (1).to_bytes(12, "big"))
    bound = b"message|response|" + b"k" * 16 + b"|" + key_id
    assert AESGCM(DATA).decrypt(nonce, sealed[17:], bound) == b"4761739001010119"


def test_every_value_has_a_nonce_of_its_own() -> None:
    vault = Vault(DATA, CARD)
    assert len({vault.seal(b"same", **PLACE)[5:17] for _ in range(200)}) == 200


@pytest.mark.parametrize(
    "change", [{"table": "delivery"}, {"column": "body"}, {"row": b"j" * 16}, {"row": b""}], ids=str
)
def test_a_value_moved_elsewhere_does_not_open(change: dict[str, object]) -> None:
    sealed = counted().seal(b"secret", **PLACE)
    with pytest.raises(VaultFault, match="does not open in this place"):
        counted().open(sealed, **{**PLACE, **change})


@given(st.integers(0, 38), st.integers(1, 255))
def test_a_changed_value_does_not_open(at: int, flip: int) -> None:
    sealed = bytearray(counted().seal(b"secret", **PLACE))
    sealed[at] ^= flip
    with pytest.raises(VaultFault):
        counted().open(bytes(sealed), **PLACE)


@given(st.binary(max_size=80))
def test_bytes_that_were_never_sealed_do_not_open(sealed: bytes) -> None:
    with pytest.raises(VaultFault) as caught:
        counted().open(sealed, **PLACE)
    assert sealed == b"" or repr(sealed)[2:-1] not in str(caught.value) or len(sealed) < 4


def test_a_value_under_a_key_that_another_node_began_is_opened_once_it_is_learned() -> None:
    other = Vault(CARD, b"h" * 32)
    asked: list[Keys] = []

    def learn() -> Keys:
        keys = {key_id_of(DATA): DATA} | ({key_id_of(CARD): CARD} if asked else {})
        asked.append(Keys(keys, key_id_of(DATA), b"h" * 32))
        return asked[-1]

    vault = Vault.learning(learn)
    vault.renew()
    assert vault.open(other.seal(b"secret", **PLACE), **PLACE) == b"secret"
    assert vault.seal(b"secret", **PLACE)[1:5] == key_id_of(DATA), "what seals is said by the keys"


def test_a_key_that_nobody_has_is_asked_for_once() -> None:
    asked = []

    def learn() -> Keys:
        asked.append(1)
        return Keys({key_id_of(DATA): DATA}, key_id_of(DATA), CARD)

    vault = Vault.learning(learn)
    for _ in range(3):
        with pytest.raises(VaultFault, match="sealed under another key"):
            vault.open(Vault(CARD, DATA).seal(b"secret", **PLACE), **PLACE)
    assert len(asked) == 1


def test_another_key_is_named_as_the_reason() -> None:
    sealed = Vault(CARD, DATA).seal(b"secret", **PLACE)
    with pytest.raises(VaultFault, match="sealed under another key"):
        Vault(DATA, CARD).open(sealed, **PLACE)


def test_a_card_is_known_by_half_of_its_keyed_hash() -> None:
    # HMAC-SHA256 of "4761739001010119" under the bytes 20 to 3f, by openssl, cut to 16 bytes.
    assert Vault(DATA, CARD).card_ref(Pan("4761739001010119")).hex() == "95c580f38854239cfd0d8c8c6fff0ea3"
    assert Vault(DATA, DATA[::-1]).card_ref(Pan("4761739001010119")) != Vault(DATA, CARD).card_ref(
        Pan("4761739001010119")
    )


def test_a_key_file_is_never_overwritten(tmp_path: Path) -> None:
    make_key_file(tmp_path / "data.key")
    before = (tmp_path / "data.key").read_bytes()
    with pytest.raises(FileExistsError):
        make_key_file(tmp_path / "data.key")
    assert (tmp_path / "data.key").read_bytes() == before


def test_a_fingerprint_is_hashed_under_the_key_and_apart_from_cards() -> None:
    # HMAC-SHA256 of "fingerprint|" and sixteen bytes 61 under the bytes 20 to 3f, by openssl, cut to 16 bytes.
    assert Vault(DATA, CARD).keyed(b"a" * 16).hex() == "7b702e6bd7a838ab31d1f7c078826bfd"
    assert Vault(DATA, DATA[::-1]).keyed(b"a" * 16) != Vault(DATA, CARD).keyed(b"a" * 16)


def test_one_key_for_both_uses_is_refused() -> None:
    with pytest.raises(VaultFault, match="are the same"):
        Vault(DATA, DATA)
    with pytest.raises(VaultFault, match="32 bytes"):
        Vault(DATA[:16], CARD)


def test_a_vault_prints_no_key_and_is_not_pickled() -> None:
    shown = repr(Vault(DATA, CARD))
    assert DATA.hex() not in shown
    assert len(shown) < 30
    with pytest.raises(TypeError):
        pickle.dumps(Vault(DATA, CARD))
