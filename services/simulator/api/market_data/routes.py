"""All routes of market data calls."""

from collections.abc import Sequence

from aiohttp import web

from services.simulator.access.tokens import TokenStore
from services.simulator.api.market_data.calendar import CalendarRoutes
from services.simulator.api.market_data.candles import CandleRoutes
from services.simulator.api.market_data.instruments import InstrumentRoutes
from services.simulator.api.market_data.master import InstrumentMasterRoutes
from services.simulator.api.market_data.quotes import QuoteRoutes
from services.simulator.market.candles import Candles
from services.simulator.market.instruments import ListedInstrument
from services.simulator.market.market import Market


def market_data_routes(
    instruments: Sequence[ListedInstrument], market: Market, tokens: TokenStore
) -> list[web.RouteDef]:
    """The routes of quotes, candles, calendar, instruments and master files."""
    candles = Candles(market)
    return [
        *QuoteRoutes(market, candles, tokens).routes(),
        *CandleRoutes(market, candles).routes(),
        *CalendarRoutes(market, tokens).routes(),
        *InstrumentRoutes(instruments, market, tokens).routes(),
        *InstrumentMasterRoutes(instruments).routes(),
    ]
