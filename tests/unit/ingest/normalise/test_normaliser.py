"""The normaliser merges what frames say, and never takes silence for zero."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.normalise.instrument_state import QuoteState
from services.ingest.normalise.normaliser import Merged, Normaliser
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
    (instrument,) = merge(normaliser, feed, key=key, ts=ts, snap=snap).touched
    return msgspec.structs.replace(instrument.quote)


def merge(
    normaliser: Normaliser, feed: Any, *, key: str = KEY, ts: int = MONDAY_10_00, snap: bool = False
) -> Merged:
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


def test_a_frame_without_the_book_keeps_the_book() -> None:
    normaliser = Normaliser(epoch=9)
    apply(normaliser, full_feed(ltp=1.0, vtt=5, tbq=10.0, tsq=20.0, book=BOOK))
    state = apply(normaliser, full_feed(ltp=2.0, vtt=6))
    assert (state.ltp, state.volume) == (2.0, 6)
    assert (state.bid, state.ask, state.tbq, state.tsq) == (1_399.9, 1_400.1, 10, 20)


def test_a_book_without_sellers_has_no_ask_and_a_total_of_zero() -> None:
    normaliser = Normaliser(epoch=9)
    apply(normaliser, full_feed(ltp=1.0, tbq=10.0, tsq=20.0, book=BOOK))
    state = apply(normaliser, full_feed(ltp=1.0, tbq=10.0, tsq=0.0, book=[(1.0, 10, 0.0, 0)]))
    assert (state.bid, state.ask, state.ask_qty, state.tsq) == (1.0, None, None, 0)


def test_a_zero_that_the_market_does_not_know_changes_nothing() -> None:
    normaliser = Normaliser(epoch=9)
    apply(normaliser, full_feed(ltp=5.0, ltt=1, ltq=2, cp=4.0, vtt=9, atp=4.5, oi=3.0))
    state = apply(normaliser, full_feed(book=BOOK))
    assert (state.ltp, state.ltt, state.ltq, state.cp) == (5.0, 1, 2, 4.0)
    assert (state.volume, state.atp, state.oi) == (9, 4.5, 3)


def test_an_index_has_no_quantity_and_no_volume() -> None:
    quote = apply(Normaliser(epoch=9), index_feed(ltp=24_000.5, ltt=MONDAY_10_00), key=OTHER_KEY)
    assert (quote.ltp, quote.ltq, quote.volume, quote.bid) == (24_000.5, None, None, None)


def test_the_volume_of_yesterday_is_forgotten_at_a_new_day() -> None:
    normaliser = Normaliser(epoch=9)
    apply(normaliser, full_feed(ltp=5.0, vtt=900, atp=5.0))
    state = apply(normaliser, full_feed(book=BOOK), ts=MONDAY_10_00 + DAY_MS)
    assert (state.ltp, state.volume, state.atp) == (5.0, None, None)


def test_an_empty_feed_touches_nothing() -> None:
    from upstox_client.feeder.proto import MarketDataFeedV3_pb2 as pb

    assert merge(Normaliser(epoch=9), pb.Feed()).touched == []


def test_the_mode_ltpc_tells_of_trades_alone() -> None:
    feed = ltpc_feed(ltp=1_400.05, ltt=MONDAY_10_00, ltq=3, cp=1_390.0)
    quote = apply(Normaliser(epoch=9), feed)
    assert (quote.ltp, quote.ltt, quote.ltq, quote.cp) == (1_400.05, MONDAY_10_00, 3, 1_390.0)
    assert (quote.volume, quote.bid, quote.tbq) == (None, None, None)


def test_the_mode_option_greeks_tells_the_best_level_and_volume() -> None:
    feed = greeks_feed(ltp=95.05, ltt=1, ltq=75, vtt=900, oi=40.0, first=(95.0, 75, 95.1, 150))
    quote = apply(Normaliser(epoch=9), feed)
    assert (quote.ltp, quote.volume, quote.oi) == (95.05, 900, 40)
    assert (quote.bid, quote.bid_qty, quote.ask, quote.ask_qty) == (95.0, 75, 95.1, 150)


def test_a_change_of_mode_keeps_what_the_new_mode_does_not_tell() -> None:
    normaliser = Normaliser(epoch=9)
    apply(normaliser, full_feed(ltp=1.0, ltt=5, vtt=9, tbq=10.0, tsq=20.0, book=BOOK))
    quote = apply(normaliser, ltpc_feed(ltp=2.0, ltt=6))
    assert (quote.ltp, quote.volume, quote.bid, quote.tbq) == (2.0, 9, 1_399.9, 10)


MINUTE = 60_000
NINE_59 = MONDAY_10_00 - MINUTE


def test_each_completed_minute_is_told_once() -> None:
    normaliser = Normaliser(epoch=9)
    first = (NINE_59, 1.0, 4.0, 0.5, 2.0, 70)
    told = merge(normaliser, full_feed(ltp=2.0, minute=first), snap=True).candles
    ((subject, candle),) = told
    assert subject == b"md.candle.1m.NSE_EQ.INE002A01018"
    assert (candle.key, candle.start, candle.epoch, candle.ts) == (KEY, NINE_59, 9, MONDAY_10_00)
    assert (candle.open, candle.high, candle.low, candle.close) == (1.0, 4.0, 0.5, 2.0)
    assert candle.volume == 70
    again = merge(normaliser, full_feed(ltp=2.0, minute=first), ts=MONDAY_10_00 + 500)
    assert again.candles == []
    second = (MONDAY_10_00, 2.0, 3.0, 2.0, 3.0, 5)
    later = merge(normaliser, full_feed(ltp=3.0, minute=second), ts=MONDAY_10_00 + MINUTE)
    assert [one.start for _, one in later.candles] == [MONDAY_10_00]


def test_a_minute_of_a_reordered_frame_takes_nothing_back() -> None:
    normaliser = Normaliser(epoch=9)
    late = MONDAY_10_00 + 10 * MINUTE
    merge(normaliser, full_feed(ltp=3.0, minute=(MONDAY_10_00, 2.0, 3.0, 2.0, 3.0, 5)), ts=late)
    older = full_feed(ltp=2.0, minute=(NINE_59, 1.0, 4.0, 0.5, 2.0, 70))
    assert merge(normaliser, older, ts=late).candles == []


def test_a_minute_of_an_index_has_no_volume() -> None:
    feed = index_feed(ltp=24_000.5, ltt=1, minute=(NINE_59, 1.0, 4.0, 0.5, 2.0, 0))
    ((_, candle),) = merge(Normaliser(epoch=9), feed, key=OTHER_KEY).candles
    assert (candle.high, candle.volume) == (4.0, None)


def test_a_minute_without_a_trade_is_followed_by_the_next_that_had_one() -> None:
    normaliser = Normaliser(epoch=9)
    merge(normaliser, full_feed(ltp=1.0, minute=(NINE_59, 1.0, 1.0, 1.0, 1.0, 5)))
    after = MONDAY_10_00 + 20 * MINUTE
    told = merge(normaliser, full_feed(ltp=1.0, minute=(after, 2.0, 2.0, 2.0, 2.0, 1)),
                 ts=after + MINUTE)  # fmt: skip
    assert [one.start for _, one in told.candles] == [after]


def test_a_snapshot_that_tells_of_trades_unheard_shows_that_some_were_missed() -> None:
    normaliser = Normaliser(epoch=9)
    known = full_feed(ltp=1.0, ltt=5, vtt=9)
    assert not merge(normaliser, known, snap=True).missed
    assert not merge(normaliser, known, snap=True).missed
    assert not merge(normaliser, full_feed(ltp=1.5, ltt=6, vtt=10)).missed
    assert merge(normaliser, full_feed(ltp=2.0, ltt=7, vtt=12), snap=True).missed


def test_what_cannot_be_is_counted_and_passed_over() -> None:
    normaliser = Normaliser(epoch=9)
    feeds = {"RELIANCE": full_feed(ltp=1.0), KEY: full_feed(ltp=1.0, tbq=float("nan"), book=BOOK)}
    merged = normaliser.apply(feeds, ts=1, received_us=1, snapshot=False)
    assert (merged.refused, merged.touched) == (2, [])


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
def test_any_order_of_partial_frames_comes_to_the_full_frame(
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
