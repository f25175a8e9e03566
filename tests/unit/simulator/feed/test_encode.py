"""An entry is a FeedResponse that contains one instrument."""

from typing import Any

import pytest

from services.simulator.feed.encode import entry, pb
from services.simulator.feed.modes import Mode
from services.simulator.market.book import OrderBook
from services.simulator.market.greeks import Greeks
from services.simulator.market.instruments import INDICES, STOCKS
from services.simulator.market.state import SimulatedState

NOW_MS = 1_767_607_260_000
STOCK = STOCKS[0]


def stock_state() -> SimulatedState:
    state = SimulatedState(STOCK, OrderBook(249_990, STOCK.tick_paise, lambda: 7))
    state.record(NOW_MS - 60_000, 250_010, 4)
    return state


def decode(data: bytes) -> Any:
    return pb.FeedResponse.FromString(data)


def test_an_entry_has_its_key_and_neither_type_nor_time() -> None:
    message = decode(entry(stock_state(), Mode.LTPC, NOW_MS, with_book=True))
    assert (message.type, message.currentTs, list(message.feeds)) == (0, 0, [STOCK.key])


@pytest.mark.parametrize(("mode", "levels"), [(Mode.FULL, 5), (Mode.FULL_D30, 30)])
def test_bids_fall_and_asks_rise_by_one_tick_from_a_spread_of_one_tick(
    mode: Mode, levels: int
) -> None:
    message = decode(entry(stock_state(), mode, NOW_MS, with_book=True))
    quotes = message.feeds[STOCK.key].fullFeed.marketFF.marketLevel.bidAskQuote
    tick = STOCK.tick_paise
    assert [round(quote.bidP * 100) for quote in quotes] == [
        249_990 - tick * number for number in range(levels)
    ]
    assert [round(quote.askP * 100) for quote in quotes] == [
        249_990 + tick * (number + 1) for number in range(levels)
    ]
    assert {(quote.bidQ, quote.askQ) for quote in quotes} == {(7, 7)}


def test_an_entry_without_book_keeps_the_other_fields() -> None:
    message = decode(entry(stock_state(), Mode.FULL, NOW_MS, with_book=False))
    full = message.feeds[STOCK.key].fullFeed.marketFF
    assert not full.HasField("marketLevel")
    assert not full.HasField("optionGreeks")
    assert (full.vtt, full.tbq, full.ltpc.ltp) == (4, 7 * 30, 2_500.1)


def test_greeks_are_empty_for_a_share() -> None:
    message = decode(entry(stock_state(), Mode.OPTION_GREEKS, NOW_MS, with_book=True))
    first = message.feeds[STOCK.key].firstLevelWithGreeks
    assert first.HasField("optionGreeks")
    assert first.optionGreeks.ByteSize() == 0
    state = stock_state()
    state.greeks = Greeks(0.5, -1.5, 0.01, 2.5, 0.1)
    message = decode(entry(state, Mode.OPTION_GREEKS, NOW_MS, with_book=True))
    assert message.feeds[STOCK.key].firstLevelWithGreeks.optionGreeks.vega == 2.5


def test_the_minute_candle_appears_when_the_minute_is_complete() -> None:
    def intervals(now_ms: int) -> list[str]:
        message = decode(entry(stock_state(), Mode.FULL, now_ms, with_book=False))
        candles = message.feeds[STOCK.key].fullFeed.marketFF.marketOHLC.ohlc
        return [candle.interval for candle in candles]

    assert intervals(NOW_MS - 1) == ["1d"]
    assert intervals(NOW_MS) == ["1d", "I1"]


def test_an_auction_has_its_prices_and_quantity_until_the_match() -> None:
    state = stock_state()
    state.has_closing_auction = True
    state.indicative_paise, state.indicative_quantity = 250_200, 900
    message = decode(entry(state, Mode.FULL, NOW_MS, with_book=False))
    full = message.feeds[STOCK.key].fullFeed.marketFF
    assert (full.ltpc.iep.value, full.iep, full.ieq, full.rp) == (2_502.0, 2_502.0, 900, 2_500.1)
    assert full.casEligible
    state.indicative_paise = state.indicative_quantity = 0
    message = decode(entry(state, Mode.FULL, NOW_MS, with_book=False))
    full = message.feeds[STOCK.key].fullFeed.marketFF
    assert not full.ltpc.HasField("iep")
    assert (full.iep, full.ieq, full.rp) == (0, 0, 0)


def test_an_index_has_prices_and_candles_only() -> None:
    state = SimulatedState(INDICES[0], None)
    state.record(NOW_MS, 2_500_000, 0)
    message = decode(entry(state, Mode.FULL, NOW_MS, with_book=True))
    full = message.feeds[INDICES[0].key].fullFeed
    assert full.WhichOneof("FullFeedUnion") == "indexFF"
    assert full.indexFF.ltpc.ltp == 25_000.0
