import pytest
from pydantic import SecretStr

from services.auth.core.accounts import Accounts, Credentials
from services.auth.core.logins import LoggedIn
from services.auth.core.records import Caller, Event, SessionTermination, User
from shared.errors import (
    AccountDisabled,
    BadCredentials,
    EmailTaken,
    InvalidField,
    Overloaded,
    Revoked,
    TooManyAttempts,
)
from tests.unit.auth.conftest import (
    CLIENT,
    MemoryAudit,
    MemoryEndings,
    MemorySessions,
    MemoryThrottle,
    MemoryUsers,
    Nudges,
    PlainHasher,
    StoppedClock,
    caller_of,
)

EMAIL = "ann@example.com"
SECRET = "correct horse battery"
PASSWORD = SecretStr(SECRET)
NEW = SecretStr("another long password")
WRONG = SecretStr("not the right password")


@pytest.fixture
async def ann(accounts: Accounts) -> User:
    return await accounts.signup(EMAIL, PASSWORD, CLIENT)


async def log_in(
    accounts: Accounts, password: SecretStr = PASSWORD, device: str | None = None
) -> LoggedIn:
    login, _ = await accounts.login(Credentials(EMAIL, password, device), CLIENT, by_cookie=False)
    return login


@pytest.fixture
async def caller(
    accounts: Accounts, ann: User, sessions: MemorySessions, users: MemoryUsers
) -> Caller:
    return await caller_of(sessions, users, (await log_in(accounts)).session)


async def test_signup_keeps_the_account_with_a_hash_and_no_special_rights(
    ann: User, users: MemoryUsers, clock: StoppedClock, audit: MemoryAudit
) -> None:
    assert users.by_email == {EMAIL: ann}
    assert (ann.email, ann.created_at, ann.roles) == (EMAIL, clock.now(), ())
    assert ann.password_hash == f"v1$plain {SECRET}"
    assert audit.events == [Event.SIGNUP]


async def test_signup_refuses_a_weak_password_before_it_costs_anything(
    accounts: Accounts, users: MemoryUsers, throttle: MemoryThrottle
) -> None:
    with pytest.raises(InvalidField):
        await accounts.signup(EMAIL, SecretStr("short"), CLIENT)
    assert users.by_email == {}
    assert throttle.counts == {}


async def test_signup_leaves_it_to_the_store_whether_an_address_is_taken(
    accounts: Accounts, ann: User
) -> None:
    with pytest.raises(EmailTaken):
        await accounts.signup(EMAIL, NEW, CLIENT)


async def test_one_address_cannot_open_accounts_without_end(accounts: Accounts) -> None:
    for number in range(4):
        await accounts.signup(f"{number}@example.com", PASSWORD, CLIENT)
    with pytest.raises(TooManyAttempts):
        await accounts.signup("more@example.com", PASSWORD, CLIENT)


async def test_login_opens_a_session_and_issues_tokens_for_it(
    accounts: Accounts, ann: User, sessions: MemorySessions, audit: MemoryAudit
) -> None:
    login = await log_in(accounts)
    assert [kept.session for kept in sessions.kept.values()] == [login.session]
    assert login.access.token == f"{ann.user_id} {login.session.session_id} []"
    assert login.refresh_token.startswith(f"{login.session.session_id}.")
    assert audit.events == [Event.SIGNUP, Event.LOGIN]


async def test_wrong_password_and_unknown_user_are_told_the_same_after_the_same_work(
    accounts: Accounts, ann: User, hasher: PlainHasher, sessions: MemorySessions, audit: MemoryAudit
) -> None:
    with pytest.raises(BadCredentials) as wrong:
        await log_in(accounts, WRONG)
    nobody = Credentials("nobody@example.com", PASSWORD)
    with pytest.raises(BadCredentials) as unknown:
        await accounts.login(nobody, CLIENT, by_cookie=False)
    assert str(wrong.value) == str(unknown.value)
    assert hasher.checked == [f"v1$plain {SECRET}", None]
    assert sessions.kept == {}
    assert audit.events[1:] == [Event.LOGIN_FAILED] * 2
    assert audit.entries[1].user_id == ann.user_id
    assert audit.entries[2].email is not None
    assert "nobody" not in audit.entries[2].email


async def test_guesses_at_an_account_must_wait_before_they_cost_a_hash(
    accounts: Accounts, ann: User, hasher: PlainHasher
) -> None:
    for _ in range(4):
        with pytest.raises(BadCredentials):
            await log_in(accounts, WRONG)
    with pytest.raises(TooManyAttempts):
        await log_in(accounts)
    assert len(hasher.checked) == 4


