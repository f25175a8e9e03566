"""The market is deterministic, its states agree with its trades, and halts stop it."""

from collections import defaultdict
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.simulator.market.flows import Trade
from services.simulator.market.instruments import INDICES, STOCKS, InstrumentType, ListedInstrument
from services.simulator.market.market import Market
from services.simulator.market.simulated_calendar import SimulatedCalendar
from services.simulator.market.state import Candle
from services.simulator.market.trading_day import Stage
from shared.market.exchange_calendar import Phase
from shared.market.exchange_time import DAY_MS, MINUTE_MS, day_start

START = 1_767_607_200_000
CLOSES_WITH_AUCTION = 1_795_428_000_000
"""15:30 IST on 2026-11-23."""
INDEX = ListedInstrument(
    "NSE_INDEX|Two",
    "TWO",
    "Two",
    1_000_000,
    5,
    (STOCKS[0].key, STOCKS[1].key),
    InstrumentType.INDEX,
)
INSTRUMENTS = (*STOCKS[:3], INDEX)
KEY, OTHER = STOCKS[0].key, STOCKS[1].key
OPENS_WITH_AUCTION = 1_795_405_500_000
"""09:15 IST on 2026-11-23."""


def market_of(seed: int = 1, *, start_ms: int = START, trades_per_sec: float = 5.0) -> Market:
    return Market(INSTRUMENTS, seed=seed, start_ms=start_ms, trades_per_sec=trades_per_sec)


def by_key(trades: list[Trade]) -> dict[str, list[Trade]]:
    grouped: dict[str, list[Trade]] = defaultdict(list)
    for trade in trades:
        grouped[trade.key].append(trade)
    return grouped


@given(st.integers(0, 5), st.lists(st.integers(0, 60_000), max_size=20))
@settings(max_examples=40, deadline=None)
def test_trades_do_not_depend_on_the_steps_of_advancing(seed: int, cuts: list[int]) -> None:
    whole, pieces = market_of(seed), market_of(seed)
    expected = whole.advance(START + 60_000)
    trades = [t for cut in sorted([*cuts, 60_000]) for t in pieces.advance(START + cut)]
    assert trades == expected
    for key, state in whole.states.items():
        other = pieces.states[key]
        assert (state.vtt, state.day, state.atp_paise()) == (
            other.vtt,
            other.day,
            other.atp_paise(),
        )
        if state.book is not None and other.book is not None:
            assert state.book.depth(30) == other.book.depth(30)


def test_another_seed_gives_other_trades() -> None:
    assert market_of(1).advance(START + 10_000) != market_of(2).advance(START + 10_000)


def test_trades_of_a_stock_do_not_depend_on_the_other_instruments() -> None:
    alone = Market(STOCKS[:1], seed=1, start_ms=START, trades_per_sec=5.0)
    expected = alone.advance(START + 10_000)
    assert by_key(market_of().advance(START + 10_000))[STOCKS[0].key] == expected


def test_trades_are_in_time_order_within_the_requested_range() -> None:
    market = market_of()
    market.advance(START + 5_000)
    times = [trade.time_ms for trade in market.advance(START + 20_000)]
    assert times == sorted(times)
    assert times[0] > START + 5_000
    assert times[-1] <= START + 20_000 == market.now_ms


def test_prices_are_on_the_tick_grid_and_quantities_positive() -> None:
    ticks = {instrument.key: instrument.tick_paise for instrument in INSTRUMENTS}
    trades = market_of().advance(START + 300_000)
    assert [t for t in trades if t.price_paise % ticks[t.key]] == []
    assert all(t.quantity > 0 for t in trades if t.key != INDEX.key)
    assert all(t.quantity == 0 for t in trades if t.key == INDEX.key)


def test_every_instrument_trades_at_the_start() -> None:
    market = market_of()
    market.advance(START)
    assert [state.ltt_ms for state in market.states.values()] == [START] * len(INSTRUMENTS)


@pytest.mark.parametrize("seed", [1, 2])
def test_volume_average_and_day_agree_with_the_trades(seed: int) -> None:
    market = market_of(seed)
    for key, trades in by_key(market.advance(START + 600_000)).items():
        state = market.states[key]
        prices = [trade.price_paise for trade in trades]
        volume = sum(trade.quantity for trade in trades)
        last = Trade(key, state.ltt_ms, state.ltp_paise, state.ltq)
        assert last == trades[-1]
        assert state.vtt == volume
        if volume:
            turnover = sum(trade.price_paise * trade.quantity for trade in trades)
            assert state.atp_paise() == pytest.approx(turnover / volume, abs=0.5)
        assert state.day == Candle(
            day_start(START), prices[0], max(prices), min(prices), prices[-1], volume
        )


