"""Refresh tokens: their form, what is kept of them, and what each is followed by.

A token is ``<session id>.<family>.<secret>``. The family part stays the same for the whole
session, the secret changes with each use. Only hashes of both are kept. Whoever shows a
right family with a secret that is not the newest has a stolen token, or was stolen from;
whoever shows a wrong family has guessed, and must not be able to end anybody's session.

A successor is computed from the token before it and a random salt that is kept with the
session. So the same answer can be given once more to a client that lost it, while neither
the database alone nor an old token alone tells the next one.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Final

from shared.errors import Unauthenticated

_BYTES: Final = 32
_MAX_CHARS: Final = 256


@dataclass(frozen=True, slots=True)
class Family:
    """The first token of a session, and what is kept of it."""

    token: str = field(repr=False)
    family_hash: bytes
    secret_hash: bytes


@dataclass(frozen=True, slots=True)
class Shown:
    """What a token that a client shows says, as hashes."""

    session_id: str
    family_hash: bytes
    secret_hash: bytes


@dataclass(frozen=True, slots=True)
class Rotation:
    """A salt, by which every token has one successor."""

    salt: bytes = field(repr=False)

    def successor(self, token: str) -> str:
        """The token that follows `token`."""
        head, _, _ = token.rpartition(".")
        secret = hmac.digest(self.salt, token.encode(), hashlib.sha256)
        return f"{head}.{_text(secret)}"


def new_family(session_id: str) -> Family:
    """The first token of a session."""
    family, secret = _text(secrets.token_bytes(_BYTES)), _text(secrets.token_bytes(_BYTES))
    token = f"{session_id}.{family}.{secret}"
    return Family(token, _hash(family), _hash(secret))


def new_rotation() -> Rotation:
    """A salt that nobody knows yet."""
    return Rotation(secrets.token_bytes(_BYTES))


def read(token: str) -> Shown:
    """Raises Unauthenticated if it does not have the form of a refresh token."""
    parts = token.split(".")
    if len(token) > _MAX_CHARS or len(parts) != 3 or not all(parts) or not token.isascii():
        raise Unauthenticated("not a refresh token")
    session_id, family, secret = parts
    return Shown(session_id, _hash(family), _hash(secret))


def _hash(part: str) -> bytes:
    # Nothing slower is needed: 256 random bits cannot be guessed at any speed.
    return hashlib.sha256(part.encode()).digest()


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
