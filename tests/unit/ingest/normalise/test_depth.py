"""An order book message has the last received book, also after its frame is freed."""

from typing import Any

import pytest

from services.ingest.normalise.depth import depth_of
from services.ingest.normalise.instrument_state import InstrumentState
from services.ingest.normalise.normaliser import Normaliser
from shared.contracts.messages import Depth, Greeks
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY, full_feed, index_feed

BOOK = [(1_399.9, 50, 1_400.1, 70), (1_399.8, 10, 0.0, 0)]


def instrument_of(normaliser: Normaliser, feed: Any, key: str = KEY) -> InstrumentState:
    merged = normaliser.apply({key: feed}, ts=MONDAY_10_00, received_us=7, snapshot=False)
    return merged.updated[0]


def test_an_order_book_has_the_levels_with_a_quantity() -> None:
    instrument = instrument_of(Normaliser(epoch=9), full_feed(ltp=1_400.0, book=BOOK))
    instrument.quote.seq = 4
    assert depth_of(instrument) == Depth(
        key=KEY, epoch=9, seq=4, ts=MONDAY_10_00, rt=7,
        bids=[(1_399.9, 50), (1_399.8, 10)], asks=[(1_400.1, 70)],
    )  # fmt: skip


def test_a_frame_without_a_book_keeps_the_last_one() -> None:
    normaliser = Normaliser(epoch=9)
    before = depth_of(instrument_of(normaliser, full_feed(ltp=1_400.0, book=BOOK)))
    normaliser.pack_books()
    after = depth_of(instrument_of(normaliser, full_feed(ltp=1_401.0)))
    assert before is not None
    assert after is not None
    assert (after.bids, after.asks) == (before.bids, before.asks)


@pytest.mark.parametrize(
    "book",
    [
        [(1_399.9, 50, 1_400.1, 70), (1_399.8, 10, 1_400.0, 20)],  # asks fall
        [(1_399.9, 50, 1_400.1, 70), (1_399.95, 10, 1_400.2, 20)],  # bids rise
        [(1_399.9, 50, 1_400.1, 70), (float("nan"), 10, 1_400.2, 20)],
        [(1_399.9, 50, 1_400.1, 70), (1_399.8, 2**60, 1_400.2, 20)],
    ],
)
def test_an_unsorted_book_is_not_published(book: Any) -> None:
    assert depth_of(instrument_of(Normaliser(epoch=9), full_feed(ltp=1_400.0, book=book))) is None


def test_an_option_has_greeks_and_volatility() -> None:
    feed = full_feed(ltp=95.0, book=BOOK, iv=0.14, delta=0.5)
    depth = depth_of(instrument_of(Normaliser(epoch=9), feed))
    assert depth is not None
    assert depth.iv == 0.14
    assert depth.greeks == Greeks(delta=0.5, theta=0.0, gamma=0.0, vega=0.0, rho=0.0)


def test_an_index_has_no_order_book() -> None:
    feed = index_feed(ltp=24_000.0, ltt=MONDAY_10_00)
    assert depth_of(instrument_of(Normaliser(epoch=9), feed, OTHER_KEY)) is None
