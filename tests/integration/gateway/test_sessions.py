"""Streams end with their token, or with their session."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Final

import pytest

from services.gateway.stream.protocol import CloseCode
from shared.bus.connection import Bus
from shared.bus.resources import ensure_revocations_bucket
from shared.contracts.revocations import SessionRevoked, UserRevoked, encode
from tests.support.builders import KEY
from tests.support.buses import bus_of
from tests.support.gateway.in_process import running_gateway
from tests.support.gateway.websocket import close_code_of, receive, subscribe
from tests.support.servers import NatsServer
from tests.support.settings import nats_settings
from tests.support.tcp_proxy import cuttable_proxy

REVOCATION_SECS: Final = 1.0
"""How soon a revocation ends streams (docs/stream.md). It typically takes some milliseconds."""


def session_revoked() -> SessionRevoked:
    """The session of the issuer's tokens has ended."""
    return SessionRevoked(session_id="session-1", until=int(time.time()) + 900)


@pytest.fixture
async def auth_bus(nats: NatsServer) -> AsyncIterator[Bus]:
    """The connection of auth, with its bucket of revocations."""
    async with bus_of(nats, "auth") as bus:
        await ensure_revocations_bucket(bus, ttl_secs=900)
        yield bus


async def revoke(auth_bus: Bus, revocation: SessionRevoked | UserRevoked) -> None:
    """Publish a revocation as auth does."""
    subject, value = encode(revocation)
    await auth_bus.js.publish(subject, value)


async def test_a_stream_gets_a_warning_before_its_token_expires(nats: NatsServer) -> None:
    async with running_gateway(nats, expiry_warning_secs=3_600) as gateway:
        soon = int(time.time()) + 600
        async with gateway.connect(gateway.issuer.token(exp=soon)) as socket:
            assert await receive(socket, "expiring") == {"type": "expiring", "expires_at": soon}
            renewal = gateway.issuer.token(exp=soon + 600)
            await socket.send_json({"op": "auth", "token": renewal})
            assert (await receive(socket, "authenticated"))["expires_at"] == soon + 600
            await subscribe(socket, KEY)


async def test_revoking_a_session_ends_its_streams_and_no_others(
    nats: NatsServer, auth_bus: Bus
) -> None:
    async with running_gateway(nats) as gateway:
        async with (
            gateway.connect() as revoked,
            gateway.connect(gateway.issuer.token(sid="session-2")) as other,
        ):
            await receive(revoked, "authenticated")
            await receive(other, "authenticated")
            await revoke(auth_bus, session_revoked())
            assert (await receive(revoked, "error"))["code"] == "revoked"
            assert await close_code_of(revoked) == CloseCode.REVOKED
            await other.send_json({"op": "ping"})
            await receive(other, "pong")
        async with gateway.connect() as again:
            assert (await receive(again, "error"))["code"] == "revoked"
            assert await close_code_of(again) == CloseCode.REVOKED


async def test_revoking_a_user_ends_the_streams_of_tokens_issued_before(
    nats: NatsServer, auth_bus: Bus
) -> None:
    now = int(time.time())
    async with running_gateway(nats) as gateway:
        async with (
            gateway.connect(gateway.issuer.token(iat=now - 10)) as old,
            gateway.connect(gateway.issuer.token(iat=now)) as new,
        ):
            await receive(old, "authenticated")
            await receive(new, "authenticated")
            await revoke(auth_bus, UserRevoked(user_id="user-1", before=now - 5, until=now + 900))
            assert await close_code_of(old) == CloseCode.REVOKED
            await new.send_json({"op": "ping"})
            await receive(new, "pong")


async def test_a_revocation_from_before_the_start_is_read(nats: NatsServer, auth_bus: Bus) -> None:
    await revoke(auth_bus, session_revoked())
    async with running_gateway(nats) as gateway, gateway.connect() as socket:
        assert await close_code_of(socket) == CloseCode.REVOKED


async def test_a_revocation_from_the_time_without_a_bus_ends_streams_afterwards(
    nats: NatsServer, auth_bus: Bus
) -> None:
    async with cuttable_proxy(nats.port) as proxy:
        bus = nats_settings(f"nats://{proxy.address}", has_outages=True)
        async with running_gateway(nats, bus=bus) as gateway, gateway.connect() as socket:
            await receive(socket, "authenticated")
            async with proxy.cut():
                await revoke(auth_bus, session_revoked())
            assert await close_code_of(socket) == CloseCode.REVOKED


@pytest.mark.seconds
async def test_a_revocation_ends_streams_within_a_second(nats: NatsServer, auth_bus: Bus) -> None:
    async with running_gateway(nats) as gateway, gateway.connect() as socket:
        await receive(socket, "authenticated")
        await revoke(auth_bus, session_revoked())
        async with asyncio.timeout(REVOCATION_SECS):
            assert await close_code_of(socket) == CloseCode.REVOKED


@pytest.mark.seconds
async def test_a_revocation_of_an_outage_ends_streams_within_a_second_of_its_end(
    nats: NatsServer, auth_bus: Bus
) -> None:
    async with cuttable_proxy(nats.port) as proxy:
        bus = nats_settings(f"nats://{proxy.address}", has_outages=True)
        async with running_gateway(nats, bus=bus) as gateway, gateway.connect() as socket:
            await receive(socket, "authenticated")
            async with proxy.cut():
                await revoke(auth_bus, session_revoked())
            await gateway.wait_ready()
            async with asyncio.timeout(REVOCATION_SECS):
                assert await close_code_of(socket) == CloseCode.REVOKED
