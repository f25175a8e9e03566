"""Fixtures of the tests with third-party clients."""

import time
from collections.abc import Awaitable, Callable

import pytest

from shared.bus.resources import ensure_revocations_bucket
from shared.contracts.revocations import SessionRevoked, encode
from tests.support.buses import bus_of
from tests.support.servers import NatsServer

Revoke = Callable[[], Awaitable[None]]


@pytest.fixture
async def revoke(nats: NatsServer) -> Revoke:
    """Revokes the session of the issuer's tokens, as auth does."""
    async with bus_of(nats, "auth") as auth:
        await ensure_revocations_bucket(auth, ttl_secs=900)

    async def revoke() -> None:
        subject, value = encode(
            SessionRevoked(session_id="session-1", until=int(time.time()) + 900)
        )
        async with bus_of(nats, "auth") as auth:
            await auth.js.publish(subject, value)

    return revoke
