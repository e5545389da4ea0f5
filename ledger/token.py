"""Key-encryption keys in a PKCS#11 token: they wrap and unwrap inside it, and never leave it.

Source: PKCS#11 2.40, sections 5.13 (C_WrapKey, C_UnwrapKey) and AES-KW as CKM_AES_KEY_WRAP.
"""

from __future__ import annotations

import importlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import attrs

from .keks import Kek, digest_id
from .vault import KEY_BYTES, VaultFault

T = TypeVar("T")
_PIN_BYTES_MAX: Final = 256


@attrs.frozen
class TokenPlace:
    """Which keys of which token: the library's path, the token's label, the keys' labels (the one in use first)."""

    module: str
    token: str
    labels: tuple[str, ...]
    pin: str = attrs.field(repr=False)


class TokenKeks:
    """The key-encryption keys of a token; a session is opened for each use, so that a token may come and go."""

    def __init__(self, place: TokenPlace) -> None:
        try:
            self._pkcs11: Any = importlib.import_module("pkcs11")
        except ImportError:
            raise VaultFault("python-pkcs11 is not installed: pip install 'junctor[pkcs11]'") from None
        self._place = place

    def read(self) -> Sequence[Kek]:
        """Give the keys; VaultFault when the token or its first key is not there."""
        return [TokenKek(self, label) for label in self._place.labels]

    def use(self, label: str, work: Callable[[Any, Any], T]) -> T:
        """Call `work(session, key)`; VaultFault, without the library's words, when the token does not do it."""
        with self._open() as session:
            return work(session, session.get_key(object_class=self._pkcs11.ObjectClass.SECRET_KEY, label=label))

    def make(self, label: str) -> bool:
        """Make a key that cannot leave the token; False when one of that label is there, which stays."""
        pkcs11 = self._pkcs11
        attribute = pkcs11.Attribute
        with self._open(rw=True) as session:
            if list(session.get_objects({attribute.LABEL: label})):
                return False
            session.generate_key(
                pkcs11.KeyType.AES,
                8 * KEY_BYTES,
                label=label,
                store=True,
                capabilities=pkcs11.MechanismFlag.WRAP | pkcs11.MechanismFlag.UNWRAP,
                template={attribute.EXTRACTABLE: False, attribute.SENSITIVE: True},
            )
            return True

    @contextmanager
    def _open(self, rw: bool = False) -> Iterator[Any]:
        pkcs11 = self._pkcs11
        try:
            token = pkcs11.lib(self._place.module).get_token(token_label=self._place.token)
            with token.open(rw=rw, user_pin=self._place.pin) as session:
                yield session
        except (pkcs11.PKCS11Error, RuntimeError, OSError) as error:
            raise VaultFault(f"the token {self._place.token}: {type(error).__name__}") from None

    def wrap(self, label: str, key: bytes) -> bytes:
        """Wrap a key with the token's key of that label."""
        pkcs11 = self._pkcs11

        def work(session: Any, kek: Any) -> bytes:
            template = {
                pkcs11.Attribute.CLASS: pkcs11.ObjectClass.SECRET_KEY,
                pkcs11.Attribute.KEY_TYPE: pkcs11.KeyType.AES,
                pkcs11.Attribute.VALUE: key,
                pkcs11.Attribute.EXTRACTABLE: True,
                pkcs11.Attribute.TOKEN: False,
            }
            wrapped: bytes = kek.wrap_key(session.create_object(template), mechanism=pkcs11.Mechanism.AES_KEY_WRAP)
            return wrapped

        return self.use(label, work)

    def unwrap(self, label: str, wrapped: bytes) -> bytes:
        """Unwrap a key with the token's key of that label."""
        pkcs11 = self._pkcs11

        def work(_session: Any, kek: Any) -> bytes:
            key = kek.unwrap_key(
                pkcs11.ObjectClass.SECRET_KEY,
                pkcs11.KeyType.AES,
                wrapped,
                mechanism=pkcs11.Mechanism.AES_KEY_WRAP,
                template={pkcs11.Attribute.EXTRACTABLE: True, pkcs11.Attribute.SENSITIVE: False},
            )
            return bytes(key[pkcs11.Attribute.VALUE])

        return self.use(label, work)


class TokenKek:
    """One key of a token."""

    __slots__ = ("_keks", "_label", "kek_id")

    def __init__(self, keks: TokenKeks, label: str) -> None:
        self._keks = keks
        self._label = label
        self.kek_id = digest_id(keks.wrap(label, bytes(KEY_BYTES)))

    def wrap(self, key: bytes) -> bytes:
        """Encrypt a data key."""
        return self._keks.wrap(self._label, key)

    def unwrap(self, wrapped: bytes) -> bytes:
        """Decrypt a data key; VaultFault when it was wrapped by another key or changed."""
        return self._keks.unwrap(self._label, wrapped)


def read_pin_file(path: Path) -> str:
    """Read a token's PIN from a file; VaultFault when anyone but its owner may use it."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise VaultFault(f"{path}: group or others may use this file; make it mode 0600")
        try:
            return file.read(_PIN_BYTES_MAX).decode("utf-8").strip()
        except ValueError:
            raise VaultFault(f"{path}: holds no PIN") from None
