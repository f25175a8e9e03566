"""What a process says of itself: /healthz, /readyz and /metrics on its operations port."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Gauge, generate_latest

from shared.runtime.logs import get_logger
from shared.runtime.site import serve

log = get_logger(__name__)

READY = Gauge(
    "tradedad_dependency_up", "1 while the dependency answers, 0 while it does not", ["dependency"]
)


class Readiness:
    """Which of the things this process needs are there.

    Liveness is only that the event loop turns; a missing dependency makes a process
    unready, never dead, so that an outage elsewhere restarts nothing here.
    """

    def __init__(self, service: str) -> None:
        self.service = service
        self._missing: dict[str, str] = {}

    def down(self, dependency: str, why: str) -> None:
        """`dependency` is needed and does not answer; logged when that is news."""
        READY.labels(dependency).set(0)
        if dependency not in self._missing:
            log.warning("not ready", dependency=dependency, why=why)
        self._missing[dependency] = why

    def up(self, dependency: str) -> None:
        """`dependency` answers."""
        READY.labels(dependency).set(1)
        if self._missing.pop(dependency, None) is not None:
            log.info(
                "ready again" if not self._missing else "one less to wait for",
                dependency=dependency,
            )

    @property
    def missing(self) -> dict[str, str]:
        """What is missing, and why, by dependency."""
        return dict(self._missing)

    def is_ready(self) -> bool:
        """True while nothing is missing."""
        return not self._missing


def health_routes(readiness: Readiness) -> list[web.RouteDef]:
    """/healthz and /readyz."""

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "service": readiness.service})

    async def readyz(_: web.Request) -> web.Response:
        body = {
            "ready": readiness.is_ready(),
            "service": readiness.service,
            "waiting_for": readiness.missing,
        }
        return web.json_response(body, status=200 if readiness.is_ready() else 503)

    return [web.get("/healthz", healthz), web.get("/readyz", readyz)]


async def _metrics(_: web.Request) -> web.Response:
    body = await asyncio.to_thread(generate_latest, REGISTRY)
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})


@asynccontextmanager
async def ops_site(readiness: Readiness, host: str, port: int) -> AsyncIterator[int]:
    """Serve the three from now on; yields the port, which differs from `port` if that is 0."""
    app = web.Application()
    app.add_routes([*health_routes(readiness), web.get("/metrics", _metrics)])
    async with serve(app, host, port) as bound:
        log.info("operations port open", port=bound)
        yield bound
