import pytest
from pydantic import SecretStr

from services.auth.core.accounts import AccountService, Credentials
from services.auth.core.entities import Caller, Event, SessionTermination, User
from services.auth.core.sessions import SessionTokens
from shared.errors import (
    AccountDisabled,
    BadCredentials,
    EmailTaken,
    InvalidField,
    Overloaded,
    Revoked,
    TooManyAttempts,
)
from tests.unit.auth.fakes import (
    SOURCE,
    CountingNotifier,
    FakeClock,
    MemoryAudit,
    MemorySessions,
    MemoryTerminations,
    MemoryThrottle,
    MemoryUsers,
    PlainHasher,
    caller_of,
)

EMAIL = "ann@example.com"
PASSWORD_TEXT = "correct horse battery"
PASSWORD = SecretStr(PASSWORD_TEXT)
NEW_PASSWORD = SecretStr("another long password")
WRONG_PASSWORD = SecretStr("not the right password")


@pytest.fixture
async def ann(account_service: AccountService) -> User:
    return await account_service.signup(EMAIL, PASSWORD, SOURCE)


async def log_in(
    account_service: AccountService,
    password: SecretStr = PASSWORD,
    device_token: str | None = None,
) -> SessionTokens:
    credentials = Credentials(EMAIL, password, device_token)
    tokens, _ = await account_service.login(credentials, SOURCE, by_cookie=False)
    return tokens


@pytest.fixture
async def caller(
    account_service: AccountService, ann: User, sessions: MemorySessions, users: MemoryUsers
) -> Caller:
    return await caller_of(sessions, users, (await log_in(account_service)).session)


async def test_signup_stores_the_account_with_a_hash_and_without_roles(
    ann: User, users: MemoryUsers, clock: FakeClock, audit: MemoryAudit
) -> None:
    assert users.by_email == {EMAIL: ann}
    assert (ann.email, ann.created_at, ann.roles) == (EMAIL, clock.now(), ())
    assert ann.password_hash == f"v1$plain {PASSWORD_TEXT}"
    assert audit.events == [Event.SIGNUP]


async def test_signups_with_a_weak_password_are_refused_and_limited(
    account_service: AccountService, users: MemoryUsers
) -> None:
    for _ in range(4):
        with pytest.raises(InvalidField):
            await account_service.signup(EMAIL, SecretStr("short"), SOURCE)
    with pytest.raises(TooManyAttempts):
        await account_service.signup(EMAIL, SecretStr("short"), SOURCE)
    assert users.by_email == {}


async def test_signup_with_a_taken_address_is_refused_by_the_store(
    account_service: AccountService, ann: User
) -> None:
    with pytest.raises(EmailTaken):
        await account_service.signup(EMAIL, NEW_PASSWORD, SOURCE)


async def test_signups_from_one_address_are_limited(account_service: AccountService) -> None:
    for number in range(4):
        await account_service.signup(f"{number}@example.com", PASSWORD, SOURCE)
    with pytest.raises(TooManyAttempts):
        await account_service.signup("more@example.com", PASSWORD, SOURCE)


async def test_login_starts_a_session_and_issues_its_tokens(
    account_service: AccountService, ann: User, sessions: MemorySessions, audit: MemoryAudit
) -> None:
    tokens = await log_in(account_service)
    assert [stored.session for stored in sessions.by_id.values()] == [tokens.session]
    assert tokens.access.token == f"{ann.user_id} {tokens.session.session_id} []"
    assert tokens.refresh_token.startswith(f"{tokens.session.session_id}.")
    assert audit.events == [Event.SIGNUP, Event.LOGIN]


async def test_a_wrong_password_and_an_unknown_user_get_the_same_error_after_the_same_work(
    account_service: AccountService,
    ann: User,
    hasher: PlainHasher,
    sessions: MemorySessions,
    audit: MemoryAudit,
) -> None:
    with pytest.raises(BadCredentials) as wrong:
        await log_in(account_service, WRONG_PASSWORD)
    nobody = Credentials("nobody@example.com", PASSWORD)
    with pytest.raises(BadCredentials) as unknown:
        await account_service.login(nobody, SOURCE, by_cookie=False)
    assert str(wrong.value) == str(unknown.value)
    assert hasher.verified == [f"v1$plain {PASSWORD_TEXT}", None]
    assert sessions.by_id == {}
    assert audit.events[1:] == [Event.LOGIN_FAILED] * 2
    assert audit.entries[1].user_id == ann.user_id
    assert audit.entries[2].email is not None
    assert "nobody" not in audit.entries[2].email


async def test_too_many_wrong_passwords_are_refused_before_the_hash(
    account_service: AccountService, ann: User, hasher: PlainHasher
) -> None:
    for _ in range(4):
        with pytest.raises(BadCredentials):
            await log_in(account_service, WRONG_PASSWORD)
    with pytest.raises(TooManyAttempts):
        await log_in(account_service)
    assert len(hasher.verified) == 4


async def test_a_known_device_is_not_delayed_by_the_attempts_of_others(
    account_service: AccountService, ann: User
) -> None:
    first_login = Credentials(EMAIL, PASSWORD)
    _, device_token = await account_service.login(first_login, SOURCE, by_cookie=False)
    for _ in range(4):
        with pytest.raises(BadCredentials):
            await log_in(account_service, WRONG_PASSWORD)
    with pytest.raises(TooManyAttempts):
        await log_in(account_service)
    next_login = Credentials(EMAIL, PASSWORD, device_token)
    _, same_token = await account_service.login(next_login, SOURCE, by_cookie=False)
    assert same_token == device_token


