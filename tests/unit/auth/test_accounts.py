from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from services.auth.accounts import Accounts
from shared.errors import BadCredentials, EmailTaken, InvalidField, Unauthenticated
from tests.unit.auth.conftest import (
    NOON_MS,
    MemorySessions,
    MemoryUsers,
    PlainHasher,
)

NOON = datetime.fromtimestamp(NOON_MS / 1_000, UTC)
EMAIL = "ann@example.com"
SECRET = "correct horse battery"
PASSWORD = SecretStr(SECRET)


async def test_signup_keeps_the_account_with_a_hash_and_no_special_rights(
    accounts: Accounts, users: MemoryUsers
) -> None:
    user = await accounts.signup(EMAIL, PASSWORD)
    assert users.by_email == {EMAIL: user}
    assert (user.email, user.created_at, user.roles) == (EMAIL, NOON, ())
    assert user.password_hash == f"v1$plain {SECRET}"


async def test_signup_refuses_a_weak_password_before_it_costs_anything(
    accounts: Accounts, users: MemoryUsers
) -> None:
    with pytest.raises(InvalidField):
        await accounts.signup(EMAIL, SecretStr("short"))
    assert users.by_email == {}


async def test_signup_leaves_it_to_the_store_whether_an_address_is_taken(
    accounts: Accounts,
) -> None:
    await accounts.signup(EMAIL, PASSWORD)
    with pytest.raises(EmailTaken):
        await accounts.signup(EMAIL, SecretStr("another long password"))


async def test_login_opens_a_session_that_ends_and_issues_a_token_for_it(
    accounts: Accounts, sessions: MemorySessions
) -> None:
    user = await accounts.signup(EMAIL, PASSWORD)
    login = await accounts.login(EMAIL, PASSWORD)
    assert sessions.added == [login.session]
    assert login.session.expires_at - login.session.created_at == timedelta(hours=1)
    assert login.access.token == f"{user.user_id} {login.session.session_id} []"


async def test_two_logins_are_two_sessions(accounts: Accounts) -> None:
    await accounts.signup(EMAIL, PASSWORD)
    first, second = [await accounts.login(EMAIL, PASSWORD) for _ in range(2)]
    assert first.session.session_id != second.session.session_id


async def test_wrong_password_and_unknown_user_are_told_the_same_after_the_same_work(
    accounts: Accounts, hasher: PlainHasher, sessions: MemorySessions
) -> None:
    await accounts.signup(EMAIL, PASSWORD)
    with pytest.raises(BadCredentials) as wrong:
        await accounts.login(EMAIL, SecretStr("not the right password"))
    with pytest.raises(BadCredentials) as unknown:
        await accounts.login("nobody@example.com", PASSWORD)
    assert str(wrong.value) == str(unknown.value)
    assert hasher.checked == [f"v1$plain {SECRET}", None]
    assert sessions.added == []


async def test_a_token_of_a_deleted_account_speaks_for_nobody(
    accounts: Accounts, users: MemoryUsers
) -> None:
    user = await accounts.signup(EMAIL, PASSWORD)
    assert await accounts.account(user.user_id) == user
    users.by_email.clear()
    with pytest.raises(Unauthenticated):
        await accounts.account(user.user_id)


async def test_secrets_are_not_in_what_a_traceback_would_print(accounts: Accounts) -> None:
    await accounts.signup(EMAIL, PASSWORD)
    login = await accounts.login(EMAIL, PASSWORD)
    assert SECRET not in repr(login)
    assert login.access.token not in repr(login)
