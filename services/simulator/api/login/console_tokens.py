"""Issues the tokens that Upstox issues in its web console: analytics and sandbox tokens."""

from typing import Final, Literal

from aiohttp import web
from pydantic import BaseModel

from services.simulator.access.tokens import DEFAULT_USER, YEAR_MS, TokenKind, TokenStore
from services.simulator.simulation.exchange_clock import ExchangeClock
from shared.market.exchange_time import DAY_MS
from shared.web.problems import read_body

_LIFETIME_MS: Final = {TokenKind.ANALYTICS: YEAR_MS, TokenKind.SANDBOX: 30 * DAY_MS}


class TokenBody(BaseModel):
    """The kind of the requested token."""

    kind: Literal["analytics", "sandbox"]


class ConsoleTokenRoutes:
    """One of the simulator's own calls; a new analytics token revokes the previous one."""

    def __init__(self, tokens: TokenStore, clock: ExchangeClock) -> None:
        self._tokens = tokens
        self._clock = clock
        self._analytics_token = ""

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [web.post("/simulator/v1/login/tokens", self.issue)]

    async def issue(self, request: web.Request) -> web.Response:
        """A new token and its expiry (exchange time, epoch ms)."""
        kind = TokenKind((await read_body(request, TokenBody)).kind)
        expires_ms = self._clock.now_ms() + _LIFETIME_MS[kind]
        token = self._tokens.issue(DEFAULT_USER, kind, expires_ms)
        if kind is TokenKind.ANALYTICS:
            self._tokens.revoke(self._analytics_token)
            self._analytics_token = token
        return web.json_response({"access_token": token, "expires_ms": expires_ms})
