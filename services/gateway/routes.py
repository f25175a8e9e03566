"""Every path of the public door."""

from aiohttp import web

from services.gateway.door import Door
from shared.health import Readiness, health_routes
from shared.problems import problems


def make_site(door: Door, readiness: Readiness) -> web.Application:
    """The public application."""
    site = web.Application(middlewares=[problems], client_max_size=64 * 1024)
    site.add_routes([web.get("/ws", door.stream), *health_routes(readiness)])
    site.on_shutdown.append(door.close)
    return site
