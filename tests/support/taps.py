"""TCP proxies on loopback that know the messages they carry, and hold a chosen one."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

from bson import decode

from embedded.ports import HOST

_HEADER_BYTES: Final = 16
_OP_MSG: Final = 2013
_BODY_AT: Final = _HEADER_BYTES + 5
_WITH_PAYLOAD: Final = re.compile(rb"H?PUB ")
ANSWER: Final = "answer to "


class Held:
    """A message that waits in the proxy; dropped if its sender dies meanwhile."""

    def __init__(self, name: str, holding: bytes, count: int) -> None:
        self._name = name
        self._holding = holding
        self._left = count
        self._data = b""
        self._reached = asyncio.Event()
        self._released = asyncio.Event()

    def is_it(self, name: str, data: bytes) -> bool:
        """Whether this is the message that was meant."""
        if name.startswith(self._name) and self._holding in data:
            self._left -= 1
        return self._left == 0

    async def reached(self, *, timeout_secs: float = 30.0) -> None:
        """Wait until the message is there."""
        async with asyncio.timeout(timeout_secs):
            await self._reached.wait()

    def release(self) -> None:
        """Let it go on."""
        self._released.set()

    def body(self) -> dict[str, Any]:
        """What a message from or to mongod says."""
        return _body(self._data)

    async def hold(self, data: bytes) -> None:
        """For the proxy."""
        self._data = data
        self._reached.set()
        await self._released.wait()


class Tap:
    """What goes by has a name: ``update checkpoints``, ``commitTransaction``,
    ``answer to commitTransaction``, ``PUB md.bar.5m.NSE_EQ.X``.
    """

    def __init__(self) -> None:
        self.port = 0
        self._wanted: Held | None = None

    def hold(self, name: str, *, holding: bytes = b"", count: int = 1) -> Held:
        """Hold the next message whose name begins so, and that holds these bytes; of several
        such the `count`-th. Only the last one asked for is held."""
        self._wanted = Held(name, holding, count)
        return self._wanted

    async def passing(self, name: str, data: bytes) -> None:
        """A message is about to be forwarded."""
        if self._wanted is not None and self._wanted.is_it(name, data):
            held, self._wanted = self._wanted, None
            await held.hold(data)


Copy = Callable[
    [Tap, asyncio.StreamReader, asyncio.StreamWriter, dict[int, str]], Coroutine[Any, Any, None]
]


@asynccontextmanager
async def mongo_tap(port: int) -> AsyncIterator[Tap]:
    """Before a mongod; connect with ``directConnection=true``, or the driver goes around it."""
    async with _tap(port, _commands, _answers) as tap:
        yield tap


@asynccontextmanager
async def nats_tap(port: int) -> AsyncIterator[Tap]:
    """Before a nats-server; what the client sends has names."""
    async with _tap(port, _client_lines, _as_it_is) as tap:
        yield tap


@asynccontextmanager
async def _tap(port: int, there: Copy, back: Copy) -> AsyncIterator[Tap]:
    tap = Tap()
    links: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        links.add(task)
        try:
            from_server, to_server = await asyncio.open_connection(HOST, port)
            asked: dict[int, str] = {}
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(there(tap, reader, to_server, asked))
                    group.create_task(back(tap, from_server, writer, asked))
            finally:
                to_server.transport.abort()
        except* (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # either side is gone, or the test is over
        finally:
            links.discard(task)
            writer.transport.abort()

    server = await asyncio.start_server(serve, HOST, 0, limit=1 << 20)
    tap.port = server.sockets[0].getsockname()[1]
    try:
        yield tap
    finally:
        server.close()
        for task in list(links):
            task.cancel()
        await asyncio.gather(*links, return_exceptions=True)


async def _commands(
    tap: Tap, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: dict[int, str]
) -> None:
    while True:
        data = await _mongo_message(reader)
        if int.from_bytes(data[12:16], "little") == _OP_MSG:
            name = _command_name(data)
            asked[int.from_bytes(data[4:8], "little")] = name
            await tap.passing(name, data)
        writer.write(data)
        await writer.drain()


async def _answers(
    tap: Tap, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: dict[int, str]
) -> None:
    while True:
        data = await _mongo_message(reader)
        name = asked.pop(int.from_bytes(data[8:12], "little"), "")
        await tap.passing(ANSWER + name, data)
        writer.write(data)
        await writer.drain()


async def _mongo_message(reader: asyncio.StreamReader) -> bytes:
    header = await reader.readexactly(_HEADER_BYTES)
    length = int.from_bytes(header[:4], "little")
    return header + await reader.readexactly(length - _HEADER_BYTES)


def _command_name(data: bytes) -> str:
    """The command and, if it has one, its collection."""
    command, value = next(iter(_body(data).items()))
    return f"{command} {value}" if isinstance(value, str) else command


def _body(data: bytes) -> dict[str, Any]:
    length = int.from_bytes(data[_BODY_AT : _BODY_AT + 4], "little")
    return decode(data[_BODY_AT : _BODY_AT + length])


async def _client_lines(
    tap: Tap, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: dict[int, str]
) -> None:
    while line := await reader.readline():
        data = line
        if _WITH_PAYLOAD.match(line):
            data += await reader.readexactly(int(line.split()[-1]) + 2)
        await tap.passing(line.decode().strip(), data)
        writer.write(data)
        await writer.drain()
    raise ConnectionError("closed")


async def _as_it_is(
    _: Tap, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, __: dict[int, str]
) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    raise ConnectionError("closed")
