"""A client gets its own updates of the sorts it wants, and is cut off when it does not read."""

import asyncio
from typing import Any, cast

from aiohttp import web

from services.simulator.portfolio_stream.client import StreamClient
from services.simulator.portfolio_stream.updates import Update, UpdateType
from shared.runtime.tasks import stop


class Socket:
    """Takes what is sent, or never does."""

    def __init__(self, *, is_stuck: bool = False) -> None:
        self.sent: asyncio.Queue[str] = asyncio.Queue()
        self._is_stuck = is_stuck

    async def send_str(self, text: str) -> None:
        if self._is_stuck:
            await asyncio.Event().wait()
        self.sent.put_nowait(text)


class Transport:
    """Knows whether it was cut."""

    is_cut = False

    def abort(self) -> None:
        self.is_cut = True


def client(socket: Socket, transport: Transport, *wanted: UpdateType) -> StreamClient:
    return StreamClient(
        cast("web.WebSocketResponse", socket),
        cast("Any", transport),
        user_id="U",
        wanted=set(wanted),
        queue_updates=2,
        send_timeout_secs=0.01,
    )


async def test_only_wanted_updates_of_the_user_are_sent() -> None:
    socket = Socket()
    one = client(socket, Transport(), UpdateType.ORDER)
    one.offer(Update("U", UpdateType.POSITION, "position"))
    one.offer(Update("V", UpdateType.ORDER, "somebody else's"))
    one.offer(Update("U", UpdateType.ORDER, "mine"))
    writing = asyncio.create_task(one.write())
    assert await socket.sent.get() == "mine"
    await stop([writing])
    assert socket.sent.empty()


async def test_client_that_lets_its_queue_fill_up_is_cut_off() -> None:
    transport = Transport()
    one = client(Socket(), transport, UpdateType.ORDER)
    for _ in range(2):
        one.offer(Update("U", UpdateType.ORDER, "x"))
    assert not transport.is_cut
    one.offer(Update("U", UpdateType.ORDER, "x"))
    assert transport.is_cut


async def test_client_whose_socket_does_not_drain_is_cut_off() -> None:
    transport = Transport()
    one = client(Socket(is_stuck=True), transport, UpdateType.ORDER)
    one.offer(Update("U", UpdateType.ORDER, "x"))
    await one.write()
    assert transport.is_cut
