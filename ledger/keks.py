"""Key-encryption keys: what wraps the data keys that the database keeps, and where such keys come from.

A data key is wrapped with AES-KW (NIST SP 800-38F, RFC 3394), which notices a wrong key. A source gives its keys in
order: the first is in use, those after it only unwrap what a rotation has not yet wrapped anew.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from .vault import KEY_BYTES, VaultFault

KEKS_MAX: Final = 4
"""Keys in one file or credential: the one in use, and those before it."""


class Kek(Protocol):
    """A key that wraps others; `kek_id` (4 bytes) names it and tells nothing of it."""

    @property
    def kek_id(self) -> bytes: ...

    def wrap(self, key: bytes) -> bytes:
        """Encrypt a data key."""

    def unwrap(self, wrapped: bytes) -> bytes:
        """Decrypt a data key; VaultFault when it was wrapped by another key or changed."""


class KekSource(Protocol):
    """Where key-encryption keys come from."""

    def read(self) -> Sequence[Kek]:
        """Give the keys, the one in use first, at least one; VaultFault when there is none to be used."""


class SoftKek:
    """A key-encryption key in this process's memory."""

    __slots__ = ("_key", "kek_id")

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.kek_id = kek_id(self)

    def __repr__(self) -> str:
        return f"SoftKek({self.kek_id.hex()})"

    def __reduce__(self) -> str:
        raise TypeError("a key is not pickled")

    def wrap(self, key: bytes) -> bytes:
        """Encrypt a data key."""
        return aes_key_wrap(self._key, key)

    def unwrap(self, wrapped: bytes) -> bytes:
        """Decrypt a data key; VaultFault when it was wrapped by another key or changed."""
        try:
            return aes_key_unwrap(self._key, wrapped)
        except (InvalidUnwrap, ValueError):
            raise VaultFault("a wrapped key does not open under this key-encryption key") from None


class KekFile:
    """Keys in a file that nobody but its owner may use, 64 hexadecimal digits a line, the one in use first."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Sequence[Kek]:
        """Give the keys; VaultFault when others may use the file or it holds none, OSError without it."""
        return [SoftKek(key) for key in read_key_file(self.path, KEKS_MAX)]

    def put_first(self, key: bytes) -> None:
        """Make a key the one in use; those that are there stay behind it. The file changes in one step."""
        self._write([key, *(read_key_file(self.path, KEKS_MAX) if self.path.exists() else [])])

    def keep(self, kek_ids: frozenset[bytes]) -> None:
        """Forget the keys behind the first whose names are not given."""
        first, *older = read_key_file(self.path, KEKS_MAX)
        self._write([first, *(key for key in older if SoftKek(key).kek_id in kek_ids)])

    def _write(self, keys: Sequence[bytes]) -> None:
        if len(keys) > KEKS_MAX:
            raise VaultFault(f"{self.path}: holds {KEKS_MAX} keys already; finish the rotation that was begun")
        beside = self.path.with_name(self.path.name + ".new")
        beside.unlink(missing_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.writelines(f"{key.hex()}\n" for key in keys)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)


class KekCredential(KekFile):
    """Keys in a credential that systemd hands to the service (`LoadCredential=`, `LoadCredentialEncrypted=`).

    The file lies under $CREDENTIALS_DIRECTORY and has the form of a key file.
    """

    def __init__(self, name: str, environment: Mapping[str, str]) -> None:
        folder = environment.get("CREDENTIALS_DIRECTORY")
        if not folder:
            raise VaultFault("systemd has handed over no credentials ($CREDENTIALS_DIRECTORY is not set)")
        super().__init__(Path(folder) / name)


def kek_id(kek: SoftKek) -> bytes:
    """Name a key-encryption key by a digest of what it makes of 32 zero bytes: the same wherever the key is."""
    return digest_id(kek.wrap(bytes(KEY_BYTES)))


def digest_id(wrapped_zeros: bytes) -> bytes:
    """Give the 4 bytes that name a key which wraps zeros like that."""
    return hashlib.blake2b(wrapped_zeros, digest_size=4, person=b"junctor kek id").digest()


def check_value(key: bytes) -> str:
    """Give a key's check value: the first three bytes of AES-CMAC over a block of zeros, in hexadecimal."""
    mac = CMAC(AES(key))
    mac.update(bytes(16))
    return mac.finalize()[:3].hex().upper()


def combine(first: bytes, second: bytes) -> bytes:
    """Make a key of two custodians' components; VaultFault for components that leave one of them in the know."""
    if len(first) != KEY_BYTES or len(second) != KEY_BYTES:
        raise VaultFault("a component has 64 hexadecimal digits")
    key = bytes(a ^ b for a, b in zip(first, second, strict=True))
    if not any(key) or not any(first) or not any(second):
        raise VaultFault("the components are the same, or one of them is zero")
    return key


def read_key_file(path: Path, most: int) -> list[bytes]:
    """Read the keys of a file, 64 hexadecimal digits a line; VaultFault when anyone but its owner may use it."""
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise VaultFault(f"{path}: group or others may use this key file; make it mode 0600")
        content = file.read((2 * KEY_BYTES + 2) * most + 1)
    try:
        keys = [bytes.fromhex(line) for line in content.decode("ascii").split()]
    except ValueError:
        keys = []
    if not 1 <= len(keys) <= most or any(len(key) != KEY_BYTES for key in keys):
        raise VaultFault(f"{path}: a key file holds 64 hexadecimal digits")
    return keys
