"""Every path of the public door."""

from aiohttp import web

from services.gateway.http.auth_proxy import MAX_BODY_BYTES, AuthProxy
from services.gateway.http.http_metrics import STREAM_PATH, observed
from services.gateway.http.static_files import StaticFiles
from services.gateway.rest.endpoints import Endpoints
from services.gateway.stream.endpoint import StreamEndpoint
from shared.runtime.health import Readiness, health_routes
from shared.web.problems import problems


def make_site(
    door: StreamEndpoint,
    endpoints: Endpoints,
    auth: AuthProxy,
    pages: StaticFiles,
    readiness: Readiness,
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
