"""The normaliser merges what frames say, and never takes silence for zero."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.instrument_state import InstrumentState
from services.ingest.normalise import Normaliser
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY, full_feed, index_feed

DAY_MS = 86_400_000
BOOK = [(1_399.9, 50, 1_400.1, 70), (1_399.8, 10, 1_400.2, 20)]


def apply(
    normaliser: Normaliser, feed: Any, *, key: str = KEY, ts: int = MONDAY_10_00, snap: bool = False
) -> InstrumentState:
    (state,) = normaliser.apply({key: feed}, ts=ts, received_us=7, snapshot=snap)
    return state


def test_a_full_frame_fills_every_field() -> None:
    feed = full_feed(
        ltp=1_400.05, ltt=MONDAY_10_00 - 5, ltq=3, cp=1_390.0, vtt=900, atp=1_395.5, oi=40.0,
        tbq=1_000.0, tsq=2_000.0, book=BOOK,
    )  # fmt: skip
    state = apply(Normaliser(), feed, snap=True)
    quote = state.next_quote(epoch=9)
    assert (quote.epoch, quote.seq, quote.ts, quote.rt, quote.snap) == (9, 1, MONDAY_10_00, 7, True)
    assert (quote.ltp, quote.ltt, quote.ltq, quote.cp) == (1_400.05, MONDAY_10_00 - 5, 3, 1_390.0)
    assert (quote.volume, quote.atp, quote.oi) == (900, 1_395.5, 40)
    assert (quote.bid, quote.bid_qty, quote.ask, quote.ask_qty) == (1_399.9, 50, 1_400.1, 70)
    assert (quote.tbq, quote.tsq) == (1_000, 2_000)


def test_a_frame_without_the_book_keeps_the_book() -> None:
    normaliser = Normaliser()
    apply(normaliser, full_feed(ltp=1.0, vtt=5, tbq=10.0, tsq=20.0, book=BOOK))
    state = apply(normaliser, full_feed(ltp=2.0, vtt=6))
    assert (state.ltp, state.volume) == (2.0, 6)
    assert (state.bid, state.ask, state.tbq, state.tsq) == (1_399.9, 1_400.1, 10, 20)


def test_a_book_without_sellers_has_no_ask_and_a_total_of_zero() -> None:
    normaliser = Normaliser()
    apply(normaliser, full_feed(ltp=1.0, tbq=10.0, tsq=20.0, book=BOOK))
    state = apply(normaliser, full_feed(ltp=1.0, tbq=10.0, tsq=0.0, book=[(1.0, 10, 0.0, 0)]))
    assert (state.bid, state.ask, state.ask_qty, state.tsq) == (1.0, None, None, 0)


def test_a_zero_that_the_market_does_not_know_changes_nothing() -> None:
    normaliser = Normaliser()
    apply(normaliser, full_feed(ltp=5.0, ltt=1, ltq=2, cp=4.0, vtt=9, atp=4.5, oi=3.0))
    state = apply(normaliser, full_feed(book=BOOK))
    assert (state.ltp, state.ltt, state.ltq, state.cp) == (5.0, 1, 2, 4.0)
    assert (state.volume, state.atp, state.oi) == (9, 4.5, 3)


def test_an_index_has_no_quantity_and_no_volume() -> None:
    state = apply(Normaliser(), index_feed(ltp=24_000.5, ltt=MONDAY_10_00), key=OTHER_KEY)
    quote = state.next_quote(1)
    assert (quote.ltp, quote.ltq, quote.volume, quote.bid) == (24_000.5, None, None, None)


def test_the_volume_of_yesterday_is_forgotten_at_a_new_day() -> None:
    normaliser = Normaliser()
    apply(normaliser, full_feed(ltp=5.0, vtt=900, atp=5.0))
    state = apply(normaliser, full_feed(book=BOOK), ts=MONDAY_10_00 + DAY_MS)
    assert (state.ltp, state.volume, state.atp) == (5.0, None, None)


def test_an_empty_feed_touches_nothing() -> None:
    from upstox_client.feeder.proto import MarketDataFeedV3_pb2 as pb

    touched = Normaliser().apply({KEY: pb.Feed()}, ts=1, received_us=1, snapshot=False)
    assert touched == []


def test_quotes_count_up_per_instrument() -> None:
    normaliser = Normaliser()
    assert [apply(normaliser, full_feed(ltp=1.0)).next_quote(1).seq for _ in range(3)] == [1, 2, 3]
    assert apply(normaliser, index_feed(ltp=1.0, ltt=1), key=OTHER_KEY).next_quote(1).seq == 1


BLOCKS: dict[str, dict[str, Any]] = {
    "trade": {"ltp": 1_400.05, "ltt": MONDAY_10_00 - 5, "ltq": 3, "cp": 1_390.0},
    "day": {"vtt": 900, "atp": 1_395.5, "oi": 40.0},
    "book": {"tbq": 1_000.0, "tsq": 2_000.0, "book": BOOK},
}


@given(st.lists(st.sets(st.sampled_from(sorted(BLOCKS))), max_size=8), st.randoms())
def test_any_order_of_partial_frames_comes_to_the_full_frame(
    frames: list[set[str]], shuffled: Any
) -> None:
    every_block = [{name} for name in BLOCKS]
    order = frames + every_block
    shuffled.shuffle(order)
    normaliser = Normaliser()
    for blocks in order:
        fields = {name: value for block in blocks for name, value in BLOCKS[block].items()}
        state = apply(normaliser, full_feed(**fields))
    whole = {name: value for block in BLOCKS.values() for name, value in block.items()}
    assert state == apply(Normaliser(), full_feed(**whole))
