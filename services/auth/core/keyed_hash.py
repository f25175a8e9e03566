"""Keyed hashes (HMAC-SHA256) of values that are compared but not stored in clear text."""

import base64
import hashlib
import hmac
from typing import Final

from pydantic import SecretStr

_DIGEST_BYTES: Final = 18


class KeyedHash:
    """Hashes text with a key that is derived from a secret."""

    def __init__(self, secret: SecretStr) -> None:
        # The secret is the pepper, the key of the password hashes. Only a derived key is
        # used here, so that the pepper itself keys nothing but passwords.
        self._key = hmac.digest(secret.get_secret_value().encode(), b"pseudonyms", hashlib.sha256)

    def digest(self, purpose: str, text: str) -> str:
        """Return the hash of `text` in base64url; it differs for each `purpose`."""
        digest = hmac.digest(self._key, f"{purpose}\0{text}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest[:_DIGEST_BYTES]).decode()
