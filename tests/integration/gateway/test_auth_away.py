"""A gateway that cannot verify tokens is not ready, and its clients try again."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from services.gateway.http.key_monitor import DEPENDENCY
from services.gateway.stream.protocol import CloseCode
from shared.contracts.messages import FeedState, FeedStatus, encode
from shared.contracts.subjects import STATUS
from shared.runtime.clock import SystemClock
from shared.runtime.clock_skew import dependency_of
from shared.runtime.settings import TokenSettings
from shared.runtime.site import serve
from tests.support.builders import KEY, fresh_quote, quote
from tests.support.clocks import OffClock
from tests.support.gateway.endpoint import open_peers
from tests.support.gateway.in_process import InProcessGateway
from tests.support.gateway.python_client import python_client
from tests.support.gateway.rest import get
from tests.support.gateway.websocket import close_code_of, receive, subscribe
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import NatsServer
from tests.support.settings import nats_settings
from tests.support.waiting import eventually
from tradedad_client import Connected, Disconnected


class Keys:
    """The key set of an issuer, which is published once `is_open` is set."""

    def __init__(self) -> None:
        self.is_open = False
        self.jwks: dict[str, Any] = {}

    async def handle(self, _: web.Request) -> web.Response:
        if not self.is_open:
            return web.Response(status=503)
        return web.json_response(self.jwks)


@asynccontextmanager
async def gateway_before_auth(
    nats: NatsServer, **settings: Any
) -> AsyncIterator[tuple[InProcessGateway, Keys]]:
    """A gateway that was started while auth is away."""
    keys = Keys()
    site = web.Application()
    site.add_routes([web.get("/jwks", keys.handle)])
    async with open_peers(nats) as peers, serve(site, "127.0.0.1", 0) as port:
        keys.jwks = peers.issuer.jwks()
        tokens = TokenSettings.model_validate({"jwks_url": f"http://127.0.0.1:{port}/jwks"})
        gateway = InProcessGateway(peers, nats_settings(nats.url))
        await gateway.start(wait=False, tokens=tokens, **settings)
        try:
            yield gateway, keys
        finally:
            await gateway.stop()


async def publish_status(gateway: InProcessGateway) -> None:
    """Publish the state of the feed as ingest does, with the time of the real clock."""
    status = FeedStatus(
        state=FeedState.LIVE, since=1, epoch=1, at=SystemClock().now_ms(), simulated=True
    )
    await gateway.ingest.publish(STATUS, encode(status))


async def test_without_keys_the_gateway_is_not_ready_and_names_the_cause(nats: NatsServer) -> None:
    async with gateway_before_auth(nats) as (gateway, keys):
        await eventually(
            lambda: "503" in gateway.readiness.missing.get(DEPENDENCY, ""),
            what="the missing keys and their cause are reported",
        )
        status = await get(gateway, "/v1/status")
        assert (status.status, status.body["code"]) == (503, "unavailable")
        keys.is_open = True
        await gateway.wait_ready()
        assert (await get(gateway, "/v1/status")).status == 200


async def test_a_stream_whose_token_cannot_be_verified_is_closed_with_1012_and_the_cause(
    nats: NatsServer,
) -> None:
    async with gateway_before_auth(nats) as (gateway, _), gateway.connect() as socket:
        error = await receive(socket, "error")
        assert error["code"] == "unavailable"
        assert "auth service" in error["detail"]
        assert await close_code_of(socket) == CloseCode.RESTARTING


async def test_a_stream_that_sent_no_token_is_still_told_so(nats: NatsServer) -> None:
    async with (
        gateway_before_auth(nats, auth_deadline_secs=0.3) as (gateway, _),
        gateway.connect(token=None) as socket,
    ):
        error = await receive(socket, "error")
        assert (error["code"], error["detail"]) == ("unauthenticated", "no token was sent in time")
        assert await close_code_of(socket) == CloseCode.UNAUTHENTICATED


async def test_the_python_client_tries_again_until_auth_is_back(nats: NatsServer) -> None:
    async with gateway_before_auth(nats) as (gateway, keys):
        client = python_client(gateway)
        opening = asyncio.create_task(client.__aenter__())
        await eventually(lambda: client._stream is not None, what="the client connects")
        events = client.events()
        async with asyncio.timeout(PATIENCE_SECS):
            async for event in events:
                if isinstance(event, Disconnected):
                    assert "1012" in event.reason
                    keys.is_open = True
                if isinstance(event, Connected):
                    break
        await opening
        assert client.is_live
        await client.close()


@pytest.mark.parametrize("ahead_secs", [3_600.0, -3_600.0])
async def test_a_gateway_whose_clock_is_an_hour_off_is_not_ready_and_refuses_no_token_for_good(
    nats: NatsServer, ahead_secs: float
) -> None:
    clock = OffClock(ahead_secs)
    dependency = dependency_of("auth")
    said = r"(359[7-9]|360[0-2])\.\d s " + ("ahead of" if ahead_secs > 0 else "behind")
    async with open_peers(nats) as peers:
        gateway = InProcessGateway(peers, nats_settings(nats.url))
        with capture_logs() as logs:
            await gateway.start(wait=False, clock=clock)
            try:
                await eventually(
                    lambda: dependency in gateway.readiness.missing, what="the skew is reported"
                )
                assert re.search(said, gateway.readiness.missing[dependency])
                async with gateway.connect() as socket:
                    error = await receive(socket, "error")
                    assert error["code"] == "unavailable"
                    assert "clock" in error["detail"]
                    assert await close_code_of(socket) == CloseCode.RESTARTING
                assert (await get(gateway, "/v1/status")).status == 503
            finally:
                await gateway.stop()
    warned = [entry for entry in logs if entry.get("dependency") == dependency]
    assert [entry["event"] for entry in warned] == ["not ready"]
    assert re.search(said, warned[0]["reason"])


@pytest.mark.parametrize("ahead_secs", [4.5, -4.5])
async def test_quotes_are_live_with_a_clock_that_is_some_seconds_off(
    nats: NatsServer, ahead_secs: float
) -> None:
    async with open_peers(nats) as peers:
        gateway = InProcessGateway(peers, nats_settings(nats.url))
        await gateway.start(clock=OffClock(ahead_secs), max_quote_age_secs=2.0)
        try:
            async with gateway.connect() as socket:
                await subscribe(socket, channel="status")
                await publish_status(gateway)
                (status,) = (await receive(socket, "status"))["data"]
                assert status["simulated"] is True
                await subscribe(socket, KEY)
                await gateway.publish(fresh_quote(seq=1))
                batch = await receive(socket, "quotes")
                assert "snapshot" not in batch
                await gateway.publish(quote(seq=2, rt=SystemClock().now_us() - 10_000_000))
                assert (await receive(socket, "quotes"))["snapshot"] is True
        finally:
            await gateway.stop()
