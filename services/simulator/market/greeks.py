"""Black-Scholes prices of European options, and their greeks in Upstox's units."""

import math
from typing import Final, NamedTuple

RATE: Final = 0.065
"""Of interest, a year."""
YEAR_MS: Final = 365 * 86_400_000
_LEAST_YEARS: Final = 1e-6
_ROOT_OF_TWO: Final = math.sqrt(2.0)


class Greeks(NamedTuple):
    """How an option's price moves."""

    delta: float
    """By one rupee of the underlying."""
    theta: float
    """In a day."""
    gamma: float
    """Of delta, by one rupee of the underlying."""
    vega: float
    """By a hundredth of volatility."""
    rho: float
    """By a hundredth of interest."""


def value(
    spot: float, strike: float, years: float, volatility: float, *, call: bool
) -> tuple[float, Greeks]:
    """Price in the unit of `spot`, and the greeks; `volatility` is a fraction, per year."""
    years = max(years, _LEAST_YEARS)
    spread = volatility * math.sqrt(years)
    high = (math.log(spot / strike) + (RATE + volatility * volatility / 2) * years) / spread
    low = high - spread
    owed = strike * math.exp(-RATE * years)
    density = math.exp(-high * high / 2) / math.sqrt(2 * math.pi)
    gamma = density / (spot * spread)
    vega = spot * density * math.sqrt(years) / 100
    decay = -spot * density * volatility / (2 * math.sqrt(years))
    if call:
        delta, sure = _normal(high), _normal(low)
        price = spot * delta - owed * sure
        theta = decay - RATE * owed * sure
        rho = owed * years * sure / 100
    else:
        delta, sure = -_normal(-high), _normal(-low)
        price = owed * sure + spot * delta
        theta = decay + RATE * owed * sure
        rho = -owed * years * sure / 100
    return price, Greeks(delta, theta / 365, gamma, vega, rho)


def _normal(at: float) -> float:
    """The standard normal distribution function."""
    return (1.0 + math.erf(at / _ROOT_OF_TWO)) / 2
