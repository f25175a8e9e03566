"""TCP proxies on loopback that parse the messages they forward, and can hold one of them."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

from bson import decode

from embedded.ports import HOST
from tests.support.patience import PATIENCE_SECS

_HEADER_BYTES: Final = 16
_OP_MSG: Final = 2013
_BODY_AT: Final = _HEADER_BYTES + 5
_WITH_PAYLOAD: Final = re.compile(rb"H?PUB ")
REPLY: Final = "reply to "


class HeldMessage:
    """A message that waits in the proxy; it is lost if its sender dies meanwhile."""

    def __init__(self, name: str, containing: bytes, count: int) -> None:
        self._name = name
        self._containing = containing
        self._left = count
        self._data = b""
        self._arrived = asyncio.Event()
        self._released = asyncio.Event()

    def matches(self, name: str, data: bytes) -> bool:
        """Whether this message is the one to hold; counts those that look like it."""
        if name.startswith(self._name) and self._containing in data:
            self._left -= 1
        return self._left == 0

    async def arrived(self) -> None:
        """Wait until the proxy holds the message."""
        async with asyncio.timeout(PATIENCE_SECS):
            await self._arrived.wait()

    def release(self) -> None:
        """Let the proxy forward it."""
        self._released.set()

    def body(self) -> dict[str, Any]:
        """The document in a message from or to mongod."""
        return _body(self._data)

    async def hold(self, data: bytes) -> None:
        """Called by the proxy: returns once the message is released."""
        self._data = data
        self._arrived.set()
        await self._released.wait()


class MessageProxy:
    """Names each message: ``update checkpoints``, ``commitTransaction``,
    ``reply to commitTransaction``, ``PUB md.bar.5m.NSE_EQ.X``.
    """

    def __init__(self) -> None:
        self.port = 0
        self._to_hold: HeldMessage | None = None

    def hold(self, name: str, *, containing: bytes = b"", count: int = 1) -> HeldMessage:
        """Hold the `count`-th message from now on whose name begins with `name` and whose data
        contains these bytes. A later call replaces this one.
        """
        self._to_hold = HeldMessage(name, containing, count)
        return self._to_hold

    async def passing(self, name: str, data: bytes) -> None:
        """Called before a message is forwarded."""
        if self._to_hold is not None and self._to_hold.matches(name, data):
            held, self._to_hold = self._to_hold, None
            await held.hold(data)


Copy = Callable[
    [MessageProxy, asyncio.StreamReader, asyncio.StreamWriter, dict[int, str]],
    Coroutine[Any, Any, None],
]


@asynccontextmanager
async def mongo_proxy(port: int) -> AsyncIterator[MessageProxy]:
    """A proxy in front of a mongod. Connect with ``directConnection=true``, or the driver
    connects to mongod itself.
    """
    async with _proxy(port, _copy_commands, _copy_replies) as proxy:
        yield proxy


@asynccontextmanager
async def nats_proxy(port: int) -> AsyncIterator[MessageProxy]:
    """A proxy in front of a nats-server that names the messages of the client."""
    async with _proxy(port, _copy_client_lines, _copy_bytes) as proxy:
        yield proxy


@asynccontextmanager
async def _proxy(port: int, to_server: Copy, to_client: Copy) -> AsyncIterator[MessageProxy]:
    proxy = MessageProxy()
    connections: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            server_reader, server_writer = await asyncio.open_connection(HOST, port)
            names: dict[int, str] = {}
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(to_server(proxy, reader, server_writer, names))
                    group.create_task(to_client(proxy, server_reader, writer, names))
            finally:
                server_writer.transport.abort()
        except* (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # one side has closed, or the test is over
        finally:
            connections.discard(task)
            writer.transport.abort()

    server = await asyncio.start_server(serve, HOST, 0, limit=1 << 20)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


async def _copy_commands(
    proxy: MessageProxy,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    names: dict[int, str],
) -> None:
    while True:
        data = await _mongo_message(reader)
        if int.from_bytes(data[12:16], "little") == _OP_MSG:
            name = _command_name(data)
            names[int.from_bytes(data[4:8], "little")] = name
            await proxy.passing(name, data)
        writer.write(data)
        await writer.drain()


async def _copy_replies(
    proxy: MessageProxy,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    names: dict[int, str],
) -> None:
    while True:
        data = await _mongo_message(reader)
        name = names.pop(int.from_bytes(data[8:12], "little"), "")
        await proxy.passing(REPLY + name, data)
        writer.write(data)
        await writer.drain()


async def _mongo_message(reader: asyncio.StreamReader) -> bytes:
    header = await reader.readexactly(_HEADER_BYTES)
    length = int.from_bytes(header[:4], "little")
    return header + await reader.readexactly(length - _HEADER_BYTES)


def _command_name(data: bytes) -> str:
    """The command, and its collection if it has one."""
    command, value = next(iter(_body(data).items()))
    return f"{command} {value}" if isinstance(value, str) else command


def _body(data: bytes) -> dict[str, Any]:
    length = int.from_bytes(data[_BODY_AT : _BODY_AT + 4], "little")
    return decode(data[_BODY_AT : _BODY_AT + length])


async def _copy_client_lines(
    proxy: MessageProxy,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    _: dict[int, str],
) -> None:
    while line := await reader.readline():
        data = line
        if _WITH_PAYLOAD.match(line):
            data += await reader.readexactly(int(line.split()[-1]) + 2)
        await proxy.passing(line.decode().strip(), data)
        writer.write(data)
        await writer.drain()
    raise ConnectionError("the client has closed")


async def _copy_bytes(
    _: MessageProxy,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    __: dict[int, str],
) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    raise ConnectionError("the server has closed")
