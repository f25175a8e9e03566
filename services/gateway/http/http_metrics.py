"""Middleware that counts and times HTTP requests, and adds the rate-limit headers."""

import asyncio
from typing import Final

from aiohttp import web

from services.gateway import metrics
from services.gateway.http.access import REMAINING_QUOTA
from shared.web.problems import Handler

STREAM_PATH: Final = "/ws"
_OTHER: Final = "other"


@web.middleware
async def http_metrics(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The outermost middleware: errors have become responses when they pass it."""
    started = asyncio.get_running_loop().time()
    status = "cancelled"
    try:
        response = await handler(request)
        status = str(response.status)
    finally:
        route = route_of(request)
        metrics.HTTP_REQUESTS.labels(route, status).inc()
        if route != STREAM_PATH:  # a stream lasts for hours
            duration_secs = asyncio.get_running_loop().time() - started
            metrics.HTTP_REQUEST_SECONDS.labels(route).observe(duration_secs)
    quota = request.get(REMAINING_QUOTA)
    if quota is not None and not response.prepared:
        response.headers.update(quota.headers())
    return response


def route_of(request: web.Request) -> str:
    """The route's pattern, never the path itself: the values of a label must be bounded."""
    resource = request.match_info.route.resource
    return _OTHER if resource is None else resource.canonical