async def test_the_owners_device_does_not_wait_for_strangers(accounts: Accounts, ann: User) -> None:
    _, device = await accounts.login(Credentials(EMAIL, PASSWORD), CLIENT, by_cookie=False)
    for _ in range(4):
        with pytest.raises(BadCredentials):
            await log_in(accounts, WRONG)
    with pytest.raises(TooManyAttempts):
        await log_in(accounts)
    _, same = await accounts.login(Credentials(EMAIL, PASSWORD, device), CLIENT, by_cookie=False)
    assert same == device


async def test_a_made_up_device_token_is_a_strangers(accounts: Accounts, ann: User) -> None:
    for number in range(4):
        with pytest.raises(BadCredentials):
            await log_in(accounts, WRONG, device=f"{number}.made-up")
    with pytest.raises(TooManyAttempts):
        await log_in(accounts, device="5.made-up")


async def test_right_passwords_are_not_counted(
    accounts: Accounts, ann: User, throttle: MemoryThrottle
) -> None:
    for _ in range(30):
        await log_in(accounts)
    assert {key: count for key, count in throttle.counts.items() if "signup" not in key} == {
        "address|192.0.2.1": 0
    }


async def test_a_disabled_account_is_told_so_only_to_whoever_knows_its_password(
    accounts: Accounts, ann: User, endings: MemoryEndings, clock: StoppedClock, audit: MemoryAudit
) -> None:
    await endings.disable(ann.user_id, now=clock.now())
    with pytest.raises(AccountDisabled):
        await log_in(accounts)
    with pytest.raises(BadCredentials):
        await log_in(accounts, WRONG)
    assert audit.events[1:] == [Event.LOGIN_DISABLED, Event.LOGIN_FAILED]


async def test_a_login_renews_a_hash_of_yesterdays_cost(
    accounts: Accounts, ann: User, hasher: PlainHasher, users: MemoryUsers
) -> None:
    hasher.scheme = "v1$stronger"
    await log_in(accounts)
    assert users.by_email[EMAIL].password_hash == f"v1$stronger {SECRET}"
    await log_in(accounts)


async def test_a_new_password_needs_the_current_one_and_ends_the_other_sessions(
    accounts: Accounts,
    caller: Caller,
    users: MemoryUsers,
    sessions: MemorySessions,
    audit: MemoryAudit,
    nudges: Nudges,
) -> None:
    other = (await log_in(accounts)).session
    with pytest.raises(BadCredentials):
        await accounts.change_password(caller, WRONG, NEW)
    assert await accounts.change_password(caller, PASSWORD, NEW) == 1
    assert users.by_email[EMAIL].password_hash.endswith(NEW.get_secret_value())
    assert sessions.kept[other.session_id].ended is SessionTermination.PASSWORD_CHANGED
    kept = sessions.kept[caller.session.session_id]
    assert kept.ended is None
    assert kept.session.generation == users.by_email[EMAIL].generation
    assert nudges.count == 1
    assert audit.events[-2:] == [Event.REAUTHENTICATION_FAILED, Event.PASSWORD_CHANGED]


@pytest.mark.parametrize("new", ["short", "correct horse battery"], ids=["weak", "the same"])
async def test_a_new_password_must_be_good_and_new(
    accounts: Accounts, caller: Caller, new: str
) -> None:
    with pytest.raises(InvalidField) as raised:
        await accounts.change_password(caller, PASSWORD, SecretStr(new))
    assert raised.value.field == "new_password"


async def test_of_two_changes_of_a_password_the_second_is_refused(
    accounts: Accounts, caller: Caller
) -> None:
    await accounts.change_password(caller, PASSWORD, NEW)
    with pytest.raises(Revoked):
        await accounts.change_password(caller, PASSWORD, SecretStr("yet another good one"))


async def test_giving_the_password_again_makes_the_session_fresh(
    accounts: Accounts, caller: Caller, sessions: MemorySessions, clock: StoppedClock
) -> None:
    clock.at_ms += 120_000
    with pytest.raises(BadCredentials):
        await accounts.reauthenticate(caller, WRONG)
    await accounts.reauthenticate(caller, PASSWORD)
    kept = sessions.kept[caller.session.session_id]
    assert kept.session.authenticated_at == clock.now()


async def test_a_stolen_session_cannot_guess_the_password_without_end(
    accounts: Accounts, caller: Caller
) -> None:
    for _ in range(4):
        with pytest.raises(BadCredentials):
            await accounts.reauthenticate(caller, WRONG)
    with pytest.raises(TooManyAttempts):
        await accounts.change_password(caller, PASSWORD, NEW)


async def test_who_cannot_be_served_is_sent_away_before_anything_is_done(
    accounts: Accounts, ann: User, hasher: PlainHasher, throttle: MemoryThrottle
) -> None:
    hasher.is_full = True
    before = dict(throttle.counts)
    with pytest.raises(Overloaded):
        await log_in(accounts)
    with pytest.raises(Overloaded):
        await accounts.signup("bob@example.com", PASSWORD, CLIENT)
    assert throttle.counts == before
