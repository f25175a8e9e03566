"""A token that the user approves is posted to the application's notifier URL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import upstox_client
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from services.simulator.access.tokens import next_expiry_ms
from services.simulator.app import open_simulator
from services.simulator.settings import SimulatorSettings
from tests.support.patience import PATIENCE_SECS
from tests.support.sdk import SDK_SECS, sdk_client
from tests.support.waiting import eventually

REQUESTS = "/simulator/v1/login/requests"
BEFORE_EXPIRY_MS = 1_767_650_340_000  # 2026-01-06 03:29 IST


class Receiver:
    """The application's notifier server."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.silent = asyncio.Event()

    async def receive(self, request: web.Request) -> web.Response:
        self.messages.append(await request.json())
        return web.Response(status=204)

    async def never(self, _: web.Request) -> web.Response:
        await self.silent.wait()
        return web.Response()


@pytest.fixture
async def receiver() -> AsyncIterator[tuple[Receiver, str]]:
    """A receiver and its URL: /receive answers, /never does not."""
    receiver = Receiver()
    app = web.Application()
    app.add_routes([web.post("/receive", receiver.receive), web.post("/never", receiver.never)])
    async with TestServer(app) as server:
        yield receiver, str(server.make_url("/")).rstrip("/")
        receiver.silent.set()


@asynccontextmanager
async def simulator(
    notifier_url: str, **options: Any
) -> AsyncIterator[tuple[str, aiohttp.ClientSession]]:
    """A simulator with this notifier URL, and an HTTP client of it."""
    settings = SimulatorSettings(
        port=0,
        ops_port=0,
        access_token=SecretStr("t"),
        notifier_url=notifier_url,
        notifier_timeout_secs=0.1 if notifier_url.endswith("never") else PATIENCE_SECS,
        **options,
    )
    async with open_simulator(settings) as opened:
        url = f"http://127.0.0.1:{opened.port}"
        async with aiohttp.ClientSession(url) as http:
            yield url, http


async def request_token(
    http: aiohttp.ClientSession, secret: str = "simulated-secret"
) -> tuple[int, Any]:
    path = "/v3/login/auth/token/request/simulated-client"
    async with http.post(path, json={"client_secret": secret}) as response:
        return response.status, await response.json()


async def decide(http: aiohttp.ClientSession, *, approve: bool) -> Any:
    """Decide on the only pending request."""
    async with http.get(REQUESTS) as response:
        (pending,) = await response.json()
    path = f"{REQUESTS}/{pending['request_id']}"
    async with http.post(path, json={"approve": approve}) as response:
        assert response.status == 200
        return await response.json()


async def test_an_approved_token_is_posted_and_valid(receiver: tuple[Receiver, str]) -> None:
    received, address = receiver
    async with simulator(f"{address}/receive") as (url, http):

        def blocking() -> Any:
            with sdk_client(url, "") as client:
                body = upstox_client.IndieUserTokenRequest(client_secret="simulated-secret")
                return upstox_client.LoginApi(client).init_token_request_for_indie_user(
                    body, "simulated-client", _request_timeout=SDK_SECS
                )

        requested = await asyncio.to_thread(blocking)
        assert requested.data.notifier_url == f"{address}/receive"
        assert await decide(http, approve=True) == {"delivered": True, "status": 204}
        (message,) = received.messages
        assert message["message_type"] == "access_token"
        assert message["client_id"] == "simulated-client"
        assert message["expires_at"] == requested.data.authorization_expiry
        assert int(message["expires_at"]) == next_expiry_ms(int(message["issued_at"]))
        headers = {"Authorization": f"{message['token_type']} {message['access_token']}"}
        async with http.get("/v2/user/profile", headers=headers) as response:
            assert (await response.json())["data"]["user_id"] == message["user_id"]


async def test_a_rejected_request_posts_nothing_and_is_removed(
    receiver: tuple[Receiver, str],
) -> None:
    received, address = receiver
    async with simulator(f"{address}/receive") as (_, http):
        await request_token(http)
        await decide(http, approve=False)
        async with http.get(REQUESTS) as response:
            assert await response.json() == []
    assert received.messages == []


async def test_posting_to_a_silent_application_times_out(receiver: tuple[Receiver, str]) -> None:
    async with simulator(f"{receiver[1]}/never") as (_, http):
        await request_token(http)
        assert await decide(http, approve=True) == {"delivered": False, "status": None}


async def test_a_wrong_secret_and_a_missing_notifier_url_are_refused() -> None:
    async with simulator("") as (_, http):
        for secret, status, code in [
            ("wrong", 401, "UDAPI100016"),
            ("simulated-secret", 400, "UDAPI100036"),
        ]:
            answered, body = await request_token(http, secret)
            assert (answered, body["errors"][0]["errorCode"]) == (status, code)


@pytest.mark.parametrize("body", [b"{", b"{}", b'{"client_secret": 1}'])
async def test_an_invalid_body_is_refused_in_upstox_envelope(body: bytes) -> None:
    async with simulator("") as (_, http):
        path = "/v3/login/auth/token/request/simulated-client"
        async with http.post(path, data=body) as response:
            assert response.status == 400
            assert (await response.json())["errors"][0]["errorCode"] == "UDAPI100036"


async def test_an_unknown_request_is_not_found() -> None:
    async with simulator("") as (_, http):
        async with http.post(f"{REQUESTS}/nothing", json={"approve": True}) as response:
            assert response.status == 404


async def test_an_ordinary_token_expires_at_half_past_three(receiver: tuple[Receiver, str]) -> None:
    received, address = receiver
    # 03:30 IST comes after ten seconds: a busy machine has issued the token by then.
    options = {"start_ms": BEFORE_EXPIRY_MS - 600_000, "speed": 60.0}
    async with simulator(f"{address}/receive", **options) as (_, http):
        await request_token(http)
        await decide(http, approve=True)
        headers = {"Authorization": f"Bearer {received.messages[0]['access_token']}"}

        async def status() -> int:
            async with http.get("/v2/user/profile", headers=headers) as response:
                return response.status

        assert await status() == 200

        async def is_refused() -> bool:
            return await status() == 401

        await eventually(is_refused, what="the expiry of the token")
