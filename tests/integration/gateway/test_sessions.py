"""Streams live as long as their token, and no longer than their session."""

import asyncio
import time

from services.gateway.stream.protocol import CloseCode
from shared.bus.connection import Bus
from shared.bus.resources import ensure_revocations_bucket
from shared.contracts.revocations import SessionRevoked, UserRevoked, encode
from tests.support.builders import KEY
from tests.support.buses import bus_of
from tests.support.cuttable import cuttable
from tests.support.gateways import closed, receive, running_gateway, subscribe
from tests.support.servers import NatsServer
from tests.support.services import is_ready
from tests.support.waiting import eventually

SESSION = SessionRevoked(session_id="session-1", until=int(time.time()) + 900)


async def revoke(auth: Bus, revocation: SessionRevoked | UserRevoked) -> None:
    """As auth does."""
    subject, value = encode(revocation)
    await auth.js.publish(subject, value)


async def test_a_stream_is_warned_before_its_token_expires(nats: NatsServer) -> None:
    async with running_gateway(nats, expiry_warning_secs=60) as gateway:
        soon = int(time.time()) + 30
        async with gateway.connect(gateway.issuer.token(exp=soon)) as socket:
            assert await receive(socket, "expiring") == {"type": "expiring", "expires_at": soon}
            await socket.send_json({"op": "auth", "token": gateway.issuer.token()})
            assert (await receive(socket, "authenticated"))["expires_at"] > soon
            await subscribe(socket, KEY)


async def test_revoking_a_session_ends_its_streams_and_no_others(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, bus_of(nats, "auth") as auth:
        await ensure_revocations_bucket(auth, ttl_secs=900)
        async with (
            gateway.connect() as ended,
            gateway.connect(gateway.issuer.token(sid="session-2")) as other,
        ):
            await receive(ended, "authenticated")
            await receive(other, "authenticated")
            await revoke(auth, SESSION)
            async with asyncio.timeout(1):
                assert (await receive(ended, "error"))["code"] == "revoked"
                assert await closed(ended) == CloseCode.REVOKED
            await other.send_json({"op": "ping"})
            await receive(other, "pong")
        async with gateway.connect() as again:
            assert (await receive(again, "error"))["code"] == "revoked"
            assert await closed(again) == CloseCode.REVOKED


async def test_revoking_a_user_ends_what_was_issued_until_then(nats: NatsServer) -> None:
    now = int(time.time())
    async with running_gateway(nats) as gateway, bus_of(nats, "auth") as auth:
        await ensure_revocations_bucket(auth, ttl_secs=900)
        async with (
            gateway.connect(gateway.issuer.token(iat=now - 10)) as old,
            gateway.connect(gateway.issuer.token(iat=now)) as new,
        ):
            await receive(old, "authenticated")
            await receive(new, "authenticated")
            await revoke(auth, UserRevoked(user_id="user-1", before=now - 5, until=now + 900))
            assert await closed(old) == CloseCode.REVOKED
            await new.send_json({"op": "ping"})
            await receive(new, "pong")


async def test_what_was_revoked_before_the_start_is_known(nats: NatsServer) -> None:
    async with bus_of(nats, "auth") as auth:
        await ensure_revocations_bucket(auth, ttl_secs=900)
        await revoke(auth, SESSION)
        async with running_gateway(nats) as gateway, gateway.connect() as socket:
            assert await closed(socket) == CloseCode.REVOKED


async def test_what_was_revoked_while_nats_was_cut_off_counts_afterwards(
    nats: NatsServer,
) -> None:
    async with cuttable(nats.port) as (proxied, cut), bus_of(nats, "auth") as auth:
        await ensure_revocations_bucket(auth, ttl_secs=900)
        async with running_gateway(nats, bus_url=proxied) as gateway:
            async with gateway.connect() as socket:
                await receive(socket, "authenticated")
                async with cut():
                    await revoke(auth, SESSION)
                await eventually(lambda: is_ready(gateway.readiness), what="a link to NATS")
                async with asyncio.timeout(1):
                    assert await closed(socket) == CloseCode.REVOKED
