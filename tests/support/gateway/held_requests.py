"""Requests to the trading service that wait until a test answers them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from nats.aio.msg import Msg

from tests.support.buses import bus_of, flushed
from tests.support.servers import NatsServer


class HeldRequests:
    """The requests that wait, in order of their arrival."""

    def __init__(self) -> None:
        self.waiting: list[Msg] = []

    async def take(self, message: Msg) -> None:
        """Keep a request."""
        self.waiting.append(message)

    async def answer(self, reply: msgspec.Struct) -> None:
        """Answer all that wait."""
        for message in self.waiting:
            await message.respond(msgspec.json.encode(reply))
        self.waiting.clear()


@asynccontextmanager
async def holding(nats: NatsServer, subject: str) -> AsyncIterator[HeldRequests]:
    """A trading service that answers requests on `subject` when it is told to."""
    held = HeldRequests()
    async with bus_of(nats, "trading") as bus:
        await bus.client.subscribe(subject, cb=held.take)
        await flushed(bus.client)
        yield held
