"""Fair prices follow the underlying, on the tick grid."""

from hypothesis import given
from hypothesis import strategies as st

from services.simulator.market.book import LEVELS
from services.simulator.market.fair_price import future_paise, option_value

DAY_MS = 86_400_000
spots = st.integers(1_000_000, 4_000_000)
times = st.integers(-DAY_MS, 60 * DAY_MS)


def test_a_future_is_the_spot_plus_interest() -> None:
    # 25,000 at 6.5 % for 73 days: 25,000 * e^0.013 = 25,327.12
    assert future_paise(2_500_000, 73 * DAY_MS, 5) == 2_532_710
    assert future_paise(2_500_000, 0, 5) == 2_500_000


@given(spots, spots, times, st.booleans())
def test_every_bid_of_an_option_book_is_positive(
    spot: int, strike: int, left_ms: int, call: bool
) -> None:
    option = option_value(spot, strike, left_ms, 5, call=call)
    assert option.price_paise % 5 == 0
    assert option.price_paise > LEVELS * 5
    assert option.iv > 0.1
    assert (0 <= option.greeks.delta <= 1) if call else (-1 <= option.greeks.delta <= 0)


@given(spots, st.floats(0.9, 1.1))
def test_a_call_is_worth_more_when_the_spot_rises(spot: int, distance: float) -> None:
    strike = int(spot * distance)
    lower = option_value(spot, strike, 30 * DAY_MS, 5, call=True)
    higher = option_value(spot + 100_000, strike, 30 * DAY_MS, 5, call=True)
    assert higher.price_paise >= lower.price_paise
