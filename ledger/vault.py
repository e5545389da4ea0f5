"""The small door to encryption: what the database keeps whole of card data is sealed here, and card numbers hashed.

AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce; the place of the value (table, column, row) is bound to
it, so that a sealed value moved elsewhere does not open. A sealed value is: format 1, key id (4), nonce (12),
ciphertext and tag (16).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ..codecs.masking import Pan

KEY_BYTES: Final = 32
_FORMAT: Final = b"\x01"
_ID_END: Final = 5
_NONCE_END: Final = 17
_SHORTEST: Final = _NONCE_END + 16


class VaultFault(Exception):
    """A key file that may not be used, or a sealed value that does not open; never holds content."""


class Vault:
    """Seals and opens stored values under one data key, and makes card references under another.

    random: gives that many random bytes; each nonce comes from it.
    """

    __slots__ = ("_aead", "_card_hash_key", "_key_id", "_prefix", "_random")

    def __init__(self, data_key: bytes, card_hash_key: bytes, random: Callable[[int], bytes] = os.urandom) -> None:
        if len(data_key) != KEY_BYTES or len(card_hash_key) != KEY_BYTES:
            raise VaultFault("a key has 32 bytes")
        if hmac.compare_digest(data_key, card_hash_key):
            raise VaultFault("the data key and the card hash key are the same")
        self._aead = AESGCM(data_key)
        self._card_hash_key = card_hash_key
        self._key_id = hashlib.blake2b(data_key, digest_size=4, person=b"junctor key id").digest()
        self._prefix = _FORMAT + self._key_id
        self._random = random

    @classmethod
    def from_files(cls, data_key_file: Path | str, card_hash_key_file: Path | str) -> Vault:
        """Read both keys (64 hexadecimal digits each); VaultFault when a file may be read by group or others."""
        return cls(_read_key(Path(data_key_file)), _read_key(Path(card_hash_key_file)))

    def __repr__(self) -> str:
        return f"Vault(key id {self._key_id.hex()})"

    def __reduce__(self) -> str:
        raise TypeError("a vault is not pickled")

    def seal(self, plaintext: bytes, *, table: str, column: str, row: bytes) -> bytes:
        """Encrypt a value for its place."""
        nonce = self._random(12)
        return self._prefix + nonce + self._aead.encrypt(nonce, plaintext, self._place(table, column, row))

    def open(self, sealed: bytes, *, table: str, column: str, row: bytes) -> bytes:
        """Decrypt the value of a place; VaultFault when it was changed, moved, or sealed under another key."""
        if len(sealed) < _SHORTEST or sealed[:1] != _FORMAT:
            raise VaultFault("not a sealed value")
        if sealed[1:_ID_END] != self._key_id:
            raise VaultFault("sealed under another key")
        try:
            return self._aead.decrypt(
                sealed[_ID_END:_NONCE_END], sealed[_NONCE_END:], self._place(table, column, row)
            )
        except InvalidTag:
            raise VaultFault("a sealed value does not open in this place") from None

    def salt(self) -> bytes:
        """Give 16 random bytes."""
        return self._random(16)

    def card_ref(self, pan: Pan) -> bytes:
        """Give the 16 bytes by which a card is known: HMAC-SHA256 of its number, cut to half."""
        return hmac.digest(self._card_hash_key, pan.reveal().encode(), "sha256")[:16]

    def _place(self, table: str, column: str, row: bytes) -> bytes:
        return b"|".join((table.encode(), column.encode(), row, self._key_id))


def make_key_file(path: Path | str) -> None:
    """Write a new random key to a file that only its owner may read; FileExistsError when it is there."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(os.urandom(KEY_BYTES).hex() + "\n")


def _read_key(path: Path) -> bytes:
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise VaultFault(f"{path}: group or others may use this key file; make it mode 0600")
        content = file.read(4 * KEY_BYTES)
    try:
        key = bytes.fromhex(content.decode("ascii").strip())
    except ValueError:
        raise VaultFault(f"{path}: a key file holds 64 hexadecimal digits") from None
    if len(key) != KEY_BYTES:
        raise VaultFault(f"{path}: a key file holds 64 hexadecimal digits")
    return key
