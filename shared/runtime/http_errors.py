"""Answers of the HTTP server itself: problem documents that quote nothing of the request.

aiohttp answers a malformed request, and an exception outside of the middlewares, in text/plain or
HTML, and quotes the header at fault, which may be one with a token. It also names its version and
Python's in the header `Server` of every response.
"""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from prometheus_client import Counter

from shared.errors import Code
from shared.runtime.logs import get_logger
from shared.runtime.problem_document import problem

log = get_logger(__name__)

MALFORMED_REQUESTS: Final = Counter(
    "tradedad_malformed_http_requests_total",
    "HTTP requests that the server could not parse, by the kind of error.",
    ["error"],
)
_CODES: Final = {
    HTTPStatus.UNAUTHORIZED: Code.UNAUTHENTICATED,
    HTTPStatus.FORBIDDEN: Code.FORBIDDEN,
    HTTPStatus.NOT_FOUND: Code.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED: Code.METHOD_NOT_ALLOWED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Code.TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: Code.UNSUPPORTED_ENCODING,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: Code.TOO_LARGE,
    HTTPStatus.SERVICE_UNAVAILABLE: Code.UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT: Code.TIMED_OUT,
}
WRITE_SECS: Final = 60.0
"""The longest time in which a client may read a response."""
_Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
_TOO_LONG: Final = "the request line or a header is longer than this server accepts"


class _Anonymous(web.Response):
    """A response without the header `Server`; the hook of the application is not called here."""

    async def _prepare_headers(self) -> None:
        await super()._prepare_headers()
        self.headers.popall(hdrs.SERVER, None)


async def remove_server_header(_: web.Request, response: web.StreamResponse) -> None:
    """A handler of `Application.on_response_prepare`."""
    response.headers.popall(hdrs.SERVER, None)


class ProblemRequestHandler(web.RequestHandler):
    """The protocol of one connection; every error has a problem document as its body."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  (it quotes the request)
    ) -> web.StreamResponse:
        """The answer to a malformed request, or to an exception outside of the middlewares."""
        if request.writer.output_size > 0:
            raise ConnectionError("a part of the response has been sent")
        response = _anonymous(_problem_of_error(status, exc))
        response.force_close()
        return response

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Write a response; an exception of aiohttp becomes a problem document.

        Raises ConnectionError if the client does not read it.
        """
        if isinstance(resp, web.HTTPException) and resp.status >= HTTPStatus.BAD_REQUEST:
            resp = _anonymous(problem_of_status(resp))
        try:
            async with asyncio.timeout(WRITE_SECS):
                return await super().finish_response(request, resp, start_time)
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionError("the client does not read the response") from None


class ProblemServer(web.Server):
    """A server whose connections answer errors as `ProblemRequestHandler` does."""

    def __call__(self) -> web.RequestHandler:
        return ProblemRequestHandler(self, loop=self._loop, **self._kwargs)


class ProblemRunner(web.AppRunner):
    """Runs an application on a `ProblemServer`."""

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        options: dict[str, Any] = made._kwargs  # noqa: SLF001  (aiohttp has no other way)
        return ProblemServer(
            _with_known_expectation(made.request_handler),
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
            **options,
        )


def _with_known_expectation(handler: _Handler) -> _Handler:
    """A handler that refuses an unknown `Expect` with 417.

    aiohttp does so as well, but with the header in the body, and fails if it cannot encode it.
    """

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get(hdrs.EXPECT, "").lower() not in ("", "100-continue"):
            raise web.HTTPExpectationFailed
        return await handler(request)

    return handle


def problem_of_status(error: web.HTTPException) -> web.Response:
    """The problem document for an exception that aiohttp raised, by its status."""
    status = HTTPStatus(error.status)
    is_fault = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    code = _CODES.get(status, Code.INTERNAL if is_fault else Code.BAD_MESSAGE)
    response = problem(code, status, status.phrase)
    if hdrs.ALLOW in error.headers:
        response.headers[hdrs.ALLOW] = error.headers[hdrs.ALLOW]
    return response


def _problem_of_error(status: int, error: BaseException | None) -> web.Response:
    if isinstance(error, HttpProcessingError):
        kind = type(error).__name__
        MALFORMED_REQUESTS.labels(kind).inc()
        log.debug("malformed HTTP request", error=kind)
        if isinstance(error, LineTooLong):
            too_large = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            return problem(Code.TOO_LARGE, too_large, _TOO_LONG)
        return problem(Code.BAD_MESSAGE, HTTPStatus.BAD_REQUEST, "not a valid HTTP request")
    if status == HTTPStatus.GATEWAY_TIMEOUT:
        return problem(Code.TIMED_OUT, status, "the request took too long")
    log.error("request failed", error=repr(error), exc_info=error)
    return problem(Code.INTERNAL, HTTPStatus.INTERNAL_SERVER_ERROR, "internal error; it was logged")


def _anonymous(response: web.Response) -> web.Response:
    return _Anonymous(status=response.status, body=response.body, headers=response.headers)
