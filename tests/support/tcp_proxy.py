"""A TCP proxy on loopback whose connections can be cut, refused for a while, held or slowed."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Final

from embedded.ports import HOST

_PIECE_BYTES: Final = 16 << 10


class CuttableProxy:
    """Forwards connections to a port, except while it is cut."""

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self._target_port = target_port
        self._is_cut = False
        self._connections: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._delay_secs = 0.0

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{HOST}:{self.port}"

    @asynccontextmanager
    async def cut(self) -> AsyncIterator[None]:
        """Break all connections, and accept none that lasts until the end of the block."""
        self._is_cut = True
        await self._break_connections()
        try:
            yield
        finally:
            self._is_cut = False

    @asynccontextmanager
    async def silent(self) -> AsyncIterator[None]:
        """Forward nothing until the end of the block, as a network that loses all packets."""
        self._flowing.clear()
        try:
            yield
        finally:
            self._flowing.set()

    @contextmanager
    def slow(self, delay_secs: float) -> Iterator[None]:
        """Forward each piece of up to 16 KiB after a delay, until the end of the block."""
        self._delay_secs = delay_secs
        try:
            yield
        finally:
            self._delay_secs = 0.0

    async def _break_connections(self) -> None:
        connections = list(self._connections)
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Accept connections until the end of the block."""
        server = await asyncio.start_server(self._serve, HOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            await self._break_connections()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            if not self._is_cut:
                await self._flowing.wait()
                await self._forward(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # the target refused, or this proxy was cut
        finally:
            self._connections.discard(task)
            writer.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_target, to_target = await asyncio.open_connection(HOST, self._target_port)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._copy(reader, to_target))
                group.create_task(self._copy(from_target, writer))
        except* OSError:
            pass  # one side has closed
        finally:
            to_target.transport.abort()

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(_PIECE_BYTES):
            await self._flowing.wait()
            if self._delay_secs:
                await asyncio.sleep(self._delay_secs)
            target.write(data)
            with suppress(ConnectionError):
                await target.drain()
        raise ConnectionError("the source has closed")


@asynccontextmanager
async def cuttable_proxy(target_port: int) -> AsyncIterator[CuttableProxy]:
    """A proxy that forwards to a port on loopback."""
    proxy = CuttableProxy(target_port)
    async with proxy.listening():
        yield proxy
