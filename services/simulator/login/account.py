"""What a bearer of a token can do with it alone: read the profile, and log out."""

from aiohttp import web

from services.simulator.envelope import success
from services.simulator.login.profile import profile
from services.simulator.tokens import Tokens, bearer_token


class LoginAccount:
    """The two calls that need nothing but a token."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def routes(self) -> list[web.RouteDef]:
        """Both calls."""
        return [
            web.get("/v2/user/profile", self.tell_profile),
            web.delete("/v2/logout", self.log_out),
        ]

    async def tell_profile(self, request: web.Request) -> web.Response:
        """The profile. Raises Refusal (401)."""
        return success(profile(self._tokens.bearer(request).user_id))

    async def log_out(self, request: web.Request) -> web.Response:
        """End the token that the request bears. Raises Refusal (401)."""
        self._tokens.bearer(request)
        self._tokens.revoke(bearer_token(request))
        return success(True)
