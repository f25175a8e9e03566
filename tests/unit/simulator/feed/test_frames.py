"""Frames contain the state of the market as Upstox's do, in each mode."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.simulator.feed.encode import pb
from services.simulator.feed.frames import FrameBuilder, snapshot
from services.simulator.feed.modes import Mode
from services.simulator.market.contracts import contracts
from services.simulator.market.instruments import INDICES, INSTRUMENTS, STOCKS, ListedInstrument
from services.simulator.market.market import Market
from services.simulator.market.simulated_calendar import SimulatedCalendar
from shared.market.exchange_time import MINUTE_MS, day_start
from tests.support.feed_shape import check_frame

START = 1_767_607_200_000
DAY_WITH_CLOSING_AUCTION = 1_795_372_200_000
STOCK, INDEX = STOCKS[0].key, INDICES[0].key


def market_at(after_ms: int) -> Market:
    market = Market(INSTRUMENTS, seed=1, start_ms=START, trades_per_sec=2.0)
    market.advance(START + after_ms)
    return market


def decoded(data: bytes) -> Any:
    return pb.FeedResponse.FromString(data)


def feed_of(market: Market, key: str, mode: Mode) -> Any:
    return decoded(snapshot(market, {key: mode})).feeds[key]


def test_full_mode_contains_the_full_state_of_a_stock() -> None:
    market = market_at(3 * MINUTE_MS)
    state = market.states[STOCK]
    feed = feed_of(market, STOCK, Mode.FULL)
    full = feed.fullFeed.marketFF
    assert feed.requestMode == pb.full_d5
    assert (full.ltpc.ltp, full.ltpc.ltt, full.ltpc.ltq, full.ltpc.cp) == (
        state.ltp_paise / 100,
        state.ltt_ms,
        state.ltq,
        state.instrument.base_paise / 100,
    )
    assert (full.vtt, full.atp, full.oi) == (state.vtt, (state.atp_paise() or 0) / 100, 0)
    assert len(full.marketLevel.bidAskQuote) == 5
    best = full.marketLevel.bidAskQuote[0]
    assert best.bidP < best.askP
    assert full.tbq > sum(level.bidQ for level in full.marketLevel.bidAskQuote)
    assert full.HasField("optionGreeks")
    day, minute = full.marketOHLC.ohlc
    assert (day.interval, day.ts, day.vol) == ("1d", day_start(START), state.vtt)
    assert (minute.interval, minute.ts) == ("I1", START + 2 * MINUTE_MS)
    assert minute.low <= minute.close <= minute.high


def test_an_index_has_no_quantity_volume_or_book() -> None:
    market = market_at(2_000)
    feed = feed_of(market, INDEX, Mode.FULL)
    assert feed.fullFeed.WhichOneof("FullFeedUnion") == "indexFF"
    ltpc = feed.fullFeed.indexFF.ltpc
    assert (ltpc.ltp, ltpc.ltt, ltpc.ltq) == (
        market.states[INDEX].ltp_paise / 100,
        START + 2_000,
        0,
    )
    assert [row.vol for row in feed.fullFeed.indexFF.marketOHLC.ohlc] == [0]
    greeks = feed_of(market, INDEX, Mode.OPTION_GREEKS).firstLevelWithGreeks
    assert not greeks.HasField("firstDepth")


def test_an_option_has_greeks_volatility_and_open_interest() -> None:
    instruments = (*INSTRUMENTS, *contracts(START))
    market = Market(instruments, seed=1, start_ms=START, trades_per_sec=2.0)
    market.advance(START)
    call = next(each for each in instruments if each.symbol == "NIFTY 25000 CE 06 JAN 26")
    state = market.states[call.key]
    full = feed_of(market, call.key, Mode.FULL).fullFeed.marketFF
    first = feed_of(market, call.key, Mode.OPTION_GREEKS).firstLevelWithGreeks
    for block in (full, first):
        greeks = block.optionGreeks
        assert (greeks.delta, greeks.theta, greeks.gamma, greeks.vega, greeks.rho) == state.greeks
        assert (block.iv, block.oi, block.vtt) == (state.iv, state.oi, state.vtt)
    assert 0.05 < full.iv < 0.5
    assert full.oi > 0
    assert first.firstDepth.bidQ % call.lot_size == 0
    assert (feed_of(market, STOCK, Mode.FULL).fullFeed.marketFF.oi) == 0


def test_frames_before_the_open_contain_the_indicative_price() -> None:
    opens_ms = day_start(START) + (9 * 60 + 15) * MINUTE_MS
    calendar = SimulatedCalendar(always_open=False)
    market = Market(INSTRUMENTS, seed=1, start_ms=opens_ms, trades_per_sec=2.0, calendar=calendar)
    market.advance(opens_ms)
    assert not feed_of(market, STOCK, Mode.LTPC).ltpc.HasField("iep")
    before = Market(
        INSTRUMENTS,
        seed=1,
        start_ms=opens_ms - 10 * MINUTE_MS,
        trades_per_sec=2.0,
        calendar=calendar,
    )
    before.advance(opens_ms - MINUTE_MS)
    price = before.states[STOCK].indicative_paise / 100
    assert feed_of(before, STOCK, Mode.LTPC).ltpc.iep.value == price
    full = feed_of(before, STOCK, Mode.FULL).fullFeed.marketFF
    assert (full.iep, full.ltpc.iep.value) == (price, price)
    assert full.ieq == before.states[STOCK].indicative_quantity


def test_two_runs_with_the_same_seed_give_the_same_bytes() -> None:
    def run() -> list[bytes]:
        instruments = (*INSTRUMENTS, *contracts(START))
        market = Market(instruments, seed=7, start_ms=START, trades_per_sec=2.0)
        modes = {key: list(Mode)[number % 4] for number, key in enumerate(market.states)}
        frames = []
        for at_ms in range(START, START + 5_000, 250):
            market.advance(at_ms)
            live = FrameBuilder(market, market.take_changes()).live(modes)
            if live is not None:
                frames.append(live[0])
            frames.append(snapshot(market, modes))
        return frames

    first = run()
    assert len(first) == 40
    assert first == run()


@pytest.mark.parametrize(
    ("mode", "union", "request_mode"),
    [
        (Mode.LTPC, "ltpc", pb.ltpc),
        (Mode.OPTION_GREEKS, "firstLevelWithGreeks", pb.option_greeks),
        (Mode.FULL, "fullFeed", pb.full_d5),
        (Mode.FULL_D30, "fullFeed", pb.full_d30),
    ],
)
def test_each_mode_has_its_own_block(mode: Mode, union: str, request_mode: int) -> None:
    feed = feed_of(market_at(0), STOCK, mode)
    assert (feed.WhichOneof("FeedUnion"), feed.requestMode) == (union, request_mode)


def test_full_d30_has_thirty_levels() -> None:
    feed = feed_of(market_at(0), STOCK, Mode.FULL_D30)
    assert len(feed.fullFeed.marketFF.marketLevel.bidAskQuote) == 30


def test_a_snapshot_contains_the_requested_keys_even_without_changes() -> None:
    message = decoded(snapshot(market_at(0), {STOCK: Mode.LTPC, INDEX: Mode.FULL}))
    assert message.type == pb.initial_feed
    assert set(message.feeds) == {STOCK, INDEX}


def test_a_live_frame_contains_the_subscribed_keys_that_changed() -> None:
    frames = FrameBuilder(market_at(0), {STOCK: True, STOCKS[1].key: True})
    live = frames.live({STOCK: Mode.FULL, STOCKS[2].key: Mode.FULL})
    assert live is not None
    data, keys = live
    message = decoded(data)
    assert (message.type, message.currentTs, set(message.feeds), keys) == (
        pb.live_feed,
        START,
        {STOCK},
        [STOCK],
    )


def test_without_changes_there_is_no_live_frame() -> None:
    assert FrameBuilder(market_at(0), {}).live({STOCK: Mode.FULL}) is None


def test_ltpc_mode_omits_changes_of_the_order_book() -> None:
    frames = FrameBuilder(market_at(0), {STOCK: False})
    assert frames.live({STOCK: Mode.LTPC}) is None
    live = frames.live({STOCK: Mode.FULL})
    assert live is not None
    assert decoded(live[0]).feeds[STOCK].fullFeed.marketFF.HasField("marketLevel")


def test_some_live_entries_have_no_order_book_and_always_the_same_ones() -> None:
    def levels() -> list[bool]:
        market = market_at(0)
        has_levels = []
        for _ in range(100):
            market.advance(market.now_ms + 1_000)
            live = FrameBuilder(market, dict.fromkeys(market.states, True)).live({STOCK: Mode.FULL})
            assert live is not None
            full = decoded(live[0]).feeds[STOCK].fullFeed.marketFF
            assert full.vtt > 0
            has_levels.append(full.HasField("marketLevel"))
        return has_levels

    assert levels() == levels()
    assert 60 <= sum(levels()) <= 95


def few_instruments(start_ms: int) -> list[ListedInstrument]:
    """Shares, an index of them, and some contracts on both, with the cheapest options."""
    reliance = next(stock for stock in STOCKS if stock.symbol == "RELIANCE")
    stocks = (*STOCKS[:2], reliance, min(STOCKS, key=lambda stock: stock.base_paise))
    index = replace(INDICES[0], constituents=tuple(stock.key for stock in stocks))
    listed = {instrument.key: instrument for instrument in (*stocks, index)}
    near = [each for each in contracts(start_ms) if each.underlying_key in {*listed, None}]
    near.sort(key=lambda contract: contract.base_paise)
    return [*listed.values(), *near[:10], *(each for each in near[10:] if not each.is_option)]


@given(
    seed=st.integers(0, 1_000),
    day_ms=st.sampled_from([day_start(START), DAY_WITH_CLOSING_AUCTION]),
    opens_minutes=st.sampled_from([8 * 60 + 55, 11 * 60, 14 * 60 + 30]),
    always_open=st.booleans(),
    mode_shift=st.integers(0, 3),
)
@settings(max_examples=10)
def test_every_frame_of_some_hours_has_the_shape_that_upstox_describes(
    seed: int, day_ms: int, opens_minutes: int, always_open: bool, mode_shift: int
) -> None:
    instruments = few_instruments(day_ms)
    start_ms = day_ms + opens_minutes * MINUTE_MS
    calendar = SimulatedCalendar(always_open=always_open)
    market = Market(
        instruments, seed=seed, start_ms=start_ms, trades_per_sec=0.1, calendar=calendar
    )
    listed = {instrument.key: instrument for instrument in instruments}
    modes = {key: list(Mode)[(number + mode_shift) % 4] for number, key in enumerate(market.states)}
    market.advance(start_ms)
    for minute in range(0, 150, 15):
        market.advance(start_ms + minute * MINUTE_MS + 7_321)
        check_frame(decoded(snapshot(market, modes)), modes, listed)
        live = FrameBuilder(market, market.take_changes()).live(modes)
        if live is not None:
            check_frame(decoded(live[0]), modes, listed)
