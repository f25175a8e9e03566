"""Fixtures of auth's unit tests: the use cases over in-memory ports."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from pydantic import SecretStr

from services.auth.core.accounts import AccountService
from services.auth.core.admin import AdminService
from services.auth.core.attempt_limiter import AttemptLimiter, AttemptLimits
from services.auth.core.device_tokens import DeviceTokens
from services.auth.core.entities import AttemptLimit, LoginSession, User
from services.auth.core.keyed_hash import KeyedHash
from services.auth.core.password_policy import PasswordPolicy
from services.auth.core.sessions import SessionPolicy, SessionService
from tests.unit.auth.fakes import (
    CountingNotifier,
    FakeClock,
    MemoryAudit,
    MemorySessions,
    MemoryTerminations,
    MemoryThrottle,
    MemoryUsers,
    PlainHasher,
    ReadableIssuer,
)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def users() -> MemoryUsers:
    return MemoryUsers()


@pytest.fixture
def sessions() -> MemorySessions:
    return MemorySessions()


@pytest.fixture
def terminations(users: MemoryUsers, sessions: MemorySessions) -> MemoryTerminations:
    return MemoryTerminations(users, sessions)


@pytest.fixture
def change_password_at_next_read(
    users: MemoryUsers,
    terminations: MemoryTerminations,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[LoginSession], None]:
    """A function: the password changes just before an account is read; this session is kept."""

    def arrange(session: LoginSession) -> None:
        async def change_and_find(user_id: str) -> User | None:
            monkeypatch.undo()
            (user,) = users.by_email.values()
            await terminations.change_password(
                user, "v1$new", now=clock.now(), except_session_id=session.session_id
            )
            return await users.find(user_id)

        monkeypatch.setattr(users, "find", change_and_find)

    return arrange


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
def notifier() -> CountingNotifier:
    return CountingNotifier()


@pytest.fixture
def session_policy() -> SessionPolicy:
    return SessionPolicy(
        idle_timeout_secs=600,
        absolute_timeout_secs=3_600,
        recent_authentication_secs=60,
        max_sessions=3,
    )


@pytest.fixture
def session_service(
    users: MemoryUsers,
    sessions: MemorySessions,
    terminations: MemoryTerminations,
    audit: MemoryAudit,
    notifier: CountingNotifier,
    session_policy: SessionPolicy,
    clock: FakeClock,
) -> SessionService:
    return SessionService(
        users=users,
        sessions=sessions,
        terminations=terminations,
        issuer=ReadableIssuer(),
        audit=audit,
        revocations=notifier,
        policy=session_policy,
        clock=clock,
    )


@pytest.fixture
def account_service(
    users: MemoryUsers,
    sessions: MemorySessions,
    terminations: MemoryTerminations,
    session_service: SessionService,
    hasher: PlainHasher,
    throttle: MemoryThrottle,
    audit: MemoryAudit,
    notifier: CountingNotifier,
    clock: FakeClock,
) -> AccountService:
    limit = AttemptLimit(
        free_attempts=4, base_delay_secs=1, max_delay_secs=60, reset_after_secs=3_600
    )
    limits = AttemptLimits(account=limit, address=replace(limit, free_attempts=20), signup=limit)
    keyed_hash = KeyedHash(SecretStr("p" * 32))
    return AccountService(
        users=users,
        sessions=sessions,
        terminations=terminations,
        session_service=session_service,
        hasher=hasher,
        policy=PasswordPolicy(min_chars=15, max_chars=128),
        limiter=AttemptLimiter(throttle, limits),
        device_tokens=DeviceTokens(keyed_hash),
        keyed_hash=keyed_hash,
        audit=audit,
        revocations=notifier,
        clock=clock,
    )


@pytest.fixture
def admin_service(
    users: MemoryUsers,
    terminations: MemoryTerminations,
    session_service: SessionService,
    audit: MemoryAudit,
    notifier: CountingNotifier,
    clock: FakeClock,
) -> AdminService:
    return AdminService(
        users=users,
        terminations=terminations,
        session_service=session_service,
        audit=audit,
        revocations=notifier,
        clock=clock,
    )
