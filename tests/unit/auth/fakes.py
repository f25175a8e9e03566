"""In-memory implementations of auth's ports, for unit tests of its rules."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from pydantic import SecretStr

from services.auth.core import entities, refresh_tokens
from services.auth.core.entities import (
    AccessToken,
    AttemptLimit,
    Caller,
    Event,
    LoginSession,
    RequestSource,
    SessionTermination,
    User,
)
from services.auth.core.ports import RefreshTokenReused, Rotation
from services.auth.core.refresh_tokens import RotationSalt, TokenFamily
from services.auth.core.watchlists import Watchlists
from shared.errors import EmailTaken, Overloaded, TooManyAttempts
from shared.market.exchange_time import to_datetime

NOON_MS = 1_795_348_800_000
SOURCE = RequestSource("192.0.2.1", "a browser")


class FakeClock:
    """A clock that stands still until a test advances it."""

    def __init__(self, epoch_ms: int = NOON_MS) -> None:
        self.epoch_ms = epoch_ms

    def now_ms(self) -> int:
        return self.epoch_ms

    def now_us(self) -> int:
        return self.epoch_ms * 1_000

    def monotonic(self) -> float:
        return self.epoch_ms / 1_000

    async def sleep(self, secs: float) -> None:
        self.epoch_ms += int(secs * 1_000)

    def now(self) -> datetime:
        return to_datetime(self.epoch_ms)

    def advance_ms(self, milliseconds: int) -> None:
        self.epoch_ms += milliseconds

    def advance(self, secs: int) -> None:
        self.epoch_ms += secs * 1_000


class MemoryUsers:
    """A `UserStore` in a dict, by e-mail address."""

    def __init__(self) -> None:
        self.by_email: dict[str, User] = {}

    async def add(self, user: User) -> None:
        if user.email in self.by_email:
            raise EmailTaken("an account with this e-mail address exists")
        self.by_email[user.email] = user

    async def find(self, user_id: str) -> User | None:
        return next((user for user in self.by_email.values() if user.user_id == user_id), None)

    async def find_by_email(self, email: str) -> User | None:
        return self.by_email.get(email)

    async def list_page(self, after: str, limit: int, prefix: str = "") -> list[User]:
        emails = sorted(
            email for email in self.by_email if email > after and email.startswith(prefix)
        )
        return [self.by_email[email] for email in emails[:limit]]

    async def record_login(self, user: User, now: datetime) -> bool:
        stored = self.by_email[user.email]
        if stored.generation != user.generation or stored.disabled_at is not None:
            return False
        self.by_email[user.email] = replace(stored, last_login_at=now)
        return True

    async def rehash(self, user: User, password_hash: str) -> None:
        self.by_email[user.email] = replace(self.by_email[user.email], password_hash=password_hash)

    async def enable(self, user_id: str) -> bool:
        user = await self.find(user_id)
        if user is not None:
            self.by_email[user.email] = replace(user, disabled_at=None)
        return user is not None


@dataclass
class StoredSession:
    """A session with the hashes of its refresh tokens."""

    session: LoginSession
    secret_hash: bytes
    family_hash: bytes
    previous_hash: bytes = b""
    salt: RotationSalt = field(default_factory=lambda: RotationSalt(b""))
    termination: SessionTermination | None = None


class MemorySessions:
    """A `SessionStore` in a dict, with a grace period of ten seconds."""

    def __init__(self) -> None:
        self.by_id: dict[str, StoredSession] = {}

    def active(self, now: datetime) -> list[StoredSession]:
        return [
            stored
            for stored in self.by_id.values()
            if stored.termination is None and stored.session.expires_at > now
        ]

    async def add(self, session: LoginSession, family: TokenFamily) -> None:
        self.by_id[session.session_id] = StoredSession(
            session, family.secret_hash, family.family_hash
        )

    async def find(self, session_id: str, now: datetime) -> LoginSession | None:
        stored = self.by_id.get(session_id)
        return None if stored is None or stored not in self.active(now) else stored.session

    async def find_by_refresh_token(self, refresh_token: str, now: datetime) -> LoginSession | None:
        token = refresh_tokens.parse(refresh_token)
        matching = [
            stored.session for stored in self.active(now) if stored.family_hash == token.family_hash
        ]
        return matching[0] if matching else None

    async def list_of_user(self, user_id: str, now: datetime) -> list[LoginSession]:
        own = [stored.session for stored in self.active(now) if stored.session.user_id == user_id]
        return sorted(own, key=lambda session: session.created_at, reverse=True)

    async def rotate(
        self, refresh_token: str, salt: RotationSalt, *, now: datetime, idle_timeout_secs: int
    ) -> Rotation | None:
        token = refresh_tokens.parse(refresh_token)
        stored = self.by_id.get(token.session_id)
        if stored is None or stored not in self.active(now):
            return None
        if stored.family_hash != token.family_hash:
            return None
        if stored.secret_hash == token.secret_hash:
            stored.previous_hash = token.secret_hash
            stored.secret_hash = refresh_tokens.parse(salt.successor(refresh_token)).secret_hash
            stored.salt = salt
            until = min(now + timedelta(seconds=idle_timeout_secs), stored.session.ends_at)
            stored.session = replace(stored.session, seen_at=now, expires_at=until)
            return Rotation(stored.session, salt, repeated=False)
        is_late = now - stored.session.seen_at > timedelta(seconds=10)
        if is_late or stored.previous_hash != token.secret_hash:
            raise RefreshTokenReused(stored.session)
        return Rotation(stored.session, stored.salt, repeated=True)

    async def end(
        self, session: LoginSession, reason: SessionTermination, *, now: datetime
    ) -> bool:
        stored = self.by_id[session.session_id]
        if stored not in self.active(now):
            return False
        stored.termination = reason
        return True

    async def record_authentication(self, session: LoginSession, now: datetime) -> None:
        stored = self.by_id[session.session_id]
        stored.session = replace(stored.session, authenticated_at=now)


class MemoryTerminations:
    """A `TerminationStore` over `MemoryUsers` and `MemorySessions`."""

    def __init__(self, users: MemoryUsers, sessions: MemorySessions) -> None:
        self._users = users
        self._sessions = sessions

    async def end_all(
        self,
        user_id: str,
        reason: SessionTermination,
        *,
        now: datetime,
        except_session_id: str | None = None,
    ) -> int | None:
        user = await self._users.find(user_id)
        if user is None:
            return None
        generation = user.generation + 1
        self._users.by_email[user.email] = replace(user, generation=generation)
        ended = 0
        for stored in self._sessions.active(now):
            if stored.session.session_id == except_session_id:
                stored.session = replace(stored.session, generation=generation)
            elif stored.session.user_id == user_id:
                stored.termination = reason
                ended += 1
        return ended

    async def change_password(
        self, user: User, password_hash: str, *, now: datetime, except_session_id: str
    ) -> int | None:
        stored = self._users.by_email[user.email]
        if stored.password_hash != user.password_hash:
            return None
        self._users.by_email[user.email] = replace(stored, password_hash=password_hash)
        return await self.end_all(
            user.user_id,
            SessionTermination.PASSWORD_CHANGED,
            now=now,
            except_session_id=except_session_id,
        )

    async def disable(self, user_id: str, *, now: datetime) -> int | None:
        user = await self._users.find(user_id)
        if user is not None:
            self._users.by_email[user.email] = replace(user, disabled_at=now)
        return await self.end_all(user_id, SessionTermination.BY_ADMIN, now=now)


class MemoryThrottle:
    """A `Throttle` that refuses every attempt after the free ones."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    async def admit(self, key: str, limit: AttemptLimit, now: datetime) -> None:
        if self.counts.get(key, 0) >= limit.free_attempts:
            raise TooManyAttempts("wait", retry_after_secs=1)
        self.counts[key] = self.counts.get(key, 0) + 1

    async def reset(self, key: str) -> None:
        self.counts.pop(key, None)

    async def refund(self, key: str) -> None:
        self.counts[key] -= 1


