"""mongod is killed under load: no answer that was given is lost, and nobody loses a session."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from services.auth.settings import AuthSettings
from shared.runtime.settings import MongoSettings
from shared.runtime.tasks import stop
from tests.support.auth_service import EMAIL, PASSWORD, Auth
from tests.support.servers import MongoServer, run_mongo

CLIENTS = 6


@pytest.fixture
def mongod() -> Iterator[MongoServer]:
    """A mongod of this test's own, to be killed."""
    with run_mongo() as server:
        yield server


@pytest.fixture
def settings(settings: AuthSettings, mongod: MongoServer) -> AuthSettings:
    mongo = MongoSettings(url=SecretStr(mongod.url), database="auth", timeout_ms=2_000)
    # A loaded machine may take longer than ten seconds to bring mongod back.
    return settings.model_copy(update={"mongo": mongo, "refresh_grace_secs": 60.0})


class Client:
    """Renews its tokens all the time, and tries again with the same one after a failure."""

    def __init__(self, auth: Auth, login: dict[str, Any]) -> None:
        self._auth = auth
        self._login = login
        self.renewed = 0
        self.failed = 0

    async def run(self) -> None:
        token = self._login["refresh_token"]
        while True:
            answer = await self._auth.refresh(token)
            if answer.status == 200:
                token = answer.body["refresh_token"]
                self.renewed += 1
            else:
                assert (answer.status, answer.body["code"]) == (503, "unavailable")
                self.failed += 1
                await asyncio.sleep(0.05)


async def all_renew(clients: list[Client], running: list["asyncio.Task[None]"]) -> None:
    before = [client.renewed for client in clients]
    async with asyncio.timeout(40):
        while any(client.renewed < was + 5 for client, was in zip(clients, before, strict=True)):
            await asyncio.sleep(0.02)
            for task in running:
                if task.done():
                    task.result()


async def test_nobody_loses_a_session_when_the_database_dies(
    auth: Auth, mongod: MongoServer
) -> None:
    await auth.signup(EMAIL, PASSWORD)
    clients = [Client(auth, (await auth.login(EMAIL, PASSWORD)).body) for _ in range(CLIENTS)]
    running = [asyncio.create_task(client.run()) for client in clients]
    try:
        await all_renew(clients, running)
        for _ in range(2):
            mongod.kill()
            while not all(client.failed for client in clients):
                await asyncio.sleep(0.02)
            await asyncio.to_thread(mongod.start)
            await all_renew(clients, running)
    finally:
        await stop(running)
    assert (await auth.login(EMAIL, PASSWORD)).status == 200
    assert await auth.events(event="refresh_reused") == []
