"""Stand-ins for what auth's rules are given: stores, hasher, issuer, clock."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from pydantic import SecretStr

from services.auth.core import refresh_tokens
from services.auth.core.accounts import Accounts
from services.auth.core.admin import Admin
from services.auth.core.attempts import AttemptLimits, Attempts
from services.auth.core.devices import Devices
from services.auth.core.logins import AccessToken, Lifetimes, Logins
from services.auth.core.policy import PasswordPolicy
from services.auth.core.pseudonyms import Pseudonyms
from services.auth.core.records import (
    AttemptLimit,
    Caller,
    Client,
    Event,
    LoginSession,
    RefreshReused,
    Rotated,
    SessionTermination,
    User,
)
from services.auth.core.refresh_tokens import Family, Rotation
from shared.errors import EmailTaken, Overloaded, TooManyAttempts
from shared.market.exchange_time import to_datetime

NOON_MS = 1_795_348_800_000
CLIENT = Client("192.0.2.1", "a browser")
LIFETIMES = Lifetimes(idle_secs=600, longest_secs=3_600, fresh_secs=60, most_sessions=3)


class StoppedClock:
    """A clock that shows `at_ms` until told otherwise."""

    def __init__(self, at_ms: int) -> None:
        self.at_ms = at_ms

    def now_ms(self) -> int:
        return self.at_ms

    def now_us(self) -> int:
        return self.at_ms * 1_000

    def monotonic(self) -> float:
        return self.at_ms / 1_000

    async def sleep(self, secs: float) -> None:
        self.at_ms += int(secs * 1_000)

    def now(self) -> datetime:
        return to_datetime(self.at_ms)


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

    async def page(self, after: str, limit: int) -> list[User]:
        emails = sorted(email for email in self.by_email if email > after)
        return [self.by_email[email] for email in emails[:limit]]

    async def logged_in(self, user: User, now: datetime) -> bool:
        known = self.by_email[user.email]
        if known.generation != user.generation or known.disabled_at is not None:
            return False
        self.by_email[user.email] = replace(known, last_login_at=now)
        return True

    async def rehash(self, user: User, password_hash: str) -> None:
        self.by_email[user.email] = replace(self.by_email[user.email], password_hash=password_hash)

    async def enable(self, user_id: str) -> bool:
        user = await self.find(user_id)
        if user is not None:
            self.by_email[user.email] = replace(user, disabled_at=None)
        return user is not None


@dataclass
class Kept:
    """A session and its tokens."""

    session: LoginSession
    secret_hash: bytes
    family_hash: bytes
    previous_hash: bytes = b""
    rotation: Rotation = field(default_factory=lambda: Rotation(b""))
    ended: SessionTermination | None = None


class MemorySessions:
    """A `SessionStore` in a dict; a lost answer is repeated for ten seconds."""

    def __init__(self) -> None:
        self.kept: dict[str, Kept] = {}

    def alive(self, now: datetime) -> list[Kept]:
        return [
            one for one in self.kept.values() if one.ended is None and one.session.expires_at > now
        ]

    async def add(self, session: LoginSession, family: Family) -> None:
        self.kept[session.session_id] = Kept(session, family.secret_hash, family.family_hash)

    async def find(self, session_id: str, now: datetime) -> LoginSession | None:
        found = [one.session for one in self.alive(now) if one.session.session_id == session_id]
        return found[0] if found else None

    async def of_token(self, shown: str, now: datetime) -> LoginSession | None:
        token = refresh_tokens.read(shown)
        found = [one.session for one in self.alive(now) if one.secret_hash == token.secret_hash]
        return found[0] if found else None

    async def of_user(self, user_id: str, now: datetime) -> list[LoginSession]:
        mine = [one.session for one in self.alive(now) if one.session.user_id == user_id]
        return sorted(mine, key=lambda one: one.created_at, reverse=True)

    async def rotate(
        self, shown: str, rotation: Rotation, *, now: datetime, idle_secs: int
    ) -> Rotated | None:
        token = refresh_tokens.read(shown)
        kept = self.kept.get(token.session_id)
        if kept is None or kept not in self.alive(now) or kept.family_hash != token.family_hash:
            return None
        if kept.secret_hash == token.secret_hash:
            kept.previous_hash = token.secret_hash
            kept.secret_hash = refresh_tokens.read(rotation.successor(shown)).secret_hash
            kept.rotation = rotation
            until = min(now + timedelta(seconds=idle_secs), kept.session.ends_at)
            kept.session = replace(kept.session, seen_at=now, expires_at=until)
            return Rotated(kept.session, rotation, repeated=False)
        late = now - kept.session.seen_at > timedelta(seconds=10)
        if late or kept.previous_hash != token.secret_hash:
            raise RefreshReused(kept.session)
        return Rotated(kept.session, kept.rotation, repeated=True)

    async def end(self, session: LoginSession, why: SessionTermination, *, now: datetime) -> bool:
        kept = self.kept[session.session_id]
        if kept not in self.alive(now):
            return False
        kept.ended = why
        return True

    async def authenticated(self, session: LoginSession, now: datetime) -> None:
        kept = self.kept[session.session_id]
        kept.session = replace(kept.session, authenticated_at=now)


class MemoryEndings:
    """An `EndingStore` over the other two."""

    def __init__(self, users: MemoryUsers, sessions: MemorySessions) -> None:
        self._users = users
        self._sessions = sessions

    async def end_all(
        self, user_id: str, why: SessionTermination, *, now: datetime, keep: str | None = None
    ) -> int | None:
        user = await self._users.find(user_id)
        if user is None:
            return None
        generation = user.generation + 1
        self._users.by_email[user.email] = replace(user, generation=generation)
        ended = 0
        for kept in self._sessions.alive(now):
            if kept.session.session_id == keep:
                kept.session = replace(kept.session, generation=generation)
            elif kept.session.user_id == user_id:
                kept.ended = why
                ended += 1
        return ended

    async def change_password(
        self, user: User, password_hash: str, *, now: datetime, keep: str
    ) -> int | None:
        known = self._users.by_email[user.email]
        if known.password_hash != user.password_hash:
            return None
        self._users.by_email[user.email] = replace(known, password_hash=password_hash)
        return await self.end_all(
            user.user_id, SessionTermination.PASSWORD_CHANGED, now=now, keep=keep
        )

    async def disable(self, user_id: str, *, now: datetime) -> int | None:
        user = await self._users.find(user_id)
        if user is not None:
            self._users.by_email[user.email] = replace(user, disabled_at=now)
        return await self.end_all(user_id, SessionTermination.BY_ADMIN, now=now)


class MemoryThrottle:
    """A `Throttle` that counts, and lets in as many as are free."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    async def admit(self, key: str, limit: AttemptLimit, now: datetime) -> None:
        if self.counts.get(key, 0) >= limit.free:
            raise TooManyAttempts("wait", retry_after_secs=1)
        self.counts[key] = self.counts.get(key, 0) + 1

    async def forget(self, key: str) -> None:
        self.counts.pop(key, None)

    async def give_back(self, key: str) -> None:
        self.counts[key] -= 1


