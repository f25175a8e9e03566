"""The routes of the gateway's public HTTP server."""

from aiohttp import web

from services.gateway.http.auth_proxy import MAX_BODY_BYTES, AuthProxy
from services.gateway.http.http_metrics import STREAM_PATH, http_metrics
from services.gateway.http.page_reports import PageReports
from services.gateway.http.static_files import StaticFiles
from services.gateway.rest.routes import RestRoutes
from services.gateway.stream.endpoint import StreamEndpoint
from shared.runtime.health import Readiness, health_routes
from shared.web.problems import problems
from shared.web.request_spans import add_request_spans


def make_application(
    stream: StreamEndpoint,
    rest: RestRoutes,
    auth: AuthProxy,
    files: StaticFiles,
    reports: PageReports,
    readiness: Readiness,
) -> web.Application:
    """The public application."""
    application = web.Application(
        middlewares=[http_metrics, problems], client_max_size=MAX_BODY_BYTES
    )
    add_request_spans(application, is_public=True, lasting=[STREAM_PATH])
    application.add_routes(
        [
            web.get(STREAM_PATH, stream.stream),
            *rest.routes(),
            web.route("*", "/auth/{path:.+}", auth.forward),
            web.get("/.well-known/jwks.json", auth.forward),
            web.route("*", "/v1/watchlists", auth.forward_of_user),
            web.route("*", "/v1/watchlists/{list_id}", auth.forward_of_user),
            *health_routes(readiness),
            *files.routes(),
            *reports.routes(),
        ]
    )
    return application
