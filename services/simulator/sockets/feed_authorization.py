"""The REST calls that lead to the feed: authorize, and the redirect."""

import secrets
from http import HTTPStatus
from urllib.parse import urlencode

from aiohttp import web

from services.simulator.access.one_time_codes import OneTimeCodes
from services.simulator.access.tokens import TokenStore
from services.simulator.api.authentication import authenticate
from services.simulator.api.envelope import success
from services.simulator.settings import SimulatorSettings
from services.simulator.sockets.feed_server import FEED_PATH, FeedServer


class FeedAuthorizationRoutes:
    """Calls that return the one-time address of the feed; they raise ApiError (401)."""

    def __init__(
        self,
        codes: OneTimeCodes[str],
        tokens: TokenStore,
        feed: FeedServer,
        settings: SimulatorSettings,
    ) -> None:
        self._codes = codes
        self._tokens = tokens
        self._feed = feed
        self._is_direct = settings.feed_handshake == "direct"

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [
            web.get("/v3/feed/market-data-feed/authorize", self.authorize),
            web.get("/v3/feed/market-data-feed", self.redirect),
        ]

    async def authorize(self, request: web.Request) -> web.Response:
        """The address of the feed, under the two names that Upstox uses."""
        grant = authenticate(request, self._tokens)
        uri = self._feed_uri(request, grant.user_id)
        return success({"authorized_redirect_uri": uri, "authorizedRedirectUri": uri})

    async def redirect(self, request: web.Request) -> web.StreamResponse:
        """A 302 to the feed, as for the SDK's streamer; or the feed itself, by the settings."""
        grant = authenticate(request, self._tokens)
        if self._is_direct and web.WebSocketResponse().can_prepare(request):
            return await self._feed.serve(request, grant.user_id)
        location = self._feed_uri(request, grant.user_id)
        return web.Response(status=HTTPStatus.FOUND, headers={"Location": location})

    def _feed_uri(self, request: web.Request, user_id: str) -> str:
        code = self._codes.issue(user_id)
        query = urlencode({"requestId": secrets.token_hex(16), "code": code})
        return f"ws://{request.host}{FEED_PATH}?{query}"
