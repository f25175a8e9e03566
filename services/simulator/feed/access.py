"""Upstox's REST calls that lead to the feed: authorize, and the redirect to it."""

import secrets
from http import HTTPStatus
from urllib.parse import urlencode

from aiohttp import web

from services.simulator.envelope import success
from services.simulator.feed.codes import OneTimeCodes
from services.simulator.feed.server import FEED_PATH
from services.simulator.tokens import Tokens


class FeedAccess:
    """Hands out addresses of the feed to those who bear a good access token."""

    def __init__(self, codes: OneTimeCodes, tokens: Tokens) -> None:
        self._codes = codes
        self._tokens = tokens

    def routes(self) -> list[web.RouteDef]:
        """Both ways to the feed's address."""
        return [
            web.get("/v3/feed/market-data-feed/authorize", self.authorize),
            web.get("/v3/feed/market-data-feed", self.redirect),
        ]

    async def authorize(self, request: web.Request) -> web.Response:
        """The address, under both names that Upstox uses."""
        self._tokens.bearer(request)
        uri = self._feed_uri(request)
        return success({"authorized_redirect_uri": uri, "authorizedRedirectUri": uri})

    async def redirect(self, request: web.Request) -> web.Response:
        """The way the SDK's streamer takes: it follows the 302."""
        self._tokens.bearer(request)
        return web.Response(status=HTTPStatus.FOUND, headers={"Location": self._feed_uri(request)})

    def _feed_uri(self, request: web.Request) -> str:
        query = urlencode({"requestId": secrets.token_hex(16), "code": self._codes.issue()})
        return f"ws://{request.host}{FEED_PATH}?{query}"
