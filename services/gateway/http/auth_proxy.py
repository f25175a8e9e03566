"""Reverse proxy for the auth service: /auth and the key set."""

import asyncio
from collections.abc import Collection, Iterable
from typing import Final
from urllib.parse import unquote

import aiohttp
from aiohttp import hdrs, web
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from services.gateway.http.access import AccessControl
from shared.errors import BadMessage, NotFound, Overloaded, TimedOut, TooLarge, Unavailable
from shared.runtime.backoff import Backoff
from shared.runtime.logs import get_logger
from shared.runtime.trace_context import TRACEPARENT, TRACESTATE
from shared.runtime.tracing import Kind, Span
from shared.web.forwarded import ForwardedHeaders
from shared.web.problems import check_encoding
from shared.web.request_spans import TRACE_RESPONSE

log = get_logger(__name__)

MAX_BODY_BYTES: Final = 64 * 1024
_BODY_SECS: Final = 10.0
_CONNECT_SECS: Final = 2.0
CONNECT_ATTEMPTS: Final = 4
_CHUNK_BYTES: Final = 64 * 1024
MAX_RESPONSE_BYTES: Final = 2 << 20
# Headers of a connection, not of a message (RFC 9110, 7.6.1).
_HOP_BY_HOP: Final = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip
# Headers that a client must not set, and those that the new connection sets itself.
_NOT_FORWARDED: Final = frozenset(
    {
        "host", "content-length", "expect", "forwarded", "x-real-ip", TRACEPARENT, TRACESTATE,
    }
)  # fmt: skip
_FORWARDED_PREFIX: Final = "x-forwarded-"
_NOT_RETURNED: Final = frozenset({"date", "server", TRACE_RESPONSE})


