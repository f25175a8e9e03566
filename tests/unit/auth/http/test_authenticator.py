from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from services.auth.core.entities import LoginSession, SessionTermination
from services.auth.core.sessions import SessionTokens
from services.auth.http.authenticator import Authenticator
from shared.errors import Revoked, Unauthenticated
from tests.unit.auth.fakes import SOURCE, FakeClock, MemorySessions, MemoryUsers


async def test_a_valid_token_of_an_active_session_is_accepted(
    authenticator: Authenticator, tokens: SessionTokens
) -> None:
    caller = await authenticator.authenticate(tokens.access.token, SOURCE)
    assert (caller.user, caller.session, caller.source) == (tokens.user, tokens.session, SOURCE)


async def test_a_token_that_is_not_valid_is_refused(
    authenticator: Authenticator, tokens: SessionTokens
) -> None:
    with pytest.raises(Unauthenticated):
        await authenticator.authenticate(tokens.access.token + "x", SOURCE)


async def test_a_token_of_a_session_that_was_ended_is_refused(
    authenticator: Authenticator, tokens: SessionTokens, sessions: MemorySessions, clock: FakeClock
) -> None:
    await sessions.end(tokens.session, SessionTermination.LOGOUT, now=clock.now())
    with pytest.raises(Revoked):
        await authenticator.authenticate(tokens.access.token, SOURCE)


async def test_a_token_of_an_expired_session_is_refused(
    authenticator: Authenticator, tokens: SessionTokens, clock: FakeClock
) -> None:
    clock.advance(int(timedelta(days=1).total_seconds()))
    with pytest.raises(Revoked):
        await authenticator.authenticate(tokens.access.token, SOURCE)


@pytest.mark.parametrize("change", ["missing", "disabled", "new generation", "other user"])
async def test_a_token_is_refused_if_its_session_does_not_match_an_enabled_account(
    authenticator: Authenticator,
    tokens: SessionTokens,
    users: MemoryUsers,
    sessions: MemorySessions,
    clock: FakeClock,
    change: str,
) -> None:
    user = users.by_email.pop(tokens.user.email)
    stored = sessions.by_id[tokens.session.session_id]
    if change == "disabled":
        await users.add(replace(user, disabled_at=clock.now()))
    elif change == "new generation":
        await users.add(replace(user, generation=1))
    elif change == "other user":
        await users.add(user)
        stored.session = replace(stored.session, user_id="u2")
    with pytest.raises(Revoked):
        await authenticator.authenticate(tokens.access.token, SOURCE)


async def test_a_token_of_a_session_that_a_concurrent_password_change_keeps_is_accepted(
    authenticator: Authenticator,
    tokens: SessionTokens,
    change_password_at_next_read: Callable[[LoginSession], None],
) -> None:
    change_password_at_next_read(tokens.session)
    caller = await authenticator.authenticate(tokens.access.token, SOURCE)
    assert caller.user.generation == caller.session.generation == 1
