"""The portfolio stream: its address for those who may have it, then its sockets."""

import asyncio
from collections.abc import Set as AbstractSet
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from aiohttp import WSCloseCode, web

from services.simulator.envelope import INVALID_TOKEN, refuse, success
from services.simulator.feed.codes import OneTimeCodes
from services.simulator.portfolio_stream.client import StreamClient
from services.simulator.portfolio_stream.updates import Update, UpdateType
from services.simulator.settings import SimulatorSettings
from services.simulator.tokens import Tokens
from shared.runtime.logs import get_logger

log = get_logger(__name__)

STREAM_PATH: Final = "/v2/feed/portfolio-stream-feed"
_CLOSE_SECS: Final = 1.0


class PortfolioStream:
    """All its connections; a client is known by its token or by a one-time code."""

    def __init__(self, codes: OneTimeCodes, tokens: Tokens, settings: SimulatorSettings) -> None:
        self._codes = codes
        self._tokens = tokens
        self._settings = settings
        self._clients: set[StreamClient] = set()

    def routes(self) -> list[web.RouteDef]:
        """The address, and what is there."""
        return [
            web.get(f"{STREAM_PATH}/authorize", self.authorize),
            web.get(STREAM_PATH, self.connect),
        ]

    def publish(self, update: Update) -> None:
        """Offer the update to every client."""
        for client in self._clients:
            client.offer(update)

    async def authorize(self, request: web.Request) -> web.Response:
        """The address, under both names that Upstox uses."""
        user_id = self._tokens.bearer(request).user_id
        _wanted(request)
        query = {"code": self._codes.issue(user_id)}
        if "update_types" in request.query:
            query["update_types"] = request.query["update_types"]
        uri = f"ws://{request.host}{STREAM_PATH}?{urlencode(query)}"
        return success({"authorized_redirect_uri": uri, "authorizedRedirectUri": uri})

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """Serve one client until it leaves."""
        user_id, wanted = self._user(request), _wanted(request)
        socket = web.WebSocketResponse(
            heartbeat=self._settings.heartbeat_secs, timeout=_CLOSE_SECS, compress=False
        )
        await socket.prepare(request)
        client = StreamClient(
            socket,
            request.transport,
            user_id=user_id,
            wanted=wanted,
            queue_updates=self._settings.client_queue_frames,
            send_timeout_secs=self._settings.send_timeout_secs,
        )
        self._clients.add(client)
        log.info("portfolio client connected", clients=len(self._clients))
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(client.write(), name="portfolio stream writer")
                async for _ in socket:
                    pass  # it takes no requests
                writer.cancel()
        finally:
            self._clients.discard(client)
            log.info("portfolio client gone", clients=len(self._clients))
        return socket

    async def close_all(self, _: web.Application) -> None:
        """Tell every client that the server goes away; part of the site's shutdown."""
        closing = (
            client.socket.close(code=WSCloseCode.GOING_AWAY) for client in list(self._clients)
        )
        await asyncio.gather(*closing, return_exceptions=True)

    def _user(self, request: web.Request) -> str:
        code = request.query.get("code")
        if code is None:
            return self._tokens.bearer(request).user_id
        user_id = self._codes.redeem(code)
        if user_id is None:
            raise refuse(HTTPStatus.UNAUTHORIZED, INVALID_TOKEN, "The code is used or too old")
        return user_id


def _wanted(request: web.Request) -> AbstractSet[UpdateType]:
    """Without `update_types` a client is told of orders only; unknown ones are ignored."""
    names = request.query.get("update_types", UpdateType.ORDER).split(",")
    return {kind for kind in UpdateType if kind in names}
