"""The gateway logs at info who connected, who was cut off and why, and no secret."""

import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from services.gateway.stream.protocol import CloseCode
from shared.bus.resources import ensure_revocations_bucket
from shared.contracts.revocations import SessionRevoked, UserRevoked, encode
from tests.support.buses import bus_of
from tests.support.gateway.in_process import (
    InProcessGateway,
    running_gateway,
    wait_for_open_streams,
)
from tests.support.gateway.rest import get
from tests.support.gateway.websocket import close_code_of, receive
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

Logs = list[Any]
PROXY: dict[str, Any] = {"trusted_proxies": "127.0.0.1/32"}
CLIENT = {"X-Forwarded-For": "192.0.2.7"}


@pytest.fixture
def logs() -> Iterator[Logs]:
    with capture_logs() as entries:
        yield entries


def of(logs: Logs, event: str) -> Logs:
    found = [entry for entry in logs if entry["event"] == event]
    assert all(entry["log_level"] == "info" for entry in found)
    return found


async def closed(logs: Logs) -> Any:
    await eventually(lambda: bool(of(logs, "stream closed")), what="the end is logged")
    (entry,) = of(logs, "stream closed")
    return entry


async def test_a_stream_is_logged_with_address_and_user_when_it_opens_and_closes(
    nats: NatsServer, logs: Logs
) -> None:
    async with running_gateway(nats, **PROXY) as gateway:
        token = gateway.issuer.token()
        async with gateway.connect(token, headers=CLIENT) as socket:
            await receive(socket, "authenticated")
            (opened,) = of(logs, "stream opened")
            assert (opened["address"], opened["user"]) == ("192.0.2.7", "user-1")
        entry = await closed(logs)
        assert (entry["address"], entry["user"]) == ("192.0.2.7", "user-1")
        assert (entry["close_code"], entry["cause"]) == (1000, "the client has closed")
        await wait_for_open_streams(0)
    assert token not in repr(logs)
    assert token.rpartition(".")[2] not in repr(logs)


async def test_a_stream_that_is_cut_off_is_logged_with_code_and_cause(
    nats: NatsServer, logs: Logs
) -> None:
    async with running_gateway(nats) as gateway:
        bad = gateway.issuer.token(exp=int(time.time()) - 60)
        async with gateway.connect(bad) as socket:
            assert await close_code_of(socket) == CloseCode.UNAUTHENTICATED
        entry = await closed(logs)
        assert (entry["user"], entry["close_code"]) == (None, 4401)
        assert entry["cause"] == "the token has expired"
    assert bad not in repr(logs)


@pytest.mark.parametrize("kind", ["session", "user"])
async def test_a_revocation_is_logged_once_without_the_session_id(
    nats: NatsServer, logs: Logs, kind: str
) -> None:
    until = int(time.time()) + 900
    async with bus_of(nats, "auth") as bus, running_gateway(nats) as gateway:
        await ensure_revocations_bucket(bus, ttl_secs=900)
        async with gateway.connect() as socket:
            await receive(socket, "authenticated")
            revocation = (
                SessionRevoked(session_id="session-1", until=until)
                if kind == "session"
                else UserRevoked(user_id="user-1", before=until, until=until)
            )
            for _ in range(2):
                await bus.js.publish(*encode(revocation))
            assert await close_code_of(socket) == CloseCode.REVOKED
        (applied,) = of(logs, "revocation applied")
        assert applied["streams"] == 1
        assert applied.get("user") == (None if kind == "session" else "user-1")
        assert "session-1" not in repr(applied)
        assert (await closed(logs))["cause"] == "the session was ended"


async def test_a_refused_handshake_and_rate_limits_are_logged(nats: NatsServer, logs: Logs) -> None:
    limits: dict[str, Any] = {
        "max_streams_per_address": 1, "requests_per_sec": 0.001, "requests_burst": 1,
        "address_requests_per_sec": 0.001, "address_requests_burst": 1,
    }  # fmt: skip
    async with running_gateway(nats, **PROXY, **limits) as gateway:
        async with gateway.connect(headers=CLIENT) as socket:
            await receive(socket, "authenticated")
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await gateway.http.ws_connect(f"{gateway.url}/ws", headers=CLIENT)
        (refused,) = of(logs, "stream refused")
        assert (refused["address"], refused["code"]) == ("192.0.2.7", "limit_exceeded")
        assert [await status_of(gateway) for _ in range(2)] == [200, 429]
        (limited,) = of(logs, "rate limit hit")
        assert (limited["address"], limited["user"]) == ("192.0.2.7", "user-1")
        page = [await get(gateway, "/", token=None, headers=CLIENT) for _ in range(2)]
        assert [reply.status for reply in page] == [200, 429]
        anonymous = of(logs, "rate limit hit")[-1]
        assert (anonymous["address"], anonymous["user"]) == ("192.0.2.7", None)


async def status_of(gateway: InProcessGateway) -> int:
    return (await get(gateway, "/v1/status", headers=CLIENT)).status
