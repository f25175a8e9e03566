from collections.abc import Callable
from datetime import timedelta

import pytest

from services.auth.core.entities import Event, LoginSession, SessionTermination, User
from services.auth.core.sessions import SessionPolicy, SessionService, SessionTokens
from shared.errors import NotFound, ReauthenticationRequired, Revoked, Unauthenticated
from tests.unit.auth.fakes import (
    SOURCE,
    CountingNotifier,
    FakeClock,
    MemoryAudit,
    MemorySessions,
    MemoryTerminations,
    MemoryUsers,
    caller_of,
)


@pytest.fixture
async def ann(users: MemoryUsers, clock: FakeClock) -> User:
    user = User("u1", "ann@example.com", "v1$hash", clock.now(), roles=("admin",))
    await users.add(user)
    return user


@pytest.fixture
async def tokens(session_service: SessionService, ann: User) -> SessionTokens:
    """The tokens of a new session of Ann."""
    return await session_service.start(ann, SOURCE, by_cookie=False)


async def test_a_new_session_has_an_idle_and_an_absolute_end(
    tokens: SessionTokens, session_policy: SessionPolicy, clock: FakeClock
) -> None:
    session = tokens.session
    assert session.expires_at - clock.now() == timedelta(seconds=session_policy.idle_timeout_secs)
    assert session.ends_at - clock.now() == timedelta(seconds=session_policy.absolute_timeout_secs)
    assert tokens.access.token.endswith("['admin']")


async def test_each_login_starts_a_session_of_its_own(
    session_service: SessionService, ann: User, tokens: SessionTokens
) -> None:
    second = await session_service.start(ann, SOURCE, by_cookie=True)
    assert second.session.session_id != tokens.session.session_id


async def test_a_login_fails_if_the_account_is_disabled_meanwhile(
    session_service: SessionService,
    ann: User,
    terminations: MemoryTerminations,
    sessions: MemorySessions,
    clock: FakeClock,
    notifier: CountingNotifier,
) -> None:
    await terminations.disable(ann.user_id, now=clock.now())
    with pytest.raises(Revoked):
        await session_service.start(ann, SOURCE, by_cookie=False)  # `ann` was read before
    assert sessions.active(clock.now()) == []
    assert notifier.count == 1


async def test_a_refresh_returns_new_tokens_and_extends_the_session(
    session_service: SessionService,
    tokens: SessionTokens,
    session_policy: SessionPolicy,
    clock: FakeClock,
) -> None:
    clock.advance(300)
    second = await session_service.refresh(tokens.refresh_token, SOURCE)
    assert second.refresh_token != tokens.refresh_token
    assert second.session.session_id == tokens.session.session_id
    idle_timeout = timedelta(seconds=session_policy.idle_timeout_secs)
    assert second.session.expires_at == clock.now() + idle_timeout
    third = await session_service.refresh(second.refresh_token, SOURCE)
    assert third.refresh_token != second.refresh_token


async def test_an_idle_session_cannot_be_refreshed(
    session_service: SessionService, tokens: SessionTokens, clock: FakeClock
) -> None:
    clock.advance(600)
    with pytest.raises(Unauthenticated):
        await session_service.refresh(tokens.refresh_token, SOURCE)


async def test_a_session_cannot_be_refreshed_beyond_its_absolute_end(
    session_service: SessionService, tokens: SessionTokens, clock: FakeClock
) -> None:
    refresh_token = tokens.refresh_token
    for _ in range(7):
        clock.advance(500)
        refresh_token = (await session_service.refresh(refresh_token, SOURCE)).refresh_token
    clock.advance(100)
    with pytest.raises(Unauthenticated):
        await session_service.refresh(refresh_token, SOURCE)


async def test_a_repeated_refresh_within_the_grace_period_returns_the_same_token(
    session_service: SessionService, tokens: SessionTokens, clock: FakeClock
) -> None:
    first = await session_service.refresh(tokens.refresh_token, SOURCE)
    clock.advance(10)
    second = await session_service.refresh(tokens.refresh_token, SOURCE)
    assert second.refresh_token == first.refresh_token


async def test_a_reused_token_after_the_grace_period_ends_the_session(
    session_service: SessionService,
    tokens: SessionTokens,
    sessions: MemorySessions,
    clock: FakeClock,
    audit: MemoryAudit,
    notifier: CountingNotifier,
) -> None:
    newest = await session_service.refresh(tokens.refresh_token, SOURCE)
    clock.advance_ms(10_001)
    with pytest.raises(Revoked, match="used before"):
        await session_service.refresh(tokens.refresh_token, SOURCE)
    with pytest.raises(Unauthenticated):
        await session_service.refresh(newest.refresh_token, SOURCE)
    stored = sessions.by_id[tokens.session.session_id]
    assert stored.termination is SessionTermination.REFRESH_REUSED
    assert audit.events == [Event.REFRESH_REUSED]
    assert notifier.count == 1


async def test_a_token_older_than_the_previous_one_ends_the_session_at_once(
    session_service: SessionService, tokens: SessionTokens
) -> None:
    second = await session_service.refresh(tokens.refresh_token, SOURCE)
    await session_service.refresh(second.refresh_token, SOURCE)
    with pytest.raises(Revoked):
        await session_service.refresh(tokens.refresh_token, SOURCE)


async def test_a_guessed_token_does_not_end_a_session(
    session_service: SessionService,
    tokens: SessionTokens,
    sessions: MemorySessions,
    clock: FakeClock,
) -> None:
    for guess in (f"{tokens.session.session_id}.guess.guess", "a.b.c", "not a token", "", "ä.b.c"):
        with pytest.raises(Unauthenticated):
            await session_service.refresh(guess, SOURCE)
    assert len(sessions.active(clock.now())) == 1


