"""Issues the tokens that a user gets from Upstox's console, not by logging in."""

from typing import Final, Literal

from aiohttp import web
from pydantic import BaseModel

from services.simulator.exchange_clock import ExchangeClock
from services.simulator.login.exchange import YEAR_MS
from services.simulator.tokens import DEFAULT_USER, Kind, Tokens
from shared.market.exchange_time import DAY_MS
from shared.web.problems import read_body

_LIFETIME_MS: Final = {Kind.ANALYTICS: YEAR_MS, Kind.SANDBOX: 30 * DAY_MS}


class Order(BaseModel):
    """What kind of token is wanted."""

    kind: Literal[Kind.ANALYTICS, Kind.SANDBOX]


class Console:
    """An admin call; an account has one analytics token, a new one ends the one before."""

    def __init__(self, tokens: Tokens, clock: ExchangeClock) -> None:
        self._tokens = tokens
        self._clock = clock
        self._analytics = ""

    def routes(self) -> list[web.RouteDef]:
        """The one call."""
        return [web.post("/simulator/v1/login/tokens", self.issue)]

    async def issue(self, request: web.Request) -> web.Response:
        """A new token and when it ends (exchange time, epoch ms)."""
        kind = (await read_body(request, Order)).kind
        expires_ms = self._clock.now_ms() + _LIFETIME_MS[kind]
        token = self._tokens.issue(DEFAULT_USER, kind, expires_ms)
        if kind is Kind.ANALYTICS:
            self._tokens.revoke(self._analytics)
            self._analytics = token
        return web.json_response({"access_token": token, "expires_ms": expires_ms})
