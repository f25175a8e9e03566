"""Forwards requests to auth, with the real client's address and nothing of its own making."""

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
from shared.runtime.logs import get_logger
from shared.web.forwarded import ForwardedHeaders

log = get_logger(__name__)

MAX_BODY_BYTES: Final = 64 * 1024
_BODY_SECS: Final = 10.0
_CHUNK_BYTES: Final = 64 * 1024
# Headers of one connection, not of the message (RFC 9110, 7.6.1).
_HOP_BY_HOP: Final = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip
# What a client may not say of itself, and what is anew on each connection.
_NOT_PASSED_ON: Final = frozenset({"host", "content-length", "expect", "forwarded", "x-real-ip"})
_FORWARDED: Final = "x-forwarded-"
_NOT_PASSED_BACK: Final = frozenset({"date", "server"})


class AuthProxy:
    """Passes whole paths of the public door on to one service behind it.

    The request's body is read whole before the connection to the service is taken, so that a
    slow client holds none; the answer is passed back as it comes. Of the addresses on the way
    only the client's is told: the service need trust no proxy but us.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        access: AccessControl,
        *,
        outside: ForwardedHeaders,
        at_once: int,
        timeout_secs: float,
    ) -> None:
        self._http = http
        self._url = url
        self._access = access
        self._outside = outside
        self._at_once = at_once
        self._timeout = aiohttp.ClientTimeout(total=timeout_secs, sock_connect=2.0)
        self._under_way = 0

    async def forward(self, request: web.Request) -> web.StreamResponse:
        """The service's answer, whatever it is.

        Raises RateLimited, Unavailable or TimedOut if there is none, Overloaded if too many requests are
        under way, TooLarge, BadMessage, and NotFound for a path that leads elsewhere.
        """
        self._access.anybody(request)
        url = self._target(request)
        if self._under_way >= self._at_once:
            raise Overloaded("too many requests are under way; try again")
        self._under_way += 1
        try:
            body = await _body_of(request)
            return await self._exchange(request, url, body)
        finally:
            self._under_way -= 1

    def _target(self, request: web.Request) -> URL:
        path = request.rel_url.raw_path
        if any(unquote(part) in (".", "..") for part in path.split("/")):
            raise NotFound(f"no such path: {request.path}")
        return URL(self._url + request.rel_url.raw_path_qs, encoded=True)

    async def _exchange(self, request: web.Request, url: URL, body: bytes) -> web.StreamResponse:
        response: web.StreamResponse | None = None
        try:
            async with self._http.request(
                request.method,
                url,
                headers=self._headers_to(request),
                data=body or None,
                timeout=self._timeout,
                allow_redirects=False,
            ) as answer:
                response = web.StreamResponse(
                    status=answer.status, reason=answer.reason, headers=_headers_back(answer)
                )
                await response.prepare(request)
                async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
                    await response.write(chunk)
                await response.write_eof()
                return response
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            if response is not None and response.prepared:
                # What was begun cannot be taken back: it must not look whole.
                _cut(request)
                log.warning("an answer of auth broke off", error=repr(error))
                return response
            log.warning("auth does not answer", error=repr(error))
            if isinstance(error, TimeoutError):
                raise TimedOut("the auth service did not answer in time") from None
            raise Unavailable("the auth service does not answer") from None

    def _headers_to(self, request: web.Request) -> CIMultiDict[str]:
        headers = _end_to_end(request.headers, _NOT_PASSED_ON)
        for name in {name for name in headers if name.lower().startswith(_FORWARDED)}:
            del headers[name]
        headers["X-Forwarded-For"] = self._outside.address(request)
        headers["X-Forwarded-Proto"] = self._outside.scheme(request)
        headers["X-Forwarded-Host"] = self._outside.host(request)
        return headers


def bounded_session(connections: int) -> aiohttp.ClientSession:
    """A client that keeps no cookies, adds nothing, and takes answers as they are."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=(hdrs.ACCEPT, hdrs.ACCEPT_ENCODING, hdrs.USER_AGENT, hdrs.CONTENT_TYPE),
    )


async def _body_of(request: web.Request) -> bytes:
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise TooLarge(f"the body is larger than {MAX_BODY_BYTES} bytes")
    try:
        async with asyncio.timeout(_BODY_SECS):
            return await request.read()
    except TimeoutError:
        raise BadMessage(f"the body did not come within {_BODY_SECS:.0f} s") from None
    except web.HTTPRequestEntityTooLarge:
        raise TooLarge(f"the body is larger than {MAX_BODY_BYTES} bytes") from None


def _headers_back(answer: aiohttp.ClientResponse) -> CIMultiDict[str]:
    return _end_to_end(answer.headers, _NOT_PASSED_BACK)


def _end_to_end(headers: CIMultiDictProxy[str], but: Collection[str]) -> CIMultiDict[str]:
    named = _names(headers.getall(hdrs.CONNECTION, ()))
    kept: CIMultiDict[str] = CIMultiDict()
    for name, value in headers.items():
        lower = name.lower()
        if lower not in _HOP_BY_HOP and lower not in but and lower not in named:
            kept.add(name, value)
    return kept


def _names(values: Iterable[str]) -> set[str]:
    return {name.strip().lower() for value in values for name in value.split(",")}


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
