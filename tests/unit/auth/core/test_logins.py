from datetime import timedelta

import pytest

from services.auth.core.logins import LoggedIn, Logins
from services.auth.core.records import Event, SessionTermination, User
from shared.errors import NotFound, ReauthenticationRequired, Revoked, Unauthenticated
from tests.unit.auth.conftest import (
    CLIENT,
    LIFETIMES,
    MemoryAudit,
    MemoryEndings,
    MemorySessions,
    MemoryUsers,
    Nudges,
    StoppedClock,
    caller_of,
)


@pytest.fixture
async def ann(users: MemoryUsers, clock: StoppedClock) -> User:
    user = User("u1", "ann@example.com", "v1$hash", clock.now(), roles=("admin",))
    await users.add(user)
    return user


@pytest.fixture
async def login(logins: Logins, ann: User) -> LoggedIn:
    return await logins.begin(ann, CLIENT, by_cookie=False)


async def test_a_session_has_an_idle_and_a_last_end(login: LoggedIn, clock: StoppedClock) -> None:
    session = login.session
    assert session.expires_at - clock.now() == timedelta(seconds=LIFETIMES.idle_secs)
    assert session.ends_at - clock.now() == timedelta(seconds=LIFETIMES.longest_secs)
    assert login.access.token.endswith("['admin']")


async def test_two_logins_are_two_sessions(logins: Logins, ann: User, login: LoggedIn) -> None:
    second = await logins.begin(ann, CLIENT, by_cookie=True)
    assert second.session.session_id != login.session.session_id


async def test_a_login_that_a_disabling_overtakes_gets_nothing(
    logins: Logins,
    ann: User,
    endings: MemoryEndings,
    sessions: MemorySessions,
    clock: StoppedClock,
    nudges: Nudges,
) -> None:
    await endings.disable(ann.user_id, now=clock.now())
    with pytest.raises(Revoked):
        await logins.begin(ann, CLIENT, by_cookie=False)  # as it was read before
    assert sessions.alive(clock.now()) == []
    assert nudges.count == 1


async def test_each_refresh_gives_new_tokens_and_more_time(
    logins: Logins, login: LoggedIn, clock: StoppedClock
) -> None:
    clock.at_ms += 300_000
    renewed = await logins.renew(login.refresh_token, CLIENT)
    assert renewed.refresh_token != login.refresh_token
    assert renewed.session.session_id == login.session.session_id
    assert renewed.session.expires_at == clock.now() + timedelta(seconds=LIFETIMES.idle_secs)
    again = await logins.renew(renewed.refresh_token, CLIENT)
    assert again.refresh_token != renewed.refresh_token


async def test_an_idle_session_is_over(
    logins: Logins, login: LoggedIn, clock: StoppedClock
) -> None:
    clock.at_ms += 600_000
    with pytest.raises(Unauthenticated):
        await logins.renew(login.refresh_token, CLIENT)


async def test_a_busy_session_is_over_in_the_end(
    logins: Logins, login: LoggedIn, clock: StoppedClock
) -> None:
    token = login.refresh_token
    for _ in range(7):
        clock.at_ms += 500_000
        token = (await logins.renew(token, CLIENT)).refresh_token
    clock.at_ms += 100_000
    with pytest.raises(Unauthenticated):
        await logins.renew(token, CLIENT)


async def test_a_lost_answer_is_given_again_and_the_same(
    logins: Logins, login: LoggedIn, clock: StoppedClock
) -> None:
    first = await logins.renew(login.refresh_token, CLIENT)
    clock.at_ms += 10_000
    second = await logins.renew(login.refresh_token, CLIENT)
    assert second.refresh_token == first.refresh_token


async def test_a_token_that_is_shown_late_again_ends_the_session(
    logins: Logins,
    login: LoggedIn,
    sessions: MemorySessions,
    clock: StoppedClock,
    audit: MemoryAudit,
    nudges: Nudges,
) -> None:
    newest = await logins.renew(login.refresh_token, CLIENT)
    clock.at_ms += 10_001
    with pytest.raises(Revoked, match="used before"):
        await logins.renew(login.refresh_token, CLIENT)
    with pytest.raises(Unauthenticated):
        await logins.renew(newest.refresh_token, CLIENT)
    assert sessions.kept[login.session.session_id].ended is SessionTermination.REFRESH_REUSED
    assert audit.events == [Event.REFRESH_REUSED]
    assert nudges.count == 1


async def test_a_token_of_the_turn_before_the_last_ends_the_session_even_at_once(
    logins: Logins, login: LoggedIn
) -> None:
    second = await logins.renew(login.refresh_token, CLIENT)
    await logins.renew(second.refresh_token, CLIENT)
    with pytest.raises(Revoked):
        await logins.renew(login.refresh_token, CLIENT)


