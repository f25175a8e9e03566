"""NATS is killed: logins and logouts go on, and revocations are published after its return."""

import asyncio
import shutil
from typing import Any

import pytest

from services.auth.settings import AuthSettings
from tests.support.auth_service import EMAIL, PASSWORD, Auth
from tests.support.buses import bus_of
from tests.support.figures import Figures
from tests.support.revocations import principal_of, stored_revocations
from tests.support.servers import NatsServer
from tests.support.settings import nats_settings
from tests.support.waiting import eventually


@pytest.fixture
def settings(settings: AuthSettings, nats: NatsServer) -> AuthSettings:
    return settings.model_copy(update={"nats": nats_settings(nats.url, has_outages=True)})


async def wait_until_stored(nats: NatsServer, login: dict[str, Any]) -> None:
    async with bus_of(nats, "gateway", settings=nats_settings(nats.url, has_outages=True)) as bus:

        async def is_stored() -> bool:
            return (await stored_revocations(bus)).is_revoked(principal_of(login))

        await eventually(is_stored, what="the revocation is in the bucket")


@pytest.mark.parametrize("secs", [0, pytest.param(180, marks=pytest.mark.long)])
async def test_revocations_of_an_outage_are_published_after_it(
    auth: Auth, nats: NatsServer, ann: dict[str, Any], figures: Figures, secs: int
) -> None:
    async with auth.running():
        first = (await auth.login(EMAIL, PASSWORD)).body
        await auth.post("/auth/logout", token=first["access_token"])
        await wait_until_stored(nats, first)
        nats.kill()
        second = await auth.login(EMAIL, PASSWORD)
        assert second.status == 200
        reply = await auth.post("/auth/logout-all", token=second.body["access_token"])
        assert (reply.status, reply.body) == (200, {"sessions_ended": 2})
        assert (await auth.me(ann["access_token"])).body["code"] == "revoked"
        await eventually(auth.readiness.is_ready, what="auth is ready without NATS")
        await asyncio.sleep(secs)  # the rest of the outage
        await asyncio.to_thread(nats.start)
        with figures.duration("until_revocations_are_published_secs"):
            await wait_until_stored(nats, ann)
            await wait_until_stored(nats, second.body)


async def test_revocations_are_published_again_after_nats_lost_its_data(
    auth: Auth, nats: NatsServer, ann: dict[str, Any]
) -> None:
    async with auth.running():
        await auth.post("/auth/logout", token=ann["access_token"])
        await wait_until_stored(nats, ann)
        nats.kill()
        await asyncio.to_thread(shutil.rmtree, nats.folder)
        await asyncio.to_thread(nats.start)
        await wait_until_stored(nats, ann)
