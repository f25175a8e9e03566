"""Builds the web application of auth from the routes of its handlers."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from aiohttp import web

from services.auth import metrics
from services.auth.http import operations
from shared.runtime.health import Readiness, health_routes
from shared.web.openapi import Operation
from shared.web.problems import problems
from shared.web.request_spans import add_request_spans

MAX_BODY_BYTES: Final = 16 * 1024

Handler = Callable[[web.Request], Awaitable[web.Response]]
Route = tuple[Operation, Handler]


def application(routes: Iterable[Route], readiness: Readiness) -> web.Application:
    """Return the application: `routes`, the OpenAPI document and the health checks.

    Errors are answered as problem documents (RFC 9457); a body of more than 16 KiB is refused.
    """
    app = web.Application(middlewares=[problems], client_max_size=MAX_BODY_BYTES)
    add_request_spans(app, is_public=False)
    for operation, handler in routes:
        app.router.add_route(operation.method, operation.path, _counted(operation, handler))
    app.router.add_get("/auth/openapi.json", _document_handler(operations.openapi()))
    app.add_routes(health_routes(readiness))
    return app


def _counted(operation: Operation, handler: Handler) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        with metrics.count_outcome(operation.name):
            return await handler(request)

    return handle


def _document_handler(document: str) -> Handler:
    async def openapi(_: web.Request) -> web.Response:
        return web.json_response(text=document)

    return openapi
