"""The request handlers of figures for administrators."""

from typing import Final

import msgspec
from aiohttp import web

from services.gateway.bus.feed_status import FeedStatusListener
from services.gateway.fanout.channels import Channel
from services.gateway.fanout.hub import Hub
from services.gateway.fanout.ingest_clock import IngestClock
from services.gateway.fanout.interest import Interest
from services.gateway.http.access import AccessControl
from services.gateway.rest.figures import operations
from services.gateway.rest.market.persister_client import PersisterClient
from services.gateway.rest.reply import NO_STORE, reply
from services.gateway.settings import GatewaySettings
from services.gateway.stream.registry import StreamRegistry
from shared.contracts.history import HistoryStateRequest
from shared.web.openapi import Operation
from shared.web.problems import Handler

_KEYED: Final = (
    Channel.QUOTES, Channel.DEPTH, Channel.CHAIN, Channel.CANDLES, Channel.BARS,
)  # fmt: skip


class FigureEndpoints:
    """For administrators only, read-only."""

    def __init__(
        self,
        *,
        access: AccessControl,
        gateway_id: str,
        settings: GatewaySettings,
        hub: Hub,
        interest: Interest,
        streams: StreamRegistry,
        feed: FeedStatusListener,
        persister: PersisterClient,
        ingest_clock: IngestClock,
    ) -> None:
        self._access = access
        self._gateway_id = gateway_id
        self._settings = settings
        self._hub = hub
        self._interest = interest
        self._streams = streams
        self._feed = feed
        self._persister = persister
        self._ingest_clock = ingest_clock

    def table(self) -> list[tuple[Operation, Handler]]:
        """The handler of each operation."""
        return [(operations.FIGURES, self.figures), (operations.HISTORY, self.history)]

    async def figures(self, request: web.Request) -> web.Response:
        await self._access.authenticate_admin(request)
        body: dict[str, object] = {
            "gateway_id": self._gateway_id,
            "streams": len(self._streams),
            "max_streams": self._settings.max_streams,
            "users": self._streams.user_count,
            "subscriptions": {
                channel.value: len(self._hub.subscribed_keys(channel)) for channel in _KEYED
            },
            "max_keys_per_stream": self._settings.max_keys_per_stream,
            "outcomes": self._interest.counts(),
            "instruments": self._hub.instrument_count,
        }
        status = self._feed.status
        if status is not None:
            body["epoch"] = status.epoch
        newest_us = self._hub.newest_quote_us
        if newest_us is not None:
            body["newest_quote_age_ms"] = max(0, self._ingest_clock.now_us() - newest_us) // 1_000
        if self._feed.is_current() and self._interest.modes:
            body["modes"] = self._interest.modes
        return await reply(request, msgspec.json.encode(body), NO_STORE)

    async def history(self, request: web.Request) -> web.Response:
        await self._access.authenticate_admin(request)
        return await reply(request, await self._persister.call(HistoryStateRequest()), NO_STORE)
