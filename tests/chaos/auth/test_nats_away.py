"""NATS is killed: logins and logouts go on, and gateways hear of them when it is back."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from services.auth.settings import AuthSettings
from tests.support.auth_service import EMAIL, PASSWORD, Auth, working
from tests.support.buses import bus_of, nats_settings
from tests.support.revocations import kept_for, principal_of
from tests.support.servers import NatsServer
from tests.support.waiting import eventually


@pytest.fixture
def settings(settings: AuthSettings, nats: NatsServer) -> AuthSettings:
    return settings.model_copy(update={"nats": nats_settings(nats)})


async def until_kept(nats: NatsServer, body: dict[str, Any]) -> None:
    async with bus_of(nats, "gateway") as bus:

        async def look() -> bool:
            return (await kept_for(bus)).is_revoked(principal_of(body))

        await eventually(look, what="the revocation is in the bucket", timeout_secs=30)


async def test_what_happens_while_nats_is_away_is_told_when_it_is_back(
    auth: Auth, nats: NatsServer, ann: dict[str, Any]
) -> None:
    async with working(auth):
        first = (await auth.login(EMAIL, PASSWORD)).body
        await auth.post("/auth/logout", token=first["access_token"])
        await until_kept(nats, first)
        nats.kill()
        second = await auth.login(EMAIL, PASSWORD)
        assert second.status == 200
        answer = await auth.post("/auth/logout-all", token=second.body["access_token"])
        assert (answer.status, answer.body) == (200, {"sessions_ended": 2})
        assert (await auth.me(ann["access_token"])).body["code"] == "revoked"
        assert auth.readiness.is_ready()
        await asyncio.to_thread(nats.start)
        await until_kept(nats, ann)
        await until_kept(nats, second.body)


async def test_revocations_outlive_the_data_of_nats(
    auth: Auth, nats: NatsServer, ann: dict[str, Any]
) -> None:
    async with working(auth):
        await auth.post("/auth/logout", token=ann["access_token"])
        await until_kept(nats, ann)
        nats.kill()
        folder = Path(nats._command[nats._command.index("-sd") + 1])
        await asyncio.to_thread(shutil.rmtree, folder)
        await asyncio.to_thread(nats.start)
        await until_kept(nats, ann)
