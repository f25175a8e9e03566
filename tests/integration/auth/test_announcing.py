"""Revocations reach gateways: from MongoDB through auth to NATS."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.auth.settings import AuthSettings
from shared.bus.connection import Bus
from shared.contracts.revocations import Revocations
from shared.web.verifier import Principal
from tests.support.auth_service import EMAIL, PASSWORD, Auth, running_auth
from tests.support.buses import bus_of
from tests.support.revocations import principal_of, received_revocations, stored_revocations
from tests.support.servers import NatsServer
from tests.support.settings import nats_settings
from tests.support.waiting import eventually


@pytest.fixture
def settings(settings: AuthSettings, nats: NatsServer) -> AuthSettings:
    return settings.model_copy(update={"nats": nats_settings(nats.url)})


@asynccontextmanager
async def gateway(nats: NatsServer) -> AsyncIterator[tuple[Bus, Revocations]]:
    """The connection of a gateway, and the revocations that it receives."""
    async with bus_of(nats, "gateway") as bus, received_revocations(bus) as revocations:
        yield bus, revocations


async def wait_until_refused(revocations: Revocations, principal: Principal) -> None:
    await eventually(lambda: revocations.is_revoked(principal), what="the gateway is notified")


async def test_a_logout_is_published_and_stored(
    auth: Auth, nats: NatsServer, ann: dict[str, Any]
) -> None:
    other = principal_of((await auth.login(EMAIL, PASSWORD)).body)
    async with gateway(nats) as (bus, received), auth.running():
        await auth.post("/auth/logout", token=ann["access_token"])
        await wait_until_refused(received, principal_of(ann))
        assert not received.is_revoked(other)
        assert (await stored_revocations(bus)).is_revoked(principal_of(ann))


async def test_a_new_password_revokes_only_the_other_sessions(
    auth: Auth, nats: NatsServer, ann: dict[str, Any]
) -> None:
    other = principal_of((await auth.login(EMAIL, PASSWORD)).body)
    async with gateway(nats) as (_, received), auth.running():
        body = {"current_password": PASSWORD, "new_password": "another long password"}
        assert (await auth.post("/auth/password", body, ann["access_token"])).status == 200
        await wait_until_refused(received, other)
        assert not received.is_revoked(principal_of(ann))


async def test_disabling_a_user_revokes_all_tokens_even_those_of_unknown_sessions(
    auth: Auth, nats: NatsServer, ann: dict[str, Any]
) -> None:
    await auth.signup("bob@example.com", PASSWORD)
    bob = (await auth.login("bob@example.com", PASSWORD)).body
    await auth.mongo.db["users"].update_one({"email": EMAIL}, {"$set": {"roles": ["admin"]}})
    async with gateway(nats) as (_, received), auth.running():
        path = f"/auth/admin/users/{bob['user_id']}/disable"
        assert (await auth.post(path, token=ann["access_token"])).status == 200
        await wait_until_refused(received, principal_of(bob | {"session_id": "of another replica"}))
        assert not received.is_revoked(principal_of(ann))


async def test_a_revocation_that_one_process_did_not_publish_is_published_by_another(
    auth: Auth, settings: AuthSettings, nats: NatsServer, ann: dict[str, Any]
) -> None:
    await auth.post("/auth/logout", token=ann["access_token"])  # its announcer does not run
    async with running_auth(settings) as other, gateway(nats) as (_, received), other.running():
        await wait_until_refused(received, principal_of(ann))


async def test_a_revocation_outlives_a_token_that_was_issued_before_its_lifetime_was_lowered(
    auth: Auth, settings: AuthSettings, nats: NatsServer, ann: dict[str, Any]
) -> None:
    lowered = settings.model_copy(update={"access_ttl_secs": 60})
    async with running_auth(lowered) as other, gateway(nats) as (_, received), other.running():
        await other.post("/auth/logout", token=ann["access_token"])
        await wait_until_refused(received, principal_of(ann))
        session = await auth.mongo.db["sessions"].find_one({"_id": ann["session_id"]})
        assert session is not None
        assert session["expires_at"].timestamp() > principal_of(ann).expires_at
