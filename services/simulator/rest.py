"""Upstox's REST calls that lead to the feed: authorize, and the redirect to it."""

import hmac
import json
import secrets
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from services.simulator.codes import OneTimeCodes
from services.simulator.feed import FEED_PATH
from services.simulator.settings import SimulatorSettings

INVALID_TOKEN: Final = "UDAPI100050"


class FeedAccess:
    """Hands out addresses of the feed to those who bear the access token."""

    def __init__(self, codes: OneTimeCodes, settings: SimulatorSettings) -> None:
        self._codes = codes
        self._bearer = f"Bearer {settings.access_token.get_secret_value()}".encode()

    def routes(self) -> list[web.RouteDef]:
        """Both ways to the feed's address."""
        return [
            web.get("/v3/feed/market-data-feed/authorize", self.authorize),
            web.get("/v3/feed/market-data-feed", self.redirect),
        ]

    async def authorize(self, request: web.Request) -> web.Response:
        """The address, under both names that Upstox uses."""
        if not self._is_authorised(request):
            return _invalid_token()
        uri = self._feed_uri(request)
        data = {"authorized_redirect_uri": uri, "authorizedRedirectUri": uri}
        return web.json_response({"status": "success", "data": data})

    async def redirect(self, request: web.Request) -> web.Response:
        """The way the SDK's streamer takes: it follows the 302."""
        if not self._is_authorised(request):
            return _invalid_token()
        return web.Response(status=HTTPStatus.FOUND, headers={"Location": self._feed_uri(request)})

    def _is_authorised(self, request: web.Request) -> bool:
        given = request.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(errors="surrogateescape"), self._bearer)

    def _feed_uri(self, request: web.Request) -> str:
        query = urlencode({"requestId": secrets.token_hex(16), "code": self._codes.issue()})
        return f"ws://{request.host}{FEED_PATH}?{query}"


def _invalid_token() -> web.Response:
    return refusal(HTTPStatus.UNAUTHORIZED, INVALID_TOKEN, "Invalid token used to access API")


def refusal(status: HTTPStatus, code: str, message: str) -> web.Response:
    """Upstox's error envelope, with each name in both its spellings."""
    error = {
        "errorCode": code,
        "message": message,
        "propertyPath": None,
        "invalidValue": None,
        "error_code": code,
        "property_path": None,
        "invalid_value": None,
    }
    body = json.dumps({"status": "error", "errors": [error]})
    return web.Response(status=status, text=body, content_type="application/json")
