"""The normaliser merges the blocks of each message, and an absent block changes nothing."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.feed import wire
from services.ingest.normalise.instrument_state import QuoteState
from services.ingest.normalise.normaliser import MergeResult, Normaliser
from tests.support.builders import (
    KEY,
    MONDAY_10_00,
    OTHER_KEY,
    full_feed,
    greeks_feed,
    index_feed,
    ltpc_feed,
)

DAY_MS = 86_400_000
BOOK = [(1_399.9, 50, 1_400.1, 70), (1_399.8, 10, 1_400.2, 20)]


def apply(
    normaliser: Normaliser, feed: Any, *, key: str = KEY, ts: int = MONDAY_10_00, snap: bool = False
) -> QuoteState:
    (instrument,) = merge(normaliser, feed, key=key, ts=ts, snap=snap).updated
    return msgspec.structs.replace(instrument.quote)


def merge(
    normaliser: Normaliser, feed: Any, *, key: str = KEY, ts: int = MONDAY_10_00, snap: bool = False
) -> MergeResult:
    return normaliser.apply({key: feed}, ts=ts, received_us=7, snapshot=snap)


def test_a_full_frame_fills_every_field() -> None:
    feed = full_feed(
        ltp=1_400.05, ltt=MONDAY_10_00 - 5, ltq=3, cp=1_390.0, vtt=900, atp=1_395.5, oi=40.0,
        tbq=1_000.0, tsq=2_000.0, book=BOOK,
    )  # fmt: skip
    quote = apply(Normaliser(epoch=9), feed, snap=True)
    assert (quote.epoch, quote.seq, quote.ts, quote.rt, quote.snap) == (9, 0, MONDAY_10_00, 7, True)
    assert (quote.ltp, quote.ltt, quote.ltq, quote.cp) == (1_400.05, MONDAY_10_00 - 5, 3, 1_390.0)
    assert (quote.volume, quote.atp, quote.oi) == (900, 1_395.5, 40)
    assert (quote.bid, quote.bid_qty, quote.ask, quote.ask_qty) == (1_399.9, 50, 1_400.1, 70)
    assert (quote.tbq, quote.tsq) == (1_000, 2_000)


def test_a_frame_without_the_book_keeps_the_last_one() -> None:
    normaliser = Normaliser(epoch=9)
    apply(normaliser, full_feed(ltp=1.0, vtt=5, tbq=10.0, tsq=20.0, book=BOOK))
    state = apply(normaliser, full_feed(ltp=2.0, vtt=6))
    assert (state.ltp, state.volume) == (2.0, 6)
    assert (state.bid, state.ask, state.tbq, state.tsq) == (1_399.9, 1_400.1, 10, 20)


def test_a_book_without_sellers_has_no_ask_and_a_total_sell_quantity_of_zero() -> None:
    normaliser = Normaliser(epoch=9)
    apply(normaliser, full_feed(ltp=1.0, tbq=10.0, tsq=20.0, book=BOOK))
    state = apply(normaliser, full_feed(ltp=1.0, tbq=10.0, tsq=0.0, book=[(1.0, 10, 0.0, 0)]))
    assert (state.bid, state.ask, state.ask_qty, state.tsq) == (1.0, None, None, 0)


def test_a_zero_that_cannot_be_a_market_value_changes_nothing() -> None:
    normaliser = Normaliser(epoch=9)
    apply(normaliser, full_feed(ltp=5.0, ltt=1, ltq=2, cp=4.0, vtt=9, atp=4.5, oi=3.0))
    state = apply(normaliser, full_feed(book=BOOK))
    assert (state.ltp, state.ltt, state.ltq, state.cp) == (5.0, 1, 2, 4.0)
    assert (state.volume, state.atp, state.oi) == (9, 4.5, 3)


def test_an_index_has_no_quantity_and_no_volume() -> None:
    quote = apply(Normaliser(epoch=9), index_feed(ltp=24_000.5, ltt=MONDAY_10_00), key=OTHER_KEY)
    assert (quote.ltp, quote.ltq, quote.volume, quote.bid) == (24_000.5, None, None, None)


def test_volume_and_average_price_are_cleared_on_a_new_day() -> None:
    normaliser = Normaliser(epoch=9)
    apply(normaliser, full_feed(ltp=5.0, vtt=900, atp=5.0))
    state = apply(normaliser, full_feed(book=BOOK), ts=MONDAY_10_00 + DAY_MS)
    assert (state.ltp, state.volume, state.atp) == (5.0, None, None)


def test_a_feed_without_a_block_updates_nothing() -> None:
    from upstox_client.feeder.proto import MarketDataFeedV3_pb2 as pb

    assert merge(Normaliser(epoch=9), pb.Feed()).updated == []


def test_the_mode_ltpc_has_the_last_trade_only() -> None:
    feed = ltpc_feed(ltp=1_400.05, ltt=MONDAY_10_00, ltq=3, cp=1_390.0)
    quote = apply(Normaliser(epoch=9), feed)
    assert (quote.ltp, quote.ltt, quote.ltq, quote.cp) == (1_400.05, MONDAY_10_00, 3, 1_390.0)
    assert (quote.volume, quote.bid, quote.tbq) == (None, None, None)


def test_the_mode_option_greeks_has_the_best_level_and_the_volume() -> None:
    feed = greeks_feed(ltp=95.05, ltt=1, ltq=75, vtt=900, oi=40.0, first=(95.0, 75, 95.1, 150))
    quote = apply(Normaliser(epoch=9), feed)
    assert (quote.ltp, quote.volume, quote.oi) == (95.05, 900, 40)
    assert (quote.bid, quote.bid_qty, quote.ask, quote.ask_qty) == (95.0, 75, 95.1, 150)


def test_a_change_of_mode_keeps_the_values_that_the_new_mode_lacks() -> None:
    normaliser = Normaliser(epoch=9)
    apply(normaliser, full_feed(ltp=1.0, ltt=5, vtt=9, tbq=10.0, tsq=20.0, book=BOOK))
    quote = apply(normaliser, ltpc_feed(ltp=2.0, ltt=6))
    assert (quote.ltp, quote.volume, quote.bid, quote.tbq) == (2.0, 9, 1_399.9, 10)


MINUTE = 60_000
NINE_59 = MONDAY_10_00 - MINUTE


def test_each_completed_minute_makes_one_candle() -> None:
    normaliser = Normaliser(epoch=9)
    first = (NINE_59, 1.0, 4.0, 0.5, 2.0, 70)
    ((subject, candle),) = merge(normaliser, full_feed(ltp=2.0, minute=first), snap=True).candles
    assert subject == b"md.candle.1m.NSE_EQ.INE002A01018"
    assert (candle.key, candle.start, candle.epoch, candle.ts) == (KEY, NINE_59, 9, MONDAY_10_00)
    assert (candle.open, candle.high, candle.low, candle.close) == (1.0, 4.0, 0.5, 2.0)
    assert candle.volume == 70
    again = merge(normaliser, full_feed(ltp=2.0, minute=first), ts=MONDAY_10_00 + 500)
    assert again.candles == []
    second = (MONDAY_10_00, 2.0, 3.0, 2.0, 3.0, 5)
    later = merge(normaliser, full_feed(ltp=3.0, minute=second), ts=MONDAY_10_00 + MINUTE)
    assert [candle.start for _, candle in later.candles] == [MONDAY_10_00]


def test_an_older_minute_in_a_reordered_frame_is_ignored() -> None:
    normaliser = Normaliser(epoch=9)
    late = MONDAY_10_00 + 10 * MINUTE
    merge(normaliser, full_feed(ltp=3.0, minute=(MONDAY_10_00, 2.0, 3.0, 2.0, 3.0, 5)), ts=late)
    older = full_feed(ltp=2.0, minute=(NINE_59, 1.0, 4.0, 0.5, 2.0, 70))
    assert merge(normaliser, older, ts=late).candles == []


def test_an_option_keeps_its_greeks_while_a_frame_has_none() -> None:
    normaliser = Normaliser(epoch=9)
    merge(normaliser, full_feed(ltp=95.0, vtt=1, iv=0.14, delta=0.5))
    (instrument,) = merge(normaliser, full_feed(ltp=96.0, vtt=2)).updated
    assert instrument.iv == 0.14
    assert instrument.greeks is not None
    assert wire.decode_greeks(instrument.greeks).delta == 0.5


def test_the_mode_option_greeks_has_greeks_and_volatility() -> None:
    (instrument,) = merge(Normaliser(epoch=9), greeks_feed(iv=0.2, delta=0.4)).updated
    assert instrument.iv == 0.2
    assert instrument.greeks is not None
    assert wire.decode_greeks(instrument.greeks).delta == 0.4


def test_packing_keeps_the_last_book_of_every_instrument() -> None:
    normaliser = Normaliser(epoch=9)
    (instrument,) = merge(normaliser, full_feed(ltp=1.0, book=BOOK)).updated
    normaliser.pack_books()
    assert instrument.book is None
    assert instrument.packed_book() is not None


def test_a_minute_of_an_index_has_no_volume() -> None:
    feed = index_feed(ltp=24_000.5, ltt=1, minute=(NINE_59, 1.0, 4.0, 0.5, 2.0, 0))
    ((_, candle),) = merge(Normaliser(epoch=9), feed, key=OTHER_KEY).candles
    assert (candle.high, candle.volume) == (4.0, None)


def test_minutes_without_a_trade_are_skipped() -> None:
    normaliser = Normaliser(epoch=9)
    merge(normaliser, full_feed(ltp=1.0, minute=(NINE_59, 1.0, 1.0, 1.0, 1.0, 5)))
    after = MONDAY_10_00 + 20 * MINUTE
    merged = merge(normaliser, full_feed(ltp=1.0, minute=(after, 2.0, 2.0, 2.0, 2.0, 1)),
                 ts=after + MINUTE)  # fmt: skip
    assert [candle.start for _, candle in merged.candles] == [after]


def test_a_snapshot_with_new_trades_of_a_received_instrument_shows_missed_trades() -> None:
    normaliser = Normaliser(epoch=9)
    first = full_feed(ltp=1.0, ltt=5, vtt=9)
    assert not merge(normaliser, first, snap=True).missed_trades
    assert not merge(normaliser, first, snap=True).missed_trades
    assert not merge(normaliser, full_feed(ltp=1.5, ltt=6, vtt=10)).missed_trades
    assert merge(normaliser, full_feed(ltp=2.0, ltt=7, vtt=12), snap=True).missed_trades


def test_instruments_with_invalid_data_are_counted_and_skipped() -> None:
    normaliser = Normaliser(epoch=9)
    feeds = {"RELIANCE": full_feed(ltp=1.0), KEY: full_feed(ltp=1.0, tbq=float("nan"), book=BOOK)}
    merged = normaliser.apply(feeds, ts=1, received_us=1, snapshot=False)
    assert (merged.rejected, merged.updated) == (2, [])


BLOCKS: dict[str, dict[str, Any]] = {
    "trade": {"ltp": 1_400.05, "ltt": MONDAY_10_00 - 5, "ltq": 3, "cp": 1_390.0},
    "day": {"vtt": 900, "atp": 1_395.5, "oi": 40.0},
    "book": {"tbq": 1_000.0, "tsq": 2_000.0, "book": BOOK},
    "minute": {"minute": (MONDAY_10_00 - 60_000, 1.0, 4.0, 0.5, 2.0, 70)},
}
MODES: dict[str, Any] = {
    "ltpc": lambda: ltpc_feed(ltp=1_400.05, ltt=MONDAY_10_00 - 5, ltq=3, cp=1_390.0),
    "greeks": lambda: greeks_feed(
        ltp=1_400.05, ltt=MONDAY_10_00 - 5, ltq=3, cp=1_390.0, vtt=900, oi=40.0, first=BOOK[0]
    ),
}


@given(
    st.lists(st.sets(st.sampled_from(sorted(BLOCKS))) | st.sampled_from(sorted(MODES)), max_size=8),
    st.randoms(),
)
def test_partial_frames_in_any_order_give_the_state_of_the_full_frame(
    frames: list[set[str] | str], shuffled: Any
) -> None:
    every_block: list[set[str] | str] = [{name} for name in BLOCKS]
    order = frames + every_block
    shuffled.shuffle(order)
    normaliser = Normaliser(epoch=9)
    for blocks in order:
        if isinstance(blocks, str):
            state = apply(normaliser, MODES[blocks]())
            continue
        fields = {name: value for block in blocks for name, value in BLOCKS[block].items()}
        state = apply(normaliser, full_feed(**fields))
    whole = {name: value for block in BLOCKS.values() for name, value in block.items()}
    assert state == apply(Normaliser(epoch=9), full_feed(**whole))
