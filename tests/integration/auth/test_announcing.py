"""What auth ends, gateways hear of at once: the way through MongoDB and NATS."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.auth.settings import AuthSettings
from shared.bus.connection import Bus
from shared.contracts.revocations import Revocations
from shared.web.verifier import Principal
from tests.support.auth_service import EMAIL, PASSWORD, Auth, running_auth
from tests.support.buses import bus_of, nats_settings
from tests.support.revocations import principal_of, received_revocations, stored_revocations
from tests.support.servers import NatsServer
from tests.support.waiting import eventually


@pytest.fixture
def settings(settings: AuthSettings, nats: NatsServer) -> AuthSettings:
    return settings.model_copy(update={"nats": nats_settings(nats)})


@asynccontextmanager
async def gateway(nats: NatsServer) -> AsyncIterator[tuple[Bus, Revocations]]:
    async with bus_of(nats, "gateway") as bus, received_revocations(bus) as revocations:
        yield bus, revocations


async def refused(revocations: Revocations, principal: Principal) -> None:
    async def look() -> bool:
        return revocations.refuses(principal)

    await eventually(look, what="the gateway hears it", timeout_secs=5)


async def test_a_logout_is_heard_and_kept(
    auth: Auth, nats: NatsServer, ann: dict[str, Any]
) -> None:
    other = principal_of((await auth.login(EMAIL, PASSWORD)).body)
    async with gateway(nats) as (bus, heard), working(auth):
        await auth.post("/auth/logout", token=ann["access_token"])
        await refused(heard, principal_of(ann))
        assert not heard.refuses(other)
        assert (await stored_revocations(bus)).refuses(principal_of(ann))


async def test_a_new_password_revokes_the_other_sessions_only(
    auth: Auth, nats: NatsServer, ann: dict[str, Any]
) -> None:
    other = principal_of((await auth.login(EMAIL, PASSWORD)).body)
    async with gateway(nats) as (_, heard), working(auth):
        body = {"current_password": PASSWORD, "new_password": "another long password"}
        assert (await auth.post("/auth/password", body, ann["access_token"])).status == 200
        await refused(heard, other)
        assert not heard.refuses(principal_of(ann))


async def test_a_disabled_users_tokens_are_all_refused_even_of_sessions_nobody_knows(
    auth: Auth, nats: NatsServer, ann: dict[str, Any]
) -> None:
    await auth.signup("bob@example.com", PASSWORD)
    bob = (await auth.login("bob@example.com", PASSWORD)).body
    await auth.mongo.db["users"].update_one({"email": EMAIL}, {"$set": {"roles": ["admin"]}})
    async with gateway(nats) as (_, heard), working(auth):
        path = f"/auth/admin/users/{bob['user_id']}/disable"
        assert (await auth.post(path, token=ann["access_token"])).status == 200
        await refused(heard, principal_of(bob | {"session_id": "of another replica"}))
        assert not heard.refuses(principal_of(ann))


async def test_what_a_process_left_unsaid_another_says(
    auth: Auth, settings: AuthSettings, nats: NatsServer, ann: dict[str, Any]
) -> None:
    await auth.post("/auth/logout", token=ann["access_token"])  # its announcer does not run
    async with running_auth(settings) as other, gateway(nats) as (_, heard), working(other):
        await refused(heard, principal_of(ann))
