"""Serves an aiohttp application, and bounds the connections on which nothing is asked.

A connection costs a file and some memory, and nobody has to show a token to open one. One that
asks for nothing, or takes its time with a request's headers, is closed after a while; when there
are too many of these, the longest-lived ones are closed sooner.
"""

import asyncio
import errno
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware

from shared.errors import ConfigError
from shared.runtime.logs import get_logger
from shared.runtime.tasks import stop

log = get_logger(__name__)

# More than proxies keep a connection for, lest they use it in the moment it is closed.
IDLE_SECS: Final = 75.0
MOST_IDLE: Final = 1_000
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
    most_idle: int = MOST_IDLE,
) -> AsyncIterator[int]:
    """Run an aiohttp application on `host`:`port`; yields the bound port.

    A request whose first line is longer than `max_line_bytes` is refused (400). A connection
    without a whole request for `idle_secs` is closed; of more than `most_idle` such ones, the
    oldest are closed within a second or two.

    Raises ConfigError if the port is taken.
    """
    logging.getLogger("aiohttp.server").addFilter(_is_not_malformed_http)
    asking: set[web.RequestHandler] = set()
    app.middlewares.insert(0, _noting(asking))
    runner = web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=shutdown_secs,
        max_line_size=max_line_bytes,
        keepalive_timeout=idle_secs,
    )
    await runner.setup()
    sweeper = asyncio.create_task(_sweep(runner, asking, most_idle), name="idle-connections")
    try:
        site = web.TCPSite(runner, host, port, backlog=1024)
        try:
            await site.start()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise ConfigError([f"port {port} on {host} is taken; free it or set another"]) from None
        yield runner.addresses[0][1]
    finally:
        await stop([sweeper])
        await runner.cleanup()


def _is_not_malformed_http(record: logging.LogRecord) -> bool:
    """False for aiohttp's records of malformed HTTP: they quote headers, access tokens included."""
    error = record.exc_info[1] if record.exc_info else None
    if not isinstance(error, HttpProcessingError):
        return True
    log.debug("not HTTP", error=type(error).__name__)
    return False


def _noting(asking: set[web.RequestHandler]) -> Middleware:
    """A middleware that keeps, in `asking`, the connections whose request is being answered."""

    @web.middleware
    async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
        connection = request.protocol
        asking.add(connection)
        try:
            return await handler(request)
        finally:
            asking.discard(connection)

    return note


async def _sweep(runner: web.AppRunner, asking: set[web.RequestHandler], most_idle: int) -> None:
    while True:
        await asyncio.sleep(_SWEEP_SECS)
        open_now = runner.server.connections if runner.server is not None else []
        if len(open_now) - len(asking) > most_idle:
            idle = [connection for connection in open_now if connection not in asking]
            for connection in idle[: len(idle) - most_idle]:
                connection.force_close()
