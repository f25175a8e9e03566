"""The way into order calls: who asks, what the body says, how a refusal is told."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from services.simulator.envelope import ApiError, Refusal
from services.simulator.orders.bodies import Body
from services.simulator.orders.refused import (
    INVALID_INPUT,
    NO_SUCH_ORDER,
    SERVICE_HOURS,
    SERVICE_HOURS_FUNDS,
    OrderRefused,
)
from services.simulator.tokens import Tokens

_STATUS: Final = {
    NO_SUCH_ORDER: HTTPStatus.NOT_FOUND,
    SERVICE_HOURS: HTTPStatus.LOCKED,
    SERVICE_HOURS_FUNDS: HTTPStatus.LOCKED,
}
_BODY_SECS: Final = 10.0
_NANOS_PER_MILLI: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a known user."""

    user_id: str
    request: web.Request
    began_ns: int
    market_ms: Callable[[], int]

    @property
    def at_ms(self) -> int:
        """Exchange time now (epoch ms), as far as the market has come: its fills come after."""
        return self.market_ms()

    def query(self, name: str) -> str | None:
        """A parameter of the address; None if it is missing or empty."""
        return self.request.query.get(name) or None

    async def body(self) -> Any:
        """The JSON of the body. Raises OrderRefused if it is none."""
        try:
            async with asyncio.timeout(_BODY_SECS):
                return json.loads(await self.request.read())
        except TimeoutError:
            raise OrderRefused(INVALID_INPUT, "The body did not come") from None
        except (ValueError, RecursionError):
            raise OrderRefused(INVALID_INPUT, "The body is not valid JSON") from None

    async def body_object(self) -> Body:
        """The JSON object of the body. Raises OrderRefused if it is none."""
        body = await self.body()
        if not isinstance(body, dict):
            raise OrderRefused(INVALID_INPUT, "The body is not a JSON object")
        return body

    def metadata(self) -> dict[str, int]:
        """What v3 puts beside the data: how long it took, in ms."""
        return {"latency": (time.monotonic_ns() - self.began_ns) // _NANOS_PER_MILLI}


Handler = Callable[[Call], Awaitable[web.Response]]


class Door:
    """Makes handlers of requests from handlers of calls."""

    def __init__(self, tokens: Tokens, market_ms: Callable[[], int]) -> None:
        self._tokens = tokens
        self._market_ms = market_ms

    def __call__(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
        """`handler` behind the check of the token, its refusals in Upstox's envelope."""

        async def handle(request: web.Request) -> web.Response:
            grant = self._tokens.bearer(request)
            call = Call(grant.user_id, request, time.monotonic_ns(), self._market_ms)
            try:
                return await handler(call)
            except OrderRefused as refused:
                raise refusal(refused) from None

        return handle


def refusal(refused: OrderRefused) -> Refusal:
    """As Upstox tells it."""
    status = _STATUS.get(refused.code, HTTPStatus.BAD_REQUEST)
    error = ApiError(refused.code, refused.message, refused.path, refused.value)
    return Refusal(status, error)
