"""Counts and times every HTTP request, and tells clients where they stand."""

import asyncio
from typing import Final

from aiohttp import web

from services.gateway import metrics
from services.gateway.http.access import ALLOWANCE
from shared.web.problems import Handler

STREAM_PATH: Final = "/ws"
_OTHER: Final = "other"


@web.middleware
async def observed(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The outermost: it sees errors as the answers that they have become."""
    started = asyncio.get_running_loop().time()
    status = "cancelled"
    try:
        response = await handler(request)
        status = str(response.status)
    finally:
        route = route_of(request)
        metrics.HTTP_REQUESTS.labels(route, status).inc()
        if route != STREAM_PATH:  # that one lasts
            took_secs = asyncio.get_running_loop().time() - started
            metrics.HTTP_SECONDS.labels(route).observe(took_secs)
    allowance = request.get(ALLOWANCE)
    if allowance is not None and not response.prepared:
        response.headers.update(allowance.headers())
    return response


def route_of(request: web.Request) -> str:
    """One of the few routes there are: a path of a client's making is no label."""
    resource = request.match_info.route.resource
    return _OTHER if resource is None else resource.canonical
