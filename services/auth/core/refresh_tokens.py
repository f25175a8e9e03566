"""Refresh tokens: their format, their stored hashes and the successor of each.

A token is ``<session id>.<family>.<secret>``. The family part stays the same for the whole
session; the secret changes with each use. Only hashes of both parts are stored. A correct
family part with a secret that is not the newest shows that a copy was stolen. A wrong family
part is a guess, and a guess must not end a session.

A token's successor is computed from the token and a random salt that is stored with the
session. The same answer can therefore be repeated to a client that lost it, while neither
the database alone nor an old token alone reveals the next token.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Final

from shared.errors import Unauthenticated

_RANDOM_BYTES: Final = 32
_MAX_CHARS: Final = 256


@dataclass(frozen=True, slots=True)
class TokenFamily:
    """The first refresh token of a session, with the hashes to store."""

    token: str = field(repr=False)
    family_hash: bytes
    secret_hash: bytes


@dataclass(frozen=True, slots=True)
class PresentedToken:
    """The parts of a refresh token that a client sent: the session id and hashes of the rest."""

    session_id: str
    family_hash: bytes
    secret_hash: bytes


@dataclass(frozen=True, slots=True)
class RotationSalt:
    """A random salt that determines the successor of a refresh token."""

    value: bytes = field(repr=False)

    def successor(self, token: str) -> str:
        """Return the refresh token that replaces `token`."""
        head, _, _ = token.rpartition(".")
        secret = hmac.digest(self.value, token.encode(), hashlib.sha256)
        return f"{head}.{_to_text(secret)}"


def new_family(session_id: str) -> TokenFamily:
    """Create the first refresh token of a session."""
    family = _to_text(secrets.token_bytes(_RANDOM_BYTES))
    secret = _to_text(secrets.token_bytes(_RANDOM_BYTES))
    return TokenFamily(f"{session_id}.{family}.{secret}", _hash(family), _hash(secret))


def new_salt() -> RotationSalt:
    """Create a random salt."""
    return RotationSalt(secrets.token_bytes(_RANDOM_BYTES))


def parse(token: str) -> PresentedToken:
    """Raises Unauthenticated if `token` does not have the form of a refresh token."""
    parts = token.split(".")
    if len(token) > _MAX_CHARS or len(parts) != 3 or not all(parts) or not token.isascii():
        raise Unauthenticated("not a refresh token")
    session_id, family, secret = parts
    return PresentedToken(session_id, _hash(family), _hash(secret))


def _hash(part: str) -> bytes:
    # A fast hash is enough: 256 random bits cannot be guessed at any speed.
    return hashlib.sha256(part.encode()).digest()


def _to_text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
