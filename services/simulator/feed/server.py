"""The market-data feed V3: a WebSocket that takes requests and sends frames."""

import asyncio
from typing import Final

from aiohttp import WSCloseCode, WSMsgType, web

from services.simulator.feed.codes import OneTimeCodes
from services.simulator.feed.frames import Frame, market_info, snapshot
from services.simulator.feed.session import Session
from services.simulator.feed.subscriptions import parse
from services.simulator.ledger import Ledger
from services.simulator.market.market import Market
from services.simulator.metrics import CLIENTS, FRAMES, TICKS
from services.simulator.settings import SimulatorSettings
from shared.logs import get_logger

log = get_logger(__name__)

FEED_PATH: Final = "/market-data-feeder/v3/upstox-developer-api/feeds"
_MAX_REQUEST_BYTES: Final = 1 << 20
_CLOSE_SECS: Final = 1.0


class Feed:
    """All feed connections, and what each of them is told."""

    def __init__(
        self, market: Market, codes: OneTimeCodes, ledger: Ledger, settings: SimulatorSettings
    ) -> None:
        self._market = market
        self._codes = codes
        self._ledger = ledger
        self._settings = settings
        self._sessions: dict[Session, web.WebSocketResponse] = {}

    def routes(self) -> list[web.RouteDef]:
        """The socket's address."""
        return [web.get(FEED_PATH, self.connect)]

    def publish(self, changes: dict[str, bool]) -> None:
        """Send every client a live frame of what changed of its instruments, if any did."""
        frame = Frame(self._market, changes)
        for session in self._sessions:
            live = frame.live(session.subscriptions.modes)
            if live is not None:
                data, ticks = live
                if session.offer(data):
                    FRAMES.labels("live").inc()
                    TICKS.inc(ticks)
        for key in frame.sent_live:
            self._ledger.record_sent("live", frame.ts_ms, self._market.states[key])

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """Serve one client until it leaves. Raises HTTPForbidden without a good code."""
        if not self._codes.redeem(request.query.get("code", "")):
            raise web.HTTPForbidden(text="the code is unknown, used or too old")
        socket = web.WebSocketResponse(
            heartbeat=self._settings.heartbeat_secs,
            timeout=_CLOSE_SECS,
            compress=False,
            max_msg_size=_MAX_REQUEST_BYTES,
        )
        await socket.prepare(request)
        session = Session(
            socket,
            request.transport,
            self._market.states,
            queue_frames=self._settings.client_queue_frames,
            send_timeout_secs=self._settings.send_timeout_secs,
        )
        session.offer(market_info(self._market.now_ms))
        FRAMES.labels("market_info").inc()
        self._sessions[session] = socket
        CLIENTS.set(len(self._sessions))
        log.info("feed client connected", clients=len(self._sessions))
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(session.write(), name="feed session writer")
                async for message in socket:
                    if message.type is WSMsgType.BINARY:  # Upstox ignores text
                        self._answer(session, message.data)
                writer.cancel()
        finally:
            del self._sessions[session]
            CLIENTS.set(len(self._sessions))
            log.info("feed client gone", clients=len(self._sessions))
        return socket

    async def close_all(self, _: web.Application) -> None:
        """Tell every client that the server goes away; part of the site's shutdown."""
        sockets = list(self._sessions.values())
        closing = (socket.close(code=WSCloseCode.GOING_AWAY) for socket in sockets)
        await asyncio.gather(*closing, return_exceptions=True)

    def _answer(self, session: Session, data: bytes) -> None:
        request = parse(data)
        if request is None:
            return
        fresh = session.subscriptions.apply(request)
        if not fresh:
            return
        modes = {key: session.subscriptions.modes[key] for key in fresh}
        if session.offer(snapshot(self._market, modes)):
            FRAMES.labels("snapshot").inc()
            TICKS.inc(len(modes))
            for key in modes:
                self._ledger.record_sent("snapshot", self._market.now_ms, self._market.states[key])
