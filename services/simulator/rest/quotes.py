"""What the quote calls tell of one instrument, read off its state.

PURE: no sockets. Prices are rupees here, as Upstox tells them.
"""

from datetime import datetime
from typing import Any, Final

from services.simulator.market.book import OrderBook
from services.simulator.market.state import Candle, InstrumentState
from services.simulator.orders.checks import circuit
from shared.market.exchange_time import IST, day_start

DEPTH: Final = 5
_TRADES_PER_ORDER: Final = 10
_NOTHING: Final[dict[str, Any]] = {"quantity": 0, "price": 0.0, "orders": 0}


def last_price(state: InstrumentState) -> dict[str, Any]:
    """What every quote has."""
    return {"last_price": state.ltp_paise / 100, "instrument_token": state.instrument.key}


def last_trade(state: InstrumentState) -> dict[str, Any]:
    """The v3 ``ltp``."""
    return last_price(state) | {
        "ltq": state.ltq,
        "volume": state.vtt,
        "cp": state.close_paise / 100,
    }


def prices(candle: Candle | None) -> dict[str, float] | None:
    """Open, high, low, close."""
    if candle is None:
        return None
    return {
        "open": candle.open / 100,
        "high": candle.high / 100,
        "low": candle.low / 100,
        "close": candle.close / 100,
    }


def bar(candle: Candle | None) -> dict[str, Any] | None:
    """The same with volume and start, as v3 tells it."""
    shown = prices(candle)
    if candle is None or shown is None:
        return None
    return {**shown, "volume": candle.volume, "ts": candle.start_ms}


def full(state: InstrumentState, now_ms: int) -> dict[str, Any]:
    """The v2 ``quotes``."""
    book, limits = state.book, circuit(state)
    return last_price(state) | {
        "ohlc": prices(state.day),
        "depth": depth(book),
        "timestamp": datetime.fromtimestamp(now_ms / 1_000, IST).isoformat(timespec="milliseconds"),
        "symbol": state.instrument.symbol,
        "volume": state.vtt,
        "average_price": (state.atp_paise() or 0) / 100,
        "oi": float(state.oi),
        "net_change": (state.ltp_paise - state.close_paise) / 100,
        "total_buy_quantity": float(sum(book.bids)) if book else 0.0,
        "total_sell_quantity": float(sum(book.asks)) if book else 0.0,
        "lower_circuit_limit": limits[0] / 100 if limits else 0.0,
        "upper_circuit_limit": limits[1] / 100 if limits else 0.0,
        "last_trade_time": str(state.ltt_ms),
        "oi_day_high": float(state.oi),
        "oi_day_low": float(state.oi),
    }


def full_v3(state: InstrumentState, now_ms: int, year: tuple[int, int]) -> dict[str, Any]:
    """The v3 ``quotes``; `year` is the lowest and the highest price of 52 weeks, in paise."""
    day = state.day or Candle.begin(day_start(now_ms), state.ltp_paise, 0)
    low = min(year[0], day.low)
    high = max(year[1], day.high)
    return full(state, now_ms) | {
        "ohlc": bar(state.day),
        "prev_close_price": state.close_paise / 100,
        "year_high": high / 100,
        "year_low": low / 100,
        "previous_oi": previous_oi(state),
    }


def greeks(state: InstrumentState) -> dict[str, Any]:
    """The v3 ``option-greek``; all zero for what is not an option."""
    told = state.greeks
    return last_trade(state) | {
        "iv": state.iv,
        "vega": told.vega if told else 0.0,
        "gamma": told.gamma if told else 0.0,
        "theta": told.theta if told else 0.0,
        "delta": told.delta if told else 0.0,
        "oi": float(state.oi),
    }


def previous_oi(state: InstrumentState) -> float:
    """Open interest at the end of the day before, as far as the market has lived."""
    return float(state.days[-1].oi if state.days else state.oi)


def depth(book: OrderBook | None) -> dict[str, list[dict[str, Any]]]:
    """Five levels a side; of an index empty ones."""
    if book is None:
        return {"buy": [_NOTHING] * DEPTH, "sell": [_NOTHING] * DEPTH}
    levels = book.depth(DEPTH)
    return {
        "buy": [_level(level.bid_quantity, level.bid_paise) for level in levels],
        "sell": [_level(level.ask_quantity, level.ask_paise) for level in levels],
    }


def _level(quantity: int, price_paise: int) -> dict[str, Any]:
    # The book keeps quantities, not orders; their number is made up from them.
    orders = 1 + quantity // _TRADES_PER_ORDER if quantity else 0
    return {"quantity": quantity, "price": price_paise / 100, "orders": orders}
