"""Every path of the public door."""

from aiohttp import web

from services.gateway.door import Door
from services.gateway.forward import MAX_BODY_BYTES, Forwarder
from services.gateway.observed import STREAM_PATH, observed
from services.gateway.pages import Pages
from services.gateway.rest.endpoints import Endpoints
from shared.health import Readiness, health_routes
from shared.problems import problems


def make_site(
    door: Door, endpoints: Endpoints, auth: Forwarder, pages: Pages, readiness: Readiness
) -> web.Application:
    """The public application."""
    site = web.Application(middlewares=[observed, problems], client_max_size=MAX_BODY_BYTES)
    site.add_routes(
        [
            web.get(STREAM_PATH, door.stream),
            *endpoints.routes(),
            web.route("*", "/auth/{path:.+}", auth.forward),
            web.get("/.well-known/jwks.json", auth.forward),
            *health_routes(readiness),
            *pages.routes(),
        ]
    )
    site.on_shutdown.append(door.close)
    return site
