"""Stand-ins for what auth's rules are given: stores, hasher, issuer, clock."""

from collections.abc import Sequence

import pytest
from pydantic import SecretStr

from services.auth.accounts import AccessToken, Accounts, Session, User
from services.auth.policy import PasswordPolicy
from shared.errors import EmailTaken

NOON_MS = 1_795_348_800_000


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


class MemorySessions:
    """A `SessionStore` in a list."""

    def __init__(self) -> None:
        self.added: list[Session] = []

    async def add(self, session: Session) -> None:
        self.added.append(session)


class PlainHasher:
    """A `Hasher` that does not; `checked` holds every hash it was asked about."""

    def __init__(self) -> None:
        self.checked: list[str | None] = []

    async def hash(self, password: SecretStr) -> str:
        return f"v1$plain {password.get_secret_value()}"

    async def matches(self, password: SecretStr, stored: str | None) -> bool:
        self.checked.append(stored)
        return stored == f"v1$plain {password.get_secret_value()}"


class ReadableIssuer:
    """A `TokenIssuer` whose tokens are what they were asked for."""

    def issue(self, user_id: str, session_id: str, roles: Sequence[str]) -> AccessToken:
        return AccessToken(f"{user_id} {session_id} {list(roles)}", 600)


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
def hasher() -> PlainHasher:
    return PlainHasher()


@pytest.fixture
def accounts(
    users: MemoryUsers, sessions: MemorySessions, hasher: PlainHasher, clock: StoppedClock
) -> Accounts:
    return Accounts(
        users=users,
        sessions=sessions,
        hasher=hasher,
        issuer=ReadableIssuer(),
        policy=PasswordPolicy(min_chars=15, max_chars=128),
        clock=clock,
        session_ttl_secs=3_600,
    )
