"""nats-server is killed and started again while quotes flow to many clients."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from nats.errors import Error as NatsError

from shared.contracts.messages import encode
from shared.contracts.subjects import quote_subject
from tests.support.builders import fresh_quote
from tests.support.figures import Figures
from tests.support.gateway.in_process import InProcessGateway, running_gateway
from tests.support.gateway.websocket import Socket, receive, subscribe
from tests.support.patience import TEST_TIMEOUT_SECS
from tests.support.servers import NatsServer
from tests.support.settings import nats_settings
from tests.support.waiting import eventually

CLIENTS = 20
KEYS = [f"NSE_EQ|{number}" for number in range(50)]


class QuotePublisher:
    """Publishes quotes of all keys again and again, through every outage."""

    def __init__(self, gateway: InProcessGateway) -> None:
        self._gateway = gateway
        self.seq = 0

    async def run(self) -> None:
        while True:
            await self._publish_all()
            await asyncio.sleep(0.02)

    async def _publish_all(self) -> None:
        self.seq += 1
        try:
            for key in KEYS:
                quote = fresh_quote(key=key, seq=self.seq)
                await self._gateway.ingest.publish(quote_subject(key), encode(quote))
        except NatsError:
            pass  # the server is away


class Reader:
    """Reads one stream, and fails if the quotes of an instrument go back in time."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self.last_seqs = dict.fromkeys(KEYS, 0)

    async def run(self) -> None:
        while True:
            for quote in (await receive(self._socket, "quotes", TEST_TIMEOUT_SECS))["data"]:
                assert quote["seq"] >= self.last_seqs[quote["key"]]
                self.last_seqs[quote["key"]] = quote["seq"]


@asynccontextmanager
async def gateway_with_readers(
    nats: NatsServer,
) -> AsyncIterator[tuple[InProcessGateway, QuotePublisher, list[Reader]]]:
    bus = nats_settings(nats.url, has_outages=True)
    async with (
        running_gateway(nats, bus=bus) as gateway,
        AsyncExitStack() as stack,
        asyncio.TaskGroup() as group,
    ):
        readers = []
        for _ in range(CLIENTS):
            socket = await stack.enter_async_context(gateway.connect())
            await subscribe(socket, *KEYS)
            readers.append(Reader(socket))
        publisher = QuotePublisher(gateway)
        tasks = [group.create_task(reader.run()) for reader in readers]
        tasks.append(group.create_task(publisher.run()))
        yield gateway, publisher, readers
        for task in tasks:
            task.cancel()


@pytest.mark.parametrize("secs", [0, pytest.param(180, marks=pytest.mark.long)])
async def test_streams_survive_a_killed_bus_and_quotes_never_go_back_in_time(
    nats: NatsServer, figures: Figures, secs: int
) -> None:
    async with gateway_with_readers(nats) as (gateway, publisher, readers):
        for _ in range(2):
            await wait_until_all_have_read(publisher.seq + 5, readers)
            nats.kill()
            await gateway.wait_not_ready()
            await asyncio.sleep(secs)  # the outage itself
            await asyncio.to_thread(nats.start)
            with figures.duration("until_every_client_has_new_quotes_secs"):
                await gateway.wait_ready()
                await wait_until_all_have_read(publisher.seq, readers)


async def wait_until_all_have_read(seq: int, readers: list[Reader]) -> None:
    await eventually(
        lambda: all(min(reader.last_seqs.values()) >= seq for reader in readers),
        what=f"every client has read up to {seq}",
    )
