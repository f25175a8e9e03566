"""The instruments have valid keys, and base prices on the tick grid."""

import pytest

from services.simulator.market.instruments import (
    INDICES,
    INSTRUMENTS,
    STOCKS,
    ListedInstrument,
    tick_paise,
)


def is_isin(isin: str) -> bool:
    digits = "".join(str(int(character, 36)) for character in isin)
    doubled = (int(d) * (2 if i % 2 else 1) for i, d in enumerate(reversed(digits)))
    return len(isin) == 12 and sum(d // 10 + d % 10 for d in doubled) % 10 == 0


@pytest.mark.parametrize("stock", STOCKS, ids=lambda stock: stock.symbol)
def test_a_stock_key_contains_an_isin_with_a_valid_check_digit(stock: ListedInstrument) -> None:
    segment, _, isin = stock.key.partition("|")
    assert segment == "NSE_EQ"
    assert is_isin(isin)


def test_there_are_fifty_stocks_and_two_indices_with_unique_keys() -> None:
    assert len(STOCKS) == 50
    assert [index.key for index in INDICES] == ["NSE_INDEX|Nifty 50", "NSE_INDEX|Nifty Bank"]
    assert len({instrument.key for instrument in INSTRUMENTS}) == 52
    assert len({instrument.symbol for instrument in INSTRUMENTS}) == 52


def test_base_prices_are_on_the_tick_grid() -> None:
    assert [i.symbol for i in INSTRUMENTS if i.base_paise % i.tick_paise] == []


def test_the_constituents_of_an_index_are_stocks_of_the_market() -> None:
    keys = {stock.key for stock in STOCKS}
    assert [len(index.constituents) for index in INDICES] == [50, 5]
    assert all(set(index.constituents) <= keys for index in INDICES)


@pytest.mark.parametrize(
    ("price_paise", "tick"),
    [(24_999, 1), (25_000, 5), (100_000, 10), (500_000, 50), (1_000_000, 100), (2_000_000, 500)],
)
def test_the_tick_size_grows_with_the_price(price_paise: int, tick: int) -> None:
    assert tick_paise(price_paise) == tick
