"""Black-Scholes prices of European options, and their greeks in Upstox's units."""

import math
from typing import Final, NamedTuple

INTEREST_RATE: Final = 0.065
"""Per year, a fraction."""
YEAR_MS: Final = 365 * 86_400_000
_MIN_YEARS: Final = 1e-6
_SQRT_TWO: Final = math.sqrt(2.0)


class Greeks(NamedTuple):
    """Sensitivities of an option's price."""

    delta: float
    """Per rupee of the underlying."""
    theta: float
    """Per day."""
    gamma: float
    """Change of delta per rupee of the underlying."""
    vega: float
    """Per hundredth of volatility."""
    rho: float
    """Per hundredth of the interest rate."""


def black_scholes(
    spot: float, strike: float, years: float, volatility: float, *, call: bool
) -> tuple[float, Greeks]:
    """Price in the unit of `spot`, and the greeks.

    `years` is the time to expiry; `volatility` is a fraction, per year.
    """
    years = max(years, _MIN_YEARS)
    spread = volatility * math.sqrt(years)
    d1 = (math.log(spot / strike) + (INTEREST_RATE + volatility * volatility / 2) * years) / spread
    d2 = d1 - spread
    discounted_strike = strike * math.exp(-INTEREST_RATE * years)
    density = math.exp(-d1 * d1 / 2) / math.sqrt(2 * math.pi)
    gamma = density / (spot * spread)
    vega = spot * density * math.sqrt(years) / 100
    decay = -spot * density * volatility / (2 * math.sqrt(years))
    if call:
        delta, exercise_probability = _normal_cdf(d1), _normal_cdf(d2)
        price = spot * delta - discounted_strike * exercise_probability
        theta = decay - INTEREST_RATE * discounted_strike * exercise_probability
        rho = discounted_strike * years * exercise_probability / 100
    else:
        delta, exercise_probability = -_normal_cdf(-d1), _normal_cdf(-d2)
        price = discounted_strike * exercise_probability + spot * delta
        theta = decay + INTEREST_RATE * discounted_strike * exercise_probability
        rho = -discounted_strike * years * exercise_probability / 100
    return price, Greeks(delta, theta / 365, gamma, vega, rho)


def _normal_cdf(x: float) -> float:
    return (1.0 + math.erf(x / _SQRT_TWO)) / 2