@dataclass(frozen=True)
class AuditEntry:
    """An entry of the audit log."""

    event: Event
    user_id: str | None
    by: str | None
    email: str | None


class MemoryAudit:
    """An `AuditLog` in a list."""

    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []

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
        self.entries.append(AuditEntry(event, user_id, by, email))

    async def newest(
        self, user_id: str | None, before: str, limit: int
    ) -> list[entities.AuditEntry]:
        raise AssertionError("read in tests with a database only")

    @property
    def events(self) -> list[Event]:
        return [entry.event for entry in self.entries]


class MemoryLists:
    """A `WatchlistStore` in which other requests are faster `rivals` times."""

    def __init__(self, rivals: int = 0) -> None:
        self.version = 0
        self.lists: Watchlists = ()
        self.rivals = rivals

    async def load(self, user_id: str) -> tuple[int, Watchlists]:
        return self.version, self.lists

    async def replace(self, user_id: str, version: int, lists: Watchlists) -> bool:
        if self.rivals > 0:
            self.rivals -= 1
            self.version += 1
        if version != self.version:
            return False
        self.version, self.lists = version + 1, lists
        return True


class PlainHasher:
    """A `PasswordHasher` that stores passwords in clear text and lists the verified hashes."""

    def __init__(self) -> None:
        self.verified: list[str | None] = []
        self.scheme = "v1$plain"
        self.is_full = False

    def check_capacity(self) -> None:
        if self.is_full:
            raise Overloaded("full")

    async def hash(self, password: SecretStr, check: Callable[[], None] | None = None) -> str:
        if check is not None:
            check()
        return f"{self.scheme} {password.get_secret_value()}"

    async def matches(self, password: SecretStr, stored: str | None) -> bool:
        self.verified.append(stored)
        return stored is not None and stored.endswith(f" {password.get_secret_value()}")

    def is_outdated(self, stored: str) -> bool:
        return not stored.startswith(self.scheme)


class ReadableIssuer:
    """A `TokenIssuer` whose tokens are the arguments in clear text."""

    def issue(self, session: LoginSession, roles: Sequence[str]) -> AccessToken:
        return AccessToken(f"{session.user_id} {session.session_id} {list(roles)}", 600)


class CountingNotifier:
    """A `RevocationNotifier` that counts the signals."""

    def __init__(self) -> None:
        self.count = 0

    def notify(self) -> None:
        self.count += 1


async def caller_of(sessions: MemorySessions, users: MemoryUsers, session: LoginSession) -> Caller:
    """Return the caller of a request in this session, with the stored state of both."""
    user = await users.find(session.user_id)
    assert user is not None
    return Caller(user, sessions.by_id[session.session_id].session, SOURCE)


def session_at(clock: FakeClock) -> LoginSession:
    """Return a session of user `u1` that starts now and ends in a day."""
    now = clock.now()
    tomorrow = now + timedelta(days=1)
    return LoginSession("s1", "u1", 0, now, now, now, tomorrow, tomorrow, SOURCE)