def test_a_minute_candle_contains_every_trade_of_its_minute() -> None:
    market = market_of()
    trades = by_key(market.advance(START + 3 * MINUTE_MS))
    minute = START + 2 * MINUTE_MS
    for key, state in market.states.items():
        in_minute = [t for t in trades[key] if minute <= t.time_ms < minute + MINUTE_MS]
        prices = [trade.price_paise for trade in in_minute]
        assert state.last_minute(market.now_ms) == Candle(
            minute,
            prices[0],
            max(prices),
            min(prices),
            prices[-1],
            sum(trade.quantity for trade in in_minute),
        )


def test_a_new_day_begins_at_midnight_in_india() -> None:
    midnight = day_start(START) + DAY_MS
    market = market_of(start_ms=midnight - 30_000)
    market.advance(midnight - 1)
    closes = {key: state.ltp_paise for key, state in market.states.items()}
    volume = market.states[STOCKS[0].key].vtt
    assert volume > 0
    market.take_changes()

    trades = market.advance(midnight + 1_000)

    first = by_key(trades)[STOCKS[0].key]
    assert {key: state.close_paise for key, state in market.states.items()} == closes
    assert market.states[STOCKS[0].key].vtt == sum(trade.quantity for trade in first)
    assert market.take_changes() == dict.fromkeys(market.states, True)


def test_changes_distinguish_trades_from_changes_of_the_book() -> None:
    market = market_of()
    market.advance(START)
    market.take_changes()
    values: set[bool] = set()
    for at_ms in range(START, START + 20_000, 100):
        traded = {trade.key for trade in market.advance(at_ms)}
        changes = market.take_changes()
        assert {key for key, is_trade in changes.items() if is_trade} == traded
        values.update(changes.values())
    assert values == {True, False}
    assert market.take_changes() == {}


def test_an_index_value_follows_from_its_stocks() -> None:
    market = market_of()
    trades = market.advance(START + 60_000)
    values = [trade for trade in trades if trade.key == INDEX.key]
    assert all(b.time_ms - a.time_ms == 1_000 for a, b in pairwise(values))
    states = [market.states[key] for key in INDEX.constituents]
    moves = [state.ltp_paise / state.instrument.base_paise for state in states]
    assert values[-1].price_paise == pytest.approx(INDEX.base_paise * sum(moves) / 2, abs=5)


def test_the_market_does_not_go_back_in_time() -> None:
    market = market_of()
    market.advance(START + 1)
    with pytest.raises(ValueError, match="is before"):
        market.advance(START)


def test_an_index_without_its_stocks_raises_key_error() -> None:
    with pytest.raises(KeyError):
        Market(INDICES, seed=1, start_ms=START, trades_per_sec=1.0)


def test_nothing_happens_while_the_market_is_closed() -> None:
    closes_ms = START  # 15:30 IST of a Monday
    market = Market(
        INSTRUMENTS,
        seed=1,
        start_ms=closes_ms - 60_000,
        trades_per_sec=5.0,
        calendar=SimulatedCalendar(always_open=False),
    )
    assert market.advance(closes_ms)[-1].time_ms < closes_ms
    opens_ms = day_start(START) + DAY_MS + (9 * 60 + 15) * MINUTE_MS
    market.take_changes()
    assert market.advance(opens_ms - 15 * MINUTE_MS - 1) == []
    assert market.take_changes() == {}
    assert market.advance(opens_ms - 8 * MINUTE_MS) == []
    auction = market.advance(opens_ms - 1)
    assert {trade.key for trade in auction} == {stock.key for stock in STOCKS[:3]}
    first = market.advance(opens_ms + 10_000)[0]
    assert opens_ms <= first.time_ms
    state = market.states[first.key]
    assert state.day is not None
    assert state.day.start_ms == day_start(opens_ms)


