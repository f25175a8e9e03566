"""A session's promise: whoever's session ends is off the stream, with real processes throughout."""

import asyncio
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from tests.support.raw_streams import Stream, open_stream

from embedded.daemons import ROOT
from embedded.plan import prepare
from embedded.stack import Stack
from services.gateway.stream.protocol import CloseCode

PASSWORD = "correct horse battery"
NEW_PASSWORD = "another long password"
KEY = "NSE_EQ|INE002A01018"

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    plan = prepare(data_dir=folder / "data", use_free_ports=True, always_simulated=True)
    with (folder / "log").open("wb") as output, Stack(plan, output) as stack:
        stack.wait_ready(60)
        yield stack


@dataclass(frozen=True)
class Trader:
    """Somebody with an account."""

    http: aiohttp.ClientSession
    stack: Stack
    email: str

    async def post(self, path: str, body: Any = None, token: str = "") -> Any:
        url = self.stack.plan.url("TRADEDAD_AUTH_PORT") + path
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self.http.post(url, json=body, headers=headers) as response:
            assert response.status < 300, await response.text()
            return await response.json() if response.status != 204 else None

    async def log_in(self, password: str = PASSWORD) -> Any:
        return await self.post("/auth/login", {"email": self.email, "password": password})

    @asynccontextmanager
    async def stream(self, token: str) -> AsyncIterator[Stream]:
        """A stream on which quotes flow."""
        url = self.stack.plan.url("TRADEDAD_GATEWAY_PORT")
        async with open_stream(self.http, url, token) as stream:
            await stream.subscribe([KEY])
            await self.flows(stream)
            yield stream

    async def flows(self, stream: Stream) -> None:
        while (await stream.receive())["type"] != "quotes":
            pass


@pytest.fixture
async def trader(stack: Stack) -> AsyncIterator[Trader]:
    async with aiohttp.ClientSession() as http:
        trader = Trader(http, stack, f"{secrets.token_hex(8)}@example.com")
        await trader.post("/auth/signup", {"email": trader.email, "password": PASSWORD})
        yield trader


async def ended_as_revoked(stream: Stream) -> None:
    """Reads on until the end, which must be told as what it is."""
    started = time.monotonic()
    codes = []
    while (message := await stream.socket.receive(timeout=10)).type is aiohttp.WSMsgType.TEXT:
        body = message.json()
        if body["type"] == "error":
            codes.append(body["code"])
    print(f"off the stream {time.monotonic() - started:.3f} s after the answer")
    assert codes == ["revoked"]
    assert message.type is aiohttp.WSMsgType.CLOSE
    # 1006 if the gateway had not waited for our reply.
    assert stream.socket.close_code == CloseCode.REVOKED


async def test_a_logout_ends_the_sessions_stream_and_no_other(trader: Trader) -> None:
    first, second = await trader.log_in(), await trader.log_in()
    async with (
        trader.stream(first["access_token"]) as leaving,
        trader.stream(second["access_token"]) as staying,
    ):
        await trader.post("/auth/logout", token=first["access_token"])
        await ended_as_revoked(leaving)
        await trader.flows(staying)


async def test_a_new_password_ends_the_streams_of_the_other_sessions(trader: Trader) -> None:
    thief, owner = await trader.log_in(), await trader.log_in()
    async with (
        trader.stream(thief["access_token"]) as theirs,
        trader.stream(owner["access_token"]) as own,
    ):
        body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        await trader.post("/auth/password", body, owner["access_token"])
        await ended_as_revoked(theirs)
        await trader.flows(own)


async def test_an_administrator_disables_a_user_mid_socket(trader: Trader, stack: Stack) -> None:
    root = Trader(trader.http, stack, f"{secrets.token_hex(8)}@example.com")
    await root.post("/auth/signup", {"email": root.email, "password": PASSWORD})
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "services.auth.grant_admin", root.email],
        cwd=ROOT,
        env=stack.plan.environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    admin, user = await root.log_in(), await trader.log_in()
    async with trader.stream(user["access_token"]) as stream:
        path = f"/auth/admin/users/{user['user_id']}/disable"
        await root.post(path, token=admin["access_token"])
        await ended_as_revoked(stream)


async def test_a_revoked_token_opens_no_stream_any_more(trader: Trader) -> None:
    login = await trader.log_in()
    async with trader.stream(login["access_token"]) as stream:
        await trader.post("/auth/logout", token=login["access_token"])
        await ended_as_revoked(stream)
    url = trader.stack.plan.url("TRADEDAD_GATEWAY_PORT")
    async with trader.http.ws_connect(f"{url}/ws") as socket:
        await socket.send_json({"op": "auth", "token": login["access_token"]})
        answer = await socket.receive_json(timeout=10)
        assert (answer["type"], answer["code"]) == ("error", "revoked")
        assert (await socket.receive(timeout=10)).data == CloseCode.REVOKED
