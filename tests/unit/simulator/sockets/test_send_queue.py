"""A client that reads too slowly is disconnected; no message is skipped."""

import asyncio
from typing import Any

import pytest

from services.simulator.metrics import SLOW_CLIENTS
from services.simulator.sockets.send_queue import SendQueue
from shared.runtime.tasks import stop
from tests.support.patience import PATIENCE_SECS

STREAM = "test"


class Socket:
    """Accepts messages, blocks, or is closed."""

    def __init__(self, *, is_blocked: bool = False, is_closed: bool = False) -> None:
        self.sent: asyncio.Queue[bytes] = asyncio.Queue()
        self._is_blocked = is_blocked
        self._is_closed = is_closed

    async def send(self, message: bytes) -> None:
        if self._is_closed:
            raise ConnectionResetError
        if self._is_blocked:
            await asyncio.Event().wait()
        self.sent.put_nowait(message)


class Transport:
    """Counts aborts."""

    aborts = 0

    def abort(self) -> None:
        self.aborts += 1


def send_queue(
    socket: Socket, transport: Any = None, *, send_timeout_secs: float = 5.0
) -> SendQueue[bytes]:
    return SendQueue(
        socket.send,
        transport,
        stream=STREAM,
        max_messages=2,
        send_timeout_secs=send_timeout_secs,
    )


def slow_clients() -> float:
    return sum(
        sample.value
        for metric in SLOW_CLIENTS.collect()
        for sample in metric.samples
        if sample.name.endswith("_total") and sample.labels["stream"] == STREAM
    )


async def test_messages_are_sent_in_order() -> None:
    socket = Socket()
    queue = send_queue(socket)
    assert queue.offer(b"1")
    assert queue.offer(b"2")
    writer = asyncio.create_task(queue.write())
    async with asyncio.timeout(PATIENCE_SECS):
        assert [await socket.sent.get() for _ in range(2)] == [b"1", b"2"]
    await stop([writer])


async def test_a_client_with_a_full_queue_is_disconnected_once() -> None:
    transport, before = Transport(), slow_clients()
    queue = send_queue(Socket(), transport)
    assert [queue.offer(b"") for _ in range(5)] == [True, True, False, False, False]
    assert (transport.aborts, slow_clients() - before) == (1, 1)


async def test_a_client_whose_socket_blocks_is_disconnected() -> None:
    transport, before = Transport(), slow_clients()
    queue = send_queue(Socket(is_blocked=True), transport, send_timeout_secs=0.01)
    queue.offer(b"1")
    async with asyncio.timeout(PATIENCE_SECS):
        await queue.write()
    assert (transport.aborts, slow_clients() - before) == (1, 1)
    assert not queue.offer(b"2")


@pytest.mark.parametrize("transport", [None, Transport()])
async def test_writing_ends_when_the_socket_is_closed(transport: Any) -> None:
    before = slow_clients()
    queue = send_queue(Socket(is_closed=True), transport)
    queue.offer(b"1")
    async with asyncio.timeout(PATIENCE_SECS):
        await queue.write()
    assert not queue.offer(b"2")
    assert slow_clients() == before
