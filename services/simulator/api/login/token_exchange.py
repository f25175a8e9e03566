"""The exchange of an authorization code for an access token (OAuth 2.0)."""

from aiohttp import web

from services.simulator.access.application import Application, Consent
from services.simulator.access.one_time_codes import OneTimeCodes
from services.simulator.access.profile import profile
from services.simulator.access.tokens import (
    YEAR_MS,
    TokenKind,
    TokenStore,
    next_expiry_ms,
)
from services.simulator.errors import ApiError, ErrorCode
from services.simulator.simulation.exchange_clock import ExchangeClock


class TokenExchangeRoutes:
    """The token call, whose answer has no envelope, as at Upstox."""

    def __init__(
        self,
        application: Application,
        codes: OneTimeCodes[Consent],
        tokens: TokenStore,
        clock: ExchangeClock,
    ) -> None:
        self._application = application
        self._codes = codes
        self._tokens = tokens
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [web.post("/v2/login/authorization/token", self.exchange)]

    async def exchange(self, request: web.Request) -> web.Response:
        """A token that is valid until the next 03:30 IST, and the profile. Raises ApiError."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        # Before all checks, because a refused request also uses up the code.
        consent = self._codes.redeem(form.get("code", ""))
        client_id, redirect_uri = form.get("client_id", ""), form.get("redirect_uri", "")
        self._application.check_redirect_uri(client_id, redirect_uri)
        self._application.check_credentials(client_id, form.get("client_secret", ""))
        grant_type = form.get("grant_type")
        if grant_type != "authorization_code":
            raise ApiError(
                ErrorCode.INVALID_INPUT, "Invalid Input", path="grant_type", value=grant_type
            )
        if consent is None or consent.redirect_uri != redirect_uri:
            raise ApiError(ErrorCode.INVALID_AUTH_CODE, "Invalid Auth code")
        now_ms = self._clock.now_ms()
        body = profile(consent.user_id)
        body["access_token"] = self._tokens.issue(
            consent.user_id, TokenKind.FULL, next_expiry_ms(now_ms)
        )
        body["extended_token"] = None
        if form.get("refresh_extended_token", "").lower() == "true":
            body["extended_token"] = self._tokens.issue(
                consent.user_id, TokenKind.EXTENDED, now_ms + YEAR_MS
            )
        return web.json_response(body)
