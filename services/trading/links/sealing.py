"""Seals secrets for the database with AES-256-GCM, so that a stolen copy of it holds none.

A sealed value is ``v1.<key id>.<base64 of nonce and ciphertext>``. Its place in the database is
authenticated with it: copied to another document or field, it does not open.
"""

import base64
import binascii
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.errors import TradeDadError

KEY_BYTES: Final = 32
KEY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_VERSION: Final = "v1"
_NONCE_BYTES: Final = 12


class SealBroken(TradeDadError):
    """A sealed value cannot be opened: its key is missing, or it was changed or moved."""


class UnknownSealKey(SealBroken):
    """The key of a sealed value is not in the key ring."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"no key {key_id!r} in the key ring")
        self.key_id = key_id


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed value is stored."""

    collection: str
    document_id: str
    field: str

    @property
    def authenticated(self) -> bytes:
        """The additional data of the cipher. Names of collections and fields contain no ``|``."""
        return f"{self.collection}|{self.document_id}|{self.field}".encode()


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys by id. Ids sort by age: the newest key seals, and every key opens what it has sealed."""

    keys: Mapping[str, bytes] = field(repr=False)

    @property
    def newest(self) -> str:
        """The id of the key that seals."""
        return max(self.keys)

    def seal(self, plaintext: str, place: Place) -> str:
        """Seal with the newest key and a random nonce."""
        nonce = os.urandom(_NONCE_BYTES)
        cipher = AESGCM(self.keys[self.newest])
        sealed = nonce + cipher.encrypt(nonce, plaintext.encode(), place.authenticated)
        return f"{_VERSION}.{self.newest}.{base64.b64encode(sealed).decode()}"

    def open(self, sealed: str, place: Place) -> str:
        """The plaintext. Raises SealBroken, whose text has no part of it."""
        key_id = key_of(sealed)
        if key_id not in self.keys:
            raise UnknownSealKey(key_id)
        try:
            data = base64.b64decode(sealed.rpartition(".")[2], validate=True)
            nonce, ciphertext = data[:_NONCE_BYTES], data[_NONCE_BYTES:]
            return (
                AESGCM(self.keys[key_id]).decrypt(nonce, ciphertext, place.authenticated).decode()
            )
        except (binascii.Error, ValueError, InvalidTag):
            raise SealBroken(f"a value sealed with key {key_id!r} was changed or moved") from None


def key_of(sealed: str) -> str:
    """The id of the key that has sealed a value. Raises SealBroken if the form is wrong."""
    version, _, rest = sealed.partition(".")
    key_id, dot, _ = rest.partition(".")
    if version != _VERSION or not dot or not KEY_ID.fullmatch(key_id):
        raise SealBroken("not a sealed value")
    return key_id
