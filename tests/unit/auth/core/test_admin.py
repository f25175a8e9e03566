import pytest

from services.auth.core.admin import AdminService
from services.auth.core.entities import Caller, Event, SessionTermination, User
from services.auth.core.sessions import SessionService
from shared.contracts.roles import ADMIN_ROLE
from shared.errors import Forbidden, InvalidField, NotFound, ReauthenticationRequired
from tests.unit.auth.fakes import (
    SOURCE,
    CountingNotifier,
    FakeClock,
    MemoryAudit,
    MemorySessions,
    MemoryUsers,
    caller_of,
)


@pytest.fixture
async def bob(users: MemoryUsers, clock: FakeClock) -> User:
    bob = User("u2", "bob@example.com", "v1$hash", clock.now())
    await users.add(bob)
    return bob


@pytest.fixture
async def root(
    session_service: SessionService,
    users: MemoryUsers,
    sessions: MemorySessions,
    clock: FakeClock,
) -> Caller:
    root = User("u1", "root@example.com", "v1$hash", clock.now(), roles=(ADMIN_ROLE,))
    await users.add(root)
    tokens = await session_service.start(root, SOURCE, by_cookie=False)
    return await caller_of(sessions, users, tokens.session)


async def test_a_caller_without_the_role_is_refused(
    admin_service: AdminService,
    session_service: SessionService,
    bob: User,
    users: MemoryUsers,
    sessions: MemorySessions,
) -> None:
    tokens = await session_service.start(bob, SOURCE, by_cookie=False)
    caller = await caller_of(sessions, users, tokens.session)
    for attempt in (
        admin_service.list_users(caller, "", 10),
        admin_service.disable(caller, "u1"),
        admin_service.enable(caller, "u1"),
        admin_service.revoke_sessions(caller, "u1"),
        admin_service.audit_log(caller, None, "", 10),
    ):
        with pytest.raises(Forbidden):
            await attempt


async def test_disabling_an_account_ends_its_sessions_and_enabling_restores_it(
    admin_service: AdminService,
    session_service: SessionService,
    root: Caller,
    bob: User,
    users: MemoryUsers,
    sessions: MemorySessions,
    audit: MemoryAudit,
    notifier: CountingNotifier,
) -> None:
    tokens = await session_service.start(bob, SOURCE, by_cookie=False)
    assert await admin_service.disable(root, "u2") == 1
    stored = sessions.by_id[tokens.session.session_id]
    assert stored.termination is SessionTermination.BY_ADMIN
    assert users.by_email["bob@example.com"].disabled_at is not None
    await admin_service.enable(root, "u2")
    assert [user.disabled_at for user in users.by_email.values()] == [None, None]
    assert notifier.count == 1
    assert audit.events == [Event.USER_DISABLED, Event.USER_ENABLED]
    assert {(entry.user_id, entry.by) for entry in audit.entries} == {("u2", "u1")}


async def test_revoking_the_sessions_of_an_account_ends_all_of_them(
    admin_service: AdminService,
    session_service: SessionService,
    root: Caller,
    bob: User,
    audit: MemoryAudit,
    notifier: CountingNotifier,
) -> None:
    await session_service.start(bob, SOURCE, by_cookie=False)
    await session_service.start(bob, SOURCE, by_cookie=False)
    assert await admin_service.revoke_sessions(root, "u2") == 2
    assert audit.events == [Event.USER_REVOKED]
    assert notifier.count == 1


async def test_an_unknown_account_is_not_found(admin_service: AdminService, root: Caller) -> None:
    for attempt in (
        admin_service.disable(root, "x"),
        admin_service.enable(root, "x"),
        admin_service.revoke_sessions(root, "x"),
    ):
        with pytest.raises(NotFound):
            await attempt


async def test_an_administrator_cannot_disable_their_own_account(
    admin_service: AdminService, root: Caller
) -> None:
    with pytest.raises(InvalidField):
        await admin_service.disable(root, "u1")


async def test_changes_require_a_recent_password_and_listing_does_not(
    admin_service: AdminService, root: Caller, bob: User, clock: FakeClock
) -> None:
    clock.advance_ms(60_001)
    for attempt in (
        admin_service.disable(root, "u2"),
        admin_service.enable(root, "u2"),
        admin_service.revoke_sessions(root, "u2"),
    ):
        with pytest.raises(ReauthenticationRequired):
            await attempt
    assert [user.email for user in await admin_service.list_users(root, "", 10)] == [
        "bob@example.com",
        "root@example.com",
    ]
