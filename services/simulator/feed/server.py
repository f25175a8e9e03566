"""The market-data feed V3: a WebSocket that takes requests and sends frames."""

import asyncio
from typing import Final

from aiohttp import WSCloseCode, WSMsgType, web

from services.simulator.fault_injection.faults import Faults
from services.simulator.fault_injection.frames import FaultySocket, heartbeat_secs
from services.simulator.feed.codes import OneTimeCodes
from services.simulator.feed.frames import Frame, snapshot
from services.simulator.feed.limits import Quota
from services.simulator.feed.session import FeedSession
from services.simulator.feed.status import market_info, statuses
from services.simulator.feed.subscriptions import FeedSubscriptions, parse
from services.simulator.ledger import Ledger
from services.simulator.market.market import Market
from services.simulator.metrics import CLIENTS, FRAMES, TICKS
from services.simulator.settings import SimulatorSettings
from shared.runtime.logs import get_logger

log = get_logger(__name__)

FEED_PATH: Final = "/market-data-feeder/v3/upstox-developer-api/feeds"
_MAX_REQUEST_BYTES: Final = 1 << 20
_CLOSE_SECS: Final = 1.0


class Feed:
    """All feed connections, and what each of them is told."""

    def __init__(
        self,
        market: Market,
        codes: OneTimeCodes,
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
        self._quotas: dict[str, Quota] = {}
        self._statuses = statuses(market.calendar, market.now_ms)

    def routes(self) -> list[web.RouteDef]:
        """The socket's address."""
        return [web.get(FEED_PATH, self.connect)]

    def publish(self, changes: dict[str, bool]) -> None:
        """Send every client a live frame of what changed of its instruments, if any did.

        When a segment's phase has changed, that is told before.
        """
        self._tell_phases()
        frame = Frame(self._market, changes)
        sent: set[str] = set()
        for session in self._sessions:
            live = frame.live(session.subscriptions.modes)
            if live is not None:
                data, keys = live
                if session.offer(data):
                    FRAMES.labels("live").inc()
                    TICKS.inc(len(keys))
                    sent.update(keys)
        for key in sent:
            self._ledger.record_sent("live", frame.ts_ms, self._market.states[key])

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """Serve one client until it leaves. Raises HTTPForbidden without a good code."""
        user_id = self._codes.redeem(request.query.get("code", ""))
        if user_id is None:
            raise web.HTTPForbidden(text="the code is unknown, used or too old")
        return await self.serve(request, user_id)

    async def serve(self, request: web.Request, user_id: str) -> web.StreamResponse:
        """Serve one client of this user until it leaves.

        Raises HTTPForbidden if the user has as many connections as one may have.
        """
        quota = self._quotas.setdefault(user_id, Quota(self._settings.plan))
        if quota.connections >= quota.most_connections:
            raise web.HTTPForbidden(text="too many connections of this user")
        quota.connections += 1
        try:
            return await self._serve(request, quota)
        finally:
            quota.connections -= 1

    async def close_all(self, _: web.Application) -> None:
        """Tell every client that the server goes away; part of the site's shutdown."""
        sockets = list(self._sessions.values())
        closing = (socket.close(code=WSCloseCode.GOING_AWAY) for socket in sockets)
        await asyncio.gather(*closing, return_exceptions=True)

    async def _serve(self, request: web.Request, quota: Quota) -> web.StreamResponse:
        socket = web.WebSocketResponse(
            heartbeat=heartbeat_secs(self._settings.heartbeat_secs, self._faults),
            timeout=_CLOSE_SECS,
            compress=False,
            max_msg_size=_MAX_REQUEST_BYTES,
        )
        await socket.prepare(request)
        session = FeedSession(
            FaultySocket(socket, request.transport, self._faults),
            request.transport,
            FeedSubscriptions(self._market.states, quota),
            queue_frames=self._settings.client_queue_frames,
            send_timeout_secs=self._settings.send_timeout_secs,
        )
        session.offer(market_info(self._market.calendar, self._market.now_ms))
        FRAMES.labels("market_info").inc()
        self._sessions[session] = socket
        CLIENTS.set(len(self._sessions))
        log.info("feed client connected", clients=len(self._sessions))
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(session.write(), name="feed session writer")
                async for message in socket:
                    # Upstox ignores text.
                    if message.type is WSMsgType.BINARY and not self._answer(session, message.data):
                        await socket.close(code=WSCloseCode.POLICY_VIOLATION)
                writer.cancel()
        finally:
            del self._sessions[session]
            session.subscriptions.end()
            CLIENTS.set(len(self._sessions))
            log.info("feed client gone", clients=len(self._sessions))
        return socket

    def _answer(self, session: FeedSession, data: bytes) -> bool:
        """Carry out a request; False if the client is to be closed for asking too much."""
        request = parse(data)
        if request is None:
            return True
        fresh = session.subscriptions.apply(request)
        if session.subscriptions.refused and self._settings.limit_reaction == "close":
            return False
        modes = {key: session.subscriptions.modes[key] for key in fresh}
        if modes and session.offer(snapshot(self._market, modes)):
            FRAMES.labels("snapshot").inc()
            TICKS.inc(len(modes))
            for key in modes:
                self._ledger.record_sent("snapshot", self._market.now_ms, self._market.states[key])
        return True

    def _tell_phases(self) -> None:
        calendar = self._market.calendar
        if calendar.always_open:
            return
        now = statuses(calendar, self._market.now_ms)
        if now == self._statuses:
            return
        self._statuses = now
        info = market_info(calendar, self._market.now_ms)
        for session in self._sessions:
            if session.offer(info):
                FRAMES.labels("market_info").inc()
