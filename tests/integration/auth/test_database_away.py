"""What auth answers while its database is gone, and after."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from pydantic import SecretStr
from pymongo import uri_parser

from services.auth.settings import AuthSettings
from shared.runtime.settings import MongoSettings
from tests.support.auth_service import Auth

EMAIL = "ann@example.com"
PASSWORD = "correct horse battery"


class Door:
    """A TCP way to the database that can be shut and opened."""

    def __init__(self, host: str, port: int) -> None:
        self._behind = (host, port)
        self._server: asyncio.Server | None = None
        self._passing: set[asyncio.Task[None]] = set()
        self.port = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._enter, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        if self._server is not None:
            self._server.close()
            for task in self._passing:
                task.cancel()
            await asyncio.gather(*self._passing, return_exceptions=True)
            await self._server.wait_closed()
            self._server = None

    async def _enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._passing.add(task)
        try:
            back_reader, back_writer = await asyncio.open_connection(*self._behind)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(_pour(reader, back_writer))
                    group.create_task(_pour(back_reader, writer))
            finally:
                back_writer.close()
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self._passing.discard(task)
            writer.close()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


@pytest.fixture
async def door(mongo_url: str) -> AsyncIterator[Door]:
    host, port = uri_parser.parse_uri(mongo_url)["nodelist"][0]
    door = Door(host, port or 27_017)
    await door.open()
    yield door
    await door.shut()


@pytest.fixture
def settings(settings: AuthSettings, door: Door) -> AuthSettings:
    mongo = MongoSettings(
        url=SecretStr(f"mongodb://127.0.0.1:{door.port}/?directConnection=true"),
        database=settings.mongo.database,
        timeout_ms=500,
    )
    return settings.model_copy(update={"mongo": mongo})


async def test_requests_are_unavailable_while_the_database_is_and_work_again_after(
    auth: Auth, door: Door
) -> None:
    await auth.signup(EMAIL, PASSWORD)
    token = (await auth.login(EMAIL, PASSWORD)).body["access_token"]
    await door.shut()
    for answer in (
        await auth.signup("bob@example.com", PASSWORD),
        await auth.login(EMAIL, PASSWORD),
        await auth.me(token),
    ):
        assert (answer.status, answer.body["code"]) == (503, "unavailable")
    assert not await auth.mongo.probe()
    ready = await auth.ask("GET", "/readyz")
    assert (ready.status, list(ready.body["waiting_for"])) == (503, ["mongodb"])
    assert (await auth.ask("GET", "/healthz")).status == 200
    assert (await auth.ask("GET", "/.well-known/jwks.json")).status == 200
    await door.open()
    async with asyncio.timeout(10):
        while not await auth.mongo.probe():
            continue
    assert (await auth.ask("GET", "/readyz")).status == 200
    assert (await auth.login(EMAIL, PASSWORD)).status == 200