async def test_a_termination_of_all_sessions_leaves_only_the_excepted_one(
    session_service: SessionService,
    tokens: SessionTokens,
    terminations: MemoryTerminations,
    clock: FakeClock,
) -> None:
    own_id = tokens.session.session_id
    reason = SessionTermination.LOGOUT_ALL
    await terminations.end_all("u1", reason, now=clock.now(), except_session_id=own_id)
    await session_service.refresh(tokens.refresh_token, SOURCE)
    await terminations.end_all("u1", reason, now=clock.now())
    with pytest.raises(Unauthenticated):
        await session_service.refresh(tokens.refresh_token, SOURCE)


async def test_a_refresh_of_a_session_with_an_older_generation_ends_it(
    session_service: SessionService,
    tokens: SessionTokens,
    users: MemoryUsers,
    sessions: MemorySessions,
    clock: FakeClock,
    notifier: CountingNotifier,
) -> None:
    ann = users.by_email["ann@example.com"]
    users.by_email[ann.email] = User(
        ann.user_id, ann.email, ann.password_hash, ann.created_at, generation=1
    )
    with pytest.raises(Revoked):
        await session_service.refresh(tokens.refresh_token, SOURCE)
    assert sessions.active(clock.now()) == []
    assert notifier.count == 1


async def test_a_refresh_during_a_password_change_that_keeps_the_session_succeeds(
    session_service: SessionService,
    tokens: SessionTokens,
    change_password_at_next_read: Callable[[LoginSession], None],
) -> None:
    change_password_at_next_read(tokens.session)
    refreshed = await session_service.refresh(tokens.refresh_token, SOURCE)
    assert refreshed.user.generation == 1


async def test_a_logout_ends_the_session_once(
    session_service: SessionService,
    tokens: SessionTokens,
    audit: MemoryAudit,
    notifier: CountingNotifier,
) -> None:
    session = await session_service.find_by_refresh_token(tokens.refresh_token)
    assert session is not None
    await session_service.logout(session, SOURCE)
    await session_service.logout(session, SOURCE)
    assert await session_service.find_by_refresh_token(tokens.refresh_token) is None
    assert audit.events == [Event.LOGOUT]
    assert notifier.count == 1


async def test_a_user_lists_and_revokes_their_own_sessions(
    session_service: SessionService,
    ann: User,
    tokens: SessionTokens,
    users: MemoryUsers,
    sessions: MemorySessions,
) -> None:
    other_id = (await session_service.start(ann, SOURCE, by_cookie=True)).session.session_id
    own_id = tokens.session.session_id
    caller = await caller_of(sessions, users, tokens.session)
    listed = {session.session_id for session in await session_service.list_sessions(caller)}
    assert listed == {other_id, own_id}
    await session_service.revoke(caller, other_id)
    left = [session.session_id for session in await session_service.list_sessions(caller)]
    assert left == [own_id]
    with pytest.raises(NotFound):
        await session_service.revoke(caller, other_id)


async def test_a_session_of_another_user_is_not_found(
    session_service: SessionService,
    tokens: SessionTokens,
    users: MemoryUsers,
    sessions: MemorySessions,
) -> None:
    bob = User("u2", "bob@example.com", "v1$hash", tokens.session.created_at)
    await users.add(bob)
    bobs_tokens = await session_service.start(bob, SOURCE, by_cookie=False)
    caller = await caller_of(sessions, users, bobs_tokens.session)
    with pytest.raises(NotFound):
        await session_service.revoke(caller, tokens.session.session_id)
    assert sessions.by_id[tokens.session.session_id].termination is None


async def test_ending_other_sessions_requires_a_recent_password_and_ending_this_one_does_not(
    session_service: SessionService,
    ann: User,
    tokens: SessionTokens,
    users: MemoryUsers,
    sessions: MemorySessions,
    clock: FakeClock,
) -> None:
    other = await session_service.start(ann, SOURCE, by_cookie=False)
    caller = await caller_of(sessions, users, tokens.session)
    clock.advance_ms(60_001)
    with pytest.raises(ReauthenticationRequired):
        await session_service.revoke(caller, other.session.session_id)
    with pytest.raises(ReauthenticationRequired):
        await session_service.logout_all(caller)
    await session_service.revoke(caller, tokens.session.session_id)


async def test_logout_all_ends_all_sessions_of_the_user(
    session_service: SessionService,
    ann: User,
    tokens: SessionTokens,
    users: MemoryUsers,
    sessions: MemorySessions,
    clock: FakeClock,
) -> None:
    await session_service.start(ann, SOURCE, by_cookie=False)
    caller = await caller_of(sessions, users, tokens.session)
    assert await session_service.logout_all(caller) == 2
    assert sessions.active(clock.now()) == []


async def test_a_login_above_the_session_limit_ends_the_session_unused_for_longest(
    session_service: SessionService,
    ann: User,
    tokens: SessionTokens,
    sessions: MemorySessions,
    clock: FakeClock,
) -> None:
    refresh_tokens = [tokens.refresh_token]
    for _ in range(2):
        clock.advance(1)
        login = await session_service.start(ann, SOURCE, by_cookie=False)
        refresh_tokens.append(login.refresh_token)
    clock.advance(1)
    await session_service.refresh(refresh_tokens[0], SOURCE)
    await session_service.start(ann, SOURCE, by_cookie=False)
    ended = [stored for stored in sessions.by_id.values() if stored.termination]
    assert [stored.termination for stored in ended] == [SessionTermination.TOO_MANY]
    assert refresh_tokens[1].startswith(ended[0].session.session_id)


def test_the_refresh_token_is_not_in_the_repr(tokens: SessionTokens) -> None:
    assert tokens.refresh_token not in repr(tokens)
