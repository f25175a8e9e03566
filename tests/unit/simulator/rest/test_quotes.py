"""A quote tells what the state holds, in rupees."""

from services.simulator.market.book import OrderBook
from services.simulator.market.greeks import Greeks
from services.simulator.market.instruments import INDICES, STOCKS
from services.simulator.market.state import Candle, InstrumentState
from services.simulator.rest import quotes

NOW_MS = 1_767_607_200_123  # 2026-01-05 15:30:00.123 IST
STOCK = next(stock for stock in STOCKS if stock.symbol == "RELIANCE")


def stock() -> InstrumentState:
    book = OrderBook(142_000, STOCK.tick_paise, lambda: 7)
    state = InstrumentState(STOCK, book)
    state.record(NOW_MS - 2_000, 141_950, 10)
    state.record(NOW_MS - 1_000, 142_010, 30)
    return state


def test_last_trade_is_told_in_rupees() -> None:
    assert quotes.last_trade(stock()) == {
        "last_price": 1_420.1,
        "instrument_token": STOCK.key,
        "ltq": 30,
        "volume": 40,
        "cp": 1_420.0,
    }


def test_full_quote_tells_day_depth_and_limits() -> None:
    told = quotes.full(stock(), NOW_MS)
    assert told["ohlc"] == {"open": 1_419.5, "high": 1_420.1, "low": 1_419.5, "close": 1_420.1}
    assert told["timestamp"] == "2026-01-05T15:30:00.123+05:30"
    assert told["last_trade_time"] == str(NOW_MS - 1_000)
    assert told["net_change"] == 0.1
    assert told["average_price"] == 1_419.95
    assert told["depth"]["buy"][0] == {"quantity": 7, "price": 1_420.0, "orders": 1}
    assert len(told["depth"]["sell"]) == quotes.DEPTH
    assert told["total_buy_quantity"] == 7 * 30
    assert (told["lower_circuit_limit"], told["upper_circuit_limit"]) == (1_136.0, 1_704.0)


def test_year_holds_the_day() -> None:
    told = quotes.full_v3(stock(), NOW_MS, (141_980, 141_990))
    assert (told["year_low"], told["year_high"]) == (1_419.5, 1_420.1)
    told = quotes.full_v3(stock(), NOW_MS, (100_000, 200_000))
    assert (told["year_low"], told["year_high"]) == (1_000.0, 2_000.0)


def test_index_has_empty_levels_and_no_volume() -> None:
    state = InstrumentState(INDICES[0], None)
    state.record(NOW_MS, 2_500_000, 0)
    told = quotes.full_v3(state, NOW_MS, (1, 2))
    assert told["volume"] == 0
    assert told["depth"]["buy"] == [{"quantity": 0, "price": 0.0, "orders": 0}] * 5
    assert told["upper_circuit_limit"] == 0.0


def test_nothing_is_made_up_before_the_first_trade() -> None:
    state = InstrumentState(STOCK, OrderBook(142_000, STOCK.tick_paise, lambda: 7))
    told = quotes.full_v3(state, NOW_MS, (141_000, 143_000))
    assert (told["ohlc"], told["average_price"]) == (None, 0.0)
    assert quotes.bar(None) is None


def test_greeks_are_those_of_the_state_and_zero_without_any() -> None:
    state = stock()
    assert quotes.greeks(state)["delta"] == 0.0
    state.greeks, state.iv, state.oi = Greeks(0.5, -1.5, 0.01, 2.5, 0.1), 0.12, 650
    told = quotes.greeks(state)
    assert (told["delta"], told["theta"], told["iv"], told["oi"]) == (0.5, -1.5, 0.12, 650.0)


def test_previous_open_interest_is_that_of_the_day_before() -> None:
    state = stock()
    state.oi = 10
    assert quotes.previous_oi(state) == 10.0
    state.days.append(Candle(0, 1, 1, 1, 1, 1, 7))
    assert quotes.previous_oi(state) == 7.0
