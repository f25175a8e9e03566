"""Quotes contain the state of an instrument, in rupees."""

import pytest

from services.ingest.feed import wire
from services.ingest.normalise.normaliser import Normaliser
from services.simulator.feed.frames import snapshot
from services.simulator.feed.modes import Mode
from services.simulator.market.book import OrderBook
from services.simulator.market.greeks import Greeks
from services.simulator.market.instruments import INDICES, INSTRUMENTS, STOCKS
from services.simulator.market.market import Market
from services.simulator.market.simulated_calendar import SimulatedCalendar
from services.simulator.market.state import Candle, SimulatedState
from services.simulator.market_data import quotes
from shared.market.exchange_time import MINUTE_MS, day_start

NOW_MS = 1_767_607_200_123  # 2026-01-05 15:30:00.123 IST
STOCK = next(stock for stock in STOCKS if stock.symbol == "RELIANCE")


def stock() -> SimulatedState:
    book = OrderBook(142_000, STOCK.tick_paise, lambda: 7)
    state = SimulatedState(STOCK, book)
    state.record(NOW_MS - 2_000, 141_950, 10)
    state.record(NOW_MS - 1_000, 142_010, 30)
    return state


def test_the_last_trade_is_in_rupees() -> None:
    assert quotes.last_trade(stock()) == {
        "last_price": 1_420.1,
        "instrument_token": STOCK.key,
        "ltq": 30,
        "volume": 40,
        "cp": 1_420.0,
    }


def test_a_full_quote_has_day_depth_and_circuit_limits() -> None:
    quote = quotes.full(stock(), NOW_MS)
    assert quote["ohlc"] == {"open": 1_419.5, "high": 1_420.1, "low": 1_419.5, "close": 1_420.1}
    assert quote["timestamp"] == "2026-01-05T15:30:00.123+05:30"
    assert quote["last_trade_time"] == str(NOW_MS - 1_000)
    assert quote["net_change"] == 0.1
    assert quote["average_price"] == 1_419.95
    assert quote["depth"]["buy"][0] == {"quantity": 7, "price": 1_420.0, "orders": 1}
    assert len(quote["depth"]["sell"]) == quotes.DEPTH
    assert quote["total_buy_quantity"] == 7 * 30
    assert (quote["lower_circuit_limit"], quote["upper_circuit_limit"]) == (1_136.0, 1_704.0)


def test_the_year_range_includes_the_day() -> None:
    quote = quotes.full_v3(stock(), NOW_MS, (141_980, 141_990))
    assert (quote["year_low"], quote["year_high"]) == (1_419.5, 1_420.1)
    quote = quotes.full_v3(stock(), NOW_MS, (100_000, 200_000))
    assert (quote["year_low"], quote["year_high"]) == (1_000.0, 2_000.0)


def test_a_quote_has_the_fields_of_an_auction_until_its_match() -> None:
    state = stock()
    quote = quotes.full_v3(state, NOW_MS, (1, 2))
    assert quote["cas_eligible"] is False
    assert "indicative_equilibrium_price" not in quote
    state.has_closing_auction = True
    state.indicative_paise, state.indicative_quantity = state.ltp_paise + 10, 900
    quote = quotes.full_v3(state, NOW_MS, (1, 2))
    assert quote["cas_eligible"] is True
    assert quote["indicative_equilibrium_price"] == (state.ltp_paise + 10) / 100
    assert quote["indicative_equilibrium_quantity"] == 900
    assert quote["reference_price"] == state.ltp_paise / 100


@pytest.mark.parametrize("minutes", [-30, -10, -4, 0, 30], ids=lambda minutes: f"{minutes} min")
def test_the_feed_has_the_day_and_the_auction_of_the_full_quotes(minutes: int) -> None:
    opens_ms = day_start(NOW_MS) + (9 * 60 + 15) * MINUTE_MS
    market = Market(
        INSTRUMENTS,
        seed=1,
        start_ms=opens_ms - 40 * MINUTE_MS,
        trades_per_sec=1.0,
        calendar=SimulatedCalendar(always_open=False),
    )
    market.advance(opens_ms + minutes * MINUTE_MS)
    frame = wire.decode(snapshot(market, dict.fromkeys(market.states, Mode.FULL)))
    normaliser = Normaliser(epoch=1)
    normaliser.apply(frame.feeds, ts=frame.currentTs, received_us=1, snapshot=True)
    for key, state in market.states.items():
        quote = normaliser.instruments[key].quote
        full = quotes.full_v3(state, market.now_ms, (1, 2))
        day = full["ohlc"] or {}
        assert (quote.open, quote.high, quote.low) == tuple(map(day.get, ("open", "high", "low")))
        assert quote.iep == full.get("indicative_equilibrium_price")
        assert quote.ieq == full.get("indicative_equilibrium_quantity")
    has_auction = {state.indicative_paise > 0 for state in market.states.values()}
    assert (True in has_auction) == (minutes == -10)


def test_an_index_has_empty_levels_and_no_volume() -> None:
    state = SimulatedState(INDICES[0], None)
    state.record(NOW_MS, 2_500_000, 0)
    quote = quotes.full_v3(state, NOW_MS, (1, 2))
    assert quote["volume"] == 0
    assert quote["depth"]["buy"] == [{"quantity": 0, "price": 0.0, "orders": 0}] * 5
    assert quote["upper_circuit_limit"] == 0.0


def test_before_the_first_trade_there_is_no_candle() -> None:
    state = SimulatedState(STOCK, OrderBook(142_000, STOCK.tick_paise, lambda: 7))
    quote = quotes.full_v3(state, NOW_MS, (141_000, 143_000))
    assert (quote["ohlc"], quote["average_price"]) == (None, 0.0)
    assert quotes.ohlcv(None) is None


def test_greeks_are_zero_for_all_instruments_but_options() -> None:
    state = stock()
    assert quotes.greeks(state)["delta"] == 0.0
    state.greeks, state.iv, state.oi = Greeks(0.5, -1.5, 0.01, 2.5, 0.1), 0.12, 650
    quote = quotes.greeks(state)
    assert (quote["delta"], quote["theta"], quote["iv"], quote["oi"]) == (0.5, -1.5, 0.12, 650.0)


def test_the_previous_open_interest_is_that_of_the_previous_day() -> None:
    state = stock()
    state.oi = 10
    assert quotes.previous_oi(state) == 10.0
    state.days.append(Candle(0, 1, 1, 1, 1, 1, 7))
    assert quotes.previous_oi(state) == 7.0