class AuthProxy:
    """Forwards requests to the auth service.

    The body of a request is read before it counts as in flight and takes a connection to the
    service, and the response is written after that, so that a slow client keeps out no other. The
    service receives the client's address only, not those of proxies in between, so it needs to
    trust no proxy but the gateway.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        access: AccessControl,
        *,
        forwarded: ForwardedHeaders,
        max_concurrent: int,
        timeout_secs: float,
    ) -> None:
        self._http = http
        self._url = url
        self._access = access
        self._forwarded = forwarded
        self._max_concurrent = max_concurrent
        self._timeout = aiohttp.ClientTimeout(total=timeout_secs, sock_connect=_CONNECT_SECS)
        self._in_flight = 0

    async def forward(self, request: web.Request) -> web.Response:
        """The service's response.

        Raises RateLimited; Overloaded if too many requests are in flight; TooLarge,
        UnsupportedEncoding or BadMessage for the body; NotFound for a path with `.` or `..`;
        Unavailable or TimedOut if the service does not answer.
        """
        self._access.admit_anonymous(request)
        return await self._forward(request)

    async def forward_of_user(self, request: web.Request) -> web.Response:
        """As `forward`, for requests that count against the user of the access token.

        Raises what `AccessControl.authenticate` raises, too.
        """
        await self._access.authenticate(request)
        return await self._forward(request)

    async def _forward(self, request: web.Request) -> web.Response:
        url = self._target(request)
        check_encoding(request)
        body = await _read_body(request)
        if self._in_flight >= self._max_concurrent:
            raise Overloaded("too many requests to the auth service are in flight; try again")
        self._in_flight += 1
        try:
            with Span("auth", Kind.CLIENT) as span:
                headers = self._request_headers(request)
                headers.update(span.context.headers())
                response = await self._exchange(request, url, headers, body)
                span.set("http.response.status_code", response.status)
                return response
        finally:
            self._in_flight -= 1

    def _target(self, request: web.Request) -> URL:
        path = request.rel_url.raw_path
        if any(unquote(part) in (".", "..") for part in path.split("/")):
            raise NotFound(f"no such path: {request.path}")
        return URL(self._url + request.rel_url.raw_path_qs, encoded=True)

    async def _exchange(
        self, request: web.Request, url: URL, headers: CIMultiDict[str], body: bytes
    ) -> web.Response:
        try:
            async with await self._send(request.method, url, headers, body) as upstream:
                return web.Response(
                    status=upstream.status,
                    reason=upstream.reason,
                    headers=_end_to_end(upstream.headers, _NOT_RETURNED),
                    body=await _read_response(upstream),
                )
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            log.warning("auth does not answer", error=repr(error))
            if isinstance(error, TimeoutError):
                raise TimedOut("the auth service did not answer in time") from None
            raise Unavailable("the auth service does not answer") from None

    async def _send(
        self, method: str, url: URL, headers: CIMultiDict[str], body: bytes
    ) -> aiohttp.ClientResponse:
        """Send the request; return the response once its headers have arrived.

        If no connection can be made, nothing was sent, so it is safe to try again: while auth is
        replaced, it refuses connections or its name has no address for a moment.
        """
        backoff = Backoff(base_secs=0.2, cap_secs=1.0)
        async with asyncio.timeout(self._timeout.total):
            while True:
                try:
                    return await self._http.request(
                        method,
                        url,
                        headers=headers,
                        data=body or None,
                        timeout=self._timeout,
                        allow_redirects=False,
                    )
                except aiohttp.ClientConnectorError as error:
                    if backoff.attempt == CONNECT_ATTEMPTS - 1:
                        raise
                    log.info("no connection to auth, trying again", error=repr(error))
                    await asyncio.sleep(backoff.next_secs())

    def _request_headers(self, request: web.Request) -> CIMultiDict[str]:
        headers = _end_to_end(request.headers, _NOT_FORWARDED)
        for name in {name for name in headers if name.lower().startswith(_FORWARDED_PREFIX)}:
            del headers[name]
        headers["X-Forwarded-For"] = self._forwarded.address(request)
        headers["X-Forwarded-Proto"] = self._forwarded.scheme(request)
        headers["X-Forwarded-Host"] = self._forwarded.host(request)
        return headers


def proxy_session(connections: int) -> aiohttp.ClientSession:
    """An HTTP client that stores no cookies, adds no headers and does not decompress."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=(hdrs.ACCEPT, hdrs.ACCEPT_ENCODING, hdrs.USER_AGENT, hdrs.CONTENT_TYPE),
    )


async def _read_body(request: web.Request) -> bytes:
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise TooLarge(f"the body is larger than {MAX_BODY_BYTES} bytes")
    try:
        async with asyncio.timeout(_BODY_SECS):
            return await request.read()
    except TimeoutError:
        raise BadMessage(f"the body did not arrive within {_BODY_SECS:.0f} s") from None
    except ConnectionError:
        raise BadMessage("the client has closed the connection before the body's end") from None
    except web.HTTPRequestEntityTooLarge:
        raise TooLarge(f"the body is larger than {MAX_BODY_BYTES} bytes") from None


async def _read_response(upstream: aiohttp.ClientResponse) -> bytes:
    """The whole body. Raises ClientError if it is cut off or above `MAX_RESPONSE_BYTES`."""
    body = b""
    async for chunk in upstream.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > MAX_RESPONSE_BYTES:
            raise aiohttp.ClientPayloadError("the response is too large")
    return body


def _end_to_end(headers: CIMultiDictProxy[str], excluded: Collection[str]) -> CIMultiDict[str]:
    per_connection = _split_names(headers.getall(hdrs.CONNECTION, ()))
    kept: CIMultiDict[str] = CIMultiDict()
    for name, value in headers.items():
        lower = name.lower()
        if lower not in _HOP_BY_HOP and lower not in excluded and lower not in per_connection:
            kept.add(name, value)
    return kept


def _split_names(values: Iterable[str]) -> set[str]:
    return {name.strip().lower() for value in values for name in value.split(",")}
