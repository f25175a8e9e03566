"""Receives the posts of Upstox's webhook and notifier, and passes them on as hints.

Upstox signs nothing and sends no token, so anybody can post here. A hint only makes the trading
service look at Upstox itself. The answer contains nothing about the user.
"""

from http import HTTPStatus
from typing import Annotated, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from services.gateway import metrics
from services.gateway.http.access import AccessControl
from services.gateway.http.rate_limit import RateLimiter
from services.gateway.rest.links.hook_messages import ApprovedToken, HookMessage, OrderUpdate
from services.gateway.rest.links.link_client import LinkClient
from shared.runtime.clock import Clock
from shared.web.problems import read_body, read_path

_PATH: Final = "/v1/hooks/upstox/{user_id}"
ORDERS_PATH: Final = f"{_PATH}/orders"
TOKEN_PATH: Final = f"{_PATH}/token"


class _HookPath(BaseModel):
    """The path of a post."""

    model_config = ConfigDict(frozen=True)

    user_id: Annotated[str, Field(min_length=1, max_length=64, pattern="^[A-Za-z0-9_-]+$")]


class UpstoxHooks:
    """Posts are limited by address, like all requests without a token, and by user."""

    def __init__(
        self, access: AccessControl, links: LinkClient, users: RateLimiter, clock: Clock
    ) -> None:
        self._access = access
        self._links = links
        self._users = users
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """The webhook's and the notifier's address for each user."""
        return [web.post(ORDERS_PATH, self.order), web.post(TOKEN_PATH, self.token)]

    async def order(self, request: web.Request) -> web.Response:
        return await self._receive(request, OrderUpdate)

    async def token(self, request: web.Request) -> web.Response:
        return await self._receive(request, ApprovedToken)

    async def _receive(self, request: web.Request, kind: type[HookMessage]) -> web.Response:
        """202 for every well-formed post, whether or not the user exists.

        Raises RateLimited, InvalidField and the errors of bodies.
        """
        self._access.admit_anonymous(request)
        user_id = read_path(request, _HookPath).user_id
        now = self._clock.monotonic()
        if not self._users.take(user_id, now):
            raise self._users.error(user_id, now)
        hint = (await read_body(request, kind)).hint(user_id)
        is_answered = await self._links.hint(hint)
        outcome = "answered" if is_answered else "unanswered"
        metrics.UPSTOX_HOOKS.labels(hint.kind.value, outcome).inc()
        return web.Response(status=HTTPStatus.ACCEPTED, headers={"Cache-Control": "no-store"})
