"""The interfaces through which the rules of auth use databases, hashes, tokens and the bus.

Every method of a store, of the throttle and of the audit log may raise Unavailable. The
current time is an argument, so that one clock decides.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pydantic import SecretStr

from services.auth.core.entities import (
    AccessToken,
    AttemptLimit,
    AuditEntry,
    Event,
    LoginSession,
    RequestSource,
    SessionTermination,
    User,
)
from services.auth.core.refresh_tokens import RotationSalt, TokenFamily
from shared.contracts.revocations import Revocation
from shared.errors import TradeDadError


class UserStore(Protocol):
    """Durable storage of accounts."""

    async def add(self, user: User) -> None:
        """Raises EmailTaken if another account has this e-mail address."""
        ...

    async def find(self, user_id: str) -> User | None:
        """Return the account with this id; None if there is none."""
        ...

    async def find_by_email(self, email: str) -> User | None:
        """Return the account with this normalised e-mail address; None if there is none."""
        ...

    async def list_page(self, after: str, limit: int, prefix: str = "") -> list[User]:
        """Return up to `limit` accounts whose address sorts after `after`, in that order.

        All of them have addresses that start with `prefix`.
        """
        ...

    async def record_login(self, user: User, now: datetime) -> bool:
        """Store the time of a login; False if the account is disabled or has a new generation.

        This is a write, so that the database serialises it with the writes of a
        `TerminationStore`: either the termination sees the session that was added before,
        or this method sees the termination.
        """
        ...

    async def rehash(self, user: User, password_hash: str) -> None:
        """Store a new hash of the same password; does nothing if the password has changed."""
        ...

    async def enable(self, user_id: str) -> bool:
        """Enable a disabled account; False if there is no such account."""
        ...


@dataclass(frozen=True, slots=True)
class Rotation:
    """The result of a refresh token's use: its session and the salt of the next token."""

    session: LoginSession
    salt: RotationSalt
    repeated: bool
    """True if the token was used a moment ago, so that the same answer is returned again."""


class RefreshTokenReused(TradeDadError):
    """A refresh token was used a second time: one of its two holders has stolen it."""

    def __init__(self, session: LoginSession) -> None:
        super().__init__("a refresh token was used twice")
        self.session = session


class SessionStore(Protocol):
    """Durable storage of sessions and of hashes of their refresh tokens."""

    async def add(self, session: LoginSession, family: TokenFamily) -> None:
        """Store `session` and the hashes of its first refresh token until the session expires."""
        ...

    async def find(self, session_id: str, now: datetime) -> LoginSession | None:
        """Return the session; None if there is none or it is over."""
        ...

    async def list_of_user(self, user_id: str, now: datetime) -> list[LoginSession]:
        """Return the user's active sessions, newest first."""
        ...

    async def find_by_refresh_token(self, refresh_token: str, now: datetime) -> LoginSession | None:
        """Return the active session of a refresh token, the newest or a replaced one; else None.

        Raises Unauthenticated if the text does not have the form of a refresh token.
        """
        ...

    async def rotate(
        self, refresh_token: str, salt: RotationSalt, *, now: datetime, idle_timeout_secs: int
    ) -> Rotation | None:
        """Replace the refresh token by its successor under `salt`, in one atomic step.

        None if no active session has this token. Raises RefreshTokenReused, or
        Unauthenticated if the text does not have the form of a refresh token.
        """
        ...

    async def end(
        self, session: LoginSession, reason: SessionTermination, *, now: datetime
    ) -> bool:
        """End the session before it expires; False if it was over already."""
        ...

    async def record_authentication(self, session: LoginSession, now: datetime) -> None:
        """Store that the password was verified again at `now`."""
        ...


class TerminationStore(Protocol):
    """Changes of an account that end its sessions; each is one transaction.

    Each method returns the number of sessions that it has ended.
    """

    async def end_all(
        self,
        user_id: str,
        reason: SessionTermination,
        *,
        now: datetime,
        except_session_id: str | None = None,
    ) -> int | None:
        """End all sessions except `except_session_id`; None if there is no such account."""
        ...

    async def change_password(
        self, user: User, password_hash: str, *, now: datetime, except_session_id: str
    ) -> int | None:
        """Replace the password and end the other sessions; None if it has changed meanwhile."""
        ...

    async def disable(self, user_id: str, *, now: datetime) -> int | None:
        """Disable the account, end its sessions and revoke all its access tokens.

        None if there is no such account.
        """
        ...


class RevocationLog(Protocol):
    """The recorded revocations, and which of them are not published yet."""

    async def unpublished(self) -> list[Revocation]:
        """Return some of the revocations that are not published yet; empty if there are none."""
        ...

    async def effective(self, now: datetime) -> list[Revocation]:
        """Return all revocations that can still refuse a token at `now`."""
        ...

    async def record_published(self, revocations: list[Revocation]) -> None:
        """Store that these revocations were published."""
        ...


class RevocationNotifier(Protocol):
    """Receives a signal each time revocations were recorded."""

    def notify(self) -> None:
        """Signal that revocations wait to be published; returns at once."""
        ...


class Throttle(Protocol):
    """Counts of attempts, shared by all replicas."""

    async def admit(self, key: str, limit: AttemptLimit, now: datetime) -> None:
        """Count one attempt. Raises TooManyAttempts if its delay has not passed."""
        ...

    async def reset(self, key: str) -> None:
        """Set the count to zero."""
        ...

    async def refund(self, key: str) -> None:
        """Reduce the count by one attempt, which has succeeded."""
        ...


class AuditLog(Protocol):
    """The audit log; entries are added and never changed."""

    async def add(
        self,
        event: Event,
        source: RequestSource,
        now: datetime,
        *,
        user_id: str | None = None,
        session_id: str | None = None,
        by: str | None = None,
        email: str | None = None,
    ) -> None:
        """Add an entry.

        `user_id` is the account concerned, `by` the administrator who acted on it, and
        `email` a keyed hash of an address that has no account.
        """
        ...

    async def newest(self, user_id: str | None, before: str, limit: int) -> list[AuditEntry]:
        """Return up to `limit` entries, the newest first: of one account, or of all if None.

        `before` is the id of the entry that precedes the first one; empty for the newest.
        """
        ...


class PasswordHasher(Protocol):
    """Slow password hashes. Every method but `is_outdated` may raise Overloaded."""

    def check_capacity(self) -> None:
        """Raises Overloaded if a hash would be refused now."""
        ...

    async def hash(self, password: SecretStr, check: Callable[[], None] | None = None) -> str:
        """Return a hash of `password` to store.

        `check` runs first, outside the event loop like the hash; its errors are raised.
        """
        ...

    async def matches(self, password: SecretStr, stored: str | None) -> bool:
        """Whether `stored` is a hash of `password`; None takes the same time and is False."""
        ...

    def is_outdated(self, stored: str) -> bool:
        """Whether a new hash of the same password would have another cost or scheme."""
        ...


class TokenIssuer(Protocol):
    """Signs access tokens."""

    def issue(self, session: LoginSession, roles: Sequence[str]) -> AccessToken:
        """Return an access token for this session, valid from now."""
        ...
