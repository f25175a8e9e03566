"""The universe has the configured size and valid instruments."""

from hypothesis import given
from hypothesis import strategies as st

from services.simulator.market.instruments import INSTRUMENTS
from services.simulator.market.universe import MAX_SYNTHETIC, instruments_of, synthetic_stock

START = 1_767_607_200_000


def is_isin(isin: str) -> bool:
    digits = "".join(str(int(character, 36)) for character in isin)
    doubled = (int(d) * (2 if i % 2 else 1) for i, d in enumerate(reversed(digits)))
    return len(isin) == 12 and sum(d // 10 + d % 10 for d in doubled) % 10 == 0


def test_the_default_universe_is_the_nifty_50() -> None:
    assert instruments_of("nifty50", synthetic=0, start_ms=START) == INSTRUMENTS


def test_the_largest_universe_has_unique_keys() -> None:
    everything = instruments_of("full", synthetic=MAX_SYNTHETIC, start_ms=START)
    assert len({each.key for each in everything}) == len(everything) == 52 + 106 + MAX_SYNTHETIC
    assert set(INSTRUMENTS) < set(everything)


@given(st.integers(0, MAX_SYNTHETIC - 1))
def test_a_synthetic_stock_has_a_valid_isin_and_a_price_on_the_tick_grid(number: int) -> None:
    stock = synthetic_stock(number)
    assert stock.key == f"NSE_EQ|{stock.isin}"
    assert stock.key.startswith("NSE_EQ|INE9")
    assert is_isin(stock.isin or "")
    assert stock.base_paise % stock.tick_paise == 0
