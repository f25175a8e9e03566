"""Revocations of access tokens: the messages that auth publishes and gateways check.

Auth keeps each revocation in the bucket `revocations` until every token that it concerns has
expired. The key ``session.<session id>`` revokes all tokens of that session. The key
``user.<user id>`` revokes all tokens of that user that were issued at `before` or earlier.
Revocations are never taken back, so they can be read repeatedly and in any order.
"""

from typing import Final, Protocol

import msgspec

from shared.contracts.strict_json import json_decoder
from shared.errors import InvalidField, Revoked, Unavailable

BUCKET: Final = "revocations"
STREAM: Final = f"KV_{BUCKET}"
SUBJECT_PREFIX: Final = f"$KV.{BUCKET}."
ALL_REVOCATIONS: Final = f"{SUBJECT_PREFIX}>"
_SESSION: Final = "session."
_USER: Final = "user."


class SessionRevoked(msgspec.Struct, frozen=True, kw_only=True):
    """Revokes all tokens of a session."""

    session_id: str
    until: int
    """Unix seconds; by then all tokens of the session have expired."""


class UserRevoked(msgspec.Struct, frozen=True, kw_only=True):
    """Revokes all tokens of a user that were issued at `before` or earlier."""

    user_id: str
    before: int
    """Unix seconds, compared with a token's `iat`."""
    until: int
    """Unix seconds; by then all such tokens have expired."""


Revocation = SessionRevoked | UserRevoked


class _SessionValue(msgspec.Struct, frozen=True):
    until: int


class _UserValue(msgspec.Struct, frozen=True):
    before: int
    until: int


class TokenClaims(Protocol):
    """The claims of a token that decide about revocation; `Principal` has them."""

    @property
    def user_id(self) -> str: ...
    @property
    def session_id(self) -> str: ...
    @property
    def issued_at(self) -> int: ...


_session_decoder: Final = json_decoder(_SessionValue)
_user_decoder: Final = json_decoder(_UserValue)


def encode(revocation: Revocation) -> tuple[str, bytes]:
    """The subject and the message for a revocation.

    Raises InvalidField if an id is not a single token of a subject.
    """
    match revocation:
        case SessionRevoked(session_id=session_id, until=until):
            key, value = _SESSION + _token(session_id), msgspec.json.encode(_SessionValue(until))
        case UserRevoked(user_id=user_id, before=before, until=until):
            key, value = _USER + _token(user_id), msgspec.json.encode(_UserValue(before, until))
    return SUBJECT_PREFIX + key, value


def decode(subject: str, value: bytes) -> Revocation:
    """Raises ValueError if this is not the subject and the message of a revocation."""
    key = subject.removeprefix(SUBJECT_PREFIX)
    if key.startswith(_SESSION):
        until = _session_decoder(value).until
        return SessionRevoked(session_id=key.removeprefix(_SESSION), until=until)
    if key.startswith(_USER):
        body = _user_decoder(value)
        user_id = key.removeprefix(_USER)
        return UserRevoked(user_id=user_id, before=body.before, until=body.until)
    raise ValueError(f"{subject!r} is not the subject of a revocation")


class Revocations:
    """A set of revocations, in memory."""

    def __init__(self, *, are_read: bool = False) -> None:
        self._sessions: dict[str, int] = {}
        self._users: dict[str, UserRevoked] = {}
        self.are_read = are_read
        """Whether all stored revocations were read once: until then any token may be revoked."""

    def __len__(self) -> int:
        return len(self._sessions) + len(self._users)

    def add(self, revocation: Revocation) -> bool:
        """Add a revocation; returns False if it revokes no more than an earlier one."""
        match revocation:
            case SessionRevoked(session_id=session_id, until=until):
                if until <= self._sessions.get(session_id, 0):
                    return False
                self._sessions[session_id] = until
            case UserRevoked(user_id=user_id, before=before, until=until):
                current = self._users.get(user_id)
                if current is not None and (current.before, current.until) >= (before, until):
                    return False
                self._users[user_id] = revocation
        return True

    def is_revoked(self, claims: TokenClaims) -> bool:
        """Whether the token with these claims is revoked."""
        if claims.session_id in self._sessions:
            return True
        user = self._users.get(claims.user_id)
        return user is not None and claims.issued_at <= user.before

    def check(self, claims: TokenClaims) -> None:
        """Raises Revoked, or Unavailable while the stored revocations were not read."""
        if self.is_revoked(claims):
            raise Revoked("the session was ended")
        if not self.are_read:
            raise Unavailable("the ended sessions have not been read yet; try again")

    def remove_expired(self, now_secs: int) -> None:
        """Remove revocations whose tokens have all expired by `now_secs` (Unix seconds)."""
        self._sessions = {key: until for key, until in self._sessions.items() if until > now_secs}
        self._users = {key: user for key, user in self._users.items() if user.until > now_secs}


def _token(text: str) -> str:
    if not text or any(char in ".*> \t\r\n" for char in text):
        raise InvalidField(f"{text!r} is not a single token of a subject", field="id")
    return text
