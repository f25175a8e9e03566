"""A market's universe is as large as it is set, and everything in it is well made."""

from hypothesis import given
from hypothesis import strategies as st

from services.simulator.market.instruments import INSTRUMENTS
from services.simulator.market.universe import MOST_SYNTHETIC, instruments_of, synthetic_stock

START = 1_767_607_200_000


def is_isin(isin: str) -> bool:
    digits = "".join(str(int(character, 36)) for character in isin)
    doubled = (int(d) * (2 if i % 2 else 1) for i, d in enumerate(reversed(digits)))
    return len(isin) == 12 and sum(d // 10 + d % 10 for d in doubled) % 10 == 0


def test_default_universe_is_the_nifty_50() -> None:
    assert instruments_of("nifty50", synthetic=0, start_ms=START) == INSTRUMENTS


def test_full_universe_with_all_synthetic_stocks_has_no_key_twice() -> None:
    everything = instruments_of("full", synthetic=MOST_SYNTHETIC, start_ms=START)
    assert len({one.key for one in everything}) == len(everything) == 52 + 106 + MOST_SYNTHETIC
    assert set(INSTRUMENTS) < set(everything)


@given(st.integers(0, MOST_SYNTHETIC - 1))
def test_synthetic_stock_has_a_valid_isin_and_a_price_on_the_grid(number: int) -> None:
    stock = synthetic_stock(number)
    assert stock.key == f"NSE_EQ|{stock.isin}"
    assert stock.key.startswith("NSE_EQ|INE9")
    assert is_isin(stock.isin or "")
    assert stock.base_paise % stock.tick_paise == 0
