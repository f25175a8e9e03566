"""A client that has several servers leaves one that does not answer."""

import asyncio
from collections.abc import Iterator

import pytest

from shared.bus.connection import Bus, connect_bus
from shared.runtime.health import Readiness
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import PASSWORD, NatsServer, run_nats
from tests.support.settings import nats_settings
from tests.support.waiting import eventually

MESSAGE = bytes(1 << 19)


@pytest.fixture
def servers() -> Iterator[list[NatsServer]]:
    with run_nats() as first, run_nats() as second:
        yield [first, second]


def connected_to(bus: Bus, servers: list[NatsServer]) -> NatsServer:
    url = bus.client.connected_url
    assert url is not None
    return next(server for server in servers if server.port == url.port)


async def test_a_stopped_server_that_has_not_read_everything_is_left(
    servers: list[NatsServer],
) -> None:
    url = ",".join(server.url for server in servers)
    settings = nats_settings(url, has_outages=True)
    async with connect_bus(
        settings, user="observer", password=PASSWORD, readiness=Readiness("test")
    ) as bus:
        stopped = connected_to(bus, servers)
        stopped.pause()
        try:
            async with asyncio.timeout(PATIENCE_SECS):
                while bus.can_publish:  # until the buffers of both sockets are full, and then some
                    await bus.client.publish("md.none", MESSAGE)
                    await asyncio.sleep(0)
            await eventually(
                lambda: bus.client.is_connected and connected_to(bus, servers) is not stopped,
                what="the silence is noticed, and the other server is used",
            )
        finally:
            stopped.resume()
