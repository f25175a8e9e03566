"""Quotes of one instrument as JSON objects with Upstox's field names; prices are in rupees."""

from datetime import datetime
from typing import Any, Final

from services.simulator.market.book import OrderBook
from services.simulator.market.circuit_limits import circuit_limits
from services.simulator.market.state import Candle, SimulatedState
from shared.market.exchange_time import IST, day_start

DEPTH: Final = 5
_TRADES_PER_ORDER: Final = 10
_EMPTY_LEVEL: Final[dict[str, Any]] = {"quantity": 0, "price": 0.0, "orders": 0}


def last_price(state: SimulatedState) -> dict[str, Any]:
    """The fields of every quote."""
    return {"last_price": state.ltp_paise / 100, "instrument_token": state.instrument.key}


def last_trade(state: SimulatedState) -> dict[str, Any]:
    """The data of the v3 ``ltp`` call."""
    return last_price(state) | {
        "ltq": state.ltq,
        "volume": state.vtt,
        "cp": state.close_paise / 100,
    }


def ohlc(candle: Candle | None) -> dict[str, float] | None:
    """Open, high, low, close; None without a candle."""
    if candle is None:
        return None
    return {
        "open": candle.open / 100,
        "high": candle.high / 100,
        "low": candle.low / 100,
        "close": candle.close / 100,
    }


def ohlcv(candle: Candle | None) -> dict[str, Any] | None:
    """The v3 form of a candle, with volume and start; None without a candle."""
    prices = ohlc(candle)
    if candle is None or prices is None:
        return None
    return {**prices, "volume": candle.volume, "ts": candle.start_ms}


def full(state: SimulatedState, now_ms: int) -> dict[str, Any]:
    """The data of the v2 ``quotes`` call."""
    book, limits = state.book, circuit_limits(state)
    return last_price(state) | {
        "ohlc": ohlc(state.day),
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


def full_v3(state: SimulatedState, now_ms: int, year: tuple[int, int]) -> dict[str, Any]:
    """The data of the v3 ``quotes`` call.

    `year` is the lowest and the highest price of 52 weeks, in paise.
    """
    day = state.day or Candle.begin(day_start(now_ms), state.ltp_paise, 0)
    low = min(year[0], day.low)
    high = max(year[1], day.high)
    return full(state, now_ms) | {
        "ohlc": ohlcv(state.day),
        "prev_close_price": state.close_paise / 100,
        "year_high": high / 100,
        "year_low": low / 100,
        "previous_oi": previous_oi(state),
        "cas_eligible": state.has_closing_auction,
        **_auction(state),
    }


def _auction(state: SimulatedState) -> dict[str, Any]:
    """The fields of an auction, between its order entry and its match."""
    if not state.indicative_paise:
        return {}
    return {
        "indicative_equilibrium_price": state.indicative_paise / 100,
        "indicative_equilibrium_quantity": state.indicative_quantity,
        "indicative_imbalance_quantity_total": 0,
        "indicative_imbalance_quantity_market": 0,
        "reference_price": state.ltp_paise / 100,
    }


def greeks(state: SimulatedState) -> dict[str, Any]:
    """The data of the v3 ``option-greek`` call; zeros for all instruments but options."""
    values = state.greeks
    return last_trade(state) | {
        "iv": state.iv,
        "vega": values.vega if values else 0.0,
        "gamma": values.gamma if values else 0.0,
        "theta": values.theta if values else 0.0,
        "delta": values.delta if values else 0.0,
        "oi": float(state.oi),
    }


def previous_oi(state: SimulatedState) -> float:
    """Open interest at the end of the previous day; on the first day, the present value."""
    return float(state.days[-1].oi if state.days else state.oi)


def depth(book: OrderBook | None) -> dict[str, list[dict[str, Any]]]:
    """The best five levels of each side; empty levels for an index."""
    if book is None:
        return {"buy": [_EMPTY_LEVEL] * DEPTH, "sell": [_EMPTY_LEVEL] * DEPTH}
    levels = book.depth(DEPTH)
    return {
        "buy": [_level(level.bid_quantity, level.bid_paise) for level in levels],
        "sell": [_level(level.ask_quantity, level.ask_paise) for level in levels],
    }


def _level(quantity: int, price_paise: int) -> dict[str, Any]:
    # The book has no single orders, so their number is derived from the quantity.
    orders = 1 + quantity // _TRADES_PER_ORDER if quantity else 0
    return {"quantity": quantity, "price": price_paise / 100, "orders": orders}
