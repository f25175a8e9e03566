"""Authenticated requests about orders and accounts, and the adapter for their handlers."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web
from aiohttp.typedefs import Handler

from services.simulator.access.tokens import TokenStore
from services.simulator.api.authentication import authenticate
from services.simulator.errors import ApiError, ErrorCode
from services.simulator.orders.bodies import Body

_BODY_SECS: Final = 10.0
_NANOS_PER_MILLI: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class RequestContext:
    """A request with its authenticated user."""

    user_id: str
    request: web.Request
    received_ns: int
    market_ms: Callable[[], int]

    @property
    def at_ms(self) -> int:
        """Exchange time (epoch ms) up to which the market has advanced."""
        return self.market_ms()

    def query(self, name: str) -> str | None:
        """A query parameter; None if it is missing or empty."""
        return self.request.query.get(name) or None

    async def body(self) -> Any:
        """The JSON body. Raises ApiError if it is invalid or not received within 10 s."""
        try:
            async with asyncio.timeout(_BODY_SECS):
                return json.loads(await self.request.read())
        except TimeoutError:
            raise ApiError(ErrorCode.INVALID_INPUT, "The body did not come") from None
        except (ValueError, RecursionError):
            raise ApiError(ErrorCode.INVALID_INPUT, "The body is not valid JSON") from None

    async def body_object(self) -> Body:
        """The JSON object of the body. Raises ApiError as `body` does."""
        body = await self.body()
        if not isinstance(body, dict):
            raise ApiError(ErrorCode.INVALID_INPUT, "The body is not a JSON object")
        return body

    def metadata(self) -> dict[str, int]:
        """The metadata of v3 answers: the latency in ms."""
        return {"latency": (time.monotonic_ns() - self.received_ns) // _NANOS_PER_MILLI}


ContextHandler = Callable[[RequestContext], Awaitable[web.Response]]


class HandlerAdapter:
    """Adapts handlers of a `RequestContext` to aiohttp."""

    def __init__(self, tokens: TokenStore, market_ms: Callable[[], int]) -> None:
        """`market_ms` returns the exchange time up to which the market has advanced."""
        self._tokens = tokens
        self._market_ms = market_ms

    def __call__(self, handler: ContextHandler) -> Handler:
        """A handler that authenticates the request and calls `handler`."""

        async def handle(request: web.Request) -> web.Response:
            grant = authenticate(request, self._tokens)
            context = RequestContext(grant.user_id, request, time.monotonic_ns(), self._market_ms)
            return await handler(context)

        return handle
