"""Fair prices of derivatives, computed from their underlying.

Prices are in paise, on the tick grid.
"""

import math
from typing import Final, NamedTuple

from services.simulator.market.book import LEVELS
from services.simulator.market.greeks import INTEREST_RATE, YEAR_MS, Greeks, black_scholes

_VOLATILITY: Final = 0.12
_SMILE: Final = 1.5
_IV_STEPS: Final = 10_000


class OptionValue(NamedTuple):
    """Price, greeks and implied volatility (a fraction)."""

    price_paise: int
    greeks: Greeks
    iv: float


def future_paise(spot_paise: int, left_ms: int, tick_paise: int) -> int:
    """The price of a future: the spot price plus interest until the expiry."""
    price_paise = spot_paise * math.exp(INTEREST_RATE * max(0, left_ms) / YEAR_MS)
    return on_tick_grid(price_paise, tick_paise)


def option_value(
    spot_paise: int, strike_paise: int, left_ms: int, tick_paise: int, *, call: bool
) -> OptionValue:
    """The value of an option; implied volatility grows with the distance of strike and spot."""
    distance = math.log(strike_paise / spot_paise)
    iv = round((_VOLATILITY + _SMILE * distance * distance) * _IV_STEPS) / _IV_STEPS
    price_rupees, greeks = black_scholes(
        spot_paise / 100, strike_paise / 100, left_ms / YEAR_MS, iv, call=call
    )
    return OptionValue(on_tick_grid(price_rupees * 100, tick_paise), greeks, iv)


def on_tick_grid(price_paise: float, tick_paise: int) -> int:
    """The nearest price on the grid, but high enough that every bid of the book is positive."""
    return max((LEVELS + 1) * tick_paise, int(price_paise / tick_paise + 0.5) * tick_paise)
