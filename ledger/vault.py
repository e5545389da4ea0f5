"""The small door to encryption: what the database keeps whole of card data is sealed here, and card numbers hashed.

Where the keys come from is the key ring's business (`keyring`).

AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce; the place of the value (table, column, row) is bound to
it, so that a sealed value moved elsewhere does not open. A sealed value is: format 1, key id (4), nonce (12),
ciphertext and tag (16).
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import attrs
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ..codecs.masking import Pan

KEY_BYTES: Final = 32
_FORMAT: Final = b"\x01"
_ID_END: Final = 5
_NONCE_END: Final = 17
_SHORTEST: Final = _NONCE_END + 16
_STRANGERS_MAX: Final = 1_000
"""Key ids that are remembered as unknown, so that each is asked for once."""


class VaultFault(Exception):
    """A key that may not be used or is not there, or a sealed value that does not open; never holds content."""


def key_id_of(key: bytes) -> bytes:
    """Give the 4 bytes that name a key in what it sealed."""
    return hashlib.blake2b(key, digest_size=4, person=b"junctor key id").digest()


@attrs.frozen(repr=False)
class Keys:
    """The keys of a vault: data keys by id, the id of the one that seals, and the key that hashes card numbers."""

    data: Mapping[bytes, bytes]
    active: bytes
    card_hash: bytes

    def __attrs_post_init__(self) -> None:
        if any(len(key) != KEY_BYTES for key in (*self.data.values(), self.card_hash)):
            raise VaultFault("a key has 32 bytes")
        if any(hmac.compare_digest(key, self.card_hash) for key in self.data.values()):
            raise VaultFault("the data key and the card hash key are the same")

    def __repr__(self) -> str:
        return f"Keys({len(self.data)} data keys)"


class Vault:
    """Seals and opens stored values under data keys, and makes card references under a key of its own.

    What is sealed names its key. `learn`, if given, reads the keys anew: it is asked when a value was sealed under a
    key that is not known here, because another node began a new one. random: gives that many random bytes; each
    nonce comes from it. Threads may share a vault.
    """

    __slots__ = ("_aeads", "_keys", "_learn", "_prefix", "_random", "_strangers")

    def __init__(self, data_key: bytes, card_hash_key: bytes, random: Callable[[int], bytes] = os.urandom) -> None:
        self._start(None, random)
        self.use(Keys({key_id_of(data_key): data_key}, key_id_of(data_key), card_hash_key))

    @classmethod
    def learning(cls, learn: Callable[[], Keys], random: Callable[[int], bytes] = os.urandom) -> Vault:
        """Make a vault that gets its keys from a function, for the first time when `renew` is called."""
        vault = cls.__new__(cls)
        vault._start(learn, random)
        return vault

    def _start(self, learn: Callable[[], Keys] | None, random: Callable[[int], bytes]) -> None:
        self._learn = learn
        self._random = random
        self._keys: Keys | None = None
        self._aeads: dict[bytes, AESGCM] = {}
        self._prefix = b""
        self._strangers: set[bytes] = set()

    def __repr__(self) -> str:
        return f"Vault(key id {self._prefix[1:].hex() or 'none'})"

    def __reduce__(self) -> str:
        raise TypeError("a vault is not pickled")

    def use(self, keys: Keys) -> None:
        """Seal under the active one of these keys from now on, and open what any of them, or one before, sealed."""
        aeads = {key_id: self._aeads.get(key_id) or AESGCM(key) for key_id, key in keys.data.items()}
        self._aeads = self._aeads | aeads
        self._prefix = _FORMAT + keys.active
        self._keys = keys

    def renew(self) -> None:
        """Read the keys anew; whatever `learn` raises."""
        if self._learn is not None:
            self.use(self._learn())

    def seal(self, plaintext: bytes, *, table: str, column: str, row: bytes) -> bytes:
        """Encrypt a value for its place."""
        prefix = self._prefix
        key_id = prefix[1:]
        nonce = self._random(12)
        return prefix + nonce + self._aeads[key_id].encrypt(nonce, plaintext, _place(table, column, row, key_id))

    def open(self, sealed: bytes, *, table: str, column: str, row: bytes) -> bytes:
        """Decrypt the value of a place; VaultFault when it was changed, moved, or sealed under a key not known."""
        if len(sealed) < _SHORTEST or sealed[:1] != _FORMAT:
            raise VaultFault("not a sealed value")
        key_id = sealed[1:_ID_END]
        aead = self._aeads.get(key_id) or self._learn_key(key_id)
        try:
            return aead.decrypt(sealed[_ID_END:_NONCE_END], sealed[_NONCE_END:], _place(table, column, row, key_id))
        except InvalidTag:
            raise VaultFault("a sealed value does not open in this place") from None

    def salt(self) -> bytes:
        """Give 16 random bytes."""
        return self._random(16)

    @property
    def key_id(self) -> bytes:
        """The id of the key that seals now."""
        return self._prefix[1:]

    def card_ref(self, pan: Pan) -> bytes:
        """Give the 16 bytes by which a card is known: HMAC-SHA256 of its number, cut to half."""
        return self._hash(pan.reveal().encode())

    def keyed(self, fingerprint: bytes) -> bytes:
        """Hash a digest that covers a card number, so that nobody finds the number by trying all there are."""
        return self._hash(b"fingerprint|" + fingerprint)

    def _hash(self, content: bytes) -> bytes:
        if self._keys is None:
            raise VaultFault("the keys were not read yet")
        return hmac.digest(self._keys.card_hash, content, "sha256")[:16]

    def _learn_key(self, key_id: bytes) -> AESGCM:
        """Ask for a key that is not known, once: a key is in the database before anything is sealed under it."""
        if key_id not in self._strangers:
            self.renew()
            aead = self._aeads.get(key_id)
            if aead is not None:
                return aead
            if len(self._strangers) < _STRANGERS_MAX:
                self._strangers.add(key_id)
        raise VaultFault("sealed under another key")


def _place(table: str, column: str, row: bytes, key_id: bytes) -> bytes:
    return b"|".join((table.encode(), column.encode(), row, key_id))


def make_key_file(path: Path | str) -> None:
    """Write a new random key to a file that only its owner may read; FileExistsError when it is there."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(os.urandom(KEY_BYTES).hex() + "\n")
