"""The handlers below /v1: a question in, an answer out."""

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from aiohttp import web

from services.gateway.bus.feed_status import CURRENT_SECS, FeedStatusListener
from services.gateway.fanout.channels import Channel
from services.gateway.fanout.hub import Hub
from services.gateway.fanout.interest import Interest, Outcome
from services.gateway.http.access import AccessControl
from services.gateway.rest import operations
from services.gateway.rest.persister_client import PersisterClient
from services.gateway.rest.queries import (
    BarsQuery,
    GapsQuery,
    InstrumentsQuery,
    QuotesQuery,
    RangeQuery,
    unique,
)
from services.gateway.rest.reply import NO_CACHE, NO_STORE, SHORTLY, reply
from services.gateway.rest.schemas import NoQuote
from services.gateway.stream.registry import StreamRegistry
from shared.runtime.clock import Clock
from shared.runtime.health import Readiness
from shared.web.openapi import Operation
from shared.web.problems import read_query

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# By then a closed bar was amended, if it ever will be, or waits for its repair.
_SETTLED_MS: Final = 15 * 60_000
_DOCUMENT_HEADERS: Final = {
    "Cache-Control": "public, max-age=300",
    "X-Content-Type-Options": "nosniff",
}
_NO_QUOTE: Final = {
    Outcome.UNKNOWN: NoQuote.UNKNOWN,
    Outcome.NO_CAPACITY: NoQuote.NO_CAPACITY,
}


class Endpoints:
    """Every path below /v1, and what answers it."""

    def __init__(
        self,
        *,
        access: AccessControl,
        questions: PersisterClient,
        hub: Hub,
        interest: Interest,
        streams: StreamRegistry,
        board: FeedStatusListener,
        readiness: Readiness,
        clock: Clock,
    ) -> None:
        self._access = access
        self._questions = questions
        self._hub = hub
        self._interest = interest
        self._streams = streams
        self._board = board
        self._readiness = readiness
        self._clock = clock
        self._openapi = operations.openapi()

    def table(self) -> list[tuple[Operation, Handler]]:
        """All of them on one page."""
        return [
            (operations.BARS, self.bars),
            (operations.GAPS, self.gaps),
            (operations.INSTRUMENTS, self.instruments),
            (operations.QUOTES, self.quotes),
            (operations.STATUS, self.status),
        ]

    async def bars(self, request: web.Request) -> web.Response:
        await self._access.user(request)
        query = read_query(request, BarsQuery)
        return await reply(request, await self._questions.ask(query.request()), self._kept(query))

    async def gaps(self, request: web.Request) -> web.Response:
        await self._access.user(request)
        query = read_query(request, GapsQuery)
        return await reply(request, await self._questions.ask(query.request()), NO_CACHE)

    async def instruments(self, request: web.Request) -> web.Response:
        await self._access.user(request)
        query = read_query(request, InstrumentsQuery)
        return await reply(request, await self._questions.ask(query.request()), SHORTLY)

    async def quotes(self, request: web.Request) -> web.Response:
        await self._access.user(request)
        known: list[bytes] = []
        missing: dict[str, NoQuote] = {}
        for key in unique(read_query(request, QuotesQuery).keys):
            last = self._hub.last(Channel.QUOTES, key)
            if last is not None:
                known.append(last)
            else:
                missing[key] = self._why_missing(key)
        body = b'{"quotes":[%b],"missing":%b}' % (b",".join(known), msgspec.json.encode(missing))
        return await reply(request, body, NO_STORE)

    async def status(self, request: web.Request) -> web.Response:
        await self._access.user(request)
        told_secs_ago = self._board.told_secs_ago
        body: dict[str, object] = {
            "now": self._clock.now_ms(),
            "feed_is_current": told_secs_ago is not None and told_secs_ago < CURRENT_SECS,
            "gateway": {
                "ready": self._readiness.is_ready(),
                "waiting_for": self._readiness.missing,
                "streams": len(self._streams),
                "instruments": self._hub.instrument_count,
            },
        }
        if told_secs_ago is not None:
            body |= {"feed": self._board.status, "feed_told_secs_ago": round(told_secs_ago, 3)}
        return await reply(request, msgspec.json.encode(body), NO_STORE)

    async def openapi(self, request: web.Request) -> web.Response:
        """The document that describes all of the above."""
        self._access.anybody(request)
        return web.json_response(text=self._openapi, headers=_DOCUMENT_HEADERS)

    def routes(self) -> list[web.RouteDef]:
        """For the router."""
        described = [
            web.route(operation.method, operation.path, handler)
            for operation, handler in self.table()
        ]
        return [*described, web.route("GET", "/v1/openapi.json", self.openapi)]

    def _kept(self, query: RangeQuery) -> str:
        """Bars of a past that is settled may be kept for a while."""
        return SHORTLY if query.end_ms <= self._clock.now_ms() - _SETTLED_MS else NO_CACHE

    def _why_missing(self, key: str) -> NoQuote:
        outcome = self._interest.outcome(key, self._clock.monotonic(), is_known=False)
        return _NO_QUOTE.get(outcome, NoQuote.NOT_FOLLOWED)
