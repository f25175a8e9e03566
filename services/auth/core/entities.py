"""The entities of auth: accounts, sessions and the values that describe them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class RequestSource:
    """The IP address and the user agent of a request."""

    address: str
    """The client's IP address; behind a trusted proxy, the address that the proxy forwards."""
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class User:
    """An account."""

    user_id: str
    email: str
    """Normalised, and unique among accounts; see `services.auth.http.schemas.Email`."""
    password_hash: str = field(repr=False)
    created_at: datetime
    roles: tuple[str, ...] = ()
    """Rights beyond those of every account; empty at sign-up."""
    disabled_at: datetime | None = None
    """None if the account is enabled."""
    last_login_at: datetime | None = None
    """None before the first login."""
    generation: int = 0
    """Increases each time all sessions are ended; a session of an older generation is over."""


@dataclass(frozen=True, slots=True)
class LoginSession:
    """A session of a user, from a login to its end; every token carries its id."""

    session_id: str
    user_id: str
    generation: int
    """The user's generation at the login, or after the password change that kept this session."""
    created_at: datetime
    authenticated_at: datetime
    """When the password was last verified in this session."""
    seen_at: datetime
    """When the session's tokens were last refreshed."""
    expires_at: datetime
    """When the session ends unless its tokens are refreshed before; at most `ends_at`."""
    ends_at: datetime
    """When the session ends in any case."""
    source: RequestSource
    """The source of the login."""
    by_cookie: bool = False
    """Whether the refresh token is in a cookie of a browser."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The authenticated sender of a request: an account, its session and the request's source."""

    user: User
    session: LoginSession
    source: RequestSource


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A signed access token and its remaining lifetime."""

    token: str = field(repr=False)
    expires_in_secs: int


class SessionTermination(StrEnum):
    """Why a session was ended before it expired."""

    LOGOUT = "logout"
    REVOKED = "revoked"
    LOGOUT_ALL = "logout_all"
    PASSWORD_CHANGED = "password_changed"
    REFRESH_REUSED = "refresh_reused"
    TOO_MANY = "too_many"
    BY_ADMIN = "by_admin"


class Event(StrEnum):
    """The kind of an entry in the audit log."""

    SIGNUP = "signup"
    LOGIN = "login"
    LOGIN_FAILED = "login_failed"
    LOGIN_DISABLED = "login_disabled"
    REAUTHENTICATED = "reauthenticated"
    REAUTHENTICATION_FAILED = "reauthentication_failed"
    REFRESH_REUSED = "refresh_reused"
    LOGOUT = "logout"
    LOGOUT_ALL = "logout_all"
    SESSION_REVOKED = "session_revoked"
    PASSWORD_CHANGED = "password_changed"
    USER_DISABLED = "user_disabled"
    USER_ENABLED = "user_enabled"
    USER_REVOKED = "user_revoked"
    ADMIN_GRANTED = "admin_granted"
    ADMIN_REVOKED = "admin_revoked"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An entry of the audit log, as administrators read it."""

    entry_id: str
    """Sorts by the time at which the entry was added."""
    at: datetime
    event: str
    source: RequestSource
    user_id: str | None = None
    """The account concerned; None if there is none, for example of an unknown e-mail address."""
    by: str | None = None
    """The administrator who acted on the account."""


@dataclass(frozen=True, slots=True)
class AttemptLimit:
    """How many attempts are free, and the delay after each further attempt.

    The first delay is `base_delay_secs`; each further attempt doubles it, up to
    `max_delay_secs`.
    """

    free_attempts: int
    base_delay_secs: float
    max_delay_secs: float
    reset_after_secs: float
    """After this time without an attempt the count starts again from zero."""
