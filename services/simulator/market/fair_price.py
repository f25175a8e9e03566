"""What a derivative is worth by its underlying.

PURE. Prices are in paise, on a tick grid.
"""

import math
from typing import Final, NamedTuple

from services.simulator.market.book import LEVELS
from services.simulator.market.greeks import RATE, YEAR_MS, Greeks, value

_VOLATILITY: Final = 0.12
_SMILE: Final = 1.5
_IV_STEPS: Final = 10_000


class OptionValue(NamedTuple):
    """Price, greeks and implied volatility (a fraction)."""

    price_paise: int
    greeks: Greeks
    iv: float


def future_paise(spot_paise: int, left_ms: int, tick_paise: int) -> int:
    """A future's price: the spot with interest until the end."""
    price = spot_paise * math.exp(RATE * max(0, left_ms) / YEAR_MS)
    return on_grid(price, tick_paise)


def option_value(
    spot_paise: int, strike_paise: int, left_ms: int, tick_paise: int, *, call: bool
) -> OptionValue:
    """An option's worth; volatility grows with the distance of strike and spot."""
    distance = math.log(strike_paise / spot_paise)
    iv = round((_VOLATILITY + _SMILE * distance * distance) * _IV_STEPS) / _IV_STEPS
    price, greeks = value(spot_paise / 100, strike_paise / 100, left_ms / YEAR_MS, iv, call=call)
    return OptionValue(on_grid(price * 100, tick_paise), greeks, iv)


def on_grid(price: float, tick_paise: int) -> int:
    """The nearest price; never so low that the book's last bid would be worth nothing."""
    return max((LEVELS + 1) * tick_paise, int(price / tick_paise + 0.5) * tick_paise)
