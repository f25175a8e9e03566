"""The WebSocket server of the portfolio stream, and the call that authorizes its clients."""

import asyncio
from collections.abc import Set as AbstractSet
from typing import Final
from urllib.parse import urlencode

from aiohttp import WSCloseCode, web

from services.simulator.access.one_time_codes import OneTimeCodes
from services.simulator.access.tokens import TokenStore
from services.simulator.account.portfolio_updates import PortfolioUpdate, UpdateType
from services.simulator.api.authentication import authenticate
from services.simulator.api.envelope import success
from services.simulator.errors import ApiError, ErrorCode
from services.simulator.fault_injection.fault_kinds import Stream
from services.simulator.fault_injection.faults import Faults
from services.simulator.fault_injection.frames import (
    GARBAGE_TEXT,
    FaultySocket,
    heartbeat_secs,
)
from services.simulator.settings import SimulatorSettings
from services.simulator.sockets.portfolio_session import PortfolioSession
from shared.runtime.logs import get_logger

log = get_logger(__name__)

STREAM_PATH: Final = "/v2/feed/portfolio-stream-feed"
_CLOSE_SECS: Final = 1.0


class PortfolioServer:
    """Serves all connections; a client authenticates by its token or by a one-time code."""

    def __init__(
        self,
        codes: OneTimeCodes[str],
        tokens: TokenStore,
        settings: SimulatorSettings,
        faults: Faults,
    ) -> None:
        self._codes = codes
        self._tokens = tokens
        self._settings = settings
        self._faults = faults
        self._sessions: set[PortfolioSession] = set()

    def routes(self) -> list[web.RouteDef]:
        """The routes of the authorize call and of the WebSocket."""
        return [
            web.get(f"{STREAM_PATH}/authorize", self.authorize),
            web.get(STREAM_PATH, self.connect),
        ]

    def publish(self, update: PortfolioUpdate) -> None:
        """Send the update to the clients that subscribed to it."""
        for session in self._sessions:
            session.publish(update)

    async def authorize(self, request: web.Request) -> web.Response:
        """The one-time address, under the two names that Upstox uses. Raises ApiError (401)."""
        user_id = authenticate(request, self._tokens).user_id
        query = {"code": self._codes.issue(user_id)}
        if "update_types" in request.query:
            query["update_types"] = request.query["update_types"]
        uri = f"ws://{request.host}{STREAM_PATH}?{urlencode(query)}"
        return success({"authorized_redirect_uri": uri, "authorizedRedirectUri": uri})

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """Serve one client until it disconnects. Raises ApiError (401)."""
        user_id, update_types = self._authenticate(request), _update_types(request)
        socket = web.WebSocketResponse(
            heartbeat=heartbeat_secs(self._settings.heartbeat_secs, self._faults),
            timeout=_CLOSE_SECS,
            compress=False,
        )
        await socket.prepare(request)
        faulty = FaultySocket(
            socket, socket.send_str, request.transport, self._faults,
            garbage=GARBAGE_TEXT, stream=Stream.PORTFOLIO, user_id=user_id,
        )  # fmt: skip
        session = PortfolioSession(
            socket,
            faulty.send,
            request.transport,
            user_id=user_id,
            update_types=update_types,
            max_updates=self._settings.client_queue_frames,
            send_timeout_secs=self._settings.send_timeout_secs,
        )
        self._sessions.add(session)
        log.info("portfolio client connected", connections=len(self._sessions))
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(session.write(), name="portfolio session writer")
                async for _ in socket:
                    pass  # messages from clients are ignored
                writer.cancel()
        finally:
            await faulty.end()
            self._sessions.discard(session)
            log.info("portfolio client disconnected", connections=len(self._sessions))
        return socket

    async def close_all(self, _: web.Application) -> None:
        """Close all connections with code 1001 (going away), on shutdown."""
        closing = (
            session.socket.close(code=WSCloseCode.GOING_AWAY) for session in list(self._sessions)
        )
        await asyncio.gather(*closing, return_exceptions=True)

    def _authenticate(self, request: web.Request) -> str:
        """The user of the request's code, or without a code of its token."""
        code = request.query.get("code")
        if code is None:
            return authenticate(request, self._tokens).user_id
        user_id = self._codes.redeem(code)
        if user_id is None:
            raise ApiError(ErrorCode.INVALID_TOKEN, "The code is used or too old")
        return user_id


def _update_types(request: web.Request) -> AbstractSet[UpdateType]:
    """The requested types, by default orders only; unknown types are ignored."""
    names = request.query.get("update_types", UpdateType.ORDER).split(",")
    return {update_type for update_type in UpdateType if update_type in names}
