"""Option chains: the call and the put of each strike.

Implied volatility is in per cent here, unlike in the feed.
"""

from collections.abc import Iterable
from typing import Any

from services.simulator.market.instruments import InstrumentType
from services.simulator.market.state import SimulatedState
from services.simulator.market_data.quotes import previous_oi
from shared.market.exchange_time import ist_date


def option_chain(
    underlying: SimulatedState, options: Iterable[SimulatedState]
) -> list[dict[str, Any]]:
    """The chain of the options of one expiry, lowest strike first."""
    strikes: dict[int, dict[InstrumentType, SimulatedState]] = {}
    for option in options:
        pair = strikes.setdefault(option.instrument.strike_paise or 0, {})
        pair[option.instrument.instrument_type] = option
    return [_strike(underlying, *item) for item in sorted(strikes.items(), key=lambda i: i[0])]


def _strike(
    underlying: SimulatedState, strike_paise: int, pair: dict[InstrumentType, SimulatedState]
) -> dict[str, Any]:
    call, put = pair[InstrumentType.CALL], pair[InstrumentType.PUT]
    return {
        "expiry": ist_date(call.instrument.expiry_ms or 0).isoformat(),
        "pcr": round(put.oi / call.oi, 4) if call.oi else 0.0,
        "strike_price": strike_paise / 100,
        "underlying_key": underlying.instrument.key,
        "underlying_spot_price": underlying.ltp_paise / 100,
        "call_options": _side(call),
        "put_options": _side(put),
    }


def _side(state: SimulatedState) -> dict[str, Any]:
    best = state.book.depth(1)[0] if state.book else None
    greeks = state.greeks
    delta = greeks.delta if greeks else 0.0
    return {
        "instrument_key": state.instrument.key,
        "market_data": {
            "ltp": state.ltp_paise / 100,
            "volume": state.vtt,
            "oi": float(state.oi),
            "close_price": state.close_paise / 100,
            "bid_price": best.bid_paise / 100 if best else 0.0,
            "bid_qty": best.bid_quantity if best else 0,
            "ask_price": best.ask_paise / 100 if best else 0.0,
            "ask_qty": best.ask_quantity if best else 0,
            "prev_oi": previous_oi(state),
        },
        "option_greeks": {
            "vega": round(greeks.vega, 4) if greeks else 0.0,
            "theta": round(greeks.theta, 4) if greeks else 0.0,
            "gamma": round(greeks.gamma, 6) if greeks else 0.0,
            "delta": round(delta, 4),
            "iv": round(state.iv * 100, 2),
            # The absolute value of delta approximates the probability of profit.
            "pop": round(abs(delta) * 100, 2),
        },
    }
