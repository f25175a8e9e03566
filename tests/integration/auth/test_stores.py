"""Rules that the database itself enforces."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from pymongo.errors import WriteError

from services.auth.app import Stores, assemble, open_stores
from services.auth.core.entities import (
    AttemptLimit,
    Event,
    LoginSession,
    RequestSource,
    SessionTermination,
    User,
)
from services.auth.core.ports import RefreshTokenReused
from services.auth.core.refresh_tokens import new_family, new_salt
from services.auth.settings import AuthSettings
from shared.contracts.revocations import SessionRevoked, UserRevoked
from shared.errors import EmailTaken, TooManyAttempts
from shared.runtime.health import Readiness
from shared.runtime.mongo import Mongo
from tests.support.auth_service import Auth

# Now, so that the TTL monitor of the database does not delete documents during a test.
NOON = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
ANN = User("u1", "ann@example.com", "v1$hash", NOON, ("admin",))
SOURCE = RequestSource("192.0.2.1", "a browser")


@pytest.fixture
async def stores(auth: Auth, settings: AuthSettings) -> Stores:
    return await open_stores(settings, auth.mongo)


def session(**fields: object) -> LoginSession:
    values: dict[str, object] = {
        "session_id": uuid4().hex,
        "user_id": "u1",
        "generation": 0,
        "created_at": NOON,
        "authenticated_at": NOON,
        "seen_at": NOON,
        "expires_at": NOON + DAY,
        "ends_at": NOON + 2 * DAY,
        "source": SOURCE,
    }
    return LoginSession(**(values | fields))  # type: ignore[arg-type]


async def test_an_account_is_read_as_it_was_stored(stores: Stores) -> None:
    await stores.users.add(ANN)
    assert await stores.users.find("u1") == ANN
    assert await stores.users.find_by_email("ann@example.com") == ANN
    assert await stores.users.find("u2") is None
    assert await stores.users.find_by_email("bob@example.com") is None


async def test_a_second_account_with_the_same_address_is_refused(stores: Stores) -> None:
    await stores.users.add(ANN)
    with pytest.raises(EmailTaken):
        await stores.users.add(User("u2", ANN.email, "v1$other", NOON))


async def test_accounts_are_paged_by_address(stores: Stores) -> None:
    for name in ("c", "a", "b"):
        await stores.users.add(User(name, f"{name}@example.com", "v1$hash", NOON))
    first = await stores.users.list_page("", 2)
    assert [user.user_id for user in first] == ["a", "b"]
    assert [user.user_id for user in await stores.users.list_page(first[-1].email, 2)] == ["c"]


async def test_a_session_is_read_as_it_was_stored_and_its_token_is_not_stored(
    auth: Auth, stores: Stores
) -> None:
    added, family = session(), new_family("s")
    await stores.sessions.add(added, family)
    assert await stores.sessions.find(added.session_id, NOON) == added
    assert await stores.sessions.find(added.session_id, added.expires_at) is None
    document = await auth.mongo.db["sessions"].find_one({"_id": added.session_id})
    assert all(part not in repr(document) for part in family.token.split(".")[1:])


@pytest.mark.parametrize(
    ("collection", "document"),
    [
        ("users", {"_id": "u1", "email": "ann@example.com"}),
        ("users", {"_id": "u1", "email": "a@b.c", "password_hash": "plain", "created_at": NOON, "roles": []}),
        ("sessions", {"_id": "s1", "user_id": "u1", "created_at": NOON, "expires_at": "later"}),
        ("throttles", {"_id": "t1", "attempts": "many", "blocked_until": NOON, "expires_at": NOON}),
        ("audit", {"at": NOON, "event": "made_up", "address": "", "user_agent": "", "expires_at": NOON}),
        ("audit", {"at": NOON, "event": "login", "address": "", "user_agent": "", "expires_at": NOON, "password": "x"}),
    ],
)  # fmt: skip
async def test_the_database_refuses_documents_of_another_schema(
    auth: Auth, collection: str, document: dict[str, object]
) -> None:
    with pytest.raises(WriteError, match="failed validation"):
        await auth.mongo.db[collection].insert_one(document)


async def test_expired_documents_are_deleted_and_lookups_have_indexes(auth: Auth) -> None:
    for collection in ("sessions", "throttles", "audit"):
        indexes = await auth.mongo.db[collection].index_information()
        assert indexes["expiry"]["expireAfterSeconds"] == 0
        assert indexes["expiry"]["key"] == [("expires_at", 1)]
    assert (await auth.mongo.db["sessions"].index_information())["user"]["key"] == [("user_id", 1)]
    assert (await auth.mongo.db["users"].index_information())["email"]["unique"]


async def test_a_second_start_replaces_an_outdated_validator(
    auth: Auth, settings: AuthSettings
) -> None:
    await auth.mongo.db.command("collMod", "users", validator={})
    async with assemble(settings, Readiness("auth")):
        options = await auth.mongo.db["users"].options()
    assert "email" in options["validator"]["$jsonSchema"]["required"]
    assert options["validationAction"] == "error"


async def test_accounts_of_an_older_release_work_and_their_sessions_are_ended(
    auth: Auth, settings: AuthSettings, stores: Stores
) -> None:
    await auth.mongo.db.command("collMod", "sessions", validator={})
    old = {"_id": "u1", "email": "ann@example.com", "password_hash": "v1$h", "created_at": NOON, "roles": []}  # fmt: skip
    await auth.mongo.db["users"].insert_one(old)
    await auth.mongo.db["sessions"].insert_one({"_id": "s1", "user_id": "u1", "expires_at": NOON + DAY})  # fmt: skip
    stores = await open_stores(settings, auth.mongo)
    ann = await stores.users.find("u1")
    assert ann is not None
    assert await stores.users.record_login(ann, NOON)
    assert await stores.sessions.list_of_user("u1", NOON) == []


async def test_processes_can_create_the_collections_concurrently(
    auth: Auth, settings: AuthSettings
) -> None:
    mongo = Mongo(auth.mongo.client, f"{auth.mongo.db.name}_empty", Readiness("auth"))
    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(open_stores(settings, mongo))
    assert (await mongo.db["users"].index_information())["email"]["unique"]


async def test_one_of_fifty_concurrent_uses_of_a_refresh_token_is_the_first(stores: Stores) -> None:
    added = session()
    family = new_family(added.session_id)
    await stores.sessions.add(added, family)
    outcomes = await asyncio.gather(
        *(
            stores.sessions.rotate(family.token, new_salt(), now=NOON, idle_timeout_secs=60)
            for _ in range(50)
        )
    )
    accepted = [outcome for outcome in outcomes if outcome is not None]
    assert len(accepted) == 50
    assert sum(not outcome.repeated for outcome in accepted) == 1
    assert len({outcome.salt.successor(family.token) for outcome in accepted}) == 1


async def test_a_second_use_after_the_grace_period_is_reuse(
    stores: Stores, settings: AuthSettings
) -> None:
    added = session()
    family = new_family(added.session_id)
    await stores.sessions.add(added, family)
    await stores.sessions.rotate(family.token, new_salt(), now=NOON, idle_timeout_secs=3_600)
    late = NOON + timedelta(seconds=settings.refresh_grace_secs, milliseconds=1)
    with pytest.raises(RefreshTokenReused):
        await stores.sessions.rotate(family.token, new_salt(), now=late, idle_timeout_secs=60)


async def test_a_rotation_does_not_extend_a_session_beyond_its_last_end(stores: Stores) -> None:
    added = session()
    family = new_family(added.session_id)
    await stores.sessions.add(added, family)
    rotated = await stores.sessions.rotate(
        family.token, new_salt(), now=NOON, idle_timeout_secs=30 * 86_400
    )
    assert rotated is not None
    assert rotated.session.expires_at == added.ends_at


async def test_a_password_change_is_atomic_and_keeps_one_session(stores: Stores) -> None:
    await stores.users.add(ANN)
    own, other = session(), session()
    for added in (own, other):
        await stores.sessions.add(added, new_family(added.session_id))
    change = stores.terminations.change_password
    assert await change(ANN, "v1$new", now=NOON, except_session_id=own.session_id) == 1
    assert await change(ANN, "v1$newer", now=NOON, except_session_id=own.session_id) is None
    (left,) = await stores.sessions.list_of_user("u1", NOON)
    ann = await stores.users.find("u1")
    assert ann is not None
    assert (left.session_id, left.generation) == (own.session_id, ann.generation)
    assert ann.password_hash == "v1$new"


async def test_a_login_concurrent_with_disabling_never_leaves_a_session(stores: Stores) -> None:
    for number in range(10):
        user = User(f"u{number}", f"{number}@example.com", "v1$hash", NOON)
        await stores.users.add(user)
        new = session(user_id=user.user_id)

        async def log_in(user: User = user, new: LoginSession = new) -> bool:
            await stores.sessions.add(new, new_family(new.session_id))
            return await stores.users.record_login(user, NOON)

        came_first, _ = await asyncio.gather(
            log_in(), stores.terminations.disable(user.user_id, now=NOON)
        )
        if came_first:
            assert await stores.sessions.find(new.session_id, NOON) is None


async def test_a_termination_is_to_be_announced_until_it_was(stores: Stores) -> None:
    await stores.users.add(ANN)
    first, second = session(), session()
    for added in (first, second):
        await stores.sessions.add(added, new_family(added.session_id))
    await stores.sessions.end(first, SessionTermination.LOGOUT, now=NOON)
    assert not await stores.sessions.end(first, SessionTermination.LOGOUT, now=NOON)
    await stores.terminations.disable("u1", now=NOON)
    recorded = await stores.revocations.unpublished()
    secs = int(NOON.timestamp())
    assert sorted(recorded, key=repr) == sorted(
        [
            *(
                SessionRevoked(session_id=ended.session_id, until=secs + 3_635)
                for ended in (first, second)
            ),
            UserRevoked(user_id="u1", before=secs, until=secs + 3_635),
        ],
        key=repr,
    )  # fmt: skip
    await stores.revocations.record_published(recorded)
    assert await stores.revocations.unpublished() == []
    assert len(await stores.revocations.effective(NOON)) == 3
    assert await stores.revocations.effective(NOON + DAY) == []


LIMIT = AttemptLimit(free_attempts=3, base_delay_secs=1, max_delay_secs=5, reset_after_secs=60)


async def test_delays_double_up_to_a_limit(stores: Stores) -> None:
    now = NOON
    for _ in range(3):
        await stores.throttle.admit("k", LIMIT, now)
    for wait_secs in (1, 2, 4, 5, 5):
        await stores.throttle.admit("k", LIMIT, now)
        with pytest.raises(TooManyAttempts) as raised:
            await stores.throttle.admit("k", LIMIT, now)
        assert raised.value.retry_after_secs == wait_secs
        now += timedelta(seconds=wait_secs)


async def test_attempts_during_a_delay_do_not_extend_it(stores: Stores) -> None:
    for _ in range(4):
        await stores.throttle.admit("k", LIMIT, NOON)
    for _ in range(20):
        with pytest.raises(TooManyAttempts):
            await stores.throttle.admit("k", LIMIT, NOON)
    await stores.throttle.admit("k", LIMIT, NOON + timedelta(seconds=1))


async def test_counts_restart_after_a_quiet_time_and_after_a_success(stores: Stores) -> None:
    for _ in range(4):
        await stores.throttle.admit("k", LIMIT, NOON)
    quiet = NOON + timedelta(seconds=61)
    for _ in range(4):
        await stores.throttle.admit("k", LIMIT, quiet)
    await stores.throttle.reset("k")
    await stores.throttle.admit("k", LIMIT, quiet)


async def test_a_successful_attempt_is_not_counted(stores: Stores) -> None:
    for _ in range(20):
        await stores.throttle.admit("k", LIMIT, NOON)
        await stores.throttle.refund("k")


async def test_fifty_concurrent_attempts_are_counted_exactly(stores: Stores) -> None:
    outcomes = await asyncio.gather(
        *(stores.throttle.admit("k", LIMIT, NOON) for _ in range(50)), return_exceptions=True
    )
    # The free ones, and the one after which the delay begins.
    assert sum(outcome is None for outcome in outcomes) == 4
    assert sum(isinstance(outcome, TooManyAttempts) for outcome in outcomes) == 46


async def test_the_audit_log_has_no_session_ids(auth: Auth, stores: Stores) -> None:
    await stores.audit.add(Event.LOGIN, SOURCE, NOON, user_id="u1", session_id="s" * 32)
    (entry,) = await auth.audit()
    assert entry["at"] == NOON
    assert entry["session"] not in ("", "s" * 32)
    assert "by" not in entry


async def test_a_refresh_token_names_its_session_also_after_its_rotation(stores: Stores) -> None:
    added = session()
    family = new_family(added.session_id)
    await stores.sessions.add(added, family)
    assert await stores.sessions.find_by_refresh_token(family.token, NOON) == added
    rotation = new_salt()
    await stores.sessions.rotate(family.token, rotation, now=NOON, idle_timeout_secs=60)
    for token in (family.token, rotation.successor(family.token)):
        found = await stores.sessions.find_by_refresh_token(token, NOON)
        assert found is not None
        assert found.session_id == added.session_id
    guess = new_family(added.session_id).token
    assert await stores.sessions.find_by_refresh_token(guess, NOON) is None