async def test_a_forged_device_token_is_counted_as_an_unknown_device(
    account_service: AccountService, ann: User
) -> None:
    for number in range(4):
        with pytest.raises(BadCredentials):
            await log_in(account_service, WRONG_PASSWORD, device_token=f"{number}.forged")
    with pytest.raises(TooManyAttempts):
        await log_in(account_service, device_token="5.forged")


async def test_a_right_password_is_not_counted(
    account_service: AccountService, ann: User, throttle: MemoryThrottle
) -> None:
    for _ in range(30):
        await log_in(account_service)
    counts = {key: count for key, count in throttle.counts.items() if "signup" not in key}
    assert counts == {"address|192.0.2.1": 0}


async def test_only_the_right_password_reveals_that_an_account_is_disabled(
    account_service: AccountService,
    ann: User,
    terminations: MemoryTerminations,
    clock: FakeClock,
    audit: MemoryAudit,
) -> None:
    await terminations.disable(ann.user_id, now=clock.now())
    with pytest.raises(AccountDisabled):
        await log_in(account_service)
    with pytest.raises(BadCredentials):
        await log_in(account_service, WRONG_PASSWORD)
    assert audit.events[1:] == [Event.LOGIN_DISABLED, Event.LOGIN_FAILED]


async def test_a_login_replaces_an_outdated_hash(
    account_service: AccountService, ann: User, hasher: PlainHasher, users: MemoryUsers
) -> None:
    hasher.scheme = "v1$stronger"
    await log_in(account_service)
    assert users.by_email[EMAIL].password_hash == f"v1$stronger {PASSWORD_TEXT}"
    await log_in(account_service)


async def test_a_login_keeps_an_outdated_hash_while_the_hasher_is_overloaded(
    account_service: AccountService,
    ann: User,
    hasher: PlainHasher,
    users: MemoryUsers,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def refuse(password: SecretStr) -> str:
        raise Overloaded("full")

    hasher.scheme = "v1$stronger"
    monkeypatch.setattr(hasher, "hash", refuse)
    await log_in(account_service)
    assert users.by_email[EMAIL].password_hash == ann.password_hash


async def test_a_password_change_requires_the_current_one_and_ends_the_other_sessions(
    account_service: AccountService,
    caller: Caller,
    users: MemoryUsers,
    sessions: MemorySessions,
    audit: MemoryAudit,
    notifier: CountingNotifier,
) -> None:
    other = (await log_in(account_service)).session
    with pytest.raises(BadCredentials):
        await account_service.change_password(caller, WRONG_PASSWORD, NEW_PASSWORD)
    assert await account_service.change_password(caller, PASSWORD, NEW_PASSWORD) == 1
    assert users.by_email[EMAIL].password_hash.endswith(NEW_PASSWORD.get_secret_value())
    assert sessions.by_id[other.session_id].termination is SessionTermination.PASSWORD_CHANGED
    own = sessions.by_id[caller.session.session_id]
    assert own.termination is None
    assert own.session.generation == users.by_email[EMAIL].generation
    assert notifier.count == 1
    assert audit.events[-2:] == [Event.REAUTHENTICATION_FAILED, Event.PASSWORD_CHANGED]


@pytest.mark.parametrize("new", ["short", "correct horse battery"], ids=["weak", "unchanged"])
async def test_a_weak_or_unchanged_new_password_is_refused(
    account_service: AccountService, caller: Caller, new: str
) -> None:
    with pytest.raises(InvalidField) as raised:
        await account_service.change_password(caller, PASSWORD, SecretStr(new))
    assert raised.value.field == "new_password"


async def test_a_new_password_is_judged_after_the_current_one_was_verified(
    account_service: AccountService, caller: Caller
) -> None:
    with pytest.raises(BadCredentials):
        await account_service.change_password(caller, WRONG_PASSWORD, SecretStr("short"))


async def test_the_second_of_two_concurrent_password_changes_is_refused(
    account_service: AccountService, caller: Caller
) -> None:
    await account_service.change_password(caller, PASSWORD, NEW_PASSWORD)
    with pytest.raises(Revoked):
        await account_service.change_password(caller, PASSWORD, SecretStr("a third good password"))


async def test_reauthentication_stores_the_time_of_the_right_password(
    account_service: AccountService, caller: Caller, sessions: MemorySessions, clock: FakeClock
) -> None:
    clock.advance(120)
    with pytest.raises(BadCredentials):
        await account_service.reauthenticate(caller, WRONG_PASSWORD)
    await account_service.reauthenticate(caller, PASSWORD)
    stored = sessions.by_id[caller.session.session_id]
    assert stored.session.authenticated_at == clock.now()


async def test_wrong_passwords_within_a_session_are_limited(
    account_service: AccountService, caller: Caller
) -> None:
    for _ in range(4):
        with pytest.raises(BadCredentials):
            await account_service.reauthenticate(caller, WRONG_PASSWORD)
    with pytest.raises(TooManyAttempts):
        await account_service.change_password(caller, PASSWORD, NEW_PASSWORD)


async def test_an_overloaded_hasher_refuses_a_request_before_it_is_counted(
    account_service: AccountService, ann: User, hasher: PlainHasher, throttle: MemoryThrottle
) -> None:
    hasher.is_full = True
    before = dict(throttle.counts)
    with pytest.raises(Overloaded):
        await log_in(account_service)
    with pytest.raises(Overloaded):
        await account_service.signup("bob@example.com", PASSWORD, SOURCE)
    assert throttle.counts == before


def test_the_secrets_of_credentials_are_not_in_their_repr() -> None:
    text = repr(Credentials(EMAIL, PASSWORD, "a device token"))
    assert PASSWORD_TEXT not in text
    assert "a device token" not in text
