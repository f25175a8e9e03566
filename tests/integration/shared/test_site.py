"""A site closes connections on which nothing is asked, and no others."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from aiohttp import web

from shared.runtime.site import serve

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], AbstractAsyncContextManager[Connection]]


@asynccontextmanager
async def site(
    *, idle_secs: float = 60.0, max_idle: int = 100, may_answer: asyncio.Event | None = None
) -> AsyncIterator[Connect]:
    async def answer(_: web.Request) -> web.Response:
        if may_answer is not None:
            await may_answer.wait()
        return web.Response(text="here")

    app = web.Application()
    app.add_routes([web.get("/", answer)])
    async with serve(app, "127.0.0.1", 0, idle_secs=idle_secs, max_idle=max_idle) as port:

        @asynccontextmanager
        async def connect() -> AsyncIterator[Connection]:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                yield reader, writer
            finally:
                writer.close()

        yield connect


async def answered(connection: Connection) -> bool:
    reader, writer = connection
    writer.write(REQUEST)
    async with asyncio.timeout(10):
        return (await reader.readuntil(b"here")).startswith(b"HTTP/1.1 200")


async def ended(connection: Connection) -> bool:
    async with asyncio.timeout(10):
        return await connection[0].read() == b""


@pytest.mark.parametrize(
    "begun", [b"", REQUEST[:20], REQUEST[:-2]], ids=["nothing", "a line", "all but the end"]
)
async def test_who_does_not_finish_a_request_is_cut_off(begun: bytes) -> None:
    async with site(idle_secs=0.1) as connect, connect() as connection:
        connection[1].write(begun)
        assert await ended(connection)


async def test_who_asks_nothing_more_is_cut_off() -> None:
    async with site(idle_secs=0.5) as connect, connect() as connection:
        assert await answered(connection)
        assert await ended(connection)


async def test_who_waits_for_an_answer_is_not_cut_off() -> None:
    may_answer = asyncio.Event()
    async with (
        site(idle_secs=0.5, max_idle=1, may_answer=may_answer) as connect,
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


async def test_of_too_many_that_ask_nothing_the_oldest_are_cut_off() -> None:
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
