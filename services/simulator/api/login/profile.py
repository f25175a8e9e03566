"""Calls that read the profile and log out."""

from aiohttp import web

from services.simulator.access.profile import profile
from services.simulator.access.tokens import TokenStore
from services.simulator.api.authentication import authenticate, bearer_token
from services.simulator.api.envelope import success


class ProfileRoutes:
    """Calls that require nothing but a token."""

    def __init__(self, tokens: TokenStore) -> None:
        self._tokens = tokens

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [
            web.get("/v2/user/profile", self.get_profile),
            web.delete("/v2/logout", self.log_out),
        ]

    async def get_profile(self, request: web.Request) -> web.Response:
        """The profile of the token's user. Raises ApiError (401)."""
        return success(profile(authenticate(request, self._tokens).user_id))

    async def log_out(self, request: web.Request) -> web.Response:
        """Revoke the token of the request. Raises ApiError (401)."""
        authenticate(request, self._tokens)
        self._tokens.revoke(bearer_token(request))
        return success(True)
