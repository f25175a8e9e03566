"""Option values agree with the textbook."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.simulator.market import greeks
from services.simulator.market.greeks import INTEREST_RATE, black_scholes


def test_call_and_put_agree_with_the_textbook(monkeypatch: pytest.MonkeyPatch) -> None:
    # Hull, Options, Futures and Other Derivatives: S=42, K=40, r=10%, s=20%, T=0.5.
    monkeypatch.setattr(greeks, "INTEREST_RATE", 0.10)
    call, _ = black_scholes(42, 40, 0.5, 0.20, call=True)
    put, _ = black_scholes(42, 40, 0.5, 0.20, call=False)
    assert call == pytest.approx(4.76, abs=0.005)
    assert put == pytest.approx(0.81, abs=0.005)


def test_greeks_agree_with_the_textbook(monkeypatch: pytest.MonkeyPatch) -> None:
    # Hull's example of the greeks: S=49, K=50, r=5%, s=20%, T=0.3846 (20 weeks).
    monkeypatch.setattr(greeks, "INTEREST_RATE", 0.05)
    price, call = black_scholes(49, 50, 0.3846, 0.20, call=True)
    assert price == pytest.approx(2.40, abs=0.005)
    assert call.delta == pytest.approx(0.522, abs=0.0005)
    assert call.gamma == pytest.approx(0.066, abs=0.0005)
    assert call.vega * 100 == pytest.approx(12.1, abs=0.05)
    assert call.theta * 365 == pytest.approx(-4.31, abs=0.005)
    assert call.rho * 100 == pytest.approx(8.91, abs=0.005)


prices = st.floats(50, 500)
years = st.floats(0.01, 2.0)
volatilities = st.floats(0.05, 1.0)


@given(prices, prices, years, volatilities)
def test_put_call_parity_holds(spot: float, strike: float, t: float, iv: float) -> None:
    call, of_call = black_scholes(spot, strike, t, iv, call=True)
    put, of_put = black_scholes(spot, strike, t, iv, call=False)
    assert call - put == pytest.approx(spot - strike * math.exp(-INTEREST_RATE * t), abs=1e-6)
    assert of_call.delta - of_put.delta == pytest.approx(1.0)
    assert (of_call.gamma, of_call.vega) == (of_put.gamma, of_put.vega)


@given(prices, prices, years, volatilities, st.booleans())
def test_delta_and_vega_are_derivatives_of_the_price(
    spot: float, strike: float, t: float, iv: float, call: bool
) -> None:
    _, values = black_scholes(spot, strike, t, iv, call=call)
    step = spot * 1e-5
    up, _ = black_scholes(spot + step, strike, t, iv, call=call)
    down, _ = black_scholes(spot - step, strike, t, iv, call=call)
    assert (up - down) / (2 * step) == pytest.approx(values.delta, abs=1e-3)
    wilder, _ = black_scholes(spot, strike, t, iv + 1e-5, call=call)
    calmer, _ = black_scholes(spot, strike, t, iv - 1e-5, call=call)
    assert (wilder - calmer) / 2e-5 / 100 == pytest.approx(values.vega, abs=1e-3)


def test_an_expired_option_has_its_exercise_value() -> None:
    assert black_scholes(110, 100, 0.0, 0.2, call=True)[0] == pytest.approx(10, abs=0.01)
    assert black_scholes(110, 100, -1.0, 0.2, call=False)[0] == pytest.approx(0, abs=0.01)