def test_a_market_that_starts_closed_last_traded_at_the_previous_close() -> None:
    market = Market(
        INSTRUMENTS,
        seed=1,
        start_ms=START + 5 * MINUTE_MS,
        trades_per_sec=5.0,
        calendar=SimulatedCalendar(always_open=False),
    )
    assert {state.ltt_ms for state in market.states.values()} == {START}
    assert market.advance(START + 10 * MINUTE_MS) == []


def auction_market(start_ms: int, *, trades_per_sec: float = 1.0) -> Market:
    """The first stock has a future, so it is traded in the closing auction."""
    future = ListedInstrument(
        "NSE_FO|1",
        "FUTURE",
        "Future",
        STOCKS[0].base_paise,
        10,
        instrument_type=InstrumentType.FUTURE,
        lot_size=500,
        expiry_ms=start_ms + 20 * DAY_MS,
        underlying_key=STOCKS[0].key,
    )
    return Market(
        (*INSTRUMENTS, future),
        seed=1,
        start_ms=start_ms,
        trades_per_sec=trades_per_sec,
        calendar=SimulatedCalendar(always_open=False),
    )


def test_the_opening_auction_is_one_trade_at_the_indicative_price() -> None:
    opens_ms = day_start(START) + (9 * 60 + 15) * MINUTE_MS
    market = auction_market(opens_ms - 15 * MINUTE_MS)
    stock = market.states[STOCKS[0].key]
    assert market.advance(opens_ms - 7 * MINUTE_MS) == []
    assert market.take_changes() == {stock.key: True for stock in STOCKS[:3]}
    price, quantity = stock.indicative_paise, stock.indicative_quantity
    assert price % STOCKS[0].tick_paise == 0
    assert quantity > 0
    assert (stock.vtt, stock.ltp_paise) == (0, STOCKS[0].base_paise)

    matched = by_key(market.advance(opens_ms - 1))

    assert set(matched) == {stock.key for stock in STOCKS[:3]}
    (trade,) = matched[STOCKS[0].key]
    assert opens_ms - 7 * MINUTE_MS <= trade.time_ms < opens_ms - 3 * MINUTE_MS
    assert (trade.price_paise, trade.quantity) == (price, quantity)
    assert (stock.indicative_paise, stock.indicative_quantity) == (0, 0)
    assert (stock.ltp_paise, stock.vtt, stock.ltt_ms) == (price, quantity, trade.time_ms)
    assert stock.day == Candle.begin(day_start(opens_ms), price, quantity)
    assert market.take_changes() == {stock.key: True for stock in STOCKS[:3]}
    first = by_key(market.advance(opens_ms + 10_000))[STOCKS[0].key][0]
    assert opens_ms <= first.time_ms
    assert first.price_paise == pytest.approx(price, abs=STOCKS[0].tick_paise)


def test_a_rare_event_does_not_skip_the_match_of_an_auction() -> None:
    opens_ms = day_start(START) + (9 * 60 + 15) * MINUTE_MS
    market = auction_market(opens_ms - 15 * MINUTE_MS, trades_per_sec=0.0005)
    assert len(market.advance(opens_ms - 1)) == 3
    matched = market.advance(opens_ms - 1 + DAY_MS)
    day_ms = day_start(START) + DAY_MS
    assert len([trade for trade in matched if day_ms <= trade.time_ms]) == 3


def test_the_steps_of_advancing_do_not_change_an_auction() -> None:
    opens_ms = day_start(START) + (9 * 60 + 15) * MINUTE_MS
    whole, pieces = (auction_market(opens_ms - 15 * MINUTE_MS) for _ in range(2))
    trades = [
        t for cut in range(0, 17 * 60, 7) for t in pieces.advance(opens_ms + (cut - 900) * 1_000)
    ]
    assert trades == whole.advance(pieces.now_ms)


