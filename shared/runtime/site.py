"""Serves an aiohttp application with a bound on idle connections.

A connection costs a file descriptor and some memory, and opening one needs no token. A connection
that sends no request, or sends a request's headers too slowly, is closed after a timeout. When
there are too many such connections, the oldest are closed earlier.
"""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from prometheus_client import Counter

from shared.errors import ConfigError
from shared.runtime.departure import Departure
from shared.runtime.file_limit import max_connections
from shared.runtime.http_errors import ProblemRunner, remove_server_header
from shared.runtime.tasks import stop

# Longer than the keep-alive of common proxies, so that the proxy closes first: otherwise it can
# send a request on a connection that is being closed.
IDLE_SECS: Final = 75.0
MAX_IDLE_CONNECTIONS: Final = 1_000
MAX_UNSENT_BYTES: Final = 64 << 20
"""The most bytes that clients may leave unread, over all connections."""
_SWEEP_SECS: Final = 1.0

DROPPED_CONNECTIONS: Final = Counter(
    "tradedad_http_dropped_connections_total",
    "Connections closed because the limit on open files leaves no room for more, or because"
    " clients do not read their answers.",
)


@asynccontextmanager
async def serve(
    app: web.Application,
    host: str,
    port: int,
    *,
    shutdown_secs: float = 5.0,
    max_line_bytes: int = 8_190,
    idle_secs: float = IDLE_SECS,
    max_idle: int = MAX_IDLE_CONNECTIONS,
    most: int | None = None,
    departure: Departure | None = None,
    settings: tuple[str, str] = ("host", "port"),
) -> AsyncIterator[int]:
    """Run an aiohttp application on `host`:`port`; yields the bound port.

    A request whose first line is longer than `max_line_bytes`, or with a header of more than
    8,190 bytes, gets status 431. Bodies are not decompressed: handlers read them as they were sent,
    so a small body stays small. A connection
    without a complete request for `idle_secs` is closed. If more than `max_idle` connections are
    idle, the oldest are closed within two seconds. There are never more than `most` connections, by
    default what the limit on open files allows: for a further one, the oldest idle one is closed.
    The answer to a request has `WRITE_SECS` to be read, and if clients leave more than
    `MAX_UNSENT_BYTES` unread, the oldest of their connections are closed.

    `departure` is announced at the end of the block, unless the caller has done so before; requests
    are answered until its grace period is over. Those in progress then have `shutdown_secs`.

    `settings` are the names of the settings of `host` and `port`. Raises ConfigError, which names
    them, if this process cannot listen there.
    """
    active: set[web.RequestHandler] = set()
    departure = departure or Departure()
    app.middlewares.insert(0, _tracking(active, departure))
    app.on_response_prepare.append(remove_server_header)
    runner = ProblemRunner(
        app,
        access_log=None,
        shutdown_timeout=shutdown_secs,
        max_line_size=max_line_bytes,
        keepalive_timeout=idle_secs,
        auto_decompress=False,
    )
    await runner.setup()
    most = most or max_connections()
    if runner.server is not None:
        _bound_connections(runner.server, active, most)
    sweeper = asyncio.create_task(_close_idle(runner, active, max_idle), name="idle-connections")
    try:
        # All connections that wait in the backlog are accepted at once, before any is counted.
        site = web.TCPSite(runner, host, port, backlog=min(1_024, most))
        try:
            await site.start()
        except OSError as error:
            raise ConfigError([listen_problem(error, host, port, settings)]) from None
        try:
            yield runner.addresses[0][1]
        finally:
            await departure.announce()
    finally:
        await stop([sweeper])
        await runner.cleanup()


def _bound_connections(server: web.Server, active: set[web.RequestHandler], most: int) -> None:
    """Close the oldest idle connection whenever there are more than `most`.

    Without a bound, idle connections would use up the descriptors that health probes and the
    connections to other services need.
    """
    accept = server.connection_made

    def connection_made(connection: web.RequestHandler, transport: asyncio.Transport) -> None:
        accept(connection, transport)
        if len(server.connections) <= most:
            return
        # One that is closing has no transport any more.
        held = [other for other in server.connections if other.transport is not None]
        idle = _oldest_idle((other for other in held if other is not connection), active)
        idle.append(connection)
        for oldest in idle[: max(0, len(held) - most)]:
            DROPPED_CONNECTIONS.inc()
            _close(oldest)

    server.connection_made = connection_made  # type: ignore[method-assign, assignment]


def listen_problem(error: OSError, host: str, port: int, settings: tuple[str, str]) -> str:
    """One line for a failure to listen: the setting that is wrong, its value and the cause."""
    host_setting, port_setting = settings
    if isinstance(error, socket.gaierror):
        return f"{host_setting}: {host}: the name cannot be resolved ({error.strerror})"
    match error.errno:
        case errno.EADDRINUSE:
            return f"{port_setting}: port {port} on {host} is in use; set another port"
        case errno.EACCES | errno.EPERM:
            return (
                f"{port_setting}: permission denied for port {port} on {host}; a port below 1024 "
                "needs root or CAP_NET_BIND_SERVICE"
            )
        case errno.EADDRNOTAVAIL | errno.EAFNOSUPPORT:
            return f"{host_setting}: {host} is not an address of this machine"
        case _:
            return f"{host_setting}: cannot listen on {host} port {port}: {error.strerror or error}"


def _tracking(active: set[web.RequestHandler], departure: Departure) -> Middleware:
    """A middleware that keeps in `active` the connections with a request in progress, and that
    ends connections with their next answer once `departure` is announced.
    """

    @web.middleware
    async def track(request: web.Request, handler: Handler) -> web.StreamResponse:
        connection = request.protocol
        active.add(connection)
        try:
            response = await handler(request)
        finally:
            active.discard(connection)
        if departure.is_announced and not response.prepared:
            response.force_close()
        return response

    return track


async def _close_idle(
    runner: web.AppRunner, active: set[web.RequestHandler], max_idle: int
) -> None:
    while True:
        await asyncio.sleep(_SWEEP_SECS)
        connections = runner.server.connections if runner.server is not None else []
        idle = _oldest_idle(connections, active)
        for connection in idle[: max(0, len(idle) - max_idle)]:
            _close(connection)
        excess_bytes = sum(map(_unsent_bytes, idle)) - MAX_UNSENT_BYTES
        for connection in idle:
            if excess_bytes <= 0:
                break
            if unsent_bytes := _unsent_bytes(connection):
                excess_bytes -= unsent_bytes
                DROPPED_CONNECTIONS.inc()
                _close(connection)


def _oldest_idle(
    connections: Iterable[web.RequestHandler], active: set[web.RequestHandler]
) -> list[web.RequestHandler]:
    """Connections without a request in progress, in the order in which they are to be closed.

    Those whose answer is being read come last.
    """
    idle = [connection for connection in connections if connection not in active]
    return sorted(idle, key=lambda connection: _unsent_bytes(connection) > 0)


def _unsent_bytes(connection: web.RequestHandler) -> int:
    """Of an answer that its client does not read."""
    transport = connection.transport
    return 0 if transport is None else transport.get_write_buffer_size()


def _close(connection: web.RequestHandler) -> None:
    """Close a connection without a request in progress, whether or not its client reads."""
    transport = connection.transport
    has_unsent = _unsent_bytes(connection) > 0
    connection.force_close()
    if transport is not None and has_unsent:
        transport.abort()  # to close it would wait for the client
