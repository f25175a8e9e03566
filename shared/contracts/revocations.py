"""Which access tokens are refused before their time: what auth writes and gateways check.

Auth keeps each revocation in the bucket `revocations` for as long as a token that it
concerns can live. ``session.<session id>`` refuses every token of that session,
``user.<user id>`` every token of that user that was issued at `before` or earlier.
Revocations only ever add up, so they can be read twice and in any order.
"""

from typing import Final, Protocol

import msgspec

from shared.errors import InvalidField

BUCKET: Final = "revocations"
STREAM: Final = f"KV_{BUCKET}"
SUBJECT_PREFIX: Final = f"$KV.{BUCKET}."
ALL_REVOCATIONS: Final = f"{SUBJECT_PREFIX}>"
_SESSION: Final = "session."
_USER: Final = "user."


class SessionRevoked(msgspec.Struct, frozen=True, kw_only=True):
    """No token of this session is good any more."""

    session_id: str
    until: int
    """Unix seconds; from then on no token of the session could be good anyway."""


class UserRevoked(msgspec.Struct, frozen=True, kw_only=True):
    """No token that this user was issued until `before`, inclusive, is good any more."""

    user_id: str
    before: int
    """Unix seconds, compared with a token's `iat`."""
    until: int
    """Unix seconds; from then on no such token could be good anyway."""


Revocation = SessionRevoked | UserRevoked


class _SessionValue(msgspec.Struct, frozen=True):
    until: int


class _UserValue(msgspec.Struct, frozen=True):
    before: int
    until: int


class Bearer(Protocol):
    """What must be known of a token; a `shared.verifier.Principal` is one."""

    @property
    def user_id(self) -> str: ...
    @property
    def session_id(self) -> str: ...
    @property
    def issued_at(self) -> int: ...


_session_decoder: Final = msgspec.json.Decoder(_SessionValue)
_user_decoder: Final = msgspec.json.Decoder(_UserValue)


def encode(revocation: Revocation) -> tuple[str, bytes]:
    """The subject on which to publish, and the message.

    Raises InvalidField if an id is not one token of a subject.
    """
    match revocation:
        case SessionRevoked(session_id=session_id, until=until):
            key, value = _SESSION + _token(session_id), msgspec.json.encode(_SessionValue(until))
        case UserRevoked(user_id=user_id, before=before, until=until):
            key, value = _USER + _token(user_id), msgspec.json.encode(_UserValue(before, until))
    return SUBJECT_PREFIX + key, value


def decode(subject: str, value: bytes) -> Revocation:
    """Raises ValueError if these are not a revocation's subject and message."""
    key = subject.removeprefix(SUBJECT_PREFIX)
    if key.startswith(_SESSION):
        until = _session_decoder.decode(value).until
        return SessionRevoked(session_id=key.removeprefix(_SESSION), until=until)
    if key.startswith(_USER):
        body = _user_decoder.decode(value)
        user_id = key.removeprefix(_USER)
        return UserRevoked(user_id=user_id, before=body.before, until=body.until)
    raise ValueError(f"{subject!r} is not a revocation's subject")


class Revocations:
    """All revocations that are known; holds each until it can refuse nothing any more."""

    def __init__(self) -> None:
        self._sessions: dict[str, int] = {}
        self._users: dict[str, UserRevoked] = {}

    def __len__(self) -> int:
        return len(self._sessions) + len(self._users)

    def add(self, revocation: Revocation) -> None:
        """Take note; a weaker one than is known of the same changes nothing."""
        match revocation:
            case SessionRevoked(session_id=session_id, until=until):
                self._sessions[session_id] = max(until, self._sessions.get(session_id, 0))
            case UserRevoked(user_id=user_id, before=before, until=until):
                known = self._users.get(user_id)
                if known is None or (known.before, known.until) < (before, until):
                    self._users[user_id] = revocation

    def refuses(self, bearer: Bearer) -> bool:
        """Whether a token that is otherwise good is not to be accepted."""
        if bearer.session_id in self._sessions:
            return True
        user = self._users.get(bearer.user_id)
        return user is not None and bearer.issued_at <= user.before

    def forget(self, now: int) -> None:
        """Drop what can refuse nothing at `now`, Unix seconds, any more; call it now and then."""
        self._sessions = {key: until for key, until in self._sessions.items() if until > now}
        self._users = {key: user for key, user in self._users.items() if user.until > now}


def _token(text: str) -> str:
    if not text or any(char in ".*> \t\r\n" for char in text):
        raise InvalidField(f"{text!r} cannot be a token of a subject", field="id")
    return text
