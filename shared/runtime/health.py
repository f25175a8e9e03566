"""Serves /healthz, /readyz and /metrics on a process's operations port."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Gauge, generate_latest

from shared.runtime.logs import get_logger
from shared.runtime.site import serve

log = get_logger(__name__)

DEPENDENCY_UP: Final = Gauge(
    "tradedad_dependency_up",
    "1 while the dependency is available, 0 while it is not.",
    ["dependency"],
)

_MAX_LOGGED_REASONS: Final = 10
_MAX_CONNECTIONS: Final = 32
"""Connections to the operations port: less than `file_limit.RESERVED`."""


class Readiness:
    """Tracks which dependencies of this process are unavailable.

    A process is live while its event loop runs. An unavailable dependency makes the process
    unready, never dead, so that an outage elsewhere does not restart it.
    """

    def __init__(self, service: str) -> None:
        self.service = service
        self._missing: dict[str, str] = {}
        self._logged: dict[str, set[str]] = {}

    def down(self, dependency: str, reason: str) -> None:
        """Record that `dependency` is unavailable; logs each reason once per outage."""
        DEPENDENCY_UP.labels(dependency).set(0)
        logged = self._logged.setdefault(dependency, set())
        if reason not in logged and len(logged) < _MAX_LOGGED_REASONS:
            logged.add(reason)
            log.warning("not ready", dependency=dependency, reason=reason)
        self._missing[dependency] = reason

    def up(self, dependency: str) -> None:
        """Record that `dependency` is available; logs the end of an outage."""
        DEPENDENCY_UP.labels(dependency).set(1)
        self._logged.pop(dependency, None)
        if self._missing.pop(dependency, None) is not None:
            event = "dependency available" if self._missing else "ready"
            log.info(event, dependency=dependency)

    @property
    def missing(self) -> dict[str, str]:
        """The reason, by unavailable dependency; a copy."""
        return dict(self._missing)

    def is_ready(self) -> bool:
        """True while every dependency is available."""
        return not self._missing


def health_routes(readiness: Readiness) -> list[web.RouteDef]:
    """The routes /healthz and /readyz."""

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
    """Serve the three paths; yields the bound port (`port` 0 binds a free one)."""
    app = web.Application()
    app.add_routes([*health_routes(readiness), web.get("/metrics", _metrics)])
    settings = ("TRADEDAD_RUNTIME_OPS_HOST", f"TRADEDAD_{readiness.service.upper()}_OPS_PORT")
    async with serve(app, host, port, most=_MAX_CONNECTIONS, settings=settings) as bound:
        log.info("operations port open", port=bound)
        yield bound
