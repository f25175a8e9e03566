"""The WebSocket server of the market data feed V3."""

import asyncio
from typing import Final

from aiohttp import WSCloseCode, WSMsgType, web

from services.simulator.access.one_time_codes import OneTimeCodes
from services.simulator.fault_injection.fault_kinds import Stream
from services.simulator.fault_injection.faults import Faults
from services.simulator.fault_injection.frames import GARBAGE, FaultySocket, heartbeat_secs
from services.simulator.feed.frames import FrameBuilder, snapshot
from services.simulator.feed.limits import SubscriptionQuota
from services.simulator.feed.market_info import market_info, market_phases
from services.simulator.feed.subscriptions import FeedSubscriptions, parse_request
from services.simulator.market.market import Market
from services.simulator.metrics import FEED_CONNECTIONS, FRAMES, TICKS
from services.simulator.settings import SimulatorSettings
from services.simulator.simulation.ledger import Ledger
from services.simulator.sockets.feed_session import FeedSession
from shared.runtime.logs import get_logger

log = get_logger(__name__)

FEED_PATH: Final = "/market-data-feeder/v3/upstox-developer-api/feeds"
_MAX_REQUEST_BYTES: Final = 1 << 20
_CLOSE_SECS: Final = 1.0


class FeedServer:
    """Serves all feed connections, and publishes the market's changes to them."""

    def __init__(
        self,
        market: Market,
        codes: OneTimeCodes[str],
        ledger: Ledger,
        settings: SimulatorSettings,
        faults: Faults | None = None,
    ) -> None:
        self._market = market
        self._codes = codes
        self._ledger = ledger
        self._settings = settings
        self._faults = faults or Faults()
        self._sessions: dict[FeedSession, web.WebSocketResponse] = {}
        self._quotas: dict[str, SubscriptionQuota] = {}
        self._phases = market_phases(market.calendar, market.now_ms)

    def routes(self) -> list[web.RouteDef]:
        """The route of the WebSocket."""
        return [web.get(FEED_PATH, self.connect)]

    def publish(self, changes: dict[str, bool]) -> None:
        """Send every client a live frame of its changed instruments, if there are any.

        If a trading phase has changed, a `market_info` message goes first.
        """
        self._publish_phases()
        frames = FrameBuilder(self._market, changes)
        sent: set[str] = set()
        for session in self._sessions:
            live = frames.live(session.subscriptions.modes)
            if live is not None:
                data, keys = live
                if session.offer(data):
                    FRAMES.labels("live").inc()
                    TICKS.inc(len(keys))
                    sent.update(keys)
        for key in sent:
            self._ledger.record_sent("live", frames.ts_ms, self._market.states[key])

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """Serve one client until it disconnects. Raises HTTPForbidden without a valid code."""
        user_id = self._codes.redeem(request.query.get("code", ""))
        if user_id is None:
            raise web.HTTPForbidden(text="the code is unknown, used or too old")
        return await self.serve(request, user_id)

    async def serve(self, request: web.Request, user_id: str) -> web.StreamResponse:
        """Serve one client of this user until it disconnects.

        Raises HTTPForbidden if the user has the maximum number of connections.
        """
        quota = self._quotas.setdefault(user_id, SubscriptionQuota(self._settings.plan))
        if quota.connections >= quota.max_connections:
            raise web.HTTPForbidden(text="too many connections of this user")
        quota.connections += 1
        try:
            return await self._serve(request, quota, user_id)
        finally:
            quota.connections -= 1

    async def close_all(self, _: web.Application) -> None:
        """Close all connections with code 1001 (going away), on shutdown."""
        sockets = list(self._sessions.values())
        closing = (socket.close(code=WSCloseCode.GOING_AWAY) for socket in sockets)
        await asyncio.gather(*closing, return_exceptions=True)

    async def _serve(
        self, request: web.Request, quota: SubscriptionQuota, user_id: str
    ) -> web.StreamResponse:
        socket = web.WebSocketResponse(
            heartbeat=heartbeat_secs(self._settings.heartbeat_secs, self._faults),
            timeout=_CLOSE_SECS,
            compress=False,
            max_msg_size=_MAX_REQUEST_BYTES,
        )
        await socket.prepare(request)
        faulty = FaultySocket(
            socket, socket.send_bytes, request.transport, self._faults,
            garbage=GARBAGE, stream=Stream.FEED, user_id=user_id,
        )  # fmt: skip
        session = FeedSession(
            faulty.send,
            request.transport,
            FeedSubscriptions(self._market.states, quota),
            max_frames=self._settings.client_queue_frames,
            send_timeout_secs=self._settings.send_timeout_secs,
        )
        session.offer(market_info(self._market.calendar, self._market.now_ms))
        FRAMES.labels("market_info").inc()
        self._sessions[session] = socket
        FEED_CONNECTIONS.set(len(self._sessions))
        log.info("feed client connected", connections=len(self._sessions))
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(session.write(), name="feed session writer")
                async for message in socket:
                    # Text messages are ignored, as at Upstox.
                    if message.type is WSMsgType.BINARY and not self._handle_request(
                        session, message.data
                    ):
                        await socket.close(code=WSCloseCode.POLICY_VIOLATION)
                writer.cancel()
        finally:
            await faulty.end()
            del self._sessions[session]
            session.subscriptions.end()
            FEED_CONNECTIONS.set(len(self._sessions))
            log.info("feed client disconnected", connections=len(self._sessions))
        return socket

    def _handle_request(self, session: FeedSession, data: bytes) -> bool:
        """Apply a request; False if the connection must be closed because of a limit."""
        request = parse_request(data)
        if request is None:
            return True
        changed = session.subscriptions.apply(request)
        if session.subscriptions.refused and self._settings.limit_reaction == "close":
            return False
        modes = {key: session.subscriptions.modes[key] for key in changed}
        if modes and session.offer(snapshot(self._market, modes)):
            FRAMES.labels("snapshot").inc()
            TICKS.inc(len(modes))
            for key in modes:
                self._ledger.record_sent("snapshot", self._market.now_ms, self._market.states[key])
        return True

    def _publish_phases(self) -> None:
        calendar = self._market.calendar
        phases = market_phases(calendar, self._market.now_ms)
        if phases == self._phases:
            return
        self._phases = phases
        message = market_info(calendar, self._market.now_ms)
        for session in self._sessions:
            if session.offer(message):
                FRAMES.labels("market_info").inc()
