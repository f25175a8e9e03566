"""What auth does for people: sign-up, login, who am I.

The store, the hasher and the issuer are protocols here, so that these rules can be
read and tested without a database, a socket or a real hash. A password stays a
`SecretStr` up to the hash, so that no log and no traceback can show it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import uuid4

from pydantic import SecretStr

from services.auth.policy import PasswordPolicy
from shared.clock import Clock
from shared.errors import BadCredentials, Unauthenticated


@dataclass(frozen=True, slots=True)
class User:
    """An account."""

    user_id: str
    email: str
    """In the one spelling that is unique; see routes.Email."""
    password_hash: str = field(repr=False)
    created_at: datetime
    roles: tuple[str, ...] = ()
    """Rights beyond those of every account; none at sign-up."""


@dataclass(frozen=True, slots=True)
class Session:
    """One login of one user; every token names the session it belongs to."""

    session_id: str
    user_id: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A signed token, and for how many seconds from now it is good."""

    token: str = field(repr=False)
    expires_in_secs: int


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The outcome of a login."""

    user: User
    session: Session
    access: AccessToken


class UserStore(Protocol):
    """Accounts that outlive the process; every method may raise Unavailable."""

    async def add(self, user: User) -> None:
        """Raises EmailTaken if another account has this e-mail address."""
        ...

    async def find(self, user_id: str) -> User | None:
        """The account with this id."""
        ...

    async def find_by_email(self, email: str) -> User | None:
        """The account with this e-mail address, in its unique spelling."""
        ...


class SessionStore(Protocol):
    """Sessions that outlive the process; every method may raise Unavailable."""

    async def add(self, session: Session) -> None:
        """Keep `session` until it expires."""
        ...


class Hasher(Protocol):
    """Slow password hashes; every method may raise Overloaded."""

    async def hash(self, password: SecretStr) -> str:
        """A hash of `password` to store."""
        ...

    async def matches(self, password: SecretStr, stored: str | None) -> bool:
        """Whether `stored` is a hash of `password`; False for None, after as long a time."""
        ...


class TokenIssuer(Protocol):
    """Signs access tokens."""

    def issue(self, user_id: str, session_id: str, roles: Sequence[str]) -> AccessToken:
        """A token for this session, valid from now."""
        ...


class Accounts:
    """The use cases; sessions last `session_ttl_secs`."""

    def __init__(
        self,
        *,
        users: UserStore,
        sessions: SessionStore,
        hasher: Hasher,
        issuer: TokenIssuer,
        policy: PasswordPolicy,
        clock: Clock,
        session_ttl_secs: int,
    ) -> None:
        self._users = users
        self._sessions = sessions
        self._hasher = hasher
        self._issuer = issuer
        self._policy = policy
        self._clock = clock
        self._session_ttl = timedelta(seconds=session_ttl_secs)

    async def signup(self, email: str, password: SecretStr) -> User:
        """Open an account.

        Raises InvalidField, EmailTaken, Overloaded or Unavailable. After Unavailable
        the account may exist: signing up again then says EmailTaken, and login works.
        """
        self._policy.check(password, email)
        # Hashing before asking takes the same time whether the address is taken or
        # not, and leaves the race of two sign-ups to the database.
        password_hash = await self._hasher.hash(password)
        user = User(
            user_id=uuid4().hex, email=email, password_hash=password_hash, created_at=self._now()
        )
        await self._users.add(user)
        return user

    async def login(self, email: str, password: SecretStr) -> LoggedIn:
        """Start a session.

        Raises BadCredentials, the same and as late for an unknown address as for a
        wrong password; or Overloaded or Unavailable.
        """
        user = await self._users.find_by_email(email)
        matches = await self._hasher.matches(password, user.password_hash if user else None)
        if user is None or not matches:
            raise BadCredentials("e-mail and password do not match")
        now = self._now()
        session = Session(
            session_id=uuid4().hex,
            user_id=user.user_id,
            created_at=now,
            expires_at=now + self._session_ttl,
        )
        await self._sessions.add(session)
        access = self._issuer.issue(user.user_id, session.session_id, user.roles)
        return LoggedIn(user, session, access)

    async def account(self, user_id: str) -> User:
        """The account a token speaks for; raises Unauthenticated if it is gone, or Unavailable."""
        user = await self._users.find(user_id)
        if user is None:
            raise Unauthenticated("the account does not exist any more")
        return user

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now_ms() / 1_000, UTC)
