"""mongod is killed under load: no refresh that was answered is lost, and no session ends."""

import asyncio
from typing import Any

import pytest

from services.auth.settings import AuthSettings
from shared.runtime.tasks import stop
from tests.support.auth_service import EMAIL, PASSWORD, Auth
from tests.support.servers import MongoServer
from tests.support.settings import mongo_settings
from tests.support.waiting import eventually

CLIENTS = 6


@pytest.fixture
def settings(settings: AuthSettings, own_mongod: MongoServer) -> AuthSettings:
    mongo = mongo_settings(own_mongod.url, "auth", has_outages=True)
    # Longer than any outage of the test: a refresh that is repeated after it is not reuse.
    return settings.model_copy(update={"mongo": mongo, "refresh_grace_secs": 600.0})


class Client:
    """Refreshes its tokens without a pause, and repeats a refresh that failed."""

    def __init__(self, auth: Auth, login: dict[str, Any]) -> None:
        self._auth = auth
        self._login = login
        self.refreshed = 0
        self.failed = 0

    async def run(self) -> None:
        token = self._login["refresh_token"]
        while True:
            reply = await self._auth.refresh(token)
            if reply.status == 200:
                token = reply.body["refresh_token"]
                self.refreshed += 1
            else:
                assert (reply.status, reply.body["code"]) == (503, "unavailable")
                self.failed += 1
                await asyncio.sleep(0.05)


class Load:
    """Clients, and the tasks that run them."""

    def __init__(self, clients: list[Client]) -> None:
        self._clients = clients
        self.tasks = [asyncio.create_task(client.run()) for client in clients]

    def check(self) -> None:
        """Fails if a client has failed."""
        for task in self.tasks:
            if task.done():
                task.result()

    async def wait_until_all_refresh(self) -> None:
        before = [client.refreshed for client in self._clients]

        def all_refreshed() -> bool:
            self.check()
            counts = zip(self._clients, before, strict=True)
            return all(client.refreshed >= count + 5 for client, count in counts)

        await eventually(all_refreshed, what="every client refreshes its tokens")

    async def wait_until_all_fail(self) -> None:
        before = [client.failed for client in self._clients]

        def all_failed() -> bool:
            self.check()
            counts = zip(self._clients, before, strict=True)
            return all(client.failed > count for client, count in counts)

        await eventually(all_failed, what="a refresh of every client fails")


async def test_no_session_ends_when_the_database_is_killed(
    auth: Auth, own_mongod: MongoServer
) -> None:
    await auth.signup(EMAIL, PASSWORD)
    load = Load([Client(auth, (await auth.login(EMAIL, PASSWORD)).body) for _ in range(CLIENTS)])
    try:
        await load.wait_until_all_refresh()
        for _ in range(2):
            own_mongod.kill()
            await load.wait_until_all_fail()
            await asyncio.to_thread(own_mongod.start)
            await load.wait_until_all_refresh()
    finally:
        await stop(load.tasks)
    assert (await auth.login(EMAIL, PASSWORD)).status == 200
    assert await auth.events(event="refresh_reused") == []
