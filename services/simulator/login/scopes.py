"""Keeps the weaker kinds of token to what they are good for."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from services.simulator.envelope import INVALID_TOKEN, refuse
from services.simulator.tokens import Kind, Tokens

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_EXTENDED_READS: Final = frozenset(
    {
        "/v2/order/retrieve-all",
        "/v2/order/history",
        "/v2/order/details",
        "/v2/order/trades",
        "/v2/order/trades/get-trades-for-day",
        "/v2/portfolio/long-term-holdings",
        "/v2/portfolio/short-term-positions",
        "/v2/user/profile",
    }
)
_SANDBOX_PATHS: Final = frozenset(
    {
        *(f"/{v}/order/{what}" for v in ("v2", "v3") for what in ("place", "modify", "cancel")),
        "/v2/order/multi/place",
    }
)


def scopes(tokens: Tokens) -> Any:
    """A middleware that refuses what the presented token is not good for."""

    @web.middleware
    async def scope(request: web.Request, handler: Handler) -> web.StreamResponse:
        grant = tokens.presented(request)
        if grant is not None:
            check(grant.kind, request.method, request.path)
        return await handler(request)

    return scope


def check(kind: Kind, method: str, path: str) -> None:
    """Raises Refusal if a token of this kind may not be used for this request."""
    match kind:
        case Kind.FULL:
            return
        case Kind.ANALYTICS if method == "GET":
            return
        case Kind.EXTENDED if method == "GET" and path in _EXTENDED_READS:
            return
        case Kind.SANDBOX:
            if path not in _SANDBOX_PATHS:
                message = "Invalid token used to access API"
                raise refuse(HTTPStatus.UNAUTHORIZED, INVALID_TOKEN, message)
            return
    raise refuse(
        HTTPStatus.FORBIDDEN, "UDAPI100067", "The API you are trying to access is not permitted"
    )
