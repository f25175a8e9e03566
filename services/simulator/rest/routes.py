"""All market calls on one page."""

from collections.abc import Sequence

from aiohttp import web

from services.simulator.market.candles import Candles
from services.simulator.market.instruments import ListedInstrument
from services.simulator.market.market import Market
from services.simulator.rest.calendar_calls import CalendarCalls
from services.simulator.rest.candle_calls import CandleCalls
from services.simulator.rest.instrument_calls import InstrumentCalls
from services.simulator.rest.master_calls import MasterCalls
from services.simulator.rest.quote_calls import QuoteCalls
from services.simulator.tokens import Tokens


def market_routes(
    instruments: Sequence[ListedInstrument], market: Market, tokens: Tokens
) -> list[web.RouteDef]:
    """Everything that can be asked about the market."""
    candles = Candles(market)
    return [
        *QuoteCalls(market, candles, tokens).routes(),
        *CandleCalls(market, candles).routes(),
        *CalendarCalls(market, tokens).routes(),
        *InstrumentCalls(instruments, market, tokens).routes(),
        *MasterCalls(instruments).routes(),
    ]
