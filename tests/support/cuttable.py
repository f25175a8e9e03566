"""A TCP proxy on loopback whose connections can be cut, and refused for a while."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

from embedded.ports import HOST

Cut = Callable[[], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def cuttable(port: int) -> AsyncIterator[tuple[str, Cut]]:
    """A NATS address that leads to `port`, and a block during which it leads nowhere."""
    links: set[asyncio.Task[None]] = set()
    is_cut = False

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        links.add(task)
        try:
            if not is_cut:
                await _link(reader, writer, port)
        except asyncio.CancelledError:
            pass  # cut
        finally:
            links.discard(task)
            writer.transport.abort()

    @asynccontextmanager
    async def cut() -> AsyncIterator[None]:
        nonlocal is_cut
        is_cut = True
        for task in list(links):
            task.cancel()
        try:
            yield
        finally:
            is_cut = False

    server = await asyncio.start_server(serve, HOST, 0)
    try:
        yield f"nats://{HOST}:{server.sockets[0].getsockname()[1]}", cut
    finally:
        server.close()
        for task in list(links):
            task.cancel()
        await asyncio.gather(*links, return_exceptions=True)


async def _link(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    there, back = await asyncio.open_connection(HOST, port)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_copy(reader, back))
            group.create_task(_copy(there, writer))
    except* OSError:
        pass  # either side is gone
    finally:
        back.transport.abort()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(1 << 16):
        target.write(data)
        with suppress(ConnectionError):
            await target.drain()
    raise ConnectionError("closed")