async def test_a_guessed_token_ends_nobodys_session(
    logins: Logins, login: LoggedIn, sessions: MemorySessions, clock: StoppedClock
) -> None:
    for guess in (f"{login.session.session_id}.guess.guess", "a.b.c", "not a token", "", "ä.b.c"):
        with pytest.raises(Unauthenticated):
            await logins.renew(guess, CLIENT)
    assert len(sessions.alive(clock.now())) == 1


async def test_a_refresh_after_a_password_change_elsewhere_is_refused(
    logins: Logins, login: LoggedIn, users: MemoryUsers, endings: MemoryEndings, clock: StoppedClock
) -> None:
    keep = login.session.session_id
    await endings.end_all("u1", SessionTermination.LOGOUT_ALL, now=clock.now(), keep=keep)
    await logins.renew(login.refresh_token, CLIENT)
    await endings.end_all("u1", SessionTermination.LOGOUT_ALL, now=clock.now())
    with pytest.raises(Unauthenticated):
        await logins.renew(login.refresh_token, CLIENT)


async def test_logout_ends_one_session_once(
    logins: Logins, login: LoggedIn, audit: MemoryAudit, nudges: Nudges
) -> None:
    session = await logins.session_of(login.refresh_token)
    assert session is not None
    await logins.logout(session, CLIENT)
    await logins.logout(session, CLIENT)
    assert await logins.session_of(login.refresh_token) is None
    assert audit.events == [Event.LOGOUT]
    assert nudges.count == 1


async def test_ones_own_sessions_are_listed_and_ended_by_name(
    logins: Logins, ann: User, login: LoggedIn, users: MemoryUsers, sessions: MemorySessions
) -> None:
    other = await logins.begin(ann, CLIENT, by_cookie=True)
    caller = await caller_of(sessions, users, login.session)
    listed = {one.session_id for one in await logins.of(caller)}
    assert listed == {other.session.session_id, login.session.session_id}
    await logins.revoke(caller, other.session.session_id)
    assert [one.session_id for one in await logins.of(caller)] == [login.session.session_id]
    with pytest.raises(NotFound):
        await logins.revoke(caller, other.session.session_id)


async def test_nobody_ends_another_users_session(
    logins: Logins, login: LoggedIn, users: MemoryUsers, sessions: MemorySessions
) -> None:
    bob = User("u2", "bob@example.com", "v1$hash", login.session.created_at)
    await users.add(bob)
    theirs = await logins.begin(bob, CLIENT, by_cookie=False)
    caller = await caller_of(sessions, users, theirs.session)
    with pytest.raises(NotFound):
        await logins.revoke(caller, login.session.session_id)
    assert sessions.kept[login.session.session_id].ended is None


async def test_ending_other_sessions_needs_a_fresh_password_and_ending_this_one_does_not(
    logins: Logins,
    ann: User,
    login: LoggedIn,
    users: MemoryUsers,
    sessions: MemorySessions,
    clock: StoppedClock,
) -> None:
    other = await logins.begin(ann, CLIENT, by_cookie=False)
    caller = await caller_of(sessions, users, login.session)
    clock.at_ms += 60_001
    with pytest.raises(ReauthenticationRequired):
        await logins.revoke(caller, other.session.session_id)
    with pytest.raises(ReauthenticationRequired):
        await logins.logout_everywhere(caller)
    await logins.revoke(caller, login.session.session_id)


async def test_logout_everywhere_ends_all_sessions(
    logins: Logins,
    ann: User,
    login: LoggedIn,
    users: MemoryUsers,
    sessions: MemorySessions,
    clock: StoppedClock,
) -> None:
    await logins.begin(ann, CLIENT, by_cookie=False)
    caller = await caller_of(sessions, users, login.session)
    assert await logins.logout_everywhere(caller) == 2
    assert sessions.alive(clock.now()) == []


async def test_one_session_too_many_ends_the_one_that_was_longest_unused(
    logins: Logins, ann: User, login: LoggedIn, sessions: MemorySessions, clock: StoppedClock
) -> None:
    tokens = [login.refresh_token]
    for _ in range(2):
        clock.at_ms += 1_000
        tokens.append((await logins.begin(ann, CLIENT, by_cookie=False)).refresh_token)
    clock.at_ms += 1_000
    await logins.renew(tokens[0], CLIENT)
    await logins.begin(ann, CLIENT, by_cookie=False)
    ended = [kept for kept in sessions.kept.values() if kept.ended]
    assert [kept.ended for kept in ended] == [SessionTermination.TOO_MANY]
    assert tokens[1].startswith(ended[0].session.session_id)
