"""Reads the source, the caller and the refresh token of a request."""

import re
from collections.abc import Collection
from typing import Final

from aiohttp import hdrs, web

from services.auth.core.entities import Caller, RequestSource
from services.auth.http import cookies
from services.auth.http.authenticator import Authenticator
from services.auth.http.same_origin import check_same_origin
from services.auth.http.schemas import RefreshRequest
from shared.errors import NotFound
from shared.web.bearer import bearer_token
from shared.web.forwarded import ForwardedHeaders
from shared.web.problems import read_body

_MAX_AGENT_CHARS: Final = 200
_ID: Final = re.compile(r"[0-9a-f]{32}")


class RequestContext:
    """Reads the source, the caller and the refresh token of requests."""

    def __init__(
        self,
        authenticator: Authenticator,
        forwarded: ForwardedHeaders,
        allowed_origins: Collection[str],
    ) -> None:
        """`allowed_origins` may use cookies, besides the host that a request names."""
        self._authenticator = authenticator
        self._forwarded = forwarded
        self._allowed_origins = allowed_origins

    async def caller(self, request: web.Request) -> Caller:
        """Return the authenticated caller; raises as `Authenticator.authenticate` does."""
        return await self._authenticator.authenticate(bearer_token(request), self.source(request))

    async def refresh_token(self, request: web.Request) -> str | None:
        """Return the refresh token of the body or else of the cookie; None if there is none.

        A cookie is used only if the request was made by a page of an allowed origin; raises
        Forbidden otherwise.
        """
        body = await read_refresh_body(request)
        if body.refresh_token is not None:
            return body.refresh_token.get_secret_value()
        token = request.cookies.get(cookies.REFRESH)
        if token is not None:
            self.check_same_origin(request)
        return token

    def check_same_origin(self, request: web.Request) -> None:
        """Raises Forbidden if the request was made by a page of an origin that is not allowed."""
        check_same_origin(
            request.headers.get("Sec-Fetch-Site"),
            request.headers.get(hdrs.ORIGIN),
            self._forwarded.host(request),
            self._allowed_origins,
        )

    def source(self, request: web.Request) -> RequestSource:
        """Return the client's address and user agent."""
        address = self._forwarded.address(request)
        # aiohttp decodes bytes that are not text as lone surrogates, which MongoDB refuses.
        agent = request.headers.get(hdrs.USER_AGENT, "").encode(errors="replace").decode()
        return RequestSource(address[:64], agent[:_MAX_AGENT_CHARS])


async def read_refresh_body(request: web.Request) -> RefreshRequest:
    """Return the body of a refresh or a logout; an empty body stands for one without a token."""
    if not request.can_read_body:
        return RefreshRequest()
    return await read_body(request, RefreshRequest)


def path_id(request: web.Request, name: str) -> str:
    """Return an id from the path. Raises NotFound if it does not have the form of an id."""
    value = request.match_info[name]
    if _ID.fullmatch(value) is None:
        raise NotFound(f"no such {name}")
    return value
