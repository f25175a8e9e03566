"""The request handlers of market data."""

from collections.abc import Mapping
from functools import partial
from typing import Final

import msgspec
from aiohttp import web

from services.gateway.bus.feed_status import FeedStatusListener
from services.gateway.fanout.channels import Channel
from services.gateway.fanout.hub import Hub
from services.gateway.fanout.interest import Interest, Outcome
from services.gateway.fanout.latest_chains import LatestChains
from services.gateway.http.access import AccessControl
from services.gateway.rest.market import operations
from services.gateway.rest.market.option_chain import decode_contracts, option_chain
from services.gateway.rest.market.persister_client import PersisterClient
from services.gateway.rest.market.queries import (
    BarsQuery,
    GapsQuery,
    InstrumentPath,
    InstrumentsQuery,
    OptionChainQuery,
    QuotesQuery,
    unique,
)
from services.gateway.rest.market.schemas import NoQuote
from services.gateway.rest.reply import NO_CACHE, NO_STORE, SHORT_LIVED, reply
from services.gateway.stream.registry import StreamRegistry
from shared.errors import Unavailable
from shared.runtime.clock import Clock
from shared.runtime.health import Readiness
from shared.runtime.logs import get_logger
from shared.web.openapi import Operation
from shared.web.problems import Handler, read_path, read_query

log = get_logger(__name__)

# Bars older than this are no longer amended, except by a repair.
_SETTLED_MS: Final = 15 * 60_000
# In the text of a string the quotation marks would be escaped.
_UNFETCHED: Final = b'"unfetched":'
_NO_QUOTE: Final[Mapping[Outcome | None, NoQuote]] = {
    Outcome.UNKNOWN: NoQuote.UNKNOWN,
    Outcome.NO_CAPACITY: NoQuote.NO_CAPACITY,
}


class MarketEndpoints:
    """The operations on market data with their handlers."""

    def __init__(
        self,
        *,
        access: AccessControl,
        persister: PersisterClient,
        hub: Hub,
        chains: LatestChains,
        interest: Interest,
        streams: StreamRegistry,
        feed: FeedStatusListener,
        readiness: Readiness,
        clock: Clock,
    ) -> None:
        self._access = access
        self._persister = persister
        self._hub = hub
        self._chains = chains
        self._interest = interest
        self._streams = streams
        self._feed = feed
        self._readiness = readiness
        self._clock = clock

    def table(self) -> list[tuple[Operation, Handler]]:
        """The handler of each operation."""
        return [
            (operations.BARS, self.bars),
            (operations.GAPS, self.gaps),
            (operations.INSTRUMENTS, self.instruments),
            (operations.INSTRUMENT, self.instrument),
            (operations.OPTION_CHAIN, self.option_chain),
            (operations.QUOTES, self.quotes),
            (operations.STATUS, self.status),
        ]

    async def bars(self, request: web.Request) -> web.Response:
        await self._access.authenticate(request)
        query = read_query(request, BarsQuery)
        body = await self._persister.call(query.request())
        return await reply(request, body, self._cache_control(query, body))

    async def gaps(self, request: web.Request) -> web.Response:
        await self._access.authenticate(request)
        query = read_query(request, GapsQuery)
        return await reply(request, await self._persister.call(query.request()), NO_CACHE)

    async def instruments(self, request: web.Request) -> web.Response:
        await self._access.authenticate(request)
        query = read_query(request, InstrumentsQuery)
        return await reply(request, await self._persister.call(query.request()), SHORT_LIVED)

    async def instrument(self, request: web.Request) -> web.Response:
        await self._access.authenticate(request)
        body = await self._persister.call(read_path(request, InstrumentPath).request())
        return await reply(request, body, NO_CACHE)

    async def option_chain(self, request: web.Request) -> web.Response:
        await self._access.authenticate(request)
        query = read_query(request, OptionChainQuery)
        body = await self._persister.call(query.request())
        try:
            contracts = decode_contracts(body)
            chain = self._chains.get(
                contracts.underlying, contracts.expiry, self._clock.monotonic()
            )
            encoded = option_chain(contracts, chain, partial(self._hub.last, Channel.QUOTES))
        except msgspec.DecodeError as error:
            log.warning("option chain cannot be decoded", error=str(error))
            raise Unavailable("the option chain cannot be read at the moment") from None
        return await reply(request, encoded, NO_CACHE)

    async def quotes(self, request: web.Request) -> web.Response:
        await self._access.authenticate(request)
        quotes: list[bytes] = []
        missing: dict[str, NoQuote] = {}
        for key in unique(read_query(request, QuotesQuery).keys):
            last = self._hub.last(Channel.QUOTES, key)
            if last is not None:
                quotes.append(last)
            else:
                missing[key] = self._missing_reason(key)
        body = b'{"quotes":[%b],"missing":%b}' % (b",".join(quotes), msgspec.json.encode(missing))
        return await reply(request, body, NO_STORE)

    async def status(self, request: web.Request) -> web.Response:
        await self._access.authenticate(request)
        age_secs = self._feed.age_secs
        body: dict[str, object] = {
            "now": self._clock.now_ms(),
            "feed_is_current": self._feed.is_current(),
            "gateway": {
                "ready": self._readiness.is_ready(),
                "waiting_for": self._readiness.missing,
                "streams": len(self._streams),
                "instruments": self._hub.instrument_count,
            },
        }
        if age_secs is not None:
            body |= {"feed": self._feed.status, "feed_told_secs_ago": round(age_secs, 3)}
        return await reply(request, msgspec.json.encode(body), NO_STORE)

    def _cache_control(self, query: BarsQuery, body: bytes) -> str:
        """Settled bars may be cached for a short time, unless some are still being fetched."""
        if _UNFETCHED in body:
            return NO_STORE
        is_settled = query.bars_end_ms <= self._clock.now_ms() - _SETTLED_MS
        return SHORT_LIVED if is_settled else NO_CACHE

    def _missing_reason(self, key: str) -> NoQuote:
        outcome = self._interest.known_outcome(key, self._clock.monotonic())
        return _NO_QUOTE.get(outcome, NoQuote.NOT_FOLLOWED)
