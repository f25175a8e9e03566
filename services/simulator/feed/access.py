"""Upstox's REST calls that lead to the feed: authorize, and the redirect to it."""

import secrets
from http import HTTPStatus
from urllib.parse import urlencode

from aiohttp import web

from services.simulator.envelope import success
from services.simulator.feed.codes import OneTimeCodes
from services.simulator.feed.server import FEED_PATH, Feed
from services.simulator.settings import SimulatorSettings
from services.simulator.tokens import Tokens


class FeedAccess:
    """Hands out addresses of the feed to those who bear a good access token."""

    def __init__(
        self, codes: OneTimeCodes, tokens: Tokens, feed: Feed, settings: SimulatorSettings
    ) -> None:
        self._codes = codes
        self._tokens = tokens
        self._feed = feed
        self._opens_directly = settings.feed_handshake == "direct"

    def routes(self) -> list[web.RouteDef]:
        """Both ways to the feed's address."""
        return [
            web.get("/v3/feed/market-data-feed/authorize", self.authorize),
            web.get("/v3/feed/market-data-feed", self.enter),
        ]

    async def authorize(self, request: web.Request) -> web.Response:
        """The address, under both names that Upstox uses."""
        grant = self._tokens.bearer(request)
        uri = self._feed_uri(request, grant.user_id)
        return success({"authorized_redirect_uri": uri, "authorizedRedirectUri": uri})

    async def enter(self, request: web.Request) -> web.StreamResponse:
        """The way the SDK's streamer takes: it follows the 302, or is let in at once."""
        grant = self._tokens.bearer(request)
        if self._opens_directly and web.WebSocketResponse().can_prepare(request):
            return await self._feed.serve(request, grant.user_id)
        location = self._feed_uri(request, grant.user_id)
        return web.Response(status=HTTPStatus.FOUND, headers={"Location": location})

    def _feed_uri(self, request: web.Request, user_id: str) -> str:
        code = self._codes.issue(user_id)
        query = urlencode({"requestId": secrets.token_hex(16), "code": code})
        return f"ws://{request.host}{FEED_PATH}?{query}"
