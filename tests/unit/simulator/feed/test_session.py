"""A client that does not take its frames is cut off; no frame is left out."""

import asyncio
from typing import Any, cast

import pytest
from aiohttp import web

from services.simulator.feed.limits import Quota
from services.simulator.feed.session import FeedSession
from services.simulator.feed.subscriptions import FeedSubscriptions
from tests.support.patience import PATIENCE_SECS


class Socket:
    """Takes frames, or blocks, or is gone."""

    def __init__(self, *, blocks: bool = False, gone: bool = False) -> None:
        self.frames: list[bytes] = []
        self.took = asyncio.Event()
        self._blocks = blocks
        self._gone = gone

    async def send_bytes(self, data: bytes) -> None:
        if self._gone:
            raise ConnectionResetError
        if self._blocks:
            await asyncio.Event().wait()
        self.frames.append(data)
        self.took.set()


class Transport:
    """Counts aborts."""

    aborts = 0

    def abort(self) -> None:
        self.aborts += 1


def session_on(
    socket: Socket, transport: Any, *, timeout_secs: float = PATIENCE_SECS
) -> FeedSession:
    return FeedSession(
        cast("web.WebSocketResponse", socket),
        transport,
        FeedSubscriptions(frozenset(), Quota("basic")),
        queue_frames=2,
        send_timeout_secs=timeout_secs,
    )


async def test_frames_are_sent_in_order() -> None:
    socket = Socket()
    session = session_on(socket, Transport())
    assert session.offer(b"1")
    assert session.offer(b"2")
    writer = asyncio.create_task(session.write())
    async with asyncio.timeout(PATIENCE_SECS):
        while len(socket.frames) < 2:
            socket.took.clear()
            await socket.took.wait()
    writer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writer
    assert socket.frames == [b"1", b"2"]


async def test_client_with_a_full_queue_is_cut_off_once() -> None:
    transport = Transport()
    session = session_on(Socket(), transport)
    assert [session.offer(b"") for _ in range(5)] == [True, True, False, False, False]
    assert transport.aborts == 1


async def test_client_whose_socket_does_not_drain_is_cut_off() -> None:
    transport = Transport()
    session = session_on(Socket(blocks=True), transport, timeout_secs=0.01)
    session.offer(b"1")
    async with asyncio.timeout(PATIENCE_SECS):
        await session.write()
    assert transport.aborts == 1
    assert not session.offer(b"2")


async def test_writer_ends_when_the_client_is_gone() -> None:
    session = session_on(Socket(gone=True), None)
    session.offer(b"1")
    async with asyncio.timeout(PATIENCE_SECS):
        await session.write()
    assert not session.offer(b"2")
