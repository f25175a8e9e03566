"""Bus connections of tests, with settings that notice faults soon."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nats.aio.client import Client

from shared.bus.connection import Bus, connect_bus
from shared.runtime.health import Readiness
from shared.runtime.settings import NatsSettings
from tests.support.servers import PASSWORD, NatsServer


def nats_settings(nats: NatsServer, *, lease_ttl_secs: float = 1.5) -> NatsSettings:
    """The server of a test; a frozen one is given up after some three seconds."""
    return NatsSettings(
        url=nats.url,
        connect_timeout_secs=1,
        request_timeout_secs=1.0,
        ping_interval_secs=1,
        lease_ttl_secs=lease_ttl_secs,
    )


@asynccontextmanager
async def bus_of(
    nats: NatsServer,
    user: str,
    *,
    readiness: Readiness | None = None,
    password: str = PASSWORD,
    lease_ttl_secs: float = 1.5,
) -> AsyncIterator[Bus]:
    """A connection as `user`."""
    async with connect_bus(
        nats_settings(nats, lease_ttl_secs=lease_ttl_secs),
        user=user,
        password=password,
        readiness=readiness or Readiness("test"),
    ) as bus:
        yield bus


async def flushed(client: Client) -> None:
    """Wait until the server has handled all that was sent before.

    The client writes a flush's PING ahead of what waits for its flusher. By the answer that
    is on its way too, so that a second PING comes after it.
    """
    await client.flush()
    await client.flush()
