"""What auth keeps of people and their logins, and what its rules ask of whoever keeps it.

Every method of a store may raise Unavailable. Moments are passed in, so that the rules
decide by one clock.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from services.auth.core.refresh_tokens import Family, Rotation
from shared.errors import TradeDadError

ADMIN: Final = "admin"
"""The role that may look after other people's accounts."""


@dataclass(frozen=True, slots=True)
class Client:
    """Who is at the other end of a request, as far as we can tell."""

    address: str
    """Its IP address; behind a trusted proxy the one that the proxy names."""
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class User:
    """An account."""

    user_id: str
    email: str
    """In the one spelling that is unique; see bodies.Email."""
    password_hash: str = field(repr=False)
    created_at: datetime
    roles: tuple[str, ...] = ()
    """Rights beyond those of every account; none at sign-up."""
    disabled_at: datetime | None = None
    last_login_at: datetime | None = None
    generation: int = 0
    """Counts how often all sessions were ended; one of an older generation is over."""


@dataclass(frozen=True, slots=True)
class LoginSession:
    """One login of one user; every token names the session it belongs to."""

    session_id: str
    user_id: str
    generation: int
    created_at: datetime
    authenticated_at: datetime
    """When the password was last given in this session."""
    seen_at: datetime
    """When its tokens were last renewed."""
    expires_at: datetime
    """It is over then unless its tokens are renewed before."""
    ends_at: datetime
    """It is over then, however busy it is."""
    client: Client
    by_cookie: bool = False
    """Whether a browser keeps its refresh token, in a cookie."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request: an account, by one of its sessions, both good at this moment."""

    user: User
    session: LoginSession
    client: Client


class SessionTermination(StrEnum):
    """Why a session was ended before its time."""

    LOGOUT = "logout"
    REVOKED = "revoked"
    LOGOUT_ALL = "logout_all"
    PASSWORD_CHANGED = "password_changed"
    REFRESH_REUSED = "refresh_reused"
    TOO_MANY = "too_many"
    BY_ADMIN = "by_admin"


@dataclass(frozen=True, slots=True)
class Rotated:
    """What became of a refresh token that was shown."""

    session: LoginSession
    rotation: Rotation
    repeated: bool
    """True if it had been taken just before: the same answer is due once more."""


class RefreshReused(TradeDadError):
    """A refresh token that had been taken was shown again: one of two holders stole it."""

    def __init__(self, session: LoginSession) -> None:
        super().__init__("a refresh token was used twice")
        self.session = session


class UserStore(Protocol):
    """Accounts that outlive the process."""

    async def add(self, user: User) -> None:
        """Raises EmailTaken if another account has this e-mail address."""
        ...

    async def find(self, user_id: str) -> User | None:
        """The account with this id."""
        ...

    async def find_by_email(self, email: str) -> User | None:
        """The account with this e-mail address, in its unique spelling."""
        ...

    async def page(self, after: str, limit: int) -> list[User]:
        """Up to `limit` accounts whose address sorts after `after`, in that order."""
        ...

    async def logged_in(self, user: User, now: datetime) -> bool:
        """Take note of a login; False if the account was disabled or its generation has passed.

        A write, so that it cannot happen side by side with one of an `EndingStore`: either
        that sees the session that was added before, or this sees what it has done.
        """
        ...

    async def rehash(self, user: User, password_hash: str) -> None:
        """Another hash of the same password; nothing happens if that has changed meanwhile."""
        ...

    async def enable(self, user_id: str) -> bool:
        """Let a disabled account log in again; False if there is no such account."""
        ...


class SessionStore(Protocol):
    """Sessions that outlive the process."""

    async def add(self, session: LoginSession, family: Family) -> None:
        """Keep `session`, and hashes of its refresh token, until it expires."""
        ...

    async def find(self, session_id: str, now: datetime) -> LoginSession | None:
        """The session, if it is not over."""
        ...

    async def of_user(self, user_id: str, now: datetime) -> list[LoginSession]:
        """All that are not over, the newest first."""
        ...

    async def of_token(self, shown: str, now: datetime) -> LoginSession | None:
        """The session whose newest refresh token is `shown`, if it is not over."""
        ...

    async def rotate(
        self, shown: str, rotation: Rotation, *, now: datetime, idle_secs: int
    ) -> Rotated | None:
        """Take the refresh token `shown` and keep its successor, in one step.

        None if it is not one of a session that lives; raises RefreshReused.
        """
        ...

    async def end(self, session: LoginSession, why: SessionTermination, *, now: datetime) -> bool:
        """End it before its time; False if it was over."""
        ...

    async def authenticated(self, session: LoginSession, now: datetime) -> None:
        """Take note that the password was given again."""
        ...


class TerminationStore(Protocol):
    """Changes of an account that end its sessions: all of it happens, or nothing."""

    async def end_all(
        self, user_id: str, why: SessionTermination, *, now: datetime, keep: str | None = None
    ) -> int | None:
        """End all sessions but `keep`; how many, or None if there is no such account."""
        ...

    async def change_password(
        self, user: User, password_hash: str, *, now: datetime, keep: str
    ) -> int | None:
        """Also replace the password; None if it has changed meanwhile."""
        ...

    async def disable(self, user_id: str, *, now: datetime) -> int | None:
        """Also keep the account from logging in, and refuse all tokens it has."""
        ...


@dataclass(frozen=True, slots=True)
class AttemptLimit:
    """After `free` attempts each further one must wait, twice as long every time."""

    free: int
    base_secs: float
    cap_secs: float
    forget_secs: float
    """Without an attempt for so long, it begins anew."""


class Throttle(Protocol):
    """Counts attempts, for all replicas together."""

    async def admit(self, key: str, limit: AttemptLimit, now: datetime) -> None:
        """Count one attempt; raises TooManyAttempts if it comes too soon."""
        ...

    async def forget(self, key: str) -> None:
        """Count from nothing again."""
        ...

    async def give_back(self, key: str) -> None:
        """Count one attempt less: it was a good one."""
        ...


class Event(StrEnum):
    """What the audit log tells of."""

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


class AuditLog(Protocol):
    """Who did what, when and from where; entries are added, never changed."""

    async def add(
        self,
        event: Event,
        client: Client,
        now: datetime,
        *,
        user_id: str | None = None,
        session_id: str | None = None,
        by: str | None = None,
        email: str | None = None,
    ) -> None:
        """`by` is the administrator's user id; `email` is of nobody we know."""
        ...