def test_the_closing_auction_ends_the_day_of_a_share_with_derivatives() -> None:
    closes_ms = CLOSES_WITH_AUCTION
    market = auction_market(closes_ms - 20 * MINUTE_MS)
    share, other = market.states[STOCKS[0].key], market.states[STOCKS[1].key]
    assert (share.has_closing_auction, other.has_closing_auction) == (True, False)
    before = by_key(market.advance(closes_ms - 2 * MINUTE_MS))
    assert max(trade.time_ms for trade in before[STOCKS[0].key]) < closes_ms - 15 * MINUTE_MS
    assert max(trade.time_ms for trade in before[STOCKS[1].key]) > closes_ms - 3 * MINUTE_MS
    assert share.indicative_paise == pytest.approx(share.ltp_paise, rel=0.03)
    after = by_key(market.advance(closes_ms + 30 * MINUTE_MS))
    (trade,) = after[STOCKS[0].key]
    assert closes_ms <= trade.time_ms < closes_ms + 5 * MINUTE_MS
    assert trade.quantity > 0
    assert max(each.time_ms for each in after[STOCKS[1].key]) < closes_ms
    assert (share.ltp_paise, share.indicative_paise) == (trade.price_paise, 0)
    market.advance(closes_ms + DAY_MS // 2)
    assert share.close_paise == trade.price_paise


def test_a_market_that_starts_in_the_closing_auction_last_traded_before_it() -> None:
    closes_ms = CLOSES_WITH_AUCTION
    market = auction_market(closes_ms - 12 * MINUTE_MS)
    assert market.states[STOCKS[0].key].ltt_ms == closes_ms - 15 * MINUTE_MS


def traded(market: Market, secs: int) -> set[str]:
    """The keys with trades while the market advances."""
    return {trade.key for trade in market.advance(market.now_ms + secs * 1_000)}


def test_a_halted_segment_has_no_trade_and_no_change_until_it_resumes() -> None:
    market = market_of()
    assert KEY in traded(market, 5)
    before = market.states[KEY].book
    assert before is not None
    depth = before.depth(30)
    market.take_changes()
    market.halt("NSE_EQ")
    assert traded(market, 600) == {INDEX.key}
    assert set(market.take_changes()) == {INDEX.key}
    assert before.depth(30) == depth
    assert market.calendar.phase("NSE_EQ", market.now_ms) is Phase.NORMAL_CLOSE
    assert market.calendar.phase("NSE_INDEX", market.now_ms) is Phase.NORMAL_OPEN
    assert market.resume("NSE_EQ")
    assert market.calendar.phase("NSE_EQ", market.now_ms) is Phase.NORMAL_OPEN
    assert {KEY, OTHER} <= traded(market, 5)


def test_a_halt_with_a_time_ends_by_itself() -> None:
    market = market_of()
    traded(market, 5)
    halt = market.halt("NSE_EQ", 60_000)
    trades = market.advance(market.now_ms + 120_000)
    first = min(trade.time_ms for trade in trades if trade.key != INDEX.key)
    assert halt.until_ms is not None
    assert 0 <= first - halt.until_ms < 5_000
    assert not market.resume("NSE_EQ")


def test_the_book_of_a_halted_instrument_is_empty_until_it_resumes() -> None:
    market = market_of()
    traded(market, 5)
    book = market.states[KEY].book
    assert book is not None
    market.take_changes()
    market.halt(KEY)
    assert book.is_empty
    assert market.take_changes() == {KEY: False}
    keys = traded(market, 60)
    assert KEY not in keys
    assert OTHER in keys
    assert KEY not in market.take_changes()
    assert market.resume(KEY)
    assert all(level.bid_quantity and level.ask_quantity for level in book.depth(30))
    assert market.take_changes() == {KEY: False}
    assert KEY in traded(market, 5)


def test_the_book_of_an_instrument_is_full_before_the_first_trade_after_its_halt() -> None:
    market = market_of()
    traded(market, 5)
    market.halt(KEY, 1_000)
    trades = [trade for trade in market.advance(market.now_ms + 60_000) if trade.key == KEY]
    assert trades
    assert all(trade.quantity for trade in trades)


def test_a_market_without_halts_is_as_before() -> None:
    halted, other = market_of(), market_of()
    halted.halt("NSE_COM")
    assert halted.advance(START + 60_000) == other.advance(START + 60_000)


def test_an_auction_that_is_halted_at_its_match_ends_without_a_trade() -> None:
    calendar = SimulatedCalendar(always_open=False)
    entry, match, _ = calendar.windows("NSE_EQ", OPENS_WITH_AUCTION, closing_auction=False)
    assert match.stage is Stage.MATCH
    market = Market(
        STOCKS[:1], seed=1, start_ms=entry.start_ms, trades_per_sec=5.0, calendar=calendar
    )
    market.advance(entry.end_ms)
    assert market.states[KEY].indicative_paise
    market.halt("NSE_EQ")
    assert market.advance(match.end_ms + 1_000) == []
    assert not market.states[KEY].indicative_paise
    market.resume("NSE_EQ")
    assert traded(market, 600) == {KEY}
