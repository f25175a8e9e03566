"""Serves an aiohttp application with a bound on idle connections.

A connection costs a file descriptor and some memory, and opening one needs no token. A connection
that sends no request, or sends a request's headers too slowly, is closed after a timeout. When
there are too many such connections, the oldest are closed earlier.
"""

import asyncio
import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from shared.errors import ConfigError
from shared.runtime.http_errors import ProblemRunner, remove_server_header
from shared.runtime.tasks import stop

# Longer than the keep-alive of common proxies, so that the proxy closes first: otherwise it can
# send a request on a connection that is being closed.
IDLE_SECS: Final = 75.0
MAX_IDLE_CONNECTIONS: Final = 1_000
_SWEEP_SECS: Final = 1.0


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
) -> AsyncIterator[int]:
    """Run an aiohttp application on `host`:`port`; yields the bound port.

    A request whose first line is longer than `max_line_bytes`, or with a header of more than
    8,190 bytes, gets status 431. Bodies are not decompressed: handlers read them as they were sent,
    so a small body stays small. A connection
    without a complete request for `idle_secs` is closed. If more than `max_idle` connections are
    idle, the oldest are closed within two seconds.

    Raises ConfigError if the port is in use.
    """
    active: set[web.RequestHandler] = set()
    app.middlewares.insert(0, _tracking(active))
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
    sweeper = asyncio.create_task(_close_idle(runner, active, max_idle), name="idle-connections")
    try:
        site = web.TCPSite(runner, host, port, backlog=1024)
        try:
            await site.start()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise ConfigError([f"port {port} on {host} is in use; set another port"]) from None
        yield runner.addresses[0][1]
    finally:
        await stop([sweeper])
        await runner.cleanup()


def _tracking(active: set[web.RequestHandler]) -> Middleware:
    """A middleware that keeps in `active` the connections with a request in progress."""

    @web.middleware
    async def track(request: web.Request, handler: Handler) -> web.StreamResponse:
        connection = request.protocol
        active.add(connection)
        try:
            return await handler(request)
        finally:
            active.discard(connection)

    return track


async def _close_idle(
    runner: web.AppRunner, active: set[web.RequestHandler], max_idle: int
) -> None:
    while True:
        await asyncio.sleep(_SWEEP_SECS)
        connections = runner.server.connections if runner.server is not None else []
        if len(connections) - len(active) > max_idle:
            idle = [connection for connection in connections if connection not in active]
            for connection in idle[: len(idle) - max_idle]:
                connection.force_close()
