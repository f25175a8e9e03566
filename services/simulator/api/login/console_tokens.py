"""Issues tokens without a login: those of Upstox's web console, and ordinary ones for any user."""

from typing import Final, Literal

from aiohttp import web
from pydantic import BaseModel

from services.simulator.access.tokens import YEAR_MS, TokenKind, TokenStore, next_expiry_ms
from services.simulator.access.user_id import DEFAULT_USER, UserId
from services.simulator.simulation.exchange_clock import ExchangeClock
from shared.market.exchange_time import DAY_MS
from shared.web.problems import read_body

_LIFETIME_MS: Final = {TokenKind.ANALYTICS: YEAR_MS, TokenKind.SANDBOX: 30 * DAY_MS}


class TokenBody(BaseModel):
    """The kind of the requested token, and its user."""

    kind: Literal["full", "analytics", "sandbox"]
    user_id: UserId = DEFAULT_USER


class ConsoleTokenRoutes:
    """One of the simulator's own calls; a new analytics token revokes the user's previous one."""

    def __init__(self, tokens: TokenStore, clock: ExchangeClock) -> None:
        self._tokens = tokens
        self._clock = clock
        self._analytics_tokens: dict[str, str] = {}

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [web.post("/simulator/v1/login/tokens", self.issue)]

    async def issue(self, request: web.Request) -> web.Response:
        """A new token and its expiry (exchange time, epoch ms)."""
        body = await read_body(request, TokenBody)
        kind, now_ms = TokenKind(body.kind), self._clock.now_ms()
        lifetime_ms = _LIFETIME_MS.get(kind)
        expires_ms = next_expiry_ms(now_ms) if lifetime_ms is None else now_ms + lifetime_ms
        token = self._tokens.issue(body.user_id, kind, expires_ms)
        if kind is TokenKind.ANALYTICS:
            self._tokens.revoke(self._analytics_tokens.get(body.user_id, ""))
            self._analytics_tokens[body.user_id] = token
        return web.json_response({"access_token": token, "expires_ms": expires_ms})
