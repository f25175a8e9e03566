"""The calls that find instruments: search, option contracts and the option chain."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from aiohttp import web

from services.simulator.envelope import INVALID_INPUT, refuse, success
from services.simulator.market.instruments import ListedInstrument
from services.simulator.market.market import Market
from services.simulator.rest.candle_query import day_of
from services.simulator.rest.chain import chain
from services.simulator.rest.keys import unknown_key
from services.simulator.rest.master import rows
from services.simulator.rest.search import Search, shown
from services.simulator.tokens import Tokens
from shared.market.exchange_time import ist_date


class InstrumentCalls:
    """What there is to trade, found by what it is."""

    def __init__(
        self, instruments: Sequence[ListedInstrument], market: Market, tokens: Tokens
    ) -> None:
        self._instruments = instruments
        self._market = market
        self._tokens = tokens
        self._rows = rows(instruments)

    def routes(self) -> list[web.RouteDef]:
        """All three."""
        return [
            web.get("/v2/instruments/search", self.search),
            web.get("/v2/option/contract", self.contracts),
            web.get("/v2/option/chain", self.chain),
        ]

    async def search(self, request: web.Request) -> web.Response:
        """A page of what fits the query. Raises Refusal."""
        self._tokens.bearer(request)
        search = Search.of(request.query)
        found = search.run(self._rows, self._market.states)
        start = (search.page - 1) * search.records
        page = found[start : start + search.records]
        told = {
            "page_number": search.page,
            "total_pages": -(-len(found) // search.records),
            "records": len(page),
            "total_records": len(found),
        }
        return success([shown(row) for row in page], meta_data={"page": told})

    async def contracts(self, request: web.Request) -> web.Response:
        """The options on an instrument, of one expiry or of all. Raises Refusal."""
        self._tokens.bearer(request)
        chosen = {option.key for option in self._options(request)}
        return success([shown(row) for row in self._rows if row["instrument_key"] in chosen])

    async def chain(self, request: web.Request) -> web.Response:
        """Calls beside puts, strike by strike, of one expiry. Raises Refusal."""
        self._tokens.bearer(request)
        if not request.query.get("expiry_date"):
            raise refuse(
                HTTPStatus.BAD_REQUEST, INVALID_INPUT, "expiry_date is required", path="expiry_date"
            )
        states = self._market.states
        options = [states[option.key] for option in self._options(request)]
        strikes: list[dict[str, Any]] = []
        if options:
            strikes = chain(states[request.query["instrument_key"]], options)
        return success(strikes)

    def _options(self, request: web.Request) -> list[ListedInstrument]:
        key = request.query.get("instrument_key", "")
        if key not in self._market.states:
            raise unknown_key(key)
        text = request.query.get("expiry_date")
        day = day_of(text, "expiry_date") if text else None
        return [
            option
            for option in self._instruments
            if option.is_option
            and option.underlying_key == key
            and (day is None or ist_date(option.expiry_ms or 0) == day)
        ]
