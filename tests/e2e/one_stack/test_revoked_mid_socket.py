"""The end of a session closes its streams, with real processes throughout."""

import asyncio
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from embedded.daemons import ROOT
from embedded.stack import Stack
from services.gateway.stream.protocol import CloseCode
from tests.support.gateway.websocket import Socket, receive, subscribe
from tests.support.patience import PATIENCE_SECS

PASSWORD = "correct horse battery"
NEW_PASSWORD = "another long password"
KEY = "NSE_EQ|INE002A01018"


@dataclass(frozen=True)
class Trader:
    """A user with an account."""

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
    async def stream(self, token: str) -> AsyncIterator[Socket]:
        """A stream on which quotes arrive."""
        url = self.stack.plan.url("TRADEDAD_GATEWAY_PORT")
        async with self.http.ws_connect(f"{url}/ws", max_msg_size=0) as socket:
            await socket.send_json({"op": "auth", "token": token})
            await receive(socket, "authenticated")
            await subscribe(socket, KEY)
            await receive(socket, "quotes")
            yield socket


@pytest.fixture
async def trader(stack: Stack) -> AsyncIterator[Trader]:
    async with aiohttp.ClientSession() as http:
        trader = Trader(http, stack, f"{secrets.token_hex(8)}@example.com")
        await trader.post("/auth/signup", {"email": trader.email, "password": PASSWORD})
        yield trader


async def wait_until_revoked(socket: Socket) -> None:
    """Read until the end of the stream, which must be an error and a close as revoked."""
    codes = []
    while (message := await socket.receive(PATIENCE_SECS)).type is aiohttp.WSMsgType.TEXT:
        body = message.json()
        if body["type"] == "error":
            codes.append(body["code"])
    assert codes == ["revoked"]
    assert message.type is aiohttp.WSMsgType.CLOSE
    # It would be 1006 if the gateway did not wait for the close frame of the client.
    assert socket.close_code == CloseCode.REVOKED


async def test_a_logout_ends_the_streams_of_its_session_only(trader: Trader) -> None:
    first, second = await trader.log_in(), await trader.log_in()
    async with (
        trader.stream(first["access_token"]) as leaving,
        trader.stream(second["access_token"]) as staying,
    ):
        await trader.post("/auth/logout", token=first["access_token"])
        await wait_until_revoked(leaving)
        await receive(staying, "quotes")


async def test_a_new_password_ends_the_streams_of_the_other_sessions(trader: Trader) -> None:
    thief, owner = await trader.log_in(), await trader.log_in()
    async with (
        trader.stream(thief["access_token"]) as theirs,
        trader.stream(owner["access_token"]) as own,
    ):
        body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        await trader.post("/auth/password", body, owner["access_token"])
        await wait_until_revoked(theirs)
        await receive(own, "quotes")


async def test_disabling_a_user_ends_the_streams_of_the_user(trader: Trader, stack: Stack) -> None:
    root = Trader(trader.http, stack, f"{secrets.token_hex(8)}@example.com")
    await root.post("/auth/signup", {"email": root.email, "password": PASSWORD})
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "operations", "admins", "grant", root.email],
        cwd=ROOT,
        env=stack.plan.environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    admin, user = await root.log_in(), await trader.log_in()
    async with trader.stream(user["access_token"]) as stream:
        path = f"/auth/admin/users/{user['user_id']}/disable"
        await root.post(path, token=admin["access_token"])
        await wait_until_revoked(stream)


async def test_a_revoked_token_opens_no_stream(trader: Trader) -> None:
    login = await trader.log_in()
    async with trader.stream(login["access_token"]) as stream:
        await trader.post("/auth/logout", token=login["access_token"])
        await wait_until_revoked(stream)
    url = trader.stack.plan.url("TRADEDAD_GATEWAY_PORT")
    async with trader.http.ws_connect(f"{url}/ws") as socket:
        await socket.send_json({"op": "auth", "token": login["access_token"]})
        assert (await receive(socket))["code"] == "revoked"
        assert (await socket.receive(PATIENCE_SECS)).data == CloseCode.REVOKED
