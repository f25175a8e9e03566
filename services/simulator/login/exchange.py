"""The exchange of an authorization code for an access token."""

from http import HTTPStatus
from typing import Final

from aiohttp import web

from services.simulator.envelope import INVALID_INPUT, refuse
from services.simulator.exchange_clock import ExchangeClock
from services.simulator.login.application import Application
from services.simulator.login.codes import AuthorizationCodes
from services.simulator.login.profile import profile
from services.simulator.tokens import DEFAULT_USER, Kind, Tokens, next_death_ms
from shared.market.exchange_time import DAY_MS

YEAR_MS: Final = 365 * DAY_MS


class Exchange:
    """Gives a token for a good code; its answer has no envelope, as at Upstox."""

    def __init__(
        self,
        application: Application,
        codes: AuthorizationCodes,
        tokens: Tokens,
        clock: ExchangeClock,
    ) -> None:
        self._application = application
        self._codes = codes
        self._tokens = tokens
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """The one call."""
        return [web.post("/v2/login/authorization/token", self.token)]

    async def token(self, request: web.Request) -> web.Response:
        """The token until the next 03:30 IST, and the profile. Raises Refusal."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        # First, for a code is used up even by a request that is refused.
        intended_uri = self._codes.use_up(form.get("code", ""))
        client_id, redirect_uri = form.get("client_id", ""), form.get("redirect_uri", "")
        self._application.check_address(client_id, redirect_uri)
        self._application.check_credentials(client_id, form.get("client_secret", ""))
        grant_type = form.get("grant_type")
        if grant_type != "authorization_code":
            raise refuse(
                HTTPStatus.BAD_REQUEST,
                INVALID_INPUT,
                "Invalid Input",
                path="grant_type",
                value=grant_type,
            )
        if intended_uri != redirect_uri:
            raise refuse(HTTPStatus.UNAUTHORIZED, "UDAPI100057", "Invalid Auth code")
        now_ms = self._clock.now_ms()
        body = profile(DEFAULT_USER)
        body["access_token"] = self._tokens.issue(DEFAULT_USER, Kind.FULL, next_death_ms(now_ms))
        body["extended_token"] = None
        if form.get("refresh_extended_token", "").lower() == "true":
            body["extended_token"] = self._tokens.issue(
                DEFAULT_USER, Kind.EXTENDED, now_ms + YEAR_MS
            )
        return web.json_response(body)
