"""The normaliser merges the blocks of each message, and an absent block changes nothing."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.feed import wire
from services.ingest.normalise.merge_result import MergeResult
from services.ingest.normalise.normaliser import Normaliser
from shared.contracts.messages import QuoteState
from shared.market.exchange_time import day_start
from tests.support.builders import (
    KEY,
    MONDAY_10_00,
    OTHER_KEY,
    full_feed,
    greeks_feed,
    index_feed,
    ltpc_feed,
)

NAN, INFINITY = float("nan"), float("inf")

DAY_MS = 86_400_000
TODAY = (day_start(MONDAY_10_00), 1_391.0, 1_402.0, 1_390.5)
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
        tbq=1_000.0, tsq=2_000.0, book=BOOK, day=TODAY, iep=1_401.5, ieq=60,
    )  # fmt: skip
    quote = apply(Normaliser(epoch=9), feed, snap=True)
    assert (quote.epoch, quote.seq, quote.ts, quote.rt, quote.snap) == (9, 0, MONDAY_10_00, 7, True)
    assert (quote.ltp, quote.ltt, quote.ltq, quote.cp) == (1_400.05, MONDAY_10_00 - 5, 3, 1_390.0)
    assert (quote.volume, quote.atp, quote.oi) == (900, 1_395.5, 40)
    assert (quote.bid, quote.bid_qty, quote.ask, quote.ask_qty) == (1_399.9, 50, 1_400.1, 70)
    assert (quote.tbq, quote.tsq) == (1_000, 2_000)
    assert (quote.open, quote.high, quote.low) == (1_391.0, 1_402.0, 1_390.5)
    assert (quote.iep, quote.ieq) == (1_401.5, 60)
    assert None not in msgspec.structs.astuple(quote)


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
    apply(normaliser, full_feed(ltp=5.0, ltt=MONDAY_10_00, ltq=2, cp=4.0, vtt=9, atp=4.5, oi=3.0))
    state = apply(normaliser, full_feed(book=BOOK))
    assert (state.ltp, state.ltt, state.ltq, state.cp) == (5.0, MONDAY_10_00, 2, 4.0)
    assert (state.volume, state.atp, state.oi) == (9, 4.5, 3)


def test_an_index_has_no_quantity_and_no_volume() -> None:
    quote = apply(Normaliser(epoch=9), index_feed(ltp=24_000.5, ltt=MONDAY_10_00), key=OTHER_KEY)
    assert (quote.ltp, quote.ltq, quote.volume, quote.bid) == (24_000.5, None, None, None)


@pytest.mark.parametrize(
    "next_feed", [full_feed(book=BOOK), ltpc_feed(cp=4.0)], ids=["full", "ltpc"]
)
def test_the_values_of_a_day_are_cleared_on_a_new_day(next_feed: Any) -> None:
    normaliser = Normaliser(epoch=9)
    apply(normaliser, full_feed(ltp=5.0, vtt=900, atp=5.0, day=TODAY))
    state = apply(normaliser, next_feed, ts=MONDAY_10_00 + DAY_MS)
    assert (state.ltp, state.volume, state.atp) == (5.0, None, None)
    assert (state.open, state.high, state.low) == (None, None, None)


def test_the_indicative_result_of_an_auction_is_no_trade_and_ends_with_the_auction() -> None:
    normaliser = Normaliser(epoch=9)
    before = apply(normaliser, full_feed(ltp=5.0, ltt=MONDAY_10_00 - 9, ltq=2, vtt=90))
    during = apply(
        normaliser, full_feed(ltp=5.0, ltt=MONDAY_10_00 - 9, ltq=2, vtt=90, iep=5.5, ieq=8)
    )
    assert (during.iep, during.ieq) == (5.5, 8)
    unchanged = ("ltp", "ltt", "ltq", "volume")
    assert [getattr(during, name) for name in unchanged] == [
        getattr(before, name) for name in unchanged
    ]
    after = apply(normaliser, full_feed(ltp=5.5, ltt=MONDAY_10_00, ltq=8, vtt=98))
    assert (after.iep, after.ieq, after.ltp, after.volume) == (None, None, 5.5, 98)


def test_an_auction_without_matching_orders_has_no_indicative_result() -> None:
    normaliser = Normaliser(epoch=9)
    apply(normaliser, full_feed(ltp=5.0, iep=5.5, ieq=8))
    state = apply(normaliser, full_feed(ltp=5.0))
    assert (state.iep, state.ieq) == (None, None)


def test_the_indicative_price_comes_from_the_block_of_the_last_trade_if_it_is_only_there() -> None:
    normaliser = Normaliser(epoch=9)
    feed = full_feed(ltp=5.0, vtt=90)
    feed.fullFeed.marketFF.ltpc.iep.value = 5.5
    assert apply(normaliser, feed).iep == 5.5
    assert apply(normaliser, feed).iep == 5.5
    for other in (ltpc_feed(ltp=5.0, iep=5.75), greeks_feed(ltp=5.0, iep=5.75)):
        assert apply(normaliser, other).iep == 5.75
        assert apply(normaliser, ltpc_feed(ltp=5.0)).iep is None


def test_an_indicative_value_out_of_range_makes_it_unknown() -> None:
    for iep, ieq, kept, bad in ((NAN, 8, (None, None), "iep"), (5.5, -1, (5.5, None), "ieq")):
        normaliser = Normaliser(epoch=9)
        apply(normaliser, full_feed(ltp=5.0, iep=5.25, ieq=7))
        merged = merge(normaliser, full_feed(ltp=5.0, iep=iep, ieq=ieq))
        quote = merged.updated[0].quote
        assert ((quote.iep, quote.ieq), [name for _, name, _ in merged.bad_fields]) == (kept, [bad])
        assert apply(normaliser, full_feed(ltp=5.0)).ieq is None


def test_a_feed_without_a_block_updates_nothing() -> None:
    from upstox_client.feeder.proto import MarketDataFeedV3_pb2 as pb

    assert merge(Normaliser(epoch=9), pb.Feed()).updated == []


def test_the_mode_ltpc_has_the_last_trade_only() -> None:
    feed = ltpc_feed(ltp=1_400.05, ltt=MONDAY_10_00, ltq=3, cp=1_390.0)
    quote = apply(Normaliser(epoch=9), feed)
    assert (quote.ltp, quote.ltt, quote.ltq, quote.cp) == (1_400.05, MONDAY_10_00, 3, 1_390.0)
    assert (quote.volume, quote.bid, quote.tbq) == (None, None, None)


def test_the_mode_option_greeks_has_the_best_level_and_the_volume() -> None:
    feed = greeks_feed(
        ltp=95.05, ltt=MONDAY_10_00, ltq=75, vtt=900, oi=40.0, first=(95.0, 75, 95.1, 150)
    )
    quote = apply(Normaliser(epoch=9), feed)
    assert (quote.ltp, quote.volume, quote.oi) == (95.05, 900, 40)
    assert (quote.bid, quote.bid_qty, quote.ask, quote.ask_qty) == (95.0, 75, 95.1, 150)


def test_a_change_of_mode_keeps_the_values_that_the_new_mode_lacks() -> None:
    normaliser = Normaliser(epoch=9)
    apply(
        normaliser, full_feed(ltp=1.0, ltt=MONDAY_10_00 - 9, vtt=9, tbq=10.0, tsq=20.0, book=BOOK)
    )
    quote = apply(normaliser, ltpc_feed(ltp=2.0, ltt=MONDAY_10_00))
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
    first = full_feed(ltp=1.0, ltt=MONDAY_10_00 - 3, vtt=9)
    assert not merge(normaliser, first, snap=True).missed_trades
    assert not merge(normaliser, first, snap=True).missed_trades
    assert not merge(normaliser, full_feed(ltp=1.5, ltt=MONDAY_10_00 - 2, vtt=10)).missed_trades
    assert merge(
        normaliser, full_feed(ltp=2.0, ltt=MONDAY_10_00 - 1, vtt=12), snap=True
    ).missed_trades


def test_a_key_that_is_no_instrument_key_costs_only_its_own_instrument() -> None:
    feeds = {"RELIANCE": full_feed(ltp=1.0), KEY: full_feed(ltp=1.0)}
    merged = Normaliser(epoch=9).apply(feeds, ts=MONDAY_10_00, received_us=1, snapshot=False)
    assert [instrument.key for instrument in merged.updated] == [KEY]
    assert merged.bad_fields == [("RELIANCE", "key", "RELIANCE")]


GOOD: dict[str, Any] = {
    "ltp": 1_400.05, "ltt": MONDAY_10_00 - 5, "ltq": 3, "cp": 1_390.0, "vtt": 900, "atp": 1_395.5,
    "oi": 40.0, "tbq": 1_000.0, "tsq": 2_000.0, "book": BOOK,
}  # fmt: skip
AS_QUOTED: dict[str, Any] = {
    "ltp": 1_400.05, "ltt": MONDAY_10_00 - 5, "ltq": 3, "cp": 1_390.0, "volume": 900,
    "atp": 1_395.5, "oi": 40, "tbq": 1_000, "tsq": 2_000, "bid": 1_399.9, "ask": 1_400.1,
}  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value", "lost"),
    [
        *(("ltp", value, ("ltp", "ltt", "ltq")) for value in (NAN, INFINITY, -1.0, 1e9)),
        *(("ltt", value, ("ltp", "ltt", "ltq"))
          for value in (1, -1, MONDAY_10_00 * 1_000, 2**63 - 1)),
        *(("ltq", value, ("ltq",)) for value in (-1, 2**53, 2**63 - 1)),
        *(("cp", value, ("cp",)) for value in (NAN, INFINITY, -1.0)),
        *(("vtt", value, ("volume",)) for value in (-1, 2**53, 2**63 - 1)),
        *(("atp", value, ("atp",)) for value in (NAN, INFINITY, -1.0)),
        *(("oi", value, ("oi",)) for value in (NAN, INFINITY, -1.0, 2.0**64)),
        *(("tbq", value, ("tbq",)) for value in (NAN, INFINITY, -1.0, 2.0**64)),
        *(("tsq", value, ("tsq",)) for value in (NAN, INFINITY, -1.0, 2.0**64)),
    ],
)  # fmt: skip
def test_a_value_out_of_range_costs_its_own_field(
    field: str, value: float, lost: tuple[str, ...]
) -> None:
    merged = merge(Normaliser(epoch=9), full_feed(**(GOOD | {field: value})))
    (instrument,) = merged.updated
    expected = AS_QUOTED | dict.fromkeys(lost)
    assert {name: getattr(instrument.quote, name) for name in expected} == expected
    ((key, name, _),) = merged.bad_fields
    assert (key, name) == (KEY, {"vtt": "volume"}.get(field, field))


def test_a_value_out_of_range_keeps_the_last_good_one() -> None:
    normaliser = Normaliser(epoch=9)
    apply(normaliser, full_feed(**GOOD))
    state = apply(normaliser, full_feed(ltp=NAN, ltt=MONDAY_10_00, ltq=9, vtt=901, oi=INFINITY))
    assert (state.ltp, state.ltt, state.ltq) == (1_400.05, MONDAY_10_00 - 5, 3)
    assert (state.volume, state.oi) == (901, 40)


@pytest.mark.parametrize(
    ("best", "name"),
    [
        ((1_400.1, 50, 1_400.1, 70), "crossed_book"),
        ((1_400.2, 50, 1_400.1, 70), "crossed_book"),
        ((NAN, 50, 1_400.1, 70), "book"),
        ((1_399.9, -50, 1_400.1, 70), "book"),
        ((1_399.9, 50, INFINITY, 70), "book"),
    ],
)
def test_a_book_that_cannot_be_right_makes_the_best_prices_unknown(
    best: tuple[float, int, float, int], name: str
) -> None:
    normaliser = Normaliser(epoch=9)
    apply(normaliser, full_feed(**GOOD))
    merged = merge(normaliser, full_feed(ltp=1_400.0, ltt=MONDAY_10_00, book=[best]))
    (instrument,) = merged.updated
    quote = instrument.quote
    assert (quote.bid, quote.bid_qty, quote.ask, quote.ask_qty) == (None, None, None, None)
    assert instrument.packed_book() is None
    assert quote.ltp == 1_400.0
    assert [(key, field) for key, field, _ in merged.bad_fields] == [(KEY, name)]


@pytest.mark.parametrize("value", [NAN, INFINITY, 1e300])
def test_a_bad_greek_costs_the_greeks_and_no_price(value: float) -> None:
    normaliser = Normaliser(epoch=9)
    merge(normaliser, full_feed(ltp=95.0, vtt=1, iv=0.14, delta=0.5))
    merged = merge(normaliser, full_feed(ltp=96.0, vtt=2, iv=0.15, delta=value))
    (instrument,) = merged.updated
    assert (instrument.quote.ltp, instrument.iv) == (96.0, 0.15)
    assert instrument.greeks is not None
    assert wire.decode_greeks(instrument.greeks).delta == 0.5
    assert [name for _, name, _ in merged.bad_fields] == ["greeks"]


@pytest.mark.parametrize(
    "minute",
    [
        (NINE_59 + 1, 1.0, 4.0, 0.5, 2.0, 70),
        (NINE_59 * 1_000, 1.0, 4.0, 0.5, 2.0, 70),
        (NINE_59, 5.0, 4.0, 0.5, 2.0, 70),
        (NINE_59, 1.0, 4.0, 0.5, 0.4, 70),
        (NINE_59, NAN, 4.0, 0.5, 2.0, 70),
        (NINE_59, 1.0, INFINITY, 0.5, 2.0, 70),
        (NINE_59, 1.0, 4.0, 0.5, 2.0, -1),
        (NINE_59, 1.0, 4.0, 0.5, 2.0, 2**63 - 1),
    ],
)
def test_a_candle_that_contradicts_itself_is_not_used(minute: Any) -> None:
    normaliser = Normaliser(epoch=9)
    merged = merge(normaliser, full_feed(ltp=2.0, minute=minute))
    assert merged.candles == []
    assert [name for _, name, _ in merged.bad_fields] == ["candle"]
    right = (NINE_59, 1.0, 4.0, 0.5, 2.0, 70)
    assert len(merge(normaliser, full_feed(ltp=2.0, minute=right)).candles) == 1


BLOCKS: dict[str, dict[str, Any]] = {
    "trade": {"ltp": 1_400.05, "ltt": MONDAY_10_00 - 5, "ltq": 3, "cp": 1_390.0},
    "volume": {"vtt": 900, "atp": 1_395.5, "oi": 40.0},
    "day": {"day": TODAY},
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
