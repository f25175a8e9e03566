"""Calls that find instruments: search, option contracts, option chain."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from services.simulator.access.tokens import TokenStore
from services.simulator.api.authentication import authenticate
from services.simulator.api.envelope import success
from services.simulator.errors import ApiError, ErrorCode
from services.simulator.market.instruments import ListedInstrument
from services.simulator.market.market import Market
from services.simulator.market_data.candle_query import parse_day
from services.simulator.market_data.instrument_keys import unknown_key
from services.simulator.market_data.instrument_master import master_rows
from services.simulator.market_data.option_chain import option_chain
from services.simulator.market_data.search import InstrumentSearch, answer_row
from shared.market.exchange_time import ist_date


class InstrumentRoutes:
    """Calls over all instruments of the market; all raise ApiError."""

    def __init__(
        self, instruments: Sequence[ListedInstrument], market: Market, tokens: TokenStore
    ) -> None:
        self._instruments = instruments
        self._market = market
        self._tokens = tokens
        self._rows = master_rows(instruments)

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [
            web.get("/v2/instruments/search", self.search),
            web.get("/v2/option/contract", self.contracts),
            web.get("/v2/option/chain", self.chain),
        ]

    async def search(self, request: web.Request) -> web.Response:
        """A page of the instruments that match the query."""
        authenticate(request, self._tokens)
        search = InstrumentSearch.from_query(request.query)
        matches = search.run(self._rows, self._market.states, ist_date(self._market.now_ms))
        start = (search.page - 1) * search.records
        page = matches[start : start + search.records]
        page_data = {
            "page_number": search.page,
            "total_pages": -(-len(matches) // search.records),
            "records": len(page),
            "total_records": len(matches),
        }
        return success([answer_row(row) for row in page], meta_data={"page": page_data})

    async def contracts(self, request: web.Request) -> web.Response:
        """The options on an instrument, of one expiry or of all."""
        authenticate(request, self._tokens)
        keys = {option.key for option in self._options(request)}
        return success([answer_row(row) for row in self._rows if row["instrument_key"] in keys])

    async def chain(self, request: web.Request) -> web.Response:
        """The option chain of an instrument and an expiry."""
        authenticate(request, self._tokens)
        if not request.query.get("expiry_date"):
            raise ApiError(ErrorCode.INVALID_INPUT, "expiry_date is required", path="expiry_date")
        states = self._market.states
        options = [states[option.key] for option in self._options(request)]
        strikes: list[dict[str, Any]] = []
        if options:
            strikes = option_chain(states[request.query["instrument_key"]], options)
        return success(strikes)

    def _options(self, request: web.Request) -> list[ListedInstrument]:
        key = request.query.get("instrument_key", "")
        if key not in self._market.states:
            raise unknown_key(key)
        text = request.query.get("expiry_date")
        day = parse_day(text, "expiry_date") if text else None
        return [
            option
            for option in self._instruments
            if option.is_option
            and option.underlying_key == key
            and (day is None or ist_date(option.expiry_ms or 0) == day)
        ]