@dataclass(frozen=True)
class Told:
    """One entry of the audit log."""

    event: Event
    user_id: str | None
    by: str | None
    email: str | None


class MemoryAudit:
    """An `AuditLog` in a list."""

    def __init__(self) -> None:
        self.entries: list[Told] = []

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
        self.entries.append(Told(event, user_id, by, email))

    @property
    def events(self) -> list[Event]:
        return [entry.event for entry in self.entries]


class PlainHasher:
    """A `Hasher` that does not; `checked` holds every hash it was asked about."""

    def __init__(self) -> None:
        self.checked: list[str | None] = []
        self.scheme = "v1$plain"
        self.is_full = False

    def check_room(self) -> None:
        if self.is_full:
            raise Overloaded("full")

    async def hash(self, password: SecretStr) -> str:
        return f"{self.scheme} {password.get_secret_value()}"

    async def matches(self, password: SecretStr, stored: str | None) -> bool:
        self.checked.append(stored)
        return stored is not None and stored.endswith(f" {password.get_secret_value()}")

    def is_outdated(self, stored: str) -> bool:
        return not stored.startswith(self.scheme)


class ReadableIssuer:
    """A `TokenIssuer` whose tokens are what they were asked for."""

    def issue(self, session: LoginSession, roles: Sequence[str]) -> AccessToken:
        return AccessToken(f"{session.user_id} {session.session_id} {list(roles)}", 600)


class Nudges:
    """An `Announce` that counts."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock(NOON_MS)


@pytest.fixture
def users() -> MemoryUsers:
    return MemoryUsers()


@pytest.fixture
def sessions() -> MemorySessions:
    return MemorySessions()


@pytest.fixture
def endings(users: MemoryUsers, sessions: MemorySessions) -> MemoryEndings:
    return MemoryEndings(users, sessions)


@pytest.fixture
def hasher() -> PlainHasher:
    return PlainHasher()


@pytest.fixture
def throttle() -> MemoryThrottle:
    return MemoryThrottle()


@pytest.fixture
def audit() -> MemoryAudit:
    return MemoryAudit()


@pytest.fixture
def nudges() -> Nudges:
    return Nudges()


@pytest.fixture
def logins(
    users: MemoryUsers,
    sessions: MemorySessions,
    endings: MemoryEndings,
    audit: MemoryAudit,
    nudges: Nudges,
    clock: StoppedClock,
) -> Logins:
    return Logins(
        users=users,
        sessions=sessions,
        endings=endings,
        issuer=ReadableIssuer(),
        audit=audit,
        announce=nudges,
        lifetimes=LIFETIMES,
        clock=clock,
    )


@pytest.fixture
def accounts(
    users: MemoryUsers,
    sessions: MemorySessions,
    endings: MemoryEndings,
    logins: Logins,
    hasher: PlainHasher,
    throttle: MemoryThrottle,
    audit: MemoryAudit,
    nudges: Nudges,
    clock: StoppedClock,
) -> Accounts:
    limit = AttemptLimit(free=4, base_secs=1, cap_secs=60, forget_secs=3_600)
    pseudonyms = Pseudonyms(SecretStr("p" * 32))
    return Accounts(
        users=users,
        sessions=sessions,
        endings=endings,
        logins=logins,
        hasher=hasher,
        policy=PasswordPolicy(min_chars=15, max_chars=128),
        attempts=Attempts(throttle, AttemptLimits(limit, replace(limit, free=20), limit)),
        devices=Devices(pseudonyms),
        pseudonyms=pseudonyms,
        audit=audit,
        announce=nudges,
        clock=clock,
    )


@pytest.fixture
def admin(
    users: MemoryUsers,
    endings: MemoryEndings,
    logins: Logins,
    audit: MemoryAudit,
    nudges: Nudges,
    clock: StoppedClock,
) -> Admin:
    return Admin(
        users=users, endings=endings, logins=logins, audit=audit, announce=nudges, clock=clock
    )


async def caller_of(sessions: MemorySessions, users: MemoryUsers, session: LoginSession) -> Caller:
    """Who makes a request in this session, as things are now."""
    user = await users.find(session.user_id)
    assert user is not None
    return Caller(user, sessions.kept[session.session_id].session, CLIENT)
