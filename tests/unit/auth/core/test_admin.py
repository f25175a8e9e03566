import pytest

from services.auth.core.admin import Admin
from services.auth.core.logins import Logins
from services.auth.core.records import ADMIN, Caller, Event, SessionTermination, User
from shared.errors import Forbidden, InvalidField, NotFound, ReauthenticationRequired
from tests.unit.auth.conftest import (
    CLIENT,
    MemoryAudit,
    MemorySessions,
    MemoryUsers,
    Nudges,
    StoppedClock,
    caller_of,
)


@pytest.fixture
async def bob(users: MemoryUsers, clock: StoppedClock) -> User:
    bob = User("u2", "bob@example.com", "v1$hash", clock.now())
    await users.add(bob)
    return bob


@pytest.fixture
async def root(
    logins: Logins, users: MemoryUsers, sessions: MemorySessions, clock: StoppedClock
) -> Caller:
    root = User("u1", "root@example.com", "v1$hash", clock.now(), roles=(ADMIN,))
    await users.add(root)
    login = await logins.begin(root, CLIENT, by_cookie=False)
    return await caller_of(sessions, users, login.session)


async def test_nobody_but_an_administrator_may_do_any_of_it(
    admin: Admin, logins: Logins, bob: User, users: MemoryUsers, sessions: MemorySessions
) -> None:
    login = await logins.begin(bob, CLIENT, by_cookie=False)
    caller = await caller_of(sessions, users, login.session)
    for attempt in (
        admin.page(caller, "", 10),
        admin.disable(caller, "u1"),
        admin.enable(caller, "u1"),
        admin.revoke(caller, "u1"),
    ):
        with pytest.raises(Forbidden):
            await attempt


async def test_a_disabled_account_loses_its_sessions_and_can_come_back(
    admin: Admin,
    logins: Logins,
    root: Caller,
    bob: User,
    users: MemoryUsers,
    sessions: MemorySessions,
    audit: MemoryAudit,
    nudges: Nudges,
) -> None:
    theirs = await logins.begin(bob, CLIENT, by_cookie=False)
    assert await admin.disable(root, "u2") == 1
    assert sessions.kept[theirs.session.session_id].ended is SessionTermination.BY_ADMIN
    assert users.by_email["bob@example.com"].disabled_at is not None
    await admin.enable(root, "u2")
    assert [user.disabled_at for user in users.by_email.values()] == [None, None]
    assert nudges.count == 1
    assert audit.events == [Event.USER_DISABLED, Event.USER_ENABLED]
    assert {(entry.user_id, entry.by) for entry in audit.entries} == {("u2", "u1")}


async def test_all_sessions_of_an_account_can_be_ended(
    admin: Admin, logins: Logins, root: Caller, bob: User
) -> None:
    await logins.begin(bob, CLIENT, by_cookie=False)
    await logins.begin(bob, CLIENT, by_cookie=False)
    assert await admin.revoke(root, "u2") == 2


async def test_an_account_that_is_not_there_is_not_found(admin: Admin, root: Caller) -> None:
    for attempt in (admin.disable(root, "x"), admin.enable(root, "x"), admin.revoke(root, "x")):
        with pytest.raises(NotFound):
            await attempt


async def test_nobody_disables_themselves(admin: Admin, root: Caller) -> None:
    with pytest.raises(InvalidField):
        await admin.disable(root, "u1")


async def test_administrators_give_their_password_again_before_they_act(
    admin: Admin, root: Caller, bob: User, clock: StoppedClock
) -> None:
    clock.at_ms += 60_001
    for attempt in (admin.disable(root, "u2"), admin.enable(root, "u2"), admin.revoke(root, "u2")):
        with pytest.raises(ReauthenticationRequired):
            await attempt
    assert [user.email for user in await admin.page(root, "", 10)] == [
        "bob@example.com",
        "root@example.com",
    ]
