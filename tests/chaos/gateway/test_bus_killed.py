"""nats-server killed and started again while quotes flow to many clients."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
from nats.errors import Error as NatsError

from shared.contracts.messages import encode
from shared.contracts.subjects import quote_subject
from tests.support.gateways import Gateway, fresh, receive, running_gateway, subscribe
from tests.support.servers import NatsServer
from tests.support.services import is_ready
from tests.support.waiting import eventually

CLIENTS = 20
KEYS = [f"NSE_EQ|{number}" for number in range(50)]


class Load:
    """Publishes round after round of all keys, through every outage."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.seq = 0

    async def run(self) -> None:
        while True:
            await self.round()
            await asyncio.sleep(0.02)

    async def round(self) -> None:
        self.seq += 1
        try:
            for key in KEYS:
                one = fresh(key=key, seq=self.seq)
                await self._gateway.ingest.publish(quote_subject(key), encode(one))
        except NatsError:
            pass  # the server is away


class Reader:
    """Reads one stream, and sees to it that no instrument goes back in time."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.seen = dict.fromkeys(KEYS, 0)

    async def run(self) -> None:
        while True:
            for one in (await receive(self._socket, "quotes", timeout_secs=60))["data"]:
                assert one["seq"] >= self.seen[one["key"]]
                self.seen[one["key"]] = one["seq"]


@asynccontextmanager
async def loaded(nats: NatsServer) -> AsyncIterator[tuple[Gateway, Load, list[Reader]]]:
    async with (
        running_gateway(nats) as gateway,
        AsyncExitStack() as stack,
        asyncio.TaskGroup() as group,
    ):
        readers = []
        for _ in range(CLIENTS):
            socket = await stack.enter_async_context(gateway.connect())
            await subscribe(socket, *KEYS)
            readers.append(Reader(socket))
        load = Load(gateway)
        tasks = [group.create_task(reader.run()) for reader in readers]
        tasks.append(group.create_task(load.run()))
        yield gateway, load, readers
        for task in tasks:
            task.cancel()


async def test_streams_outlive_the_bus_and_nothing_goes_back_in_time(nats: NatsServer) -> None:
    async with loaded(nats) as (gateway, load, readers):
        for _ in range(2):
            await all_come_to(load.seq + 5, readers)
            nats.kill()

            async def unready() -> bool:
                return not gateway.readiness.is_ready()

            await eventually(unready, what="a gateway that knows NATS is away")
            nats.start()
            await eventually(lambda: is_ready(gateway.readiness), what="a gateway that is ready")
            await all_come_to(load.seq, readers)


async def all_come_to(seq: int, readers: list[Reader]) -> None:
    async def there() -> bool:
        return all(min(reader.seen.values()) >= seq for reader in readers)

    await eventually(there, what=f"everybody at {seq}", timeout_secs=30)
