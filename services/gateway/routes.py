"""The routes of the gateway's public HTTP server."""

from aiohttp import web

from services.gateway.http.auth_proxy import MAX_BODY_BYTES, AuthProxy
from services.gateway.http.http_metrics import STREAM_PATH, http_metrics
from services.gateway.http.static_files import StaticFiles
from services.gateway.rest.routes import RestRoutes
from services.gateway.stream.endpoint import StreamEndpoint
from shared.runtime.health import Readiness, health_routes
from shared.web.problems import problems


def make_application(
    stream: StreamEndpoint,
    rest: RestRoutes,
    auth: AuthProxy,
    files: StaticFiles,
    readiness: Readiness,
) -> web.Application:
    """The public application."""
    application = web.Application(
        middlewares=[http_metrics, problems], client_max_size=MAX_BODY_BYTES
    )
    application.add_routes(
        [
            web.get(STREAM_PATH, stream.stream),
            *rest.routes(),
            web.route("*", "/auth/{path:.+}", auth.forward),
            web.get("/.well-known/jwks.json", auth.forward),
            *health_routes(readiness),
            *files.routes(),
        ]
    )
    return application
