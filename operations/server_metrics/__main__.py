"""Serves the figures of servers: ``python -m operations.server_metrics``, with ``--help``.

A process of its own, which has all addresses and reads all servers every few seconds. It is always
ready: that a server is away is what it is there to say.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from pymongo.errors import PyMongoError

from operations.server_metrics import certificates, mongo_members, nats_servers
from operations.server_metrics.certificates import Certificates, Source
from operations.server_metrics.figures import Figures, Publication
from operations.server_metrics.mongo_members import MongoMembers
from operations.server_metrics.nats_servers import NatsServers
from shared.errors import ConfigError
from shared.runtime import exit_codes, logs
from shared.runtime.build_info import report_version
from shared.runtime.health import Readiness, health_routes
from shared.runtime.loop_lag import LoopLag
from shared.runtime.settings import LogSettings, load
from shared.runtime.site import serve
from shared.runtime.tasks import run_together, stop

NAME: Final = "server-metrics"
DEFAULT_PORT: Final = 7481
_MAX_CONNECTIONS: Final = 32
_MIN_INTERVAL_SECS: Final = 0.1
_MAX_INTERVAL_SECS: Final = 3_600
_RARELY: Final = 20
"""Certificates are read once while servers are read this often."""


async def _repeat(
    read: Callable[[], Awaitable[Figures]], gauges: Iterable[Gauge], interval_secs: float
) -> None:
    publication = Publication(gauges)
    while True:
        publication.publish(await read())
        await asyncio.sleep(interval_secs)


async def _metrics(_: web.Request) -> web.Response:
    body = await asyncio.to_thread(generate_latest)
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})


async def run(arguments: argparse.Namespace) -> None:
    """Serve until cancelled. Raises ConfigError."""
    app = web.Application()
    app.add_routes([*health_routes(Readiness(NAME)), web.get("/metrics", _metrics)])
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(
            serve(app, arguments.host, arguments.port, most=_MAX_CONNECTIONS,
                  settings=("--host", "--port"))
        )  # fmt: skip
        http = await stack.enter_async_context(aiohttp.ClientSession())
        secs: float = arguments.interval_secs
        readings: list[tuple[Callable[[], Awaitable[Figures]], Iterable[Gauge], float]] = [
            (NatsServers(arguments.nats, http).read, nats_servers.GAUGES, secs),
            (Certificates(arguments.certificate).read, certificates.GAUGES, _RARELY * secs),
        ]
        if arguments.mongo_url_file is not None:
            members = _members(arguments.mongo_url_file)
            stack.push_async_callback(members.close)
            readings.append((members.read, mongo_members.GAUGES, secs))
        works = {
            f"reading-{number}": _repeat(read, gauges, interval_secs)
            for number, (read, gauges, interval_secs) in enumerate(readings)
        }
        await run_together({"loop-lag": LoopLag().run(), **works})


def _members(path: Path) -> MongoMembers:
    try:
        return MongoMembers(path.read_text().strip())
    except OSError as error:
        raise ConfigError([f"--mongo-url-file: {path}: {error.strerror}"]) from None
    except (PyMongoError, ValueError):
        # The error may have the password.
        raise ConfigError([f"--mongo-url-file: {path} has no connection URL of MongoDB"]) from None


async def _until_signal(arguments: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    service = asyncio.create_task(run(arguments), name=NAME)
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    waiting = asyncio.create_task(stopped.wait(), name="signal")
    try:
        await asyncio.wait([service, waiting], return_when=asyncio.FIRST_COMPLETED)
        if service.done():
            await service
    finally:
        await stop([service, waiting])


def _source(text: str) -> Source:
    try:
        return certificates.source(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _interval(text: str) -> float:
    try:
        secs = float(text)
    except ValueError:
        secs = 0.0
    if not _MIN_INTERVAL_SECS <= secs <= _MAX_INTERVAL_SECS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not from {_MIN_INTERVAL_SECS} to {_MAX_INTERVAL_SECS}"
        )
    return secs


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m operations.server_metrics", description=__doc__
    )
    add = parser.add_argument
    add(
        "--nats", action="append", default=[], metavar="URL", help="a nats-server's monitoring port"
    )
    add("--mongo-url-file", type=Path, help="file with the connection URL of MongoDB")
    add("--certificate", type=_source, action="append", default=[], metavar="SOURCE",
        help=certificates.FORM)  # fmt: skip
    add("--host", default="127.0.0.1", help="address to listen on; default: 127.0.0.1")
    add("--port", type=int, default=DEFAULT_PORT, help=f"default: {DEFAULT_PORT}")
    add("--interval-secs", type=_interval, default=15.0, help="between two readings; default: 15")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal; returns the exit code."""
    parser = _parser()
    parsed = parser.parse_args(arguments)
    if not (parsed.nats or parsed.certificate or parsed.mongo_url_file):
        parser.error("nothing to read: give --nats, --mongo-url-file or --certificate")
    try:
        logs.configure(load(LogSettings), NAME)
        report_version()
        asyncio.run(_until_signal(parsed))
    except ConfigError as error:
        print("\n".join(error.problems), file=sys.stderr)
        return exit_codes.CONFIG
    return exit_codes.OK


if __name__ == "__main__":
    sys.exit(main())
