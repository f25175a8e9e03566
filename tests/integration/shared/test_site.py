"""A site closes connections without a whole request, and no others."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

import pytest
from aiohttp import web

from shared.runtime import http_errors
from shared.runtime import site as site_module
from shared.runtime.departure import Departure
from shared.runtime.site import serve
from shared.runtime.tasks import stop
from tests.support.patience import PATIENCE_SECS
from tests.support.waiting import eventually

LARGE = "x" * (32 << 20)
"""More than sockets hold."""
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], AbstractAsyncContextManager[Connection]]


@asynccontextmanager
async def site(
    *,
    idle_secs: float = PATIENCE_SECS,
    max_idle: int = 100,
    most: int | None = None,
    may_answer: asyncio.Event | None = None,
    has_begun: asyncio.Event | None = None,
    departure: Departure | None = None,
    text: str = "here",
    transports: list[asyncio.BaseTransport] | None = None,
) -> AsyncIterator[Connect]:
    """A site that answers with `text`; `transports` gets the connection of each request."""

    async def answer(request: web.Request) -> web.Response:
        if transports is not None and request.transport is not None:
            transports.append(request.transport)
        if has_begun is not None:
            has_begun.set()
        if may_answer is not None:
            await may_answer.wait()
        return web.Response(text=text)

    app = web.Application()
    app.add_routes([web.get("/", answer)])
    async with serve(
        app, "127.0.0.1", 0, idle_secs=idle_secs, max_idle=max_idle, most=most, departure=departure
    ) as port:

        @asynccontextmanager
        async def connect() -> AsyncIterator[Connection]:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                yield reader, writer
            finally:
                writer.close()

        yield connect


async def test_with_too_many_connections_the_oldest_idle_one_makes_room_for_a_new_one() -> None:
    may_answer = asyncio.Event()
    async with site(most=5, may_answer=may_answer) as connect, AsyncExitStack() as stack:
        busy = await stack.enter_async_context(connect())
        busy[1].write(REQUEST)
        idle = [await stack.enter_async_context(connect()) for _ in range(4)]
        newest = await stack.enter_async_context(connect())
        assert await ended(idle[0])
        may_answer.set()
        assert await answered(newest)
        async with asyncio.timeout(PATIENCE_SECS):
            assert (await busy[0].readuntil(b"here")).startswith(b"HTTP/1.1 200")


async def answered(connection: Connection) -> bool:
    reader, writer = connection
    writer.write(REQUEST)
    async with asyncio.timeout(PATIENCE_SECS):
        return (await reader.readuntil(b"here")).startswith(b"HTTP/1.1 200")


async def ended(connection: Connection) -> bool:
    async with asyncio.timeout(PATIENCE_SECS):
        return await connection[0].read() == b""


@pytest.mark.parametrize(
    "begun", [b"", REQUEST[:20], REQUEST[:-2]], ids=["nothing", "a line", "all but the end"]
)
async def test_a_connection_with_an_unfinished_request_is_closed(begun: bytes) -> None:
    async with site(idle_secs=0.1) as connect, connect() as connection:
        connection[1].write(begun)
        assert await ended(connection)


async def test_a_connection_without_a_second_request_is_closed() -> None:
    async with site(idle_secs=5.0) as connect, connect() as connection:
        assert await answered(connection)
        assert await ended(connection)


async def test_a_connection_that_waits_for_its_response_stays_open() -> None:
    may_answer = asyncio.Event()
    async with (
        site(idle_secs=5.0, max_idle=1, may_answer=may_answer) as connect,
        connect() as waiting,
        connect() as also_waiting,
        connect() as silent,
    ):
        for _, writer in (waiting, also_waiting):
            writer.write(REQUEST)
        assert await ended(silent)
        may_answer.set()
        assert await answered(waiting)
        assert await answered(also_waiting)


async def test_the_oldest_of_too_many_idle_connections_are_closed() -> None:
    async with (
        site(max_idle=2) as connect,
        connect() as oldest,
        connect() as older,
        connect() as newer,
        connect() as newest,
    ):
        assert await ended(oldest)
        assert await ended(older)
        assert await answered(newer)
        assert await answered(newest)


async def begun(connection: Connection) -> None:
    """Ask, and read the answer's first bytes only."""
    connection[1].write(REQUEST)
    async with asyncio.timeout(PATIENCE_SECS):
        await connection[0].readuntil(b"\r\n\r\n")


async def is_cut(connection: Connection) -> bool:
    """Whether the answer ends before its end."""
    async with asyncio.timeout(PATIENCE_SECS):
        try:
            await connection[0].readexactly(len(LARGE))
        except (asyncio.IncompleteReadError, ConnectionResetError):
            return True
        return False


async def test_a_connection_whose_answer_is_not_read_makes_room_for_a_new_one() -> None:
    async with site(most=1, text=LARGE) as connect, connect() as unread:
        await begun(unread)
        async with connect() as newest:
            await begun(newest)
            assert await is_cut(unread)
            assert not await is_cut(newest)


async def test_what_clients_leave_unread_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_module, "MAX_UNSENT_BYTES", len(LARGE))
    transports: list[asyncio.BaseTransport] = []
    async with (
        site(text=LARGE, transports=transports) as connect,
        connect() as oldest,
        connect() as newest,
    ):
        await begun(oldest)
        await begun(newest)
        await eventually(transports[0].is_closing, what="the oldest connection is closed")
        assert await is_cut(oldest)
        assert not await is_cut(newest)


async def test_a_client_has_a_time_to_read_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_errors, "WRITE_SECS", 0.5)
    transports: list[asyncio.BaseTransport] = []
    async with site(text=LARGE, transports=transports) as connect, connect() as unread:
        await begun(unread)
        await eventually(transports[0].is_closing, what="the connection is closed")
        assert await is_cut(unread)


async def test_a_site_that_stops_answers_during_its_grace_period_and_ends_connections() -> None:
    departure = Departure(grace_secs=PATIENCE_SECS)
    async with site(departure=departure) as connect, connect() as kept, connect() as other:
        assert await answered(kept)
        announcing = asyncio.create_task(departure.announce())
        try:
            await eventually(lambda: departure.is_announced, what="the stop is announced")
            for connection in (kept, other):
                assert await answered_for_the_last_time(connection)
            async with connect() as late:
                assert await answered(late)
        finally:
            await stop([announcing])


async def test_a_request_that_has_begun_when_a_site_stops_is_answered() -> None:
    may_answer, has_begun = asyncio.Event(), asyncio.Event()
    async with AsyncExitStack() as connections, AsyncExitStack() as stack:
        connect = await stack.enter_async_context(site(may_answer=may_answer, has_begun=has_begun))
        connection = await connections.enter_async_context(connect())
        answering = asyncio.create_task(answered_for_the_last_time(connection))
        await has_begun.wait()
        closing = asyncio.create_task(stack.aclose())
        await asyncio.sleep(0)
        may_answer.set()
        assert await answering
        await closing


async def answered_for_the_last_time(connection: Connection) -> bool:
    reader, writer = connection
    writer.write(REQUEST)
    async with asyncio.timeout(PATIENCE_SECS):
        answer = await reader.read()
    return answer.endswith(b"here") and b"Connection: close" in answer
