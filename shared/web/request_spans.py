"""The spans of HTTP requests: a middleware, and the headers in and out.

`traceresponse` names the trace in every answer, so that a user can quote it in a report. It has the
form of `traceparent`.
"""

import logging
from collections.abc import Collection
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from shared.runtime.logs import get_logger
from shared.runtime.trace_context import TRACEPARENT, TRACESTATE, read_context
from shared.runtime.tracing import Kind, Span, sampled_here
from shared.web.problems import Handler

log = get_logger(__name__)
_level: Final = logging.getLogger(__name__)
"""Asked first: a line that is dropped later costs more than all of a span."""

TRACE_RESPONSE: Final = "traceresponse"

_OTHER_ROUTE: Final = "other"
_OTHER_METHOD: Final = "_OTHER"
_PROBES: Final = frozenset({"/healthz", "/readyz"})
_RESPONSE: Final = web.RequestKey("traceresponse", str)
_FIRST_FAULT_STATUS: Final = 500


def add_request_spans(
    application: web.Application, *, is_public: bool, lasting: Collection[str] = ()
) -> None:
    """Give every request of `application` but health checks a span, before all middlewares.

    A public application takes the trace of a client, but not its decision on sampling. The spans
    of the routes `lasting` are not exported: they end after hours.
    """
    application.middlewares.insert(0, _middleware(is_public, frozenset(lasting)))
    application.on_response_prepare.append(_add_response_header)


def _middleware(is_public: bool, lasting: frozenset[str]) -> Middleware:
    @web.middleware
    async def with_span(request: web.Request, handler: Handler) -> web.StreamResponse:
        route = _route_of(request)
        if route in _PROBES:
            return await handler(request)
        parent = read_context(
            request.headers.getall(TRACEPARENT, ()), request.headers.getall(TRACESTATE, ())
        )
        if parent is not None and is_public:
            parent = sampled_here(parent)
        method = request.method if request.method in hdrs.METH_ALL else _OTHER_METHOD
        name = f"{method} {route}"
        with Span(name, Kind.SERVER, parent=parent, is_recorded=route not in lasting) as span:
            span.set("http.request.method", method)
            span.set("http.route", route)
            request[_RESPONSE] = span.context.traceparent()
            response = await handler(request)
            span.set("http.response.status_code", response.status)
            if response.status >= _FIRST_FAULT_STATUS:
                span.fail(str(response.status))
            if _level.isEnabledFor(logging.DEBUG):
                log.debug("request answered", method=method, route=route, status=response.status)
            return response

    return with_span


async def _add_response_header(request: web.Request, response: web.StreamResponse) -> None:
    if _RESPONSE in request:
        response.headers[TRACE_RESPONSE] = request[_RESPONSE]
        del request[_RESPONSE]  # a stream keeps its request for hours


def _route_of(request: web.Request) -> str:
    """The pattern of the path; the path itself can hold anything."""
    resource = request.match_info.route.resource
    return _OTHER_ROUTE if resource is None else resource.canonical
