"""Bus connections of tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from nats.aio.client import Client
from nats.aio.msg import Msg

from shared.bus.connection import Bus, connect_bus
from shared.bus.resources import ensure_ticks_stream
from shared.contracts.messages import Quote, encode
from shared.contracts.subjects import TICKS_STREAM, quote_subject
from shared.runtime.health import Readiness
from shared.runtime.settings import NatsSettings
from tests.support.builders import KEY
from tests.support.servers import PASSWORD, NatsServer
from tests.support.settings import nats_settings
from tests.support.waiting import eventually

STREAM_AGE_SECS: Final = 7_200
STREAM_BYTES: Final = 1 << 26
QUOTE: Final = Quote(key=KEY, epoch=1, seq=1, ts=1, rt=1, ltp=1290.35)


@asynccontextmanager
async def bus_of(
    nats: NatsServer,
    user: str,
    *,
    settings: NatsSettings | None = None,
    readiness: Readiness | None = None,
    password: str = PASSWORD,
) -> AsyncIterator[Bus]:
    """A connection as `user`, with patient settings unless others are given."""
    async with connect_bus(
        settings or nats_settings(nats.url),
        user=user,
        password=password,
        readiness=readiness or Readiness("test"),
    ) as bus:
        yield bus


@asynccontextmanager
async def ingest_bus(nats: NatsServer) -> AsyncIterator[Bus]:
    """A connection as ingest, with the tick stream that ingest makes."""
    async with bus_of(nats, "ingest") as bus:
        await ensure_ticks_stream(bus, max_age_secs=STREAM_AGE_SECS, max_bytes=STREAM_BYTES)
        yield bus


async def wait_connected(*clients: Client) -> None:
    """Wait until clients are connected again after an outage.

    A client that is closed while it connects again leaves its socket open.
    """
    await eventually(
        lambda: all(client.is_connected for client in clients), what="the clients are connected"
    )


async def flushed(client: Client) -> None:
    """Wait until the server has handled everything that was sent before.

    The client writes a flush's PING ahead of the messages that wait for its flusher. By the
    time the answer arrives those messages are on their way, so a second PING follows them.
    """
    await client.flush()
    await client.flush()


async def listen(client: Client, subject: str, received: list[bytes]) -> None:
    """Append what is published on `subject` from now on."""

    async def on_message(message: Msg) -> None:
        received.append(message.data)

    await client.subscribe(subject, cb=on_message)
    await flushed(client)


async def publish_quotes(bus: Bus, count: int) -> None:
    """Publish this many quotes as ingest, and wait until the tick stream has stored them."""
    stored = (await bus.js.stream_info(TICKS_STREAM)).state.messages + count
    for _ in range(count):
        await bus.client.publish(quote_subject(KEY), encode(QUOTE))

    async def are_stored() -> bool:
        return (await bus.js.stream_info(TICKS_STREAM)).state.messages >= stored

    await eventually(are_stored, what="the stream has the quotes")
