"""Batches of messages through a real nats-server that takes them, stops or goes away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from nats.aio.msg import Msg
from nats.errors import ConnectionClosedError, OutboundBufferLimitError

from services.ingest.bus.batch_client import BatchClient
from shared.bus.connection import Bus, connect_bus
from shared.runtime.health import Readiness
from tests.support.buses import bus_of, flushed
from tests.support.servers import PASSWORD, NatsServer
from tests.support.settings import nats_settings
from tests.support.waiting import eventually

SUBJECT: Final = "md.status"
PADDING: Final = b"." * 1_000
BATCH: Final = 200


@asynccontextmanager
async def batch_bus(nats: NatsServer, client: BatchClient) -> AsyncIterator[Bus]:
    """A connection of ingest that uses `client`."""
    async with connect_bus(
        nats_settings(nats.url),
        user="ingest",
        password=PASSWORD,
        readiness=Readiness("test"),
        own_client=client,
    ) as bus:
        yield bus


def batch(number: int) -> list[tuple[bytes, bytes]]:
    """The messages of one batch, numbered over all batches."""
    first = number * BATCH
    return [(SUBJECT.encode(), b"%d %b" % (each, PADDING)) for each in range(first, first + BATCH)]


@asynccontextmanager
async def numbers_received(nats: NatsServer) -> AsyncIterator[list[int]]:
    """The numbers of the messages that another client has received so far."""
    received: list[int] = []

    async def receive(message: Msg) -> None:
        assert message.data.endswith(PADDING)
        received.append(int(message.data.split()[0]))

    async with bus_of(nats, "gateway") as bus:
        await bus.client.subscribe(SUBJECT, cb=receive)
        await flushed(bus.client)
        yield received


async def test_batches_arrive_in_order_between_single_messages(nats: NatsServer) -> None:
    client = BatchClient()
    async with numbers_received(nats) as received, batch_bus(nats, client):
        for number in range(0, 30, 3):
            await client.publish_batch(batch(number))
            await client.publish(SUBJECT, batch(number + 1)[0][1])
            await client.publish_batch(batch(number + 2))
            await client.publish_batch([])
            if number % 2:
                await asyncio.sleep(0)
        sent = [
            each
            for number in range(0, 30, 3)
            for each in (
                *range(number * BATCH, (number + 1) * BATCH),
                (number + 1) * BATCH,
                *range((number + 2) * BATCH, (number + 3) * BATCH),
            )
        ]
        await eventually(lambda: len(received) == len(sent), what="all are received")
        assert received == sent
        assert client.stats["out_msgs"] == len(sent)


async def test_batches_wait_for_a_server_that_does_not_read_up_to_a_bound(
    nats: NatsServer,
) -> None:
    client = BatchClient()
    async with numbers_received(nats) as received, batch_bus(nats, client) as bus:
        nats.pause()
        count = 0
        while bus.can_publish:
            await client.publish_batch(batch(count))
            await asyncio.sleep(0)
            count += 1
        assert client.pending_data_size > 8_000_000
        nats.resume()
        await eventually(lambda: len(received) == count * BATCH, what="all are received")
        assert received == list(range(count * BATCH))
        assert bus.can_publish


async def test_a_batch_without_a_connection_is_refused_and_not_sent_later(
    nats: NatsServer,
) -> None:
    client = BatchClient()
    async with batch_bus(nats, client) as bus:
        nats.kill()
        await eventually(lambda: not bus.is_connected, what="the connection is lost")
        with pytest.raises(OutboundBufferLimitError):
            await client.publish_batch(batch(0))
        await asyncio.to_thread(nats.start)
        async with numbers_received(nats) as received:
            await eventually(lambda: bus.is_connected, what="the client is connected again")
            await client.publish_batch(batch(1))
            await eventually(lambda: len(received) == BATCH, what="the next batch is received")
            assert received == list(range(BATCH, 2 * BATCH))
    with pytest.raises(ConnectionClosedError):
        await client.publish_batch(batch(2))
