"""Keyed names for what may be compared but not kept in the clear."""

import base64
import hashlib
import hmac
from typing import Final

from pydantic import SecretStr

_BYTES: Final = 18


class Pseudonyms:
    """Turns text into a name that only holders of the secret can make, and nobody can undo."""

    def __init__(self, secret: SecretStr) -> None:
        # Of the pepper only this derived key is used: the passwords' key signs nothing else.
        self._key = hmac.digest(secret.get_secret_value().encode(), b"pseudonyms", hashlib.sha256)

    def of(self, purpose: str, text: str) -> str:
        """The name of `text`, another one for each `purpose`."""
        digest = hmac.digest(self._key, f"{purpose}\0{text}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest[:_BYTES]).decode()
